#include "device.h"
#include "kernels/element.h"

namespace guard_device {

GUARD_KERNEL(32) nothing(const int32_t) {}

int has_code() {
#ifdef GUARD_EMULATE
  return 0;
#else
  cudaFuncAttributes attributes;
  return told(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(nothing)), "The library has no code for this device");
#endif
}

}  // namespace guard_device
