#include "backend/batch.h"

#include <algorithm>

#include "backend/pages.h"

namespace guard::backend {
namespace {

/// Up to the next of 32, 64, 96, 128, then steps of an eighth to a quarter: few sizes, little idle work.
uint32_t bucket(size_t n) {
  uint32_t step = 32;
  while (n > 8ull * step) step *= 2;
  return static_cast<uint32_t>((std::max<size_t>(n, 1) + step - 1) / step * step);
}
uint32_t power(size_t n, uint32_t least) {
  while (least < n) least *= 2;
  return least;
}

}  // namespace

void Batch::lay_out() {
  size_t end = 0;
  const auto room = [&](size_t count, size_t each) {
    const size_t begin = (end + 63) / 64 * 64;
    end = begin + count * each;
    return begin;
  };
  room(4, sizeof(int32_t));
  const size_t rows = size_.rows, parts = size_.parts;
  places_.ids = room(rows, 4);
  places_.positions = room(rows, 4);
  places_.slots = room(rows, 4);
  places_.first_rows = room(parts, 4);
  places_.marks = room(parts, 4);
  places_.parts = room(parts, sizeof(guard_cuda_part));
  places_.tiles = room(size_.tiles(), sizeof(guard_cuda_tile));
  places_.wanted_rows = room(parts, 4);
  places_.wanted_positions = room(parts, 4);
  places_.wanted_parts = room(parts, sizeof(guard_cuda_part));
  places_.wanted_tiles = room(parts, sizeof(guard_cuda_tile));
  places_.row_pages = room(rows, 8);
  places_.pages = room(size_.pages, 8);
  places_.bytes = room(0, 1);
  if (memory_.size() >= places_.bytes) return;
  const size_t bytes = power(places_.bytes, 1u << 16);
  memory_ = DeviceBytes(device_, bytes);
  staging_ = PinnedBytes(device_, bytes);
  moved_ = true;
}

void Batch::fill(std::vector<Pass>& passes, const std::function<int32_t(const Pass&)>& mark) {
  size_t rows = 0, pages = 0, keys = 1;
  const auto paged = [](const Kv* kv) { return static_cast<const PagedKv*>(kv); };
  for (const Pass& pass : passes) {
    rows += pass.n;
    const size_t shared = pass.prefix != nullptr ? pass.prefix->length : 0;
    const size_t own = (pass.kv != nullptr ? pass.kv->length : 0) + pass.n;
    if (pass.prefix != nullptr) pages += paged(pass.prefix)->pages().size();
    if (pass.kv != nullptr) pages += paged(pass.kv)->pages().size();
    keys = std::max(keys, shared + own);
  }
  size_ = {bucket(rows), power(passes.size(), 1), power(pages, 64), power(keys, 128)};
  lay_out();
  memset(host<uint8_t>(0), 0, places_.bytes);
  answers_.clear();

  auto* counts = host<int32_t>(0);
  auto* parts = host<guard_cuda_part>(places_.parts);
  auto* tiles = host<guard_cuda_tile>(places_.tiles);
  auto* wanted_parts = host<guard_cuda_part>(places_.wanted_parts);
  auto* list = host<uint64_t>(places_.pages);
  int32_t row = 0, n_parts = 0, n_tiles = 0, wanted = 0, n_pages = 0;
  for (Pass& pass : passes) {
    guard_cuda_part& part = parts[n_parts];
    const int32_t n = static_cast<int32_t>(pass.n), before = pass.kv != nullptr ? static_cast<int32_t>(pass.kv->length) : 0;
    part.row = part.key_row = row;
    part.rows = n;
    part.first = static_cast<int32_t>(pass.position);
    part.own = before + n;
    part.own_pages = -1;
    const auto add = [&](const std::vector<uint64_t>& of) {
      const int32_t begin = n_pages;
      for (const uint64_t page : of) list[n_pages++] = page;
      return begin;
    };
    if (pass.prefix != nullptr) {
      part.prefix = static_cast<int32_t>(pass.prefix->length);
      part.prefix_pages = add(paged(pass.prefix)->pages());
    }
    if (pass.kv != nullptr) part.own_pages = add(paged(pass.kv)->pages());
    for (int32_t i = 0; i < n; i++, row++) {
      host<int32_t>(places_.ids)[row] = pass.tokens[i];
      host<int32_t>(places_.positions)[row] = part.first + i;
      if (pass.kv == nullptr) continue;
      const int32_t own = before + i;
      host<int32_t>(places_.slots)[row] = own % GUARD_CUDA_PAGE;
      host<uint64_t>(places_.row_pages)[row] = list[part.own_pages + own / GUARD_CUDA_PAGE];
    }
    for (int32_t query = 0; query < n; query += GUARD_CUDA_QUERIES) tiles[n_tiles++] = {n_parts, query};
    host<int32_t>(places_.first_rows)[n_parts] = part.row;
    if (mark) host<int32_t>(places_.marks)[n_parts] = mark(pass);
    if (pass.wants_output) {
      host<int32_t>(places_.wanted_rows)[wanted] = row - 1;
      host<int32_t>(places_.wanted_positions)[wanted] = part.first + n - 1;
      wanted_parts[wanted] = part;
      wanted_parts[wanted].row = wanted;
      wanted_parts[wanted].rows = 1;
      wanted_parts[wanted].first = part.first + n - 1;
      host<guard_cuda_tile>(places_.wanted_tiles)[wanted] = {wanted, 0};
      answers_.push_back(&pass);
      wanted++;
    }
    n_parts++;
  }
  counts[0] = row;
  counts[1] = n_parts;
  counts[2] = n_tiles;
  counts[3] = wanted;
}

void Batch::send() { device_.check(device_.api()->give(device_.handle(), memory_.as<void>(), staging_.as<void>(), places_.bytes)); }

bool Batch::moved() {
  const bool was = moved_;
  moved_ = false;
  return was;
}

}  // namespace guard::backend
