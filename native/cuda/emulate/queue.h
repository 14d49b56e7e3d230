#pragma once
#include <functional>

#include "emulate/cuda_runtime.h"

namespace lanes::emulated {

inline constexpr size_t kShared = 99 * 1024;  // of one block: the least that any supported device allows

/// Runs `work` at once, or records it where the queue is being recorded.
cudaError_t enqueue(cudaStream_t queue, std::function<cudaError_t()> work);
/// Threads run in the opposite order in every second launch.
bool order_is_reversed();

}  // namespace lanes::emulated
