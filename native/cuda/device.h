#pragma once
#include <mutex>
#include <vector>

#include "guard_cuda.h"
#include "lanes.h"

/// A queue's marks: numbered events, of which the latest are kept.
class Marks {
 public:
  cudaError_t make();
  void destroy();
  cudaError_t mark(cudaStream_t queue, uint64_t& number);
  /// The event of a mark, or null where so many came after it that it is reached for certain.
  cudaEvent_t event(uint64_t number);

 private:
  static constexpr size_t kKept = 256;
  std::vector<cudaEvent_t> ring_;
  uint64_t last_ = 0;
};

struct guard_cuda_device {
  int32_t ordinal = 0;
  guard_cuda_facts facts{};
  cudaStream_t compute = nullptr, copy = nullptr;
  std::mutex mutex;  // of what follows
  Marks marks[2];    // of compute and copy
  struct Upload {
    cudaEvent_t begin, end;
    uint64_t bytes;
  };
  std::vector<Upload> flying;
  std::vector<cudaEvent_t> spare;
  uint64_t moved = 0;
  double busy_seconds = 0;
};

struct guard_cuda_graph {
  cudaGraphExec_t ready;
};

namespace guard_device {

/// 0, or the failure that this is, with its sentence kept for `why`.
int told(cudaError_t error, const char* what);
int bad_call(const char* what);
const char* last_failure();

int embed(guard_cuda_device* device, const guard_cuda_embed* step);
int norm(guard_cuda_device* device, const guard_cuda_norm* step);
int linear(guard_cuda_device* device, const guard_cuda_linear* step);
int rotate(guard_cuda_device* device, const guard_cuda_rotate* step);
int attend(guard_cuda_device* device, const guard_cuda_attend* step);
int activate(guard_cuda_device* device, const guard_cuda_activate* step);
int pool(guard_cuda_device* device, const guard_cuda_pool* step);
/// Whether the library has code for the current device.
int has_code();

}  // namespace guard_device
