// Matrix products of one instruction set: tiles of R activation rows by one panel of 16 outputs. Included by
// kernels-impl.h, inside its anonymous namespace.

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

/// R rows of int8 activations against one panel of integer weights. Weights are stored unsigned, so every dot
/// product begins at -offset * (sum of the activations), which the quantized rows bring along.
template <Pack P, int R>
void integer_tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  typename Isa::F acc[R];
  for (int r = 0; r < R; r++) acc[r] = Isa::zero();
  const size_t blocks = job.k / 32;
  constexpr size_t G = Isa::kGroup;
  static_assert(R <= (int)G && (G % R == 0), "a tile lies within one group of rows");
  const size_t first = job.x8.at(row, 0, blocks);
  const int8_t* x = job.x8.q + 32 * first;
  const float* xd = job.x8.d + first;
  const int32_t *halves = job.x8.halves + 2 * first, *minus = job.x8.minus + first;
  for (size_t b = 0; b < blocks; b++, panel += guard::cpu::unit_bytes(P), x += 32 * G, xd += G, halves += 2 * G, minus += G) {
    const float* scales = reinterpret_cast<const float*>(panel);
    typename Isa::I dot[R];
    if constexpr (P == Pack::Q8) {
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) dot[r] = Isa::dot8_start(minus[r]);
#pragma GCC unroll 8
      for (int g = 0; g < 8; g++) {
        const typename Isa::W w = Isa::bytes(panel + 64 + 64 * g);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) dot[r] = Isa::dot8(dot[r], w, x + 32 * r + 4 * g);
      }
    }
    if constexpr (P == Pack::Q4 || P == Pack::Q4M) {
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) dot[r] = P == Pack::Q4 ? Isa::template shifted<3>(minus[r]) : Isa::izero();
      const uint8_t* q = panel + (P == Pack::Q4 ? 64 : 128);
#pragma GCC unroll 4
      for (int g = 0; g < 4; g++) {
        const typename Isa::W both = Isa::bytes(q + 64 * g);
        const typename Isa::W low = Isa::low_half(both), high = Isa::high_half(both);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
          dot[r] = Isa::dot7(dot[r], low, x + 32 * r + 4 * g);
          dot[r] = Isa::dot7(dot[r], high, x + 32 * r + 16 + 4 * g);
        }
      }
    }
    if constexpr (P == Pack::Q6) {
      for (int half = 0; half < 2; half++) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) dot[r] = Isa::template shifted<5>(-halves[2 * r + half]);
#pragma GCC unroll 4
        for (int g = 0; g < 4; g++) {
          const typename Isa::W w = Isa::bytes(panel + 128 + 64 * (4 * half + g));
#pragma GCC unroll 16
          for (int r = 0; r < R; r++) dot[r] = Isa::dot7(dot[r], w, x + 32 * r + 16 * half + 4 * g);
        }
        const typename Isa::F d = Isa::load(scales + 16 * half);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) acc[r] = Isa::fma(Isa::mul(d, Isa::splat(xd[r])), Isa::to_float(dot[r]), acc[r]);
      }
      continue;
    }
    const typename Isa::F d = Isa::load(scales);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) acc[r] = Isa::fma(Isa::mul(d, Isa::splat(xd[r])), Isa::to_float(dot[r]), acc[r]);
    if constexpr (P == Pack::Q4M) {
      const typename Isa::F m = Isa::load(scales + 16);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) acc[r] = Isa::fma(m, Isa::splat(xd[r] * (float)minus[r]), acc[r]);
    }
  }
  for (int r = 0; r < R; r++) Isa::store(y + r * job.ldy, acc[r]);
}

/// The same where a row of weights and a row of activations have one scale each: their products are one exact sum.
template <int R>
void row_tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  const size_t blocks = job.k / 32;
  constexpr size_t G = Isa::kGroup;
  const size_t first = job.x8.at(row, 0, blocks);
  const int8_t* x = job.x8.q + 32 * first;
  const typename Isa::F scales = Isa::load(reinterpret_cast<const float*>(panel));
  panel += guard::cpu::head_bytes(Pack::Q8Rows);
  typename Isa::I dot[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) dot[r] = Isa::dot8_start(job.x8.minus[first + r]);
  for (size_t b = 0; b < blocks; b++, panel += guard::cpu::unit_bytes(Pack::Q8Rows), x += 32 * G)
#pragma GCC unroll 8
    for (int g = 0; g < 8; g++) {
      const typename Isa::W w = Isa::unsigned_bytes(panel + 64 * g);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) dot[r] = Isa::dot8(dot[r], w, x + 32 * r + 4 * g);
    }
  for (int r = 0; r < R; r++) Isa::store(y + r * job.ldy, Isa::mul(Isa::mul(scales, Isa::splat(job.x8.d[first + r])), Isa::to_float(dot[r])));
}

template <Pack P, int R>
inline void tile(const Gemm& job, const uint8_t* panel, size_t row, float* y) {
  if constexpr (P == Pack::Q8Rows)
    row_tile<R>(job, panel, row, y);
  else if constexpr (guard::cpu::is_integer(P))
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
    case Pack::Q8Rows: return gemm_of<Pack::Q8Rows>(job);
    case Pack::Q4: return gemm_of<Pack::Q4>(job);
    case Pack::Q4M: return gemm_of<Pack::Q4M>(job);
    case Pack::Q6: return gemm_of<Pack::Q6>(job);
  }
}
