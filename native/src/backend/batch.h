#pragma once
#include <cstring>
#include <functional>
#include <vector>

#include "backend/cuda-device.h"
#include "model/model.h"

namespace guard::backend {

/// So many rows, sequences, pages and keys at most: batches of one size share a recorded graph.
struct BatchSize {
  uint32_t rows = 0, parts = 0, pages = 0, keys = 0;
  uint32_t tiles() const { return rows / GUARD_CUDA_QUERIES + parts; }
  auto operator<=>(const BatchSize&) const = default;
};

/// What kernels are told of a batch: its tokens, where its sequences lie and which keys they see. Filled in locked
/// memory of the host, and brought to the device in one copy.
class Batch {
 public:
  explicit Batch(CudaDevice& device) : device_(device) {}

  /// Lays out the passes. `mark`: a number that the model gives each sequence, or empty.
  void fill(std::vector<Pass>& passes, const std::function<int32_t(const Pass&)>& mark);
  /// Puts the copy on the compute queue.
  void send();
  /// True where the buffers moved since the last call: recorded graphs point into the old ones.
  bool moved();

  const BatchSize& size() const { return size_; }
  guard_cuda_count rows() const { return {at<int32_t>(0), size_.rows}; }
  guard_cuda_count parts() const { return {at<int32_t>(0) + 1, size_.parts}; }
  guard_cuda_count tiles() const { return {at<int32_t>(0) + 2, size_.tiles()}; }
  /// Rows that are asked for: the last one of each sequence that wants an output.
  guard_cuda_count wanted() const { return {at<int32_t>(0) + 3, size_.parts}; }
  const int32_t* ids() const { return at<int32_t>(places_.ids); }
  const int32_t* positions() const { return at<int32_t>(places_.positions); }
  const int32_t* slots() const { return at<int32_t>(places_.slots); }
  const uint64_t* row_pages() const { return at<uint64_t>(places_.row_pages); }
  const uint64_t* pages() const { return at<uint64_t>(places_.pages); }
  const guard_cuda_part* part_list() const { return at<guard_cuda_part>(places_.parts); }
  const guard_cuda_tile* tile_list() const { return at<guard_cuda_tile>(places_.tiles); }
  const int32_t* wanted_rows() const { return at<int32_t>(places_.wanted_rows); }
  const int32_t* wanted_positions() const { return at<int32_t>(places_.wanted_positions); }
  const guard_cuda_part* wanted_parts() const { return at<guard_cuda_part>(places_.wanted_parts); }
  const guard_cuda_tile* wanted_tiles() const { return at<guard_cuda_tile>(places_.wanted_tiles); }
  /// First rows of the sequences, and a number for each that the model gave to `fill`.
  const int32_t* first_rows() const { return at<int32_t>(places_.first_rows); }
  const int32_t* marks() const { return at<int32_t>(places_.marks); }
  /// The passes that wanted an output, in order.
  const std::vector<Pass*>& answers() const { return answers_; }

 private:
  struct Places {
    size_t ids, positions, slots, first_rows, marks, parts, tiles, wanted_rows, wanted_positions, wanted_parts, wanted_tiles, row_pages, pages, bytes;
  };
  void lay_out();
  template <class T>
  T* at(size_t byte) const {
    return memory_.as<T>(byte);
  }
  template <class T>
  T* host(size_t byte) const {
    return staging_.as<T>(byte);
  }

  CudaDevice& device_;
  BatchSize size_;
  Places places_{};
  DeviceBytes memory_;
  PinnedBytes staging_;
  bool moved_ = false;
  std::vector<Pass*> answers_;
};

}  // namespace guard::backend
