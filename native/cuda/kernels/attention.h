#pragma once
// Attention of a tile of queries over the keys that they see: a shared prefix in pages, then the sequence's own. All
// scores of the tile, then the softmax, then the weighted sum, each in the CPU's order over the keys, so that a row's
// result depends on that row and its keys alone, wherever they lie.
#include "kernels/element.h"

namespace guard_device {

constexpr unsigned kAttentionThreads = 128;
constexpr uint32_t kQueries = GUARD_CUDA_QUERIES;

/// Chunks of 64 columns that a head's width fills; wide heads take fewer keys at a time.
template <int Chunks>
constexpr uint32_t kKeysOf = Chunks == 4 ? 32 : 64;

constexpr uint32_t head_pitch(uint32_t width) { return (width + 3) / 4 * 4 + 4; }
constexpr uint32_t score_pitch(uint32_t keys) { return (keys + 63) / 64 * 64 + 4; }

/// Where key j of the part is: element 0 of its head.
GUARD_INLINE const float* key_at(const guard_cuda_attend& a, const guard_cuda_part& part, uint32_t j, uint32_t head, bool value) {
  const uint64_t size = static_cast<uint64_t>(GUARD_CUDA_PAGE) * a.width;
  const bool shared = j < static_cast<uint32_t>(part.prefix);
  const uint32_t i = shared ? j : j - static_cast<uint32_t>(part.prefix);
  if (!shared && part.own_pages < 0) return value ? a.v + static_cast<uint64_t>(part.key_row + i) * a.ldv + head * a.width : a.k + static_cast<uint64_t>(part.key_row + i) * a.ldk + head * a.width;
  const uint64_t page = a.pages[static_cast<uint32_t>(shared ? part.prefix_pages : part.own_pages) + i / GUARD_CUDA_PAGE];
  return reinterpret_cast<const float*>(page + a.page_offset) + ((value ? a.kv_heads : 0) + head) * size + i % GUARD_CUDA_PAGE * a.width;
}

template <int Chunks>
GUARD_KERNEL(kAttentionThreads) attend_tile(const guard_cuda_attend a) {
  constexpr uint32_t kKeys = kKeysOf<Chunks>, kEach = kKeys / 16;
  const uint32_t tile = lanes::block_x(), head = lanes::block_y(), t = lanes::thread();
  if (tile >= static_cast<uint32_t>(*a.n_tiles.here)) return;
  const guard_cuda_tile which = a.tiles[tile];
  const guard_cuda_part part = a.parts[which.part];
  const uint32_t h = a.width, pitch = head_pitch(h), padded = pitch - 4, ld = score_pitch(a.most_keys), key_head = head / (a.heads / a.kv_heads);
  const uint32_t left = static_cast<uint32_t>(part.rows - which.query), count = left < kQueries ? left : kQueries;
  const uint32_t first = static_cast<uint32_t>(part.first + which.query), total = static_cast<uint32_t>(part.prefix + part.own);
  // Keys that this tile can see at all.
  uint32_t low = 0, high = total;
  if (a.causal) {
    high = first + count < total ? first + count : total;
  } else if (a.reach > 0) {
    low = first > a.reach ? first - a.reach : 0;
    high = first + count + a.reach < total ? first + count + a.reach : total;
  }
  auto* queries = reinterpret_cast<float*>(lanes::shared());
  float* keys = queries + kQueries * pitch;
  float* scores = a.scratch != nullptr ? a.scratch + (static_cast<uint64_t>(head) * a.n_tiles.most + tile) * kQueries * ld : keys + kKeys * pitch;
  const uint32_t query_row = static_cast<uint32_t>(part.row + which.query);

  for (uint32_t e = t; e < kQueries * padded; e += kAttentionThreads) {
    const uint32_t r = e / padded, i = e % padded;
    queries[r * pitch + i] = r < count && i < h ? a.q[static_cast<uint64_t>(query_row + r) * a.ldq + head * h + i] : 0.0f;
  }
  const auto fetch = [&](uint32_t begin, bool value) {
    if (h % 4 == 0) {
      for (uint32_t e = t; e < kKeys * (h / 4); e += kAttentionThreads) {
        const uint32_t r = e / (h / 4), i = e % (h / 4) * 4;
        float4 v;
        v.x = v.y = v.z = v.w = 0.0f;
        if (begin + r < high) v = lanes::load<float4>(key_at(a, part, begin + r, key_head, value) + i);
        lanes::store(keys + r * pitch + i, v);
      }
    } else {
      for (uint32_t e = t; e < kKeys * padded; e += kAttentionThreads) {
        const uint32_t r = e / padded, i = e % padded;
        keys[r * pitch + i] = begin + r < high && i < h ? key_at(a, part, begin + r, key_head, value)[i] : 0.0f;
      }
    }
  };

  // A thread has four queries by four keys (two for wide heads), eight and sixteen apart.
  const uint32_t tq = t / 16, tk = t % 16;
  for (uint32_t begin = low; begin < high; begin += kKeys) {
    lanes::sync();
    fetch(begin, false);
    lanes::sync();
    float s[4][kEach];
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (uint32_t j = 0; j < kEach; j++) s[i][j] = 0.0f;
    for (uint32_t d = 0; d < padded; d += 4) {
      float4 x[4], y[kEach];
#pragma unroll
      for (uint32_t i = 0; i < 4; i++) x[i] = lanes::load<float4>(queries + (tq + 8 * i) * pitch + d);
#pragma unroll
      for (uint32_t j = 0; j < kEach; j++) y[j] = lanes::load<float4>(keys + (tk + 16 * j) * pitch + d);
#pragma unroll
      for (uint32_t i = 0; i < 4; i++)
#pragma unroll
        for (uint32_t j = 0; j < kEach; j++) s[i][j] = lanes::fma(x[i].w, y[j].w, lanes::fma(x[i].z, y[j].z, lanes::fma(x[i].y, y[j].y, lanes::fma(x[i].x, y[j].x, s[i][j]))));
    }
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
#pragma unroll
      for (uint32_t j = 0; j < kEach; j++) {
        const uint32_t r = tq + 8 * i, key = begin + tk + 16 * j;
        if (r >= count || key >= high) continue;
        float v = s[i][j] * a.scale;
        if (a.places != nullptr) {
          const uint64_t room = head * a.head_apart, place = static_cast<uint64_t>(a.places[static_cast<int32_t>(first + r) - static_cast<int32_t>(key) + a.middle]);
          float sum = 0.0f;
          if (a.by_query != nullptr) sum = sum + a.by_query[room + static_cast<uint64_t>(query_row + r) * a.ldp + place];
          if (a.by_key != nullptr) sum = sum + a.by_key[room + static_cast<uint64_t>(part.key_row + static_cast<int32_t>(key)) * a.ldp + place];
          v = v + sum * a.scale;
        }
        scores[r * ld + key - low] = v;
      }
  }
  lanes::sync();

  // Half a warp a row: its sixteen sums run by the distance from the first key that the row sees.
  const uint32_t span = (high - low + kKeys - 1) / kKeys * kKeys, lane = t % 16;
  for (uint32_t r = t / 16; r < kQueries; r += kAttentionThreads / 16) {
    float* row = scores + r * ld;
    const uint32_t i = first + r;
    uint32_t from = low, to = high;
    if (a.causal) {
      to = i + 1 < high ? i + 1 : high;
    } else if (a.reach > 0) {
      from = i > a.reach ? i - a.reach : 0;
      to = i + a.reach + 1 < total ? i + a.reach + 1 : total;
    }
    if (r >= count) from = to = low;
    from -= low;
    to -= low;
    float top = -3.4e38f;
    for (uint32_t j = from + lane; j < to; j += 16) top = row[j] > top ? row[j] : top;
    top = folded_top(top);
    float sum = 0.0f;
    for (uint32_t j = from + lane; j < to; j += 16) {
      const float e = exponential(row[j] - top);
      row[j] = e;
      sum = sum + e;
    }
    const float inverse = 1.0f / folded_sum(sum);
    for (uint32_t j = from + lane; j < to; j += 16) row[j] = row[j] * inverse;
    for (uint32_t j = lane; j < from; j += 16) row[j] = 0.0f;
    for (uint32_t j = to + lane; j < span; j += 16) row[j] = 0.0f;
  }

  float out[4][Chunks][4];
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int c = 0; c < Chunks; c++)
#pragma unroll
      for (int d = 0; d < 4; d++) out[i][c][d] = 0.0f;
  for (uint32_t begin = low; begin < high; begin += kKeys) {
    lanes::sync();
    fetch(begin, true);
    lanes::sync();
    const uint32_t here = high - begin < kKeys ? high - begin : kKeys;
    for (uint32_t j = 0; j < here; j++) {
      float p[4];
#pragma unroll
      for (uint32_t i = 0; i < 4; i++) p[i] = scores[(tq + 8 * i) * ld + begin - low + j];
#pragma unroll
      for (uint32_t c = 0; c < Chunks; c++) {
        const uint32_t d = 64 * c + 4 * tk;
        if (d >= padded) continue;
        const float4 v = lanes::load<float4>(keys + j * pitch + d);
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
          out[i][c][0] = lanes::fma(p[i], v.x, out[i][c][0]);
          out[i][c][1] = lanes::fma(p[i], v.y, out[i][c][1]);
          out[i][c][2] = lanes::fma(p[i], v.z, out[i][c][2]);
          out[i][c][3] = lanes::fma(p[i], v.w, out[i][c][3]);
        }
      }
    }
  }
#pragma unroll
  for (uint32_t i = 0; i < 4; i++)
#pragma unroll
    for (uint32_t c = 0; c < Chunks; c++)
#pragma unroll
      for (uint32_t d = 0; d < 4; d++) {
        const uint32_t r = tq + 8 * i, column = 64 * c + 4 * tk + d;
        if (r < count && column < h) a.out[static_cast<uint64_t>(query_row + r) * a.ldo + head * h + column] = out[i][c][d];
      }
}

}  // namespace guard_device
