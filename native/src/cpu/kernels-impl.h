// The kernels, written once over 16 float lanes and compiled once for each instruction set. The including file
// defines `struct Isa` (in an anonymous namespace) and names the table at the end. Built with
// -ffp-contract=off: what is fused is written as Isa::fma, so that every build rounds alike.

namespace {

using guard::cpu::Gemm;
using guard::cpu::Pack;

inline V splat(float x) { return V{} + x; }
inline V load(const float* p) { V v; __builtin_memcpy(&v, p, 64); return v; }
inline void store(float* p, V v) { __builtin_memcpy(p, &v, 64); }
inline V select(VI mask, V a, V b) { return (V)((mask & (VI)a) | (~mask & (VI)b)); }
inline VI lane_below(size_t n) {
  const VI lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lanes < (VI{} + (int32_t)n);
}
/// Halves fold onto one another: one order of the sum for every instruction set.
inline float sum(V v) {
  float a[16];
  __builtin_memcpy(a, &v, 64);
  for (int w = 8; w > 0; w /= 2)
    for (int i = 0; i < w; i++) a[i] += a[i + w];
  return a[0];
}
inline float top(V v) {
  float a[16];
  __builtin_memcpy(a, &v, 64);
  for (int i = 1; i < 16; i++) a[0] = a[i] > a[0] ? a[i] : a[0];
  return a[0];
}

/// Sixteen lanes that are all there, and the last ones of a row.
struct Whole {
  static V load(const float* p) { return ::load(p); }
  static void store(float* p, V v) { ::store(p, v); }
  static V or_else(V v, V) { return v; }
};
struct Part {
  size_t n;
  V load(const float* p) const {
    V v{};
    for (size_t i = 0; i < n; i++) v[i] = p[i];
    return v;
  }
  void store(float* p, V v) const {
    for (size_t i = 0; i < n; i++) p[i] = v[i];
  }
  V or_else(V v, V other) const { return select(lane_below(n), v, other); }
};
template <class Body>
inline void each(size_t n, Body body) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) body(i, Whole{});
  if (i < n) body(i, Part{n - i});
}

/// e^x within 2 ulp for x in [-87, 88]; 0 below. Cody and Waite reduction, degree 6 polynomial.
inline V exponential(V x) {
  const VI tiny = x < splat(-87.0f);
  x = select(tiny, splat(-87.0f), x);
  x = select(x > splat(88.0f), splat(88.0f), x);
  const V magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const V n = (x * 1.44269504f + magic) - magic;
  const V r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  V p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const VI bits = (__builtin_convertvector(n, VI) + 127) << 23;
  return select(tiny, V{}, p * (V)bits);
}

/// x * Phi(x), with erf by Abramowitz and Stegun 7.1.26 (absolute error below 2e-7).
inline V gelu(V x) {
  const V z = x * 0.70710678f;
  const V a = select(z < V{}, -z, z);
  const V t = 1.0f / (1.0f + a * 0.3275911f);
  const V poly = ((((t * 1.061405429f - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  const V e = 1.0f - poly * exponential(-(a * a));
  return x * 0.5f * (1.0f + select(z < V{}, -e, e));
}

/// Sums and maxima of integers come out the same in every order, so that each instruction set takes its own. A block
/// with a value that is no number gets a scale that is none: it must not come out as an ordinary score.
void quantize(const float* x, size_t k, const guard::cpu::Quantized& to) {
  const V magic = splat(12582912.0f);
  constexpr int32_t kMagnitude = 0x7FFFFFFF, kInfinity = 0x7F800000;
  for (size_t b = 0; b < k / 32; b++) {
    const V lo = load(x + 32 * b), hi = load(x + 32 * b + 16);
    // The bits of magnitudes are ordered as their values are, with what is not finite above all.
    const VI alo = (VI)lo & kMagnitude, ahi = (VI)hi & kMagnitude;
    const int32_t bits = Isa::top((VI)select(alo > ahi, (V)alo, (V)ahi));
    float most;
    __builtin_memcpy(&most, &bits, 4);
    const bool finite = bits < kInfinity;
    const float inverse = finite && most > 0 ? 127.0f / most : 0.0f;
    const V scaled_lo = finite ? lo * inverse : V{}, scaled_hi = finite ? hi * inverse : V{};
    const VI first = __builtin_convertvector((scaled_lo + magic) - magic, VI), second = __builtin_convertvector((scaled_hi + magic) - magic, VI);
    const VB low = __builtin_convertvector(first, VB), high = __builtin_convertvector(second, VB);
    const size_t i = to.group * b;
    __builtin_memcpy(to.q + 32 * i, &low, 16);
    __builtin_memcpy(to.q + 32 * i + 16, &high, 16);
    to.d[i] = finite ? most / 127.0f : __builtin_nanf("");
    to.halves[2 * i] = Isa::sum(first);
    to.halves[2 * i + 1] = Isa::sum(second);
    to.minus[i] = -(to.halves[2 * i] + to.halves[2 * i + 1]);
  }
}

void quantize_rows(const float* x, size_t k, const guard::cpu::Quantized& to) {
  const V magic = splat(12582912.0f);
  constexpr int32_t kMagnitude = 0x7FFFFFFF, kInfinity = 0x7F800000;
  VI largest{};
  for (size_t i = 0; i < k; i += 16) {
    const VI magnitude = (VI)load(x + i) & kMagnitude;
    largest = (VI)select(magnitude > largest, (V)magnitude, (V)largest);
  }
  const int32_t bits = Isa::top(largest);
  float most;
  __builtin_memcpy(&most, &bits, 4);
  const bool finite = bits < kInfinity;
  const float inverse = finite && most > 0 ? 127.0f / most : 0.0f;
  VI total{};
  for (size_t b = 0; b < k / 32; b++)
    for (size_t half = 0; half < 2; half++) {
      const V v = load(x + 32 * b + 16 * half), scaled = finite ? v * inverse : V{};
      const VI q = __builtin_convertvector((scaled + magic) - magic, VI);
      const VB bytes = __builtin_convertvector(q, VB);
      __builtin_memcpy(to.q + 32 * to.group * b + 16 * half, &bytes, 16);
      total += q;
    }
  to.d[0] = finite ? most / 127.0f : __builtin_nanf("");
  to.minus[0] = -Isa::sum(total);
}

void rms_norm(const float* x, const float* weight, float eps, size_t n, float* y) {
  V squares{};
  each(n, [&](size_t i, auto lanes) { squares += lanes.load(x + i) * lanes.load(x + i); });
  const float scale = 1.0f / __builtin_sqrtf(sum(squares) / (float)n + eps);
  each(n, [&](size_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i) * scale * lanes.load(weight + i)); });
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, size_t n, float* y) {
  V total{};
  each(n, [&](size_t i, auto lanes) { total += lanes.load(x + i); });
  const float mean = sum(total) / (float)n;
  V squares{};
  each(n, [&](size_t i, auto lanes) {
    const V c = lanes.or_else(lanes.load(x + i) - mean, V{});
    squares += c * c;
  });
  const float scale = 1.0f / __builtin_sqrtf(sum(squares) / (float)n + eps);
  each(n, [&](size_t i, auto lanes) {
    V v = (lanes.load(x + i) - mean) * scale * lanes.load(weight + i);
    if (bias != nullptr) v += lanes.load(bias + i);
    lanes.store(y + i, v);
  });
}

void silu_mul(const float* gate, const float* up, size_t n, float* y) {
  each(n, [&](size_t i, auto lanes) {
    const V g = lanes.load(gate + i);
    lanes.store(y + i, g / (1.0f + exponential(-g)) * lanes.load(up + i));
  });
}

void gelu_mul(const float* x, const float* gate, size_t n, float* y) {
  each(n, [&](size_t i, auto lanes) {
    V v = gelu(lanes.load(x + i));
    if (gate != nullptr) v *= lanes.load(gate + i);
    lanes.store(y + i, v);
  });
}

void softmax(float* x, size_t n, float scale) {
  V most = splat(-3.4e38f);
  each(n, [&](size_t i, auto lanes) {
    const V v = lanes.or_else(lanes.load(x + i) * scale, splat(-3.4e38f));
    lanes.store(x + i, v);
    most = select(v > most, v, most);
  });
  const float peak = top(most);
  V total{};
  each(n, [&](size_t i, auto lanes) {
    const V e = lanes.or_else(exponential(lanes.load(x + i) - peak), V{});
    lanes.store(x + i, e);
    total += e;
  });
  const float inverse = 1.0f / sum(total);
  each(n, [&](size_t i, auto lanes) { lanes.store(x + i, lanes.load(x + i) * inverse); });
}

void add(float* y, const float* x, size_t n) {
  each(n, [&](size_t i, auto lanes) { lanes.store(y + i, lanes.load(y + i) + lanes.load(x + i)); });
}

void relative(const float* row, const float* columns, size_t ld, const int32_t* places, size_t n, float scale, float* out) {
  const VI down = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    VI forward;
    __builtin_memcpy(&forward, places - j - 15, 64);
    const VI at = __builtin_shuffle(forward, down);
    V v{};
    if (row != nullptr) v += Isa::gather(row, at);
    if (columns != nullptr) v += Isa::gather(columns + j * ld, at + lanes * (int32_t)ld);
    store(out + j, v * scale);
  }
  for (; j < n; j++) {
    const int32_t at = *(places - j);
    float v = 0;
    if (row != nullptr) v += row[at];
    if (columns != nullptr) v += columns[j * ld + (size_t)at];
    out[j] = v * scale;
  }
}

#include "cpu/gemm-impl.h"

}  // namespace

#define GUARD_KERNELS(table, text) \
  const guard::cpu::Kernels guard::cpu::table = {text, Isa::kGroup, gemm, quantize, quantize_rows, rms_norm, layer_norm, silu_mul, gelu_mul, softmax, add, relative}
