#pragma once
#include <cstdint>
#include <cstring>

/// The decoders that are timed: Llama 3.2 1B and Llama 3.1 8B, and one that is small enough for the emulator.
struct Shape {
  const char* name;
  uint32_t layers, width, ff, heads, kv_heads, head_width, vocabulary;
  double parameters;                          // of the layers
  double limit_100_ms, limit_300_ms, limit_rps;  // what an H200 could do: memory and tensor cores at their measured best
};

inline constexpr Shape kShapes[] = {
    {"1b", 16, 2048, 8192, 32, 8, 64, 128256, 0.973e9, 0.25, 0.74, 1350},
    {"8b", 32, 4096, 14336, 32, 8, 128, 128256, 6.98e9, 1.77, 5.3, 189},
    {"tiny", 8, 64, 64, 2, 1, 32, 512, 0.2e6, 0, 0, 0},
};

inline const Shape* shape_of(const char* name) {
  for (const Shape& shape : kShapes)
    if (strcmp(shape.name, name) == 0) return &shape;
  return nullptr;
}
