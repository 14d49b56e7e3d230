#pragma once
#include <cstddef>
#include <cstdint>

// One table of kernels for each instruction set. All of them give the same bits: integer dot products are
// exact, and every float operation is done lane by lane in the same order, fused exactly where std::fmaf is.
// This header is included by translation units with their own -m flags, so it includes nothing that could
// leave inline code of theirs in the program.

namespace guard::cpu {

/// How a packed matrix is laid out. 16 output rows are one panel; k runs in blocks of 32 for integer kinds.
enum class Pack : uint8_t {
  F32,  // [panel][k][16] float
  F16,  // [panel][k][16] binary16
  BF16, // [panel][k][16] bfloat16
  Q8,   // [panel][k/32]{ float d[16]; uint8 q[8][16][4] }            weight = d (q - 128)
  Q4,   // [panel][k/32]{ float d[16]; uint8 q[4][16][4] }            weight = d (nibble - 8)
  Q4M,  // [panel][k/32]{ float d[16], m[16]; uint8 q[4][16][4] }     weight = d nibble - m
  Q6,   // [panel][k/32]{ float d[2][16]; uint8 q[8][16][4] }         weight = d[half] (q - 32)
  Q8Rows,  // [panel]{ float d[16]; [k/32] int8 q[8][16][4] }    weight = d q, for activations with one scale a row
};
// In Q4 and Q4M, byte [g][row][i] holds k = 4 g + i in its low half and k = 16 + 4 g + i in its high half.

inline constexpr size_t kPanel = 16;
inline constexpr size_t kBlock = 32;

constexpr bool is_integer(Pack pack) { return pack != Pack::F32 && pack != Pack::F16 && pack != Pack::BF16; }
constexpr size_t unit_bytes(Pack pack) {  // of one panel: bytes a k (float kinds) or a block of 32 k (integer kinds)
  return pack == Pack::F32 ? 64 : pack == Pack::F16 || pack == Pack::BF16 ? 32 : pack == Pack::Q8 ? 576 : pack == Pack::Q8Rows ? 512 : pack == Pack::Q4 ? 320 : pack == Pack::Q4M ? 384 : 640;
}
/// Of a panel, before its blocks.
constexpr size_t head_bytes(Pack pack) { return pack == Pack::Q8Rows ? 64 : 0; }
/// Longest rows of Q8Rows: 255 * 127 for each k has to fit an int32.
inline constexpr size_t kLongestRow = 32768;

/// Rows of activations in int8, in groups that lie together block by block, so that a tile of rows reads one stream:
/// row r's block b is number at(r, b, blocks) of each array. How many rows a group has is each table's own.
struct Quantized {
  int8_t* q;        // 32 a block
  float* d;         // the scale; of a row that has one, at its first block
  int32_t* halves;  // 2 a block: sums of q over each half
  int32_t* minus;   // the sum over the block, negative; of a row with one scale over all of it, at its first block
  size_t group;     // rows
  size_t at(size_t row, size_t block, size_t blocks) const { return (row / group * blocks + block) * group + row % group; }
};

/// Panels [first, last) of a packed matrix times rows of activations.
struct Gemm {
  Pack pack;
  const uint8_t* weights;     // first panel
  size_t panel_bytes;
  size_t panels;
  size_t k;
  const float* x;             // (rows, ldx), float kinds
  size_t ldx;
  Quantized x8;               // integer kinds
  size_t rows;
  float* y;                   // (rows, ldy), written in whole panels
  size_t ldy;
  bool accumulate;            // float kinds: y += instead of y =
};

struct Kernels {
  const char* name;
  size_t group;  // rows of activations that lie together
  void (*gemm)(const Gemm& job);
  /// One row of k floats, k a multiple of 32; `to` points at the row's first block, the others follow `to.group` apart.
  void (*quantize)(const float* x, size_t k, const Quantized& to);
  /// The same with one scale for the whole row, for Q8Rows.
  void (*quantize_rows)(const float* x, size_t k, const Quantized& to);
  void (*rms_norm)(const float* x, const float* weight, float eps, size_t n, float* y);
  /// `bias` may be null.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, size_t n, float* y);
  void (*silu_mul)(const float* gate, const float* up, size_t n, float* y);
  /// y = gelu(x) * gate; `gate` may be null.
  void (*gelu_mul)(const float* x, const float* gate, size_t n, float* y);
  /// In place; x is scaled first. Sums run in lanes by position, so that the result depends on n alone.
  void (*softmax)(float* x, size_t n, float scale);
  void (*add)(float* y, const float* x, size_t n);
  /// out[j] = (row[place] + columns[j * ld + place]) * scale with place = places[-j]; either of the two may be null.
  void (*relative)(const float* row, const float* columns, size_t ld, const int32_t* places, size_t n, float scale, float* out);
};

extern const Kernels kScalar;
#if defined(__x86_64__)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
/// The AVX-512 table with integer products in AMX tiles.
const Kernels& amx_kernels();
/// Asks the system to let this process use tiles: once, before the first product. False where it doesn't.
bool amx_allowed();
#endif

}  // namespace guard::cpu
