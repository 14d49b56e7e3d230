#include "backend/pages.h"

#include <algorithm>

namespace guard::backend {

std::vector<uint64_t> Pages::take(size_t count) {
  std::lock_guard lock(mutex_);
  while (idle_.size() < count) {
    const size_t several = std::max<size_t>(1, std::min(kChunkBytes / page_bytes_, std::max<size_t>(count - idle_.size(), 16)));
    chunks_.emplace_back(device_, several * page_bytes_);
    for (size_t i = 0; i < several; i++) idle_.push_back(reinterpret_cast<uint64_t>(chunks_.back().as<uint8_t>(i * page_bytes_)));
  }
  std::vector<uint64_t> out(idle_.end() - static_cast<std::ptrdiff_t>(count), idle_.end());
  idle_.resize(idle_.size() - count);
  used_ += count;
  return out;
}

void Pages::close() {
  std::lock_guard lock(mutex_);
  idle_.clear();
  chunks_.clear();
}

void Pages::give_back(const std::vector<uint64_t>& pages) {
  std::lock_guard lock(mutex_);
  if (!chunks_.empty()) idle_.insert(idle_.end(), pages.begin(), pages.end());
  used_ -= pages.size();
}

size_t Pages::in_use() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace guard::backend
