#pragma once
#include <memory>
#include <string>

#include "backend/cuda-device.h"
#include "guard.h"

namespace guard::backend {

struct Choice {
  std::unique_ptr<CudaDevice> cuda;  // null: the CPU, or a simulated device, computes
  std::string fallback;              // AUTO: why no CUDA device does, in a sentence
};

/// The device that the options ask for. AUTO takes a CUDA device where there is one; asked for by name and not to be
/// had, it throws Fail with the reason.
Choice choose(const guard_open_options& options);

}  // namespace guard::backend
