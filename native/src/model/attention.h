#pragma once
#include <cstddef>
#include <vector>

#include "cpu/matrix.h"
#include "model/kv.h"

namespace guard {

/// Rotates pairs of a head by position (Su et al. 2021). `table` is cos, sin for each pair, interleaved.
void rope(float* head, const float* table, size_t rotated, bool half_split);
/// cos and sin for one position: rotated / 2 pairs. `factors` divides the frequencies, or is null.
void rope_table(float* table, size_t position, size_t rotated, double base, const float* factors, double scale);

/// One query tile of one head against the keys of `prefix` (may be null) and then `own`.
/// Query row r stands at absolute position first + r.
struct AttentionTile {
  const float* q;  // (rows, ldq)
  size_t ldq, rows, first;
  const Kv* prefix;
  size_t prefix_layer, prefix_length;
  const Kv* own;
  size_t own_layer, own_length;
  size_t head;     // of keys and values
  size_t width;    // of a head
  float scale;
  bool causal;
  size_t reach;    // bidirectional: |i - j| at most this; 0: everything
  float* out;      // (rows, ldo), `width` columns
  size_t ldo;
  const float* extra = nullptr;  // (rows, extra_ld) added to the scaled scores, or null
  size_t extra_ld = 0;
};
void attend(const cpu::Kernels& k, const AttentionTile& tile);

inline constexpr size_t kQueryTile = 24;  // whole tiles of the widest kernel

}  // namespace guard
