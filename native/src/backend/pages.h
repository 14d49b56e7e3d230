#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "backend/cuda-device.h"
#include "model/kv.h"

namespace guard::backend {

/// Pages of keys and values on the device: GUARD_CUDA_PAGE tokens of all layers each. They are taken from the device in
/// chunks, and handed out again when their owner goes. A prefix may be given back after its engine is closed: `close` frees the
/// memory, and what comes back later is only counted.
class Pages {
 public:
  Pages(CudaDevice& device, size_t page_bytes) : device_(device), page_bytes_(page_bytes) {}
  size_t page_bytes() const { return page_bytes_; }
  static size_t count_for(size_t tokens) { return (tokens + GUARD_CUDA_PAGE - 1) / GUARD_CUDA_PAGE; }
  std::vector<uint64_t> take(size_t count);
  void give_back(const std::vector<uint64_t>& pages);
  void close();
  size_t in_use() const;

 private:
  static constexpr size_t kChunkBytes = 32u << 20;
  CudaDevice& device_;
  const size_t page_bytes_;
  mutable std::mutex mutex_;
  std::vector<DeviceBytes> chunks_;
  std::vector<uint64_t> idle_;
  size_t used_ = 0;
};

/// A sequence's keys and values on the device. A prefix's pages are read by every request that holds the prefix, and
/// go back when the last of them has let go.
class PagedKv final : public Kv {
 public:
  PagedKv(std::shared_ptr<Pages> pool, size_t tokens) : pool_(std::move(pool)), pages_(pool_->take(Pages::count_for(tokens))) {}
  ~PagedKv() override { pool_->give_back(pages_); }
  const std::vector<uint64_t>& pages() const { return pages_; }

 private:
  const std::shared_ptr<Pages> pool_;
  const std::vector<uint64_t> pages_;
};

}  // namespace guard::backend
