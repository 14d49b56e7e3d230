#include <immintrin.h>

#include "cpu/kernels.h"
#include "cpu/lanes.h"

namespace {
/// AVX2, FMA, F16C: a panel's 16 lanes are two registers.
struct Isa {
  struct F { __m256 a, b; };
  struct I { __m256i a, b; };
  using W = I;
  static constexpr int kRows = 3;
  static constexpr size_t kGroup = 12;
  static F zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static F load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, F v) {
    _mm256_storeu_ps(p, v.a);
    _mm256_storeu_ps(p + 8, v.b);
  }
  static F splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static F mul(F x, F y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
  static F fma(F x, F y, F z) { return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }
  static F load_f16(const uint8_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(p + 16)))};
  }
  static F load_bf16(const uint8_t* p) {
    const auto widen = [](const uint8_t* q) {
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)q)), 16));
    };
    return {widen(p), widen(p + 16)};
  }
  static I izero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  template <int S> static I shifted(int32_t x) {
    const __m256i v = _mm256_slli_epi32(_mm256_set1_epi32(x), S);
    return {v, v};
  }
  static I dot8_start(int32_t) { return izero(); }  // dot8 below takes the weights as signed
  static W bytes(const uint8_t* p) { return {_mm256_loadu_si256((const __m256i*)p), _mm256_loadu_si256((const __m256i*)(p + 32))}; }
  /// Signed weights plus 128.
  static W unsigned_bytes(const uint8_t* p) {
    const W w = bytes(p);
    const __m256i flip = _mm256_set1_epi8(-128);
    return {_mm256_xor_si256(w.a, flip), _mm256_xor_si256(w.b, flip)};
  }
  static W low_half(W w) {
    const __m256i m = _mm256_set1_epi8(15);
    return {_mm256_and_si256(w.a, m), _mm256_and_si256(w.b, m)};
  }
  static W high_half(W w) {
    const __m256i m = _mm256_set1_epi8(15);
    return {_mm256_and_si256(_mm256_srli_epi16(w.a, 4), m), _mm256_and_si256(_mm256_srli_epi16(w.b, 4), m)};
  }
  static __m256i four(const int8_t* x) {
    int32_t v;
    __builtin_memcpy(&v, x, 4);
    return _mm256_set1_epi32(v);
  }
  static __m256i pairs(__m256i u, __m256i s) { return _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1)); }
  /// Unsigned weights up to 255 would saturate maddubs (255 * 127 * 2 > 32767): the sign moves to the activations.
  static I dot8(I acc, W w, const int8_t* x) {
    const __m256i v = four(x), flip = _mm256_set1_epi8(-128);
    const __m256i sa = _mm256_xor_si256(w.a, flip), sb = _mm256_xor_si256(w.b, flip);
    return {_mm256_add_epi32(acc.a, pairs(_mm256_abs_epi8(sa), _mm256_sign_epi8(v, sa))),
            _mm256_add_epi32(acc.b, pairs(_mm256_abs_epi8(sb), _mm256_sign_epi8(v, sb)))};
  }
  static I dot7(I acc, W w, const int8_t* x) {
    const __m256i v = four(x);
    return {_mm256_add_epi32(acc.a, pairs(w.a, v)), _mm256_add_epi32(acc.b, pairs(w.b, v))};
  }
  static F to_float(I x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
  static int32_t sum(VI v) {
    int32_t a[16], all = 0;
    __builtin_memcpy(a, &v, 64);
    for (const int32_t one : a) all += one;
    return all;
  }
  static int32_t top(VI v) {
    int32_t a[16], most = 0;
    __builtin_memcpy(a, &v, 64);
    for (const int32_t one : a) most = one > most ? one : most;
    return most;
  }
  static V gather(const float* from, VI at) {
    __m256i i[2];
    __builtin_memcpy(i, &at, 64);
    const __m256 got[2] = {_mm256_i32gather_ps(from, i[0], 4), _mm256_i32gather_ps(from, i[1], 4)};
    V v;
    __builtin_memcpy(&v, got, 64);
    return v;
  }
};
}  // namespace

#include "cpu/kernels-impl.h"
GUARD_KERNELS(kAvx2, "avx2");
