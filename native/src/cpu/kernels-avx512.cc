#include <immintrin.h>

#include "cpu/kernels.h"
#include "cpu/lanes.h"

namespace {
/// AVX-512 F, BW, VL, VNNI: one register holds a panel's 16 lanes. bfloat16 weights are widened and multiplied in
/// float32: vdpbf16ps rounds differently, and would break the rule that all instruction sets agree bit for bit.
struct Isa {
  using F = __m512;
  using I = __m512i;
  using W = __m512i;
  static constexpr int kRows = 12;
  static constexpr size_t kGroup = 12;
  static F zero() { return _mm512_setzero_ps(); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F splat(float x) { return _mm512_set1_ps(x); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F load_f16(const uint8_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }
  static F load_bf16(const uint8_t* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16));
  }
  static I izero() { return _mm512_setzero_si512(); }
  template <int S> static I shifted(int32_t x) { return _mm512_slli_epi32(_mm512_set1_epi32(x), S); }
  static I dot8_start(int32_t minus) { return shifted<7>(minus); }
  static W bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
  /// Signed weights plus 128.
  static W unsigned_bytes(const uint8_t* p) { return _mm512_xor_si512(bytes(p), _mm512_set1_epi8(-128)); }
  static W low_half(W w) { return _mm512_and_si512(w, _mm512_set1_epi8(15)); }
  static W high_half(W w) { return _mm512_and_si512(_mm512_srli_epi16(w, 4), _mm512_set1_epi8(15)); }
  static I dot8(I acc, W w, const int8_t* x) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_dpbusd_epi32(acc, w, _mm512_set1_epi32(four));
  }
  static I dot7(I acc, W w, const int8_t* x) { return dot8(acc, w, x); }
  static F to_float(I a) { return _mm512_cvtepi32_ps(a); }
  static int32_t sum(VI v) { return _mm512_reduce_add_epi32((__m512i)v); }
  static int32_t top(VI v) { return _mm512_reduce_max_epi32((__m512i)v); }
  static V gather(const float* from, VI at) { return (V)_mm512_i32gather_ps((__m512i)at, from, 4); }
};
}  // namespace

#include "cpu/kernels-impl.h"
GUARD_KERNELS(kAvx512, "avx512-vnni");
