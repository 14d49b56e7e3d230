#pragma once
#include <cstdint>

namespace guard::cpu {

/// IEEE binary16 to binary32, exact, without hardware help. `static` on purpose: see kernels.h.
static inline float half_to_float(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7F800000 | mantissa << 13;
  } else if (exponent != 0) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    // A subnormal half is mantissa * 2^-24, which float32 holds exactly.
    float value = (float)mantissa * 5.9604644775390625e-8f;
    __builtin_memcpy(&bits, &value, 4);
    bits |= sign;
  }
  float out;
  __builtin_memcpy(&out, &bits, 4);
  return out;
}

}  // namespace guard::cpu
