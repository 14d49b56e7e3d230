#include "model/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace guard {

void rope(float* x, const float* t, size_t rotated, bool half_split) {
  const size_t half = rotated / 2;
  for (size_t i = 0; i < half; i++) {
    float& a = half_split ? x[i] : x[2 * i];
    float& b = half_split ? x[i + half] : x[2 * i + 1];
    const float c = t[2 * i], s = t[2 * i + 1], u = a, v = b;
    a = u * c - v * s;
    b = u * s + v * c;
  }
}

void rope_table(float* table, size_t position, size_t rotated, double base, const float* factors, double scale) {
  for (size_t i = 0; i < rotated / 2; i++) {
    double frequency = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(rotated)) * scale;
    if (factors != nullptr) frequency /= static_cast<double>(factors[i]);
    const double angle = static_cast<double>(position) * frequency;
    table[2 * i] = static_cast<float>(std::cos(angle));
    table[2 * i + 1] = static_cast<float>(std::sin(angle));
  }
}

void attend(const cpu::Kernels& k, const AttentionTile& t) {
  const size_t total = t.prefix_length + t.own_length;
  // Keys that this tile can see at all: scores beyond them are not computed.
  size_t low = 0, high = total;
  if (t.causal) high = std::min(total, t.first + t.rows);
  if (!t.causal && t.reach > 0) {
    low = t.first > t.reach ? (t.first - t.reach) / 16 * 16 : 0;
    high = std::min(total, t.first + t.rows + t.reach);
  }
  const size_t ld = cpu::padded16(total) + 32;
  static thread_local std::vector<float> scores, sums, queries;
  scores.assign(t.rows * ld, 0.0f);
  const size_t wide = cpu::padded16(t.width);
  sums.assign(t.rows * wide, 0.0f);

  // Rows of a layer's queries lie a power of two apart, which would put a tile's rows into one set of the cache.
  const size_t ldq = t.width + 16;
  queries.resize(t.rows * ldq);
  for (size_t r = 0; r < t.rows; r++) memcpy(queries.data() + r * ldq, t.q + r * t.ldq, t.width * sizeof(float));

  // Scores stand at their absolute place, so a key's score and the order of every later sum are the same
  // whether the key came from a shared prefix or from the request itself.
  const auto score = [&](const Kv* kv, size_t layer, size_t begin, size_t length, size_t offset) {
    const size_t first = begin / 16, last = (length + 15) / 16;
    if (first >= last) return;
    k.gemm({cpu::Pack::F32, reinterpret_cast<const uint8_t*>(kv->keys(layer, t.head) + first * 16 * t.width), t.width * 64, last - first, t.width,
            queries.data(), ldq, {}, t.rows, scores.data() + offset + first * 16, ld, false});
  };
  if (t.prefix != nullptr) score(t.prefix, t.prefix_layer, 0, t.prefix_length, 0);
  if (high > t.prefix_length) score(t.own, t.own_layer, t.prefix == nullptr ? low : 0, high - t.prefix_length, t.prefix_length);

  for (size_t r = 0; r < t.rows; r++) {
    float* row = scores.data() + r * ld;
    const size_t i = t.first + r;
    if (t.causal) {
      k.softmax(row, i + 1, t.scale);
      memset(row + i + 1, 0, (ld - i - 1) * sizeof(float));
      continue;
    }
    const size_t from = t.reach > 0 && i > t.reach ? i - t.reach : 0;
    const size_t to = t.reach > 0 ? std::min(total, i + t.reach + 1) : total;
    float scale = t.scale;
    if (t.extra != nullptr) {
      for (size_t j = from; j < to; j++) row[j] = row[j] * t.scale + t.extra[r * t.extra_ld + j];
      scale = 1.0f;
    }
    k.softmax(row + from, to - from, scale);
    memset(row, 0, from * sizeof(float));
    memset(row + to, 0, (ld - to) * sizeof(float));
  }

  const auto weigh = [&](const Kv* kv, size_t layer, size_t begin, size_t length, size_t offset) {
    if (length <= begin) return;
    k.gemm({cpu::Pack::F32, reinterpret_cast<const uint8_t*>(kv->values(layer, t.head) + begin * 16), kv->value_stride() * sizeof(float), wide / 16, length - begin,
            scores.data() + offset + begin, ld, {}, t.rows, sums.data(), wide, true});
  };
  if (t.prefix != nullptr) weigh(t.prefix, t.prefix_layer, 0, t.prefix_length, 0);
  if (high > t.prefix_length) weigh(t.own, t.own_layer, t.prefix == nullptr ? low : 0, high - t.prefix_length, t.prefix_length);
  for (size_t r = 0; r < t.rows; r++) memcpy(t.out + r * t.ldo, sums.data() + r * wide, t.width * sizeof(float));
}

}  // namespace guard
