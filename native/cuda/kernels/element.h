#pragma once
// Packed weights, element by element.
#include "cpu/kernels.h"
#include "guard_cuda.h"
#include "kernels/math.h"

namespace guard_device {

using guard::cpu::Pack;

constexpr uint32_t unit_of(Pack pack) { return static_cast<uint32_t>(guard::cpu::unit_bytes(pack)); }

/// Element j of lane r in a packed panel, as Matrix::row gives it.
template <Pack P>
GUARD_INLINE float element(const unsigned char* panel, uint32_t r, uint32_t j) {
  constexpr uint64_t unit = unit_of(P);
  if constexpr (P == Pack::F32) return float_at(panel + j * unit + 4 * r);
  if constexpr (P == Pack::F16) return half_at(panel + j * unit + 2 * r);
  if constexpr (P == Pack::BF16) return bfloat_at(panel + j * unit + 2 * r);
  if constexpr (guard::cpu::is_integer(P)) {
    const unsigned char* p = panel + j / 32 * unit;
    const uint32_t e = j % 32, nibble = e % 16 / 4 * 64 + r * 4 + e % 4, byte = e / 4 * 64 + r * 4 + e % 4;
    const float d = float_at(p + 4 * r);
    if constexpr (P == Pack::Q8) return d * static_cast<float>(static_cast<int>(p[64 + byte]) - 128);
    if constexpr (P == Pack::Q6) return float_at(p + (e < 16 ? 0 : 64) + 4 * r) * static_cast<float>(static_cast<int>(p[128 + byte]) - 32);
    if constexpr (P == Pack::Q4 || P == Pack::Q4M) {
      const unsigned char two = p[(P == Pack::Q4 ? 64 : 128) + nibble];
      const float four = static_cast<float>(static_cast<int>(e < 16 ? two & 15 : two >> 4));
      if constexpr (P == Pack::Q4) return d * (four - 8.0f);
      if constexpr (P == Pack::Q4M) return d * four - float_at(p + 64 + 4 * r);
    }
  }
  return 0.0f;
}

constexpr unsigned kRowThreads = 128;

}  // namespace guard_device
