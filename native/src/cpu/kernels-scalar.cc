#include "cpu/half.h"
#include "cpu/kernels.h"
#include "cpu/lanes.h"

namespace {
/// Plain C++: runs everywhere, and says what the others must compute.
struct Isa {
  struct F { float v[16]; };
  struct I { int32_t v[16]; };
  struct W { uint8_t v[64]; };
  static constexpr int kRows = 1;
  static constexpr size_t kGroup = 12;
  static F zero() { return {}; }
  static F load(const float* p) { F f; __builtin_memcpy(&f, p, 64); return f; }
  static void store(float* p, const F& f) { __builtin_memcpy(p, &f, 64); }
  static F splat(float x) { F f; for (float& v : f.v) v = x; return f; }
  static F mul(const F& a, const F& b) { F f; for (int i = 0; i < 16; i++) f.v[i] = a.v[i] * b.v[i]; return f; }
  static F fma(const F& a, const F& b, const F& c) { F f; for (int i = 0; i < 16; i++) f.v[i] = __builtin_fmaf(a.v[i], b.v[i], c.v[i]); return f; }
  static F load_f16(const uint8_t* p) {
    F f;
    for (int i = 0; i < 16; i++) {
      uint16_t h;
      __builtin_memcpy(&h, p + 2 * i, 2);
      f.v[i] = guard::cpu::half_to_float(h);
    }
    return f;
  }
  static F load_bf16(const uint8_t* p) {
    F f;
    for (int i = 0; i < 16; i++) {
      const uint32_t bits = (uint32_t)(p[2 * i] | p[2 * i + 1] << 8) << 16;
      __builtin_memcpy(&f.v[i], &bits, 4);
    }
    return f;
  }
  static I izero() { return {}; }
  template <int S> static I shifted(int32_t x) { I i; for (int32_t& v : i.v) v = x * (1 << S); return i; }
  static I dot8_start(int32_t minus) { return shifted<7>(minus); }
  static W bytes(const uint8_t* p) { W w; __builtin_memcpy(&w, p, 64); return w; }
  /// Signed weights plus 128.
  static W unsigned_bytes(const uint8_t* p) { W w = bytes(p); for (uint8_t& v : w.v) v ^= 128; return w; }
  static W low_half(const W& w) { W o; for (int i = 0; i < 64; i++) o.v[i] = w.v[i] & 15; return o; }
  static W high_half(const W& w) { W o; for (int i = 0; i < 64; i++) o.v[i] = w.v[i] >> 4; return o; }
  static I dot8(I acc, const W& w, const int8_t* x) {
    for (int i = 0; i < 16; i++)
      for (int j = 0; j < 4; j++) acc.v[i] += w.v[4 * i + j] * x[j];
    return acc;
  }
  static I dot7(const I& acc, const W& w, const int8_t* x) { return dot8(acc, w, x); }
  static F to_float(const I& a) { F f; for (int i = 0; i < 16; i++) f.v[i] = (float)a.v[i]; return f; }
  static int32_t sum(const VI& v) {
    int32_t all = 0;
    for (int i = 0; i < 16; i++) all += v[i];
    return all;
  }
  static int32_t top(const VI& v) {
    int32_t most = v[0];
    for (int i = 1; i < 16; i++) most = v[i] > most ? v[i] : most;
    return most;
  }
  static V gather(const float* from, const VI& at) {
    V v;
    for (int i = 0; i < 16; i++) v[i] = from[at[i]];
    return v;
  }
};
}  // namespace

#include "cpu/kernels-impl.h"
GUARD_KERNELS(kScalar, "scalar");
