// Integer products in AMX tiles (16 rows of activations x 16 outputs x 32 of k). A block's dot products are exact
// int32, and scales are applied block after block as everywhere else, so that the bits are those of every other table.
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "cpu/kernels.h"

namespace {

using guard::cpu::Gemm;
using guard::cpu::Pack;

constexpr size_t kTile = 16;
/// Blocks and panels whose weights are unpacked at a time: 32 KiB of int8, which stay near while all rows pass, and a
/// tile of activations is read from further away once for all these panels.
constexpr size_t kChunk = 16, kSide = 4;

struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {};  // of a row
  uint8_t rows[16] = {};
};

/// Tiles 0 to 3: sums; 4 and 5: activations, `k` of them a row; 6 and 7: weights, four of k a row.
void shape_tiles(uint8_t k) {
  TileShapes shapes;
  for (int t = 0; t < 8; t++) {
    shapes.bytes[t] = t < 4 || t >= 6 ? 64 : k;
    shapes.rows[t] = t < 6 ? 16 : k / 4;
  }
  // GCC's intrinsic says that it reads the first 8 bytes alone: the others would be left unwritten where it optimizes.
  __asm__ volatile("" : : "m"(shapes));
  _tile_loadconfig(&shapes);
}

/// One block of a panel as signed int8, four of k side by side: a weight tile.
template <Pack P>
inline void unpack(const uint8_t* block, int8_t* to) {
  const auto put = [&](size_t at, __m512i v) { _mm512_store_si512(to + at, v); };
  const auto get = [&](size_t at) { return _mm512_loadu_si512(block + at); };
  const __m512i four = _mm512_set1_epi8(15);
  if constexpr (P == Pack::Q8)
    for (size_t g = 0; g < 8; g++) put(64 * g, _mm512_xor_si512(get(64 + 64 * g), _mm512_set1_epi8(-128)));
  if constexpr (P == Pack::Q6)
    for (size_t g = 0; g < 8; g++) put(64 * g, _mm512_sub_epi8(get(128 + 64 * g), _mm512_set1_epi8(32)));
  if constexpr (P == Pack::Q4 || P == Pack::Q4M)
    for (size_t g = 0; g < 4; g++) {
      const __m512i both = get((P == Pack::Q4 ? 64 : 128) + 64 * g), less = _mm512_set1_epi8(P == Pack::Q4 ? 8 : 0);
      put(64 * g, _mm512_sub_epi8(_mm512_and_si512(both, four), less));
      put(256 + 64 * g, _mm512_sub_epi8(_mm512_and_si512(_mm512_srli_epi16(both, 4), four), less));
    }
}

/// What a 16 x 16 tile of outputs is made of, over a chunk of blocks.
struct Operands {
  const uint8_t* panel;   // first block
  const int8_t* weights;  // the same, unpacked
  const int8_t* q;        // activations, from the tile's first row
  const float* d;
  const int32_t* minus;
  size_t blocks;
};

/// Dot products of one step (a block, or half of a Q6 block, which has a scale for each half) into memory.
template <Pack P, int T>
inline void multiply(const Operands& o, size_t step, int32_t* dots) {
  constexpr size_t kParts = P == Pack::Q6 ? 2 : 1;
  const int8_t* x = o.q + step / kParts * 32 * kTile + step % kParts * 16;
  const int8_t* w = o.weights + step * (512 / kParts);
  if constexpr (T == 0) {
    _tile_zero(0);
    _tile_loadd(4, x, 32);
    _tile_loadd(6, w, 64);
    _tile_dpbssd(0, 4, 6);
    _tile_stored(0, dots, 64);
  } else {
    _tile_zero(1);
    _tile_loadd(5, x, 32);
    _tile_loadd(7, w, 64);
    _tile_dpbssd(1, 5, 7);
    _tile_stored(1, dots, 64);
  }
}

/// Scales those dot products and adds them.
template <Pack P>
inline __attribute__((always_inline)) void add(const Operands& o, size_t step, const int32_t* dots, __m512* sums, size_t rows) {
  constexpr size_t kParts = P == Pack::Q6 ? 2 : 1;
  const size_t b = step / kParts;
  const float* scales = reinterpret_cast<const float*>(o.panel + b * guard::cpu::unit_bytes(P)) + step % kParts * 16;
  const __m512 scale = _mm512_loadu_ps(scales);
  const float* d = o.d + b * kTile;
#pragma GCC unroll 16
  for (size_t r = 0; r < rows; r++)
    sums[r] = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(d[r])), _mm512_cvtepi32_ps(_mm512_load_si512(dots + 16 * r)), sums[r]);
  if constexpr (P == Pack::Q4M) {
    const __m512 least = _mm512_loadu_ps(scales + 16);
    const int32_t* minus = o.minus + b * kTile;
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++) sums[r] = _mm512_fmadd_ps(least, _mm512_set1_ps(d[r] * static_cast<float>(minus[r])), sums[r]);
  }
}

/// While one step's dot products are scaled and added, the next ones are made.
template <Pack P>
inline __attribute__((always_inline)) void tile(const Operands& o, float* y, size_t ldy, bool first, size_t rows) {
  alignas(64) int32_t dots[2][kTile * kTile];
  __m512 sums[kTile];
#pragma GCC unroll 16
  for (size_t r = 0; r < rows; r++) sums[r] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(y + r * ldy);
  const size_t steps = o.blocks * (P == Pack::Q6 ? 2 : 1);
  multiply<P, 0>(o, 0, dots[0]);
  size_t s = 0;
  for (; s + 2 < steps; s += 2) {
    multiply<P, 1>(o, s + 1, dots[1]);
    add<P>(o, s, dots[0], sums, rows);
    multiply<P, 0>(o, s + 2, dots[0]);
    add<P>(o, s + 1, dots[1], sums, rows);
  }
  if (s + 1 < steps) multiply<P, 1>(o, s + 1, dots[1]);
  add<P>(o, s, dots[0], sums, rows);
  if (s + 1 < steps) add<P>(o, s + 1, dots[1], sums, rows);
#pragma GCC unroll 16
  for (size_t r = 0; r < rows; r++) _mm512_storeu_ps(y + r * ldy, sums[r]);
}

/// A whole tile's sums live in registers; the last rows' do not, and cost what they cost.
template <Pack P>
void whole_tile(const Operands& o, float* y, size_t ldy, bool first) { tile<P>(o, y, ldy, first, kTile); }
template <Pack P>
void part_tile(const Operands& o, float* y, size_t ldy, bool first, size_t rows) { tile<P>(o, y, ldy, first, rows); }

/// Brings what will be unpacked next nearer, a little with each tile, while the tiles keep the processor busy.
struct Ahead {
  const uint8_t* at = nullptr;
  size_t lines = 0, panel_bytes = 0, side = 0, step = 0, done = 0;
  void go() {
    for (size_t n = 0; n < step && done < lines * side; n++, done++)
      __builtin_prefetch(at + done / lines * panel_bytes + done % lines * 64, 0, 2);
  }
};

template <Pack P>
void gemm_of(const Gemm& job) {
  constexpr size_t kUnit = guard::cpu::unit_bytes(P);
  alignas(64) int8_t weights[kSide][kChunk * 512];
  const size_t all = job.k / 32, tiles = (job.rows + kTile - 1) / kTile;
  shape_tiles(P == Pack::Q6 ? 16 : 32);
  for (size_t p = 0; p < job.panels; p += kSide) {
    const size_t side = job.panels - p < kSide ? job.panels - p : kSide;
    for (size_t from = 0; from < all; from += kChunk) {
      const size_t blocks = all - from < kChunk ? all - from : kChunk;
      const uint8_t* panel = job.weights + p * job.panel_bytes + from * kUnit;
      for (size_t i = 0; i < side; i++)
        for (size_t b = 0; b < blocks; b++) unpack<P>(panel + i * job.panel_bytes + b * kUnit, weights[i] + b * 512);
      // Tiles are read by instructions whose operands the compiler does not know as memory.
      __asm__ volatile("" ::: "memory");
      Ahead ahead;
      const bool more = from + kChunk < all;
      if (more || p + kSide < job.panels) {
        const size_t left = more ? all - from - kChunk : all, next = more ? side : job.panels - p - kSide;
        ahead.at = more ? panel + kChunk * kUnit : job.weights + (p + kSide) * job.panel_bytes;
        ahead.lines = (left < kChunk ? left : kChunk) * kUnit / 64;
        ahead.panel_bytes = job.panel_bytes;
        ahead.side = next < kSide ? next : kSide;
        ahead.step = (ahead.lines * ahead.side + tiles * side - 1) / (tiles * side);
      }
      for (size_t row = 0; row < job.rows; row += kTile) {
        const size_t at = job.x8.at(row, from, all);
        for (size_t i = 0; i < side; i++) {
          const Operands o{panel + i * job.panel_bytes, weights[i], job.x8.q + 32 * at, job.x8.d + at, job.x8.minus + at, blocks};
          float* y = job.y + 16 * (p + i) + row * job.ldy;
          ahead.go();
          if (job.rows - row >= kTile)
            whole_tile<P>(o, y, job.ldy, from == 0);
          else
            part_tile<P>(o, y, job.ldy, from == 0, job.rows - row);
        }
      }
    }
  }
  _tile_release();
}

/// T tiles of rows by S panels whose scales are those of whole rows: the sums stay in the tiles over all of k. The panels
/// that come next are brought nearer meanwhile: weights are read once a pass, from far away.
template <int T, int S>
void whole_rows(const Gemm& job, const uint8_t* panel, size_t row, Ahead& ahead) {
  constexpr size_t kUnit = guard::cpu::unit_bytes(Pack::Q8Rows), kHead = guard::cpu::head_bytes(Pack::Q8Rows);
  const size_t blocks = job.k / 32, at = job.x8.at(row, 0, blocks);
  const int8_t *x = job.x8.q + 32 * at, *below = x + 32 * kTile * blocks;
  const uint8_t *w = panel + kHead, *beside = w + job.panel_bytes;
  _tile_zero(0);
  if constexpr (S > 1) _tile_zero(1);
  if constexpr (T > 1) _tile_zero(2);
  if constexpr (T > 1 && S > 1) _tile_zero(3);
  for (size_t b = 0; b < blocks; b++) {
    ahead.go();
    _tile_loadd(4, x + b * 32 * kTile, 32);
    _tile_loadd(6, w + b * kUnit, 64);
    _tile_dpbssd(0, 4, 6);
    if constexpr (S > 1) {
      _tile_loadd(7, beside + b * kUnit, 64);
      _tile_dpbssd(1, 4, 7);
    }
    if constexpr (T > 1) {
      _tile_loadd(5, below + b * 32 * kTile, 32);
      _tile_dpbssd(2, 5, 6);
      if constexpr (S > 1) _tile_dpbssd(3, 5, 7);
    }
  }
  alignas(64) int32_t dots[4][kTile * kTile];
  _tile_stored(0, dots[0], 64);
  if constexpr (S > 1) _tile_stored(1, dots[1], 64);
  if constexpr (T > 1) _tile_stored(2, dots[2], 64);
  if constexpr (T > 1 && S > 1) _tile_stored(3, dots[3], 64);
  for (size_t t = 0; t < T; t++) {
    const size_t first = row + t * kTile, rows = job.rows - first < kTile ? job.rows - first : kTile;
    const float* d = job.x8.d + job.x8.at(first, 0, blocks);
    for (size_t s = 0; s < S; s++) {
      const __m512 scale = _mm512_loadu_ps(reinterpret_cast<const float*>(panel + s * job.panel_bytes));
      float* y = job.y + (panel - job.weights) / job.panel_bytes * 16 + 16 * s + first * job.ldy;
      for (size_t r = 0; r < rows; r++)
        _mm512_storeu_ps(y + r * job.ldy, _mm512_mul_ps(_mm512_mul_ps(scale, _mm512_set1_ps(d[r])), _mm512_cvtepi32_ps(_mm512_load_si512(dots[2 * t + s] + 16 * r))));
    }
  }
}

void gemm_whole_rows(const Gemm& job) {
  shape_tiles(32);
  for (size_t p = 0; p < job.panels; p += 2) {
    const uint8_t* panel = job.weights + p * job.panel_bytes;
    const bool two = p + 1 < job.panels;
    Ahead ahead;
    if (p + 2 < job.panels) {
      const size_t steps = (job.rows + 2 * kTile - 1) / (2 * kTile) * (job.k / 32);
      ahead.at = panel + 2 * job.panel_bytes;
      ahead.lines = job.panel_bytes / 64;
      ahead.panel_bytes = job.panel_bytes;
      ahead.side = job.panels - p - 2 < 2 ? 1 : 2;
      ahead.step = (ahead.lines * ahead.side + steps - 1) / steps;
    }
    size_t row = 0;
    for (; row + kTile < job.rows; row += 2 * kTile) two ? whole_rows<2, 2>(job, panel, row, ahead) : whole_rows<2, 1>(job, panel, row, ahead);
    if (row < job.rows) two ? whole_rows<1, 2>(job, panel, row, ahead) : whole_rows<1, 1>(job, panel, row, ahead);
  }
  _tile_release();
}

void gemm(const Gemm& job) {
  switch (job.pack) {
    case Pack::Q8Rows: return gemm_whole_rows(job);
    case Pack::Q8: return gemm_of<Pack::Q8>(job);
    case Pack::Q4: return gemm_of<Pack::Q4>(job);
    case Pack::Q4M: return gemm_of<Pack::Q4M>(job);
    case Pack::Q6: return gemm_of<Pack::Q6>(job);
    default: return guard::cpu::kAvx512.gemm(job);
  }
}

}  // namespace

namespace guard::cpu {

bool amx_allowed() {
#if defined(__linux__)
  constexpr long kAskForState = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool allowed = syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
  return allowed;
#else
  return false;
#endif
}

const Kernels& amx_kernels() {
  static const Kernels table = [] {
    Kernels t = kAvx512;
    t.name = "amx-int8";
    t.group = kTile;
    t.gemm = gemm;
    return t;
  }();
  return table;
}

}  // namespace guard::cpu
