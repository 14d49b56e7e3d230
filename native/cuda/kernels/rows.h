#pragma once
// Steps that go row by row: embeddings, norms, activations, rotary positions, pooling.
#include "kernels/element.h"

namespace guard_device {

template <Pack P>
GUARD_KERNEL(kRowThreads) embed_rows(const guard_cuda_embed a) {
  const uint32_t row = lanes::block_x();
  if (row >= static_cast<uint32_t>(*a.rows.here)) return;
  const uint32_t id = static_cast<uint32_t>(a.ids[row]);
  constexpr bool integer = guard::cpu::is_integer(P);
  const uint64_t panel_bytes = static_cast<uint64_t>(integer ? a.table.k / 32 : a.table.k) * unit_of(P);
  const auto* panel = static_cast<const unsigned char*>(a.table.data) + id / 16 * panel_bytes;
  for (uint32_t j = lanes::thread(); j < a.table.k; j += lanes::threads()) a.x[static_cast<uint64_t>(row) * a.ld + j] = element<P>(panel, id % 16, j);
}

/// One row a block. The row waits in shared memory; sixteen lanes add it up in the CPU's order.
GUARD_KERNEL(kRowThreads) norm_rows(const guard_cuda_norm a) {
  const uint32_t row = lanes::block_x(), t = lanes::thread(), lane = t % 32;
  if (row >= static_cast<uint32_t>(*a.rows.here)) return;
  auto* line = reinterpret_cast<float*>(lanes::shared());
  float* told = line + a.n;  // mean and scale
  const uint64_t source = a.from != nullptr ? static_cast<uint64_t>(a.from[row]) : row;
  const float* x = a.x + source * a.ldx;
  for (uint32_t i = t; i < a.n; i += lanes::threads()) line[i] = x[i];
  lanes::sync();
  if (a.weight != nullptr && t < 32) {
    float mean = 0.0f;
    if (a.centred) {
      float total = 0.0f;
      for (uint32_t i = lane % 16; i < a.n; i += 16) total = total + line[i];
      mean = folded_sum(total) / static_cast<float>(a.n);
    }
    float squares = 0.0f;
    for (uint32_t i = lane % 16; i < a.n; i += 16) {
      const float c = a.centred ? line[i] - mean : line[i];
      squares = squares + c * c;
    }
    const float scale = 1.0f / lanes::root(folded_sum(squares) / static_cast<float>(a.n) + a.eps);
    if (t == 0) {
      told[0] = mean;
      told[1] = scale;
    }
  }
  lanes::sync();
  const float mean = a.weight != nullptr ? told[0] : 0.0f, scale = a.weight != nullptr ? told[1] : 1.0f;
  const uint32_t whole = (a.n + 31) / 32 * 32;
  for (uint32_t i = t; i < whole; i += lanes::threads()) {
    float v = 0.0f;
    if (i < a.n) {
      v = line[i];
      if (a.weight != nullptr) {
        if (a.centred) v = v - mean;
        v = v * scale * a.weight[i];
        if (a.bias != nullptr) v = v + a.bias[i];
      }
      if (a.y != nullptr) a.y[static_cast<uint64_t>(row) * a.ldy + i] = v;
    }
    if (a.int8.q != nullptr) round_block(v, lane, static_cast<uint64_t>(row) * a.int8.blocks + i / 32, a.int8.q, a.int8.d, a.int8.sums);
  }
}

/// One block of 32 a warp.
GUARD_KERNEL(kRowThreads) activate_rows(const guard_cuda_activate a) {
  const uint32_t row = lanes::block_x(), lane = lanes::thread() % 32;
  if (row >= static_cast<uint32_t>(*a.rows.here)) return;
  const uint32_t block = lanes::block_y() * (kRowThreads / 32) + lanes::thread() / 32, i = block * 32 + lane;
  if (block * 32 >= a.n) return;
  float v = 0.0f;
  if (i < a.n) {
    const float x = a.x[static_cast<uint64_t>(row) * a.ldx + i];
    v = a.gelu ? gelu(x) : silu(x);
    if (a.gate != nullptr) v = v * a.gate[static_cast<uint64_t>(row) * a.ldg + i];
    if (a.y != nullptr) a.y[static_cast<uint64_t>(row) * a.ldy + i] = v;
  }
  if (a.int8.q != nullptr) round_block(v, lane, static_cast<uint64_t>(row) * a.int8.blocks + block, a.int8.q, a.int8.d, a.int8.sums);
}

/// One row a block, one head at a time a warp.
GUARD_KERNEL(kRowThreads) rotate_rows(const guard_cuda_rotate a) {
  const uint32_t row = lanes::block_x(), warp = lanes::thread() / 32, lane = lanes::thread() % 32, h = a.width;
  if (row >= static_cast<uint32_t>(*a.rows.here)) return;
  float* line = reinterpret_cast<float*>(lanes::shared()) + warp * h;
  const uint32_t queries = a.q != nullptr ? a.heads : 0, keys = a.k != nullptr ? a.kv_heads : 0;
  const float* turn = a.table == nullptr ? nullptr : a.table + static_cast<uint64_t>(a.position[row]) * a.rotated;
  const uint64_t page = a.page != nullptr && keys > 0 ? a.page[row] : 0;
  for (uint32_t u = warp; u < queries + 2 * keys; u += kRowThreads / 32) {
    const bool query = u < queries, value = u >= queries + keys;
    const uint32_t head = query ? u : value ? u - queries - keys : u - queries;
    float* x = query ? a.q + static_cast<uint64_t>(row) * a.ldq : value ? a.v + static_cast<uint64_t>(row) * a.ldv : a.k + static_cast<uint64_t>(row) * a.ldk;
    x += head * h;
    const float* bias = query ? a.q_bias : value ? a.v_bias : a.k_bias;
    const float* norm = query ? a.q_norm : value ? nullptr : a.k_norm;
    for (uint32_t i = lane; i < h; i += 32) line[i] = bias != nullptr ? x[i] + bias[head * h + i] : x[i];
    lanes::sync_warp();
    if (norm != nullptr) {
      float squares = 0.0f;
      for (uint32_t i = lane % 16; i < h; i += 16) squares = squares + line[i] * line[i];
      const float scale = 1.0f / lanes::root(folded_sum(squares) / static_cast<float>(h) + a.eps);
      for (uint32_t i = lane; i < h; i += 32) line[i] = line[i] * scale * norm[i];
      lanes::sync_warp();
    }
    if (!value && turn != nullptr) {
      const uint32_t half = a.rotated / 2;
      for (uint32_t i = lane; i < half; i += 32) {
        const uint32_t first = a.half_split ? i : 2 * i, second = a.half_split ? i + half : 2 * i + 1;
        const float c = turn[2 * i], s = turn[2 * i + 1], u0 = line[first], v0 = line[second];
        line[first] = u0 * c - v0 * s;
        line[second] = u0 * s + v0 * c;
      }
      lanes::sync_warp();
    }
    float* kept = nullptr;
    if (page != 0 && !query)
      kept = reinterpret_cast<float*>(page + a.page_offset) + (static_cast<uint64_t>((value ? keys : 0) + head) * GUARD_CUDA_PAGE + static_cast<uint32_t>(a.slot[row])) * h;
    for (uint32_t i = lane; i < h; i += 32) {
      x[i] = line[i];
      if (kept != nullptr) kept[i] = line[i];
    }
    lanes::sync_warp();
  }
}

GUARD_KERNEL(kRowThreads) pool_rows(const guard_cuda_pool a) {
  const uint32_t p = lanes::block_x();
  if (p >= static_cast<uint32_t>(*a.n_parts.here)) return;
  const guard_cuda_part part = a.parts[p];
  for (uint32_t i = lanes::thread(); i < a.n; i += lanes::threads()) {
    const int32_t from = a.from != nullptr ? a.from[p] : 0;
    float pooled = a.x[static_cast<uint64_t>(part.row + from) * a.ldx + i];
    for (int32_t r = from + 1; r < part.rows; r++) {
      const float v = a.x[static_cast<uint64_t>(part.row + r) * a.ldx + i];
      pooled = !a.highest ? pooled + v : pooled < v ? v : pooled;
    }
    a.y[static_cast<uint64_t>(p) * a.ldy + i] = a.highest ? pooled : pooled / static_cast<float>(part.rows - from);
  }
}

}  // namespace guard_device
