#pragma once
// Matrix products on the tensor cores. Activations and weights wait in shared memory, a few blocks of k at a time, and
// the next ones are on their way meanwhile. One output is one chain over k in one order, whatever the tile: a row's
// numbers depend on that row alone.
#include "kernels/element.h"

namespace guard_device {

struct Product {
  const unsigned char* weights[3];
  float* y[3];
  const float* bias[3];
  uint32_t ldy[3], n[3], end[3];  // end: panels up to here belong to this matrix or to one before it
  uint32_t k;
  uint64_t panel_bytes;
  guard_cuda_int8 int8;
  const float* x;
  uint32_t ldx;
  int32_t adds;
  uint64_t x_apart, weights_apart, y_apart;
  const int32_t* rows;
};

/// Which matrix a panel belongs to, and its number there.
struct PanelOf {
  uint32_t matrix, panel;
  GUARD_INLINE PanelOf(const Product& a, uint32_t p) : matrix(p >= a.end[1] ? 2 : p >= a.end[0] ? 1 : 0), panel(p - (p >= a.end[1] ? a.end[1] : p >= a.end[0] ? a.end[0] : 0)) {}
};

/// Warps stand in a grid of Down x Right; each computes 16 * Tall rows by 16 * Wide outputs.
template <int Down_, int Right_, int Tall_, int Wide_, int Stages_>
struct Tiling {
  static constexpr int Down = Down_, Right = Right_, Tall = Tall_, Wide = Wide_, Stages = Stages_;
  static constexpr unsigned threads = Down * Right * 32, rows = Down * Tall * 16, panels = Right * Wide;
};
using Large = Tiling<2, 4, 4, 2, 2>;
using Medium = Tiling<1, 4, 4, 1, 3>;
using Small = Tiling<1, 4, 2, 1, 4>;

constexpr uint32_t kStep = 4;            // blocks of 32 k a stage
constexpr uint32_t kPitch = 32 * kStep + 16;  // of a row of int8 activations: eight rows lie in different banks

constexpr uint32_t scale_bytes(Pack p) { return p == Pack::Q8 || p == Pack::Q4 ? 64 : 128; }

template <Pack P, class T>
constexpr uint32_t stage_bytes() {
  if constexpr (guard::cpu::is_integer(P)) return T::rows * (kPitch + 8 * kStep) + T::panels * kStep * unit_of(P);
  return T::rows * 160 + T::panels * 32 * unit_of(P);
}

/// y += or y =, with the bias first: a lane has four neighbouring outputs of a row.
GUARD_INLINE void give(const Product& a, const PanelOf& at, uint32_t row, uint32_t place, float v0, float v1, float v2, float v3, uint64_t apart) {
  float* y = reinterpret_cast<float*>(reinterpret_cast<unsigned char*>(a.y[at.matrix]) + apart) + static_cast<uint64_t>(row) * a.ldy[at.matrix] + at.panel * 16 + 4 * place;
  const uint32_t column = at.panel * 16 + 4 * place;
  float v[4] = {v0, v1, v2, v3};
  if (const float* bias = a.bias[at.matrix]; bias != nullptr)
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
      if (column + i < a.n[at.matrix]) v[i] = v[i] + bias[column + i];
  if (a.adds) {
    const float4 old = lanes::load<float4>(y);
    v[0] = old.x + v[0];
    v[1] = old.y + v[1];
    v[2] = old.z + v[2];
    v[3] = old.w + v[3];
  }
  float4 out;
  out.x = v[0];
  out.y = v[1];
  out.z = v[2];
  out.w = v[3];
  lanes::store(y, out);
}

/// int8 activations by weights of 4, 6 or 8 bits. The sum of a block of 32 is exact; blocks are added in float32,
/// fused, from the first to the last: bit for bit what the CPU's kernels compute.
template <Pack P, class T>
GUARD_KERNEL(T::threads) multiply_int8(const Product a) {
  constexpr uint32_t kUnit = unit_of(P), kScales = scale_bytes(P), kChunks = kUnit / 16;
  constexpr uint32_t kStage = stage_bytes<P, T>();
  const uint32_t rows = static_cast<uint32_t>(*a.rows), first_row = lanes::block_y() * T::rows;
  if (first_row >= rows) return;
  const uint32_t t = lanes::thread(), lane = t % 32, warp = t / 32, down = warp / T::Right, right = warp % T::Right;
  const uint32_t group = lane / 4, place = lane % 4;
  const uint32_t first_panel = lanes::block_x() * T::panels, panels = a.end[2];
  const uint32_t blocks = a.k / 32, steps = (blocks + kStep - 1) / kStep;
  unsigned char* const shared = lanes::shared();

  const auto fetch = [&](uint32_t step) {
    unsigned char* q = shared + step % T::Stages * kStage;
    unsigned char* d = q + T::rows * kPitch;
    unsigned char* sums = d + T::rows * 4 * kStep;
    unsigned char* w = sums + T::rows * 4 * kStep;
    for (uint32_t c = t; c < T::rows * 2 * kStep; c += T::threads) {
      const uint32_t r = c / (2 * kStep), part = c % (2 * kStep);
      const bool there = first_row + r < rows;
      const uint64_t at = static_cast<uint64_t>(there ? first_row + r : 0) * a.int8.blocks + step * kStep;
      lanes::copy16(q + r * kPitch + 16 * part, a.int8.q + at * 32 + 16 * part, there);
    }
    for (uint32_t r = t; r < T::rows; r += T::threads) {
      const bool there = first_row + r < rows;
      const uint64_t at = static_cast<uint64_t>(there ? first_row + r : 0) * a.int8.blocks + step * kStep;
      lanes::copy16(d + 16 * r, a.int8.d + at, there);
      lanes::copy16(sums + 16 * r, a.int8.sums + at, there);
    }
    for (uint32_t c = t; c < T::panels * kStep * kChunks; c += T::threads) {
      const uint32_t p = c / (kStep * kChunks), in = c % (kStep * kChunks), block = in / kChunks, chunk = in % kChunks;
      const bool there = first_panel + p < panels && step * kStep + block < blocks;
      const PanelOf at(a, there ? first_panel + p : 0);
      const unsigned char* from = a.weights[at.matrix] + at.panel * a.panel_bytes + (there ? static_cast<uint64_t>(step * kStep + block) * kUnit + 16 * chunk : 0);
      // Of every four groups of k, the last two lie turned by half a row of banks.
      uint32_t to = chunk;
      if (chunk >= kScales / 16) to = chunk ^ ((chunk - kScales / 16) >> 3 & 1) << 1;
      lanes::copy16(w + (p * kStep + block) * kUnit + 16 * to, from, there);
    }
  };

  float sum[T::Tall][T::Wide][2][4];
#pragma unroll
  for (int i = 0; i < T::Tall; i++)
#pragma unroll
    for (int p = 0; p < T::Wide; p++)
#pragma unroll
      for (int r = 0; r < 2; r++)
#pragma unroll
        for (int n = 0; n < 4; n++) sum[i][p][r][n] = 0.0f;

  for (uint32_t s = 0; s + 1 < T::Stages; s++) {
    if (s < steps) fetch(s);
    lanes::copies_sent();
  }
  for (uint32_t step = 0; step < steps; step++) {
    lanes::copies_there<T::Stages - 2>();
    lanes::sync();
    // The stage that is filled now was read in the last step: the barrier above is behind all of those reads.
    if (step + T::Stages - 1 < steps) fetch(step + T::Stages - 1);
    lanes::copies_sent();
    const unsigned char* q = shared + step % T::Stages * kStage;
    const unsigned char* d = q + T::rows * kPitch;
    const unsigned char* sums = d + T::rows * 4 * kStep;
    const unsigned char* w = sums + T::rows * 4 * kStep;
    const uint32_t here = blocks - step * kStep < kStep ? blocks - step * kStep : kStep;
    for (uint32_t b = 0; b < here; b++) {
      uint32_t low[T::Wide][2], high[T::Wide][2];
      float scale[T::Wide][4], second[T::Wide][4];
#pragma unroll
      for (int p = 0; p < T::Wide; p++) {
        const unsigned char* unit = w + ((right * T::Wide + p) * kStep + b) * kUnit;
        const float4 f = lanes::load<float4>(unit + 16 * place);
        scale[p][0] = f.x, scale[p][1] = f.y, scale[p][2] = f.z, scale[p][3] = f.w;
        if constexpr (P == Pack::Q4M || P == Pack::Q6) {
          const float4 g = lanes::load<float4>(unit + 64 + 16 * place);
          second[p][0] = g.x, second[p][1] = g.y, second[p][2] = g.z, second[p][3] = g.w;
        }
        // Rows 2 group and 2 group + 1 of the panel: one for each of the two products of eight outputs.
        const unsigned char* bytes = unit + kScales + 64 * place + ((8 * group) ^ (place & 2) << 4);
        const uint2 one = lanes::load<uint2>(bytes);
        if constexpr (P == Pack::Q4 || P == Pack::Q4M) {
          low[p][0] = one.x & 0x0f0f0f0fu, high[p][0] = one.x >> 4 & 0x0f0f0f0fu;
          low[p][1] = one.y & 0x0f0f0f0fu, high[p][1] = one.y >> 4 & 0x0f0f0f0fu;
        } else {
          const uint2 two = lanes::load<uint2>(bytes + 256);
          low[p][0] = one.x, low[p][1] = one.y, high[p][0] = two.x, high[p][1] = two.y;
        }
      }
#pragma unroll
      for (int i = 0; i < T::Tall; i++) {
        const uint32_t base = (down * T::Tall + i) * 16;
        uint32_t x[4];
        lanes::tiles(x, q + (base + (lane / 8 % 2) * 8 + lane % 8) * kPitch + 32 * b + lane / 16 * 16);
        float xd[2];
        int32_t halves[2][2];
#pragma unroll
        for (uint32_t r = 0; r < 2; r++) {
          xd[r] = float_at(d + 16 * (base + group + 8 * r) + 4 * b);
          const int32_t both = lanes::load<int32_t>(sums + 16 * (base + group + 8 * r) + 4 * b);
          halves[r][0] = static_cast<int16_t>(both);
          halves[r][1] = both >> 16;
        }
#pragma unroll
        for (int p = 0; p < T::Wide; p++)
#pragma unroll
          for (int j = 0; j < 2; j++) {
            const auto add = [&](const int32_t (&c)[4], const float (&by)[4]) {
#pragma unroll
              for (int r = 0; r < 2; r++)
#pragma unroll
                for (int n = 0; n < 2; n++) {
                  // The accumulator began at the bits of kMagic: read as a float, it is kMagic + the sum.
                  float& to = sum[i][p][r][2 * n + j];
                  to = lanes::fma(by[2 * n + j] * xd[r], lanes::as_float(c[2 * r + n]) - kMagic, to);
                }
            };
            if constexpr (P == Pack::Q6) {
#pragma unroll
              for (int half = 0; half < 2; half++) {
                int32_t c[4] = {kMagicBits - 32 * halves[0][half], kMagicBits - 32 * halves[0][half], kMagicBits - 32 * halves[1][half], kMagicBits - 32 * halves[1][half]};
                lanes::mma16(c, x[2 * half], x[2 * half + 1], half == 0 ? low[p][j] : high[p][j]);
                add(c, half == 0 ? scale[p] : second[p]);
              }
            } else {
              constexpr int32_t kBias = P == Pack::Q8 ? 128 : P == Pack::Q4 ? 8 : 0;
              const int32_t minus[2] = {-(halves[0][0] + halves[0][1]), -(halves[1][0] + halves[1][1])};
              int32_t c[4] = {kMagicBits + kBias * minus[0], kMagicBits + kBias * minus[0], kMagicBits + kBias * minus[1], kMagicBits + kBias * minus[1]};
              lanes::mma32(c, x, low[p][j], high[p][j]);
              add(c, scale[p]);
              if constexpr (P == Pack::Q4M)
#pragma unroll
                for (int r = 0; r < 2; r++)
#pragma unroll
                  for (int n = 0; n < 2; n++) {
                    float& to = sum[i][p][r][2 * n + j];
                    to = lanes::fma(second[p][2 * n + j], xd[r] * static_cast<float>(minus[r]), to);
                  }
            }
          }
      }
    }
  }
#pragma unroll
  for (int p = 0; p < T::Wide; p++) {
    const uint32_t panel = first_panel + right * T::Wide + p;
    if (panel >= panels) continue;
    const PanelOf at(a, panel);
#pragma unroll
    for (int i = 0; i < T::Tall; i++)
#pragma unroll
      for (uint32_t r = 0; r < 2; r++) {
        const uint32_t row = first_row + (down * T::Tall + i) * 16 + group + 8 * r;
        if (row < rows) give(a, at, row, place, sum[i][p][r][0], sum[i][p][r][1], sum[i][p][r][2], sum[i][p][r][3], 0);
      }
  }
}

/// float32 activations by weights of 16 or 32 bits. Each number is two of bfloat16, the nearest and the rest, and three
/// products of them are kept (two where the weight has no rest): sixteen bits of every factor count.
template <Pack P, class T>
GUARD_KERNEL(T::threads) multiply_float(const Product a) {
  constexpr uint32_t kUnit = unit_of(P), kStage = stage_bytes<P, T>(), kRow = 80, kEach = T::rows * 32 / T::threads;
  constexpr bool kRest = P != Pack::BF16;
  const uint32_t rows = static_cast<uint32_t>(*a.rows), first_row = lanes::block_y() * T::rows;
  if (first_row >= rows) return;
  const uint32_t t = lanes::thread(), lane = t % 32, warp = t / 32, down = warp / T::Right, right = warp % T::Right;
  const uint32_t group = lane / 4, place = lane % 4;
  const uint32_t first_panel = lanes::block_x() * T::panels, panels = a.end[2], steps = (a.k + 31) / 32;
  unsigned char* const shared = lanes::shared();
  const auto* x = reinterpret_cast<const float*>(reinterpret_cast<const unsigned char*>(a.x) + lanes::block_z() * a.x_apart);
  const uint64_t weights_apart = lanes::block_z() * a.weights_apart;

  float ahead[kEach];
  const auto read = [&](uint32_t step) {
#pragma unroll
    for (uint32_t e = 0; e < kEach; e++) {
      const uint32_t c = e * T::threads + t, row = first_row + c / 32, i = step * 32 + c % 32;
      ahead[e] = row < rows && i < a.k ? x[static_cast<uint64_t>(row) * a.ldx + i] : 0.0f;
    }
  };
  const auto split = [&](uint32_t step) {
    unsigned char* to = shared + step % 2 * kStage;
#pragma unroll
    for (uint32_t e = 0; e < kEach; e++) {
      const uint32_t c = e * T::threads + t;
      const uint32_t near = bfloat_bits(ahead[e]), rest = bfloat_bits(ahead[e] - lanes::as_float(static_cast<int32_t>(near)));
      lanes::store<uint16_t>(to + c / 32 * kRow + 2 * (c % 32), static_cast<uint16_t>(near >> 16));
      lanes::store<uint16_t>(to + (T::rows + c / 32) * kRow + 2 * (c % 32), static_cast<uint16_t>(rest >> 16));
    }
  };
  const auto fetch = [&](uint32_t step) {
    constexpr uint32_t kChunks = kUnit / 16;
    unsigned char* w = shared + step % 2 * kStage + T::rows * 160;
    for (uint32_t c = t; c < T::panels * 32 * kChunks; c += T::threads) {
      const uint32_t p = c / (32 * kChunks), in = c % (32 * kChunks), i = in / kChunks;
      const bool there = first_panel + p < panels && step * 32 + i < a.k;
      const PanelOf at(a, there ? first_panel + p : 0);
      const unsigned char* from = a.weights[at.matrix] + weights_apart + at.panel * a.panel_bytes + (there ? static_cast<uint64_t>(step) * 32 * kUnit + 16 * in : 0);
      lanes::copy16(w + p * 32 * kUnit + 16 * in, from, there);
    }
    lanes::copies_sent();
  };
  /// Two neighbouring outputs' weights at one k, as floats.
  const auto pair = [&](const unsigned char* panel, uint32_t i, float& one, float& two) {
    const unsigned char* at = panel + i * kUnit + group * (kUnit / 8);
    if constexpr (P == Pack::F32) {
      const uint2 v = lanes::load<uint2>(at);
      one = lanes::as_float(static_cast<int32_t>(v.x)), two = lanes::as_float(static_cast<int32_t>(v.y));
    } else if constexpr (P == Pack::F16) {
      one = half_at(at), two = half_at(at + 2);
    } else {
      const uint32_t v = lanes::load<uint32_t>(at);
      one = lanes::as_float(static_cast<int32_t>(v << 16)), two = lanes::as_float(static_cast<int32_t>(v & 0xffff0000u));
    }
  };

  float sum[T::Tall][T::Wide][2][4];
#pragma unroll
  for (int i = 0; i < T::Tall; i++)
#pragma unroll
    for (int p = 0; p < T::Wide; p++)
#pragma unroll
      for (int j = 0; j < 2; j++)
#pragma unroll
        for (int n = 0; n < 4; n++) sum[i][p][j][n] = 0.0f;

  read(0);
  fetch(0);
  split(0);
  for (uint32_t step = 0; step < steps; step++) {
    lanes::copies_there<0>();
    lanes::sync();
    const bool more = step + 1 < steps;
    if (more) {
      fetch(step + 1);
      read(step + 1);
    }
    const unsigned char* near = shared + step % 2 * kStage;
    const unsigned char* w = near + T::rows * 160;
    for (uint32_t depth = 0; depth < 32; depth += 16) {
      uint32_t big[T::Wide][2][2], rest[T::Wide][2][2];  // (panel, output of the pair, half of k)
#pragma unroll
      for (int p = 0; p < T::Wide; p++)
#pragma unroll
        for (uint32_t half = 0; half < 2; half++) {
          float v[2][2];  // (k, output)
#pragma unroll
          for (uint32_t i = 0; i < 2; i++) pair(w + (right * T::Wide + p) * 32 * kUnit, depth + 8 * half + 2 * place + i, v[i][0], v[i][1]);
#pragma unroll
          for (int j = 0; j < 2; j++) {
            const uint32_t b0 = bfloat_bits(v[0][j]), b1 = bfloat_bits(v[1][j]);
            big[p][j][half] = b0 >> 16 | b1;
            rest[p][j][half] = bfloat_bits(v[0][j] - lanes::as_float(static_cast<int32_t>(b0))) >> 16 | bfloat_bits(v[1][j] - lanes::as_float(static_cast<int32_t>(b1)));
          }
        }
#pragma unroll
      for (int i = 0; i < T::Tall; i++) {
        const uint32_t at = ((down * T::Tall + i) * 16 + (lane / 8 % 2) * 8 + lane % 8) * kRow + 2 * depth + lane / 16 * 16;
        uint32_t xb[4], xr[4];
        lanes::tiles(xb, near + at);
        lanes::tiles(xr, near + T::rows * kRow + at);
#pragma unroll
        for (int p = 0; p < T::Wide; p++)
#pragma unroll
          for (int j = 0; j < 2; j++) {
            lanes::mma_bf16(sum[i][p][j], xb, big[p][j][0], big[p][j][1]);
            lanes::mma_bf16(sum[i][p][j], xr, big[p][j][0], big[p][j][1]);
            if constexpr (kRest) lanes::mma_bf16(sum[i][p][j], xb, rest[p][j][0], rest[p][j][1]);
          }
      }
    }
    // The other stage was read in the last step, and everybody has passed the barrier since.
    if (more) split(step + 1);
  }
#pragma unroll
  for (int p = 0; p < T::Wide; p++) {
    const uint32_t panel = first_panel + right * T::Wide + p;
    if (panel >= panels) continue;
    const PanelOf at(a, panel);
#pragma unroll
    for (int i = 0; i < T::Tall; i++)
#pragma unroll
      for (uint32_t r = 0; r < 2; r++) {
        const uint32_t row = first_row + (down * T::Tall + i) * 16 + group + 8 * r;
        if (row < rows) give(a, at, row, place, sum[i][p][0][2 * r], sum[i][p][1][2 * r], sum[i][p][0][2 * r + 1], sum[i][p][1][2 * r + 1], lanes::block_z() * a.y_apart);
      }
  }
}

/// A small matrix of floats: one thread an output, one chain of fused sums over k, as the CPU has it.
template <Pack P>
GUARD_KERNEL(kRowThreads) multiply_exactly(const Product a) {
  const uint32_t row = lanes::block_y(), o = lanes::block_x() * kRowThreads + lanes::thread();
  if (row >= static_cast<uint32_t>(*a.rows) || o >= a.end[2] * 16) return;
  const PanelOf at(a, o / 16);
  const unsigned char* panel = a.weights[at.matrix] + at.panel * a.panel_bytes;
  const float* x = a.x + static_cast<uint64_t>(row) * a.ldx;
  float sum = 0.0f;
  for (uint32_t i = 0; i < a.k; i++) sum = lanes::fma(x[i], element<P>(panel, o % 16, i), sum);
  const uint32_t column = at.panel * 16 + o % 16;
  if (a.bias[at.matrix] != nullptr && column < a.n[at.matrix]) sum = sum + a.bias[at.matrix][column];
  float* y = a.y[at.matrix] + static_cast<uint64_t>(row) * a.ldy[at.matrix] + column;
  *y = a.adds ? *y + sum : sum;
}

}  // namespace guard_device
