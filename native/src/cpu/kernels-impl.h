// The kernels, written once over 16 float lanes and compiled once for each instruction set. The including file
// defines `struct Isa` (in an anonymous namespace) and names the table at the end. Built with
// -ffp-contract=off: what is fused is written as Isa::fma, so that every build rounds alike.

namespace {

using guard::cpu::Gemm;
using guard::cpu::Pack;

typedef float V __attribute__((vector_size(64), aligned(4)));
typedef int32_t VI __attribute__((vector_size(64), aligned(4)));

inline V splat(float x) { return V{} + x; }
inline V load(const float* p) { V v; __builtin_memcpy(&v, p, 64); return v; }
inline void store(float* p, V v) { __builtin_memcpy(p, &v, 64); }
inline V load_part(const float* p, size_t n) { V v{}; __builtin_memcpy(&v, p, 4 * n); return v; }
inline void store_part(float* p, V v, size_t n) { __builtin_memcpy(p, &v, 4 * n); }
inline V select(VI mask, V a, V b) { return (V)((mask & (VI)a) | (~mask & (VI)b)); }
inline VI lane_below(size_t n) {
  const VI lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lanes < (VI{} + (int32_t)n);
}
inline float sum(V v) {
  float a[16];
  __builtin_memcpy(a, &v, 64);
  for (int w = 8; w > 0; w /= 2)
    for (int i = 0; i < w; i++) a[i] += a[i + w];
  return a[0];
}
inline float top(V v) {
  float m = v[0];
  for (int i = 1; i < 16; i++) m = v[i] > m ? v[i] : m;
  return m;
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

void quantize(const float* x, size_t k, int8_t* q, float* d, int32_t* sums) {
  const V magic = splat(12582912.0f);
  for (size_t b = 0; b < k / 32; b++) {
    const V lo = load(x + 32 * b), hi = load(x + 32 * b + 16);
    const V alo = select(lo < V{}, -lo, lo), ahi = select(hi < V{}, -hi, hi);
    const float most = top(select(alo > ahi, alo, ahi));
    const float scale = most / 127.0f;
    const float inverse = most > 0 ? 127.0f / most : 0.0f;
    d[b] = scale;
    for (int half = 0; half < 2; half++) {
      const VI i = __builtin_convertvector(((half ? hi : lo) * inverse + magic) - magic, VI);
      int32_t total = 0;
      for (int j = 0; j < 16; j++) {
        q[32 * b + 16 * half + j] = (int8_t)i[j];
        total += i[j];
      }
      sums[2 * b + half] = total;
    }
  }
}

void rms_norm(const float* x, const float* weight, float eps, size_t n, float* y) {
  V squares{};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) squares += load(x + i) * load(x + i);
  if (i < n) squares += load_part(x + i, n - i) * load_part(x + i, n - i);
  const float scale = 1.0f / __builtin_sqrtf(sum(squares) / (float)n + eps);
  for (i = 0; i + 16 <= n; i += 16) store(y + i, load(x + i) * scale * load(weight + i));
  if (i < n) store_part(y + i, load_part(x + i, n - i) * scale * load_part(weight + i, n - i), n - i);
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, size_t n, float* y) {
  V total{};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) total += load(x + i);
  if (i < n) total += load_part(x + i, n - i);
  const float mean = sum(total) / (float)n;
  V squares{};
  for (i = 0; i + 16 <= n; i += 16) squares += (load(x + i) - mean) * (load(x + i) - mean);
  if (i < n) {
    const V c = select(lane_below(n - i), load_part(x + i, n - i) - mean, V{});
    squares += c * c;
  }
  const float scale = 1.0f / __builtin_sqrtf(sum(squares) / (float)n + eps);
  for (i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    V v = (load_part(x + i, m) - mean) * scale * load_part(weight + i, m);
    if (bias != nullptr) v += load_part(bias + i, m);
    store_part(y + i, v, m);
  }
}

void silu_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    const V g = load_part(gate + i, m);
    store_part(y + i, g / (1.0f + exponential(-g)) * load_part(up + i, m), m);
  }
}

void gelu_mul(const float* x, const float* gate, size_t n, float* y) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    V v = gelu(load_part(x + i, m));
    if (gate != nullptr) v *= load_part(gate + i, m);
    store_part(y + i, v, m);
  }
}

void softmax(float* x, size_t n, float scale) {
  V most = splat(-3.4e38f);
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    const V v = select(lane_below(m), load_part(x + i, m) * scale, splat(-3.4e38f));
    store_part(x + i, v, m);
    most = select(v > most, v, most);
  }
  const float peak = top(most);
  V total{};
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    const V e = select(lane_below(m), exponential(load_part(x + i, m) - peak), V{});
    store_part(x + i, e, m);
    total += e;
  }
  const float inverse = 1.0f / sum(total);
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    store_part(x + i, load_part(x + i, m) * inverse, m);
  }
}

void add(float* y, const float* x, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t m = n - i < 16 ? n - i : 16;
    store_part(y + i, load_part(y + i, m) + load_part(x + i, m), m);
  }
}

template <Pack P>
inline typename Isa::F weights_of(const uint8_t* p) {
  if constexpr (P == Pack::F32) return Isa::load(reinterpret_cast<const float*>(p));
  if constexpr (P == Pack::F16) return Isa::load_f16(p);
  if constexpr (P == Pack::BF16) return Isa::load_bf16(p);
}

/// R rows of activations against one panel of float weights: 16 x R sums, each a chain over k.
template <Pack P, int R>
void float_tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  typename Isa::F acc[R];
  for (int r = 0; r < R; r++) acc[r] = job.accumulate ? Isa::load(y + r * job.ldy) : Isa::zero();
  const float* x = job.x + row * job.ldx;
  for (size_t k = 0; k < job.k; k++) {
    const typename Isa::F w = weights_of<P>(panel + k * guard::cpu::unit_bytes(P));
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) acc[r] = Isa::fma(Isa::splat(x[r * job.ldx + k]), w, acc[r]);
  }
  for (int r = 0; r < R; r++) Isa::store(y + r * job.ldy, acc[r]);
}

/// R rows of int8 activations against one panel of integer weights.
template <Pack P, int R>
void integer_tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  typename Isa::F acc[R];
  for (int r = 0; r < R; r++) acc[r] = Isa::zero();
  const size_t blocks = job.k / 32;
  const int8_t* x = job.q + row * job.k;
  const float* xd = job.d + row * blocks;
  const int32_t* xs = job.sums + row * blocks * 2;
  for (size_t b = 0; b < blocks; b++, panel += guard::cpu::unit_bytes(P)) {
    const float* scales = reinterpret_cast<const float*>(panel);
    typename Isa::I dot[R];
    for (int r = 0; r < R; r++) dot[r] = Isa::izero();
    if constexpr (P == Pack::Q8) {
#pragma GCC unroll 8
      for (int g = 0; g < 8; g++) {
        const typename Isa::W w = Isa::bytes(panel + 64 + 64 * g);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) dot[r] = Isa::dot8(dot[r], w, x + r * job.k + 32 * b + 4 * g);
      }
    }
    if constexpr (P == Pack::Q4 || P == Pack::Q4M) {
      const uint8_t* q = panel + (P == Pack::Q4 ? 64 : 128);
#pragma GCC unroll 4
      for (int g = 0; g < 4; g++) {
        const typename Isa::W both = Isa::bytes(q + 64 * g);
        const typename Isa::W low = Isa::low_half(both), high = Isa::high_half(both);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
          dot[r] = Isa::dot7(dot[r], low, x + r * job.k + 32 * b + 4 * g);
          dot[r] = Isa::dot7(dot[r], high, x + r * job.k + 32 * b + 16 + 4 * g);
        }
      }
    }
    if constexpr (P == Pack::Q6) {
      for (int half = 0; half < 2; half++) {
        for (int r = 0; r < R; r++) dot[r] = Isa::izero();
#pragma GCC unroll 4
        for (int g = 0; g < 4; g++) {
          const typename Isa::W w = Isa::bytes(panel + 128 + 64 * (4 * half + g));
#pragma GCC unroll 16
          for (int r = 0; r < R; r++) dot[r] = Isa::dot7(dot[r], w, x + r * job.k + 32 * b + 16 * half + 4 * g);
        }
        const typename Isa::F d = Isa::load(scales + 16 * half);
        for (int r = 0; r < R; r++)
          acc[r] = Isa::fma(Isa::mul(d, Isa::splat(xd[r * blocks + b])), Isa::to_float(Isa::minus(dot[r], 32 * xs[(r * blocks + b) * 2 + half])), acc[r]);
      }
      continue;
    }
    const typename Isa::F d = Isa::load(scales);
    for (int r = 0; r < R; r++) {
      const float dx = xd[r * blocks + b];
      const int32_t total = xs[(r * blocks + b) * 2] + xs[(r * blocks + b) * 2 + 1];
      constexpr int32_t offset = P == Pack::Q8 ? Isa::kDot8Offset : P == Pack::Q4 ? 8 : 0;
      acc[r] = Isa::fma(Isa::mul(d, Isa::splat(dx)), Isa::to_float(Isa::minus(dot[r], offset * total)), acc[r]);
      if constexpr (P == Pack::Q4M) acc[r] = Isa::fma(Isa::load(scales + 16), Isa::splat(-(dx * (float)total)), acc[r]);
    }
  }
  for (int r = 0; r < R; r++) Isa::store(y + r * job.ldy, acc[r]);
}

template <Pack P, int R>
inline void tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  if constexpr (guard::cpu::is_integer(P))
    integer_tile<P, R>(job, panel, row, y);
  else
    float_tile<P, R>(job, panel, row, y);
}

/// A panel stays in the nearest cache while all rows pass it.
template <Pack P>
void gemm_of(const Gemm& job) {
  constexpr int R = Isa::kRows;
  for (size_t p = 0; p < job.panels; p++) {
    const uint8_t* panel = job.weights + p * job.panel_bytes;
    float* y = job.y + 16 * p;
    size_t row = 0;
    for (; row + R <= job.rows; row += R) tile<P, R>(job, panel, row, y + row * job.ldy);
    if constexpr (R > 4)
      for (; row + 4 <= job.rows; row += 4) tile<P, 4>(job, panel, row, y + row * job.ldy);
    for (; row < job.rows; row++) tile<P, 1>(job, panel, row, y + row * job.ldy);
  }
}

void gemm(const Gemm& job) {
  switch (job.pack) {
    case Pack::F32: return gemm_of<Pack::F32>(job);
    case Pack::F16: return gemm_of<Pack::F16>(job);
    case Pack::BF16: return gemm_of<Pack::BF16>(job);
    case Pack::Q8: return gemm_of<Pack::Q8>(job);
    case Pack::Q4: return gemm_of<Pack::Q4>(job);
    case Pack::Q4M: return gemm_of<Pack::Q4M>(job);
    case Pack::Q6: return gemm_of<Pack::Q6>(job);
  }
}

}  // namespace

#define GUARD_KERNELS(table, text) \
  const guard::cpu::Kernels guard::cpu::table = {text, gemm, quantize, rms_norm, layer_norm, silu_mul, gelu_mul, softmax, add}
