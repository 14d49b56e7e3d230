#pragma once
// The arithmetic of src/cpu/kernels-impl.h for one lane: the same operations in the same order, so that a device gives
// the same bits as every instruction set of the CPU. Built without contraction: what is fused is written as fma.
#include "lanes.h"

namespace guard_device {

constexpr float kMagic = 12582912.0f;       // 1.5 * 2^23: adding it rounds to an integer
constexpr int32_t kMagicBits = 0x4b400000;  // and its bits, to which integers below 2^22 can be added

/// e^x within 2 ulp for x in [-87, 88]; 0 below. Cody and Waite reduction, degree 6 polynomial.
GUARD_INLINE float exponential(float x) {
  const bool tiny = x < -87.0f;
  x = tiny ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float n = (x * 1.44269504f + kMagic) - kMagic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = static_cast<int32_t>(static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23);
  return tiny ? 0.0f : p * lanes::as_float(bits);
}

/// x * Phi(x), with erf by Abramowitz and Stegun 7.1.26.
GUARD_INLINE float gelu(float x) {
  const float z = x * 0.70710678f;
  const float a = z < 0.0f ? -z : z;
  const float t = 1.0f / (1.0f + a * 0.3275911f);
  const float poly = ((((t * 1.061405429f - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  const float e = 1.0f - poly * exponential(-(a * a));
  return x * 0.5f * (1.0f + (z < 0.0f ? -e : e));
}

GUARD_INLINE float silu(float x) { return x / (1.0f + exponential(-x)); }

/// Sixteen partial sums fold by halves onto one another: the CPU's order. Both halves of a warp may hold one.
GUARD_INLINE float folded_sum(float v) {
  for (int w = 8; w > 0; w /= 2) v = v + lanes::across(v, w);
  return v;
}
GUARD_INLINE float folded_top(float v) {
  for (int w = 8; w > 0; w /= 2) {
    const float other = lanes::across(v, w);
    v = other > v ? other : v;
  }
  return v;
}

/// A warp rounds one block of 32: by its largest value.
GUARD_INLINE void round_block(float v, uint32_t lane, uint64_t block, int8_t* q, float* d, int32_t* sums) {
  float most = v < 0.0f ? -v : v;
  for (int w = 16; w > 0; w /= 2) {
    const float other = lanes::across(most, w);
    most = other > most ? other : most;
  }
  const float inverse = most > 0.0f ? 127.0f / most : 0.0f;
  const int number = static_cast<int>((v * inverse + kMagic) - kMagic);
  int sum = number;
  for (int w = 8; w > 0; w /= 2) sum += lanes::across(sum, w);
  const int other = lanes::across(sum, 16);
  q[block * 32 + lane] = static_cast<int8_t>(number);
  if (lane == 0) {
    d[block] = most / 127.0f;
    sums[block] = static_cast<int32_t>((static_cast<uint32_t>(sum) & 0xffffu) | static_cast<uint32_t>(other) << 16);
  }
}

GUARD_INLINE float half_at(const unsigned char* p) {
  const uint32_t h = static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8;
  const uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ffu;
  // Subnormals come out of the subtraction; what is infinite or NaN was refused when the file was read.
  if (exponent == 0) {
    const float v = lanes::as_float(static_cast<int32_t>(0x38800000u | fraction << 13)) - lanes::as_float(0x38800000);
    return sign != 0 ? -v : v;
  }
  return lanes::as_float(static_cast<int32_t>(sign | (exponent + 112) << 23 | fraction << 13));
}
GUARD_INLINE float bfloat_at(const unsigned char* p) {
  return lanes::as_float(static_cast<int32_t>(static_cast<uint32_t>(p[0]) << 16 | static_cast<uint32_t>(p[1]) << 24));
}
GUARD_INLINE float float_at(const unsigned char* p) { return *reinterpret_cast<const float*>(p); }

/// The nearest bfloat16, ties to even, as its upper half of a float.
GUARD_INLINE uint32_t bfloat_bits(float v) {
  const uint32_t u = static_cast<uint32_t>(lanes::as_int(v));
  return (u + 0x7fffu + (u >> 16 & 1)) & 0xffff0000u;
}

}  // namespace guard_device
