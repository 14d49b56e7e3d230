#include "backend/choose.h"

#include "base/fail.h"

namespace guard::backend {

Choice choose(const guard_open_options& o) {
  if (o.backend != GUARD_BACKEND_AUTO && o.backend != GUARD_BACKEND_CUDA) return {};
  try {
    return {std::make_unique<CudaDevice>(Library::load(o.device_library), o.device, o.max_device_bytes), ""};
  } catch (const Fail& none) {
    if (o.backend == GUARD_BACKEND_CUDA) throw;
    return {nullptr, none.what()};
  }
}

}  // namespace guard::backend
