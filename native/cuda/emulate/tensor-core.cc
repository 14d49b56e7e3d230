// The warp's matrix instructions, element by element, with the fragment layouts of the PTX manual (9.7.14): lane l of
// 32 has group l / 4 and place l % 4.
#include "emulate/lanes.h"

namespace lanes {
namespace {

struct Integer {
  int32_t* c;
  uint32_t a[4], b[2];
};

int8_t signed_byte(uint32_t word, int i) { return static_cast<int8_t>(word >> (8 * i)); }
uint8_t byte_of(uint32_t word, int i) { return static_cast<uint8_t>(word >> (8 * i)); }

/// Rows of c: registers 0, 1 at row group, 2, 3 at row group + 8; columns 2 place, 2 place + 1.
template <int Depth>
void integer(void* const o[32]) {
  static thread_local int8_t a[16][Depth];
  static thread_local uint8_t b[Depth][8];
  for (int l = 0; l < 32; l++) {
    const auto* one = static_cast<const Integer*>(o[l]);
    const int group = l / 4, place = l % 4;
    for (int half = 0; half < Depth / 16; half++)
      for (int i = 0; i < 4; i++) {
        a[group][16 * half + 4 * place + i] = signed_byte(one->a[2 * half], i);
        a[group + 8][16 * half + 4 * place + i] = signed_byte(one->a[2 * half + 1], i);
        b[16 * half + 4 * place + i][group] = byte_of(one->b[half], i);
      }
  }
  for (int l = 0; l < 32; l++) {
    int32_t* c = static_cast<Integer*>(o[l])->c;
    for (int r = 0; r < 4; r++) {
      const int row = l / 4 + 8 * (r / 2), column = 2 * (l % 4) + r % 2;
      uint32_t sum = static_cast<uint32_t>(c[r]);
      for (int k = 0; k < Depth; k++) sum += static_cast<uint32_t>(static_cast<int32_t>(a[row][k]) * b[k][column]);
      c[r] = static_cast<int32_t>(sum);
    }
  }
}

struct Floats {
  float* c;
  uint32_t a[4], b[2];
};

float widened(uint32_t word, int i) { return as_float(static_cast<int32_t>(i == 0 ? word << 16 : word & 0xffff0000u)); }

void floats(void* const o[32]) {
  static thread_local float a[16][16], b[16][8];
  for (int l = 0; l < 32; l++) {
    const auto* one = static_cast<const Floats*>(o[l]);
    const int group = l / 4, place = l % 4;
    for (int i = 0; i < 2; i++)
      for (int half = 0; half < 2; half++) {
        a[group][8 * half + 2 * place + i] = widened(one->a[2 * half], i);
        a[group + 8][8 * half + 2 * place + i] = widened(one->a[2 * half + 1], i);
        b[8 * half + 2 * place + i][group] = widened(one->b[half], i);
      }
  }
  for (int l = 0; l < 32; l++) {
    float* c = static_cast<Floats*>(o[l])->c;
    for (int r = 0; r < 4; r++) {
      const int row = l / 4 + 8 * (r / 2), column = 2 * (l % 4) + r % 2;
      double sum = static_cast<double>(c[r]);
      for (int k = 0; k < 16; k++) sum += static_cast<double>(a[row][k]) * static_cast<double>(b[k][column]);
      c[r] = static_cast<float>(sum);
    }
  }
}

struct Tiles {
  uint32_t* r;
  const void* row;
};

}  // namespace

void mma32(int32_t (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  Integer operand{c, {a[0], a[1], a[2], a[3]}, {b0, b1}};
  emulated::together(integer<32>, &operand);
}
void mma16(int32_t (&c)[4], uint32_t a0, uint32_t a1, uint32_t b0) {
  Integer operand{c, {a0, a1}, {b0}};
  emulated::together(integer<16>, &operand);
}
void mma_bf16(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  Floats operand{c, {a[0], a[1], a[2], a[3]}, {b0, b1}};
  emulated::together(floats, &operand);
}
void tiles(uint32_t (&r)[4], const void* row) {
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0) emulated::broken("a tile's row is not aligned");
  Tiles operand{r, row};
  emulated::together(
      [](void* const o[32]) {
        for (int l = 0; l < 32; l++)
          for (int t = 0; t < 4; t++)
            memcpy(static_cast<Tiles*>(o[l])->r + t, static_cast<const char*>(static_cast<Tiles*>(o[8 * t + l / 4])->row) + 4 * (l % 4), 4);
      },
      &operand);
}

}  // namespace lanes
