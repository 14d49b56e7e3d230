#pragma once
#include <cstdint>
#include <vector>

#include "cpu/matrix.h"

namespace guard {

/// Keys and values of consecutive tokens. This class keeps them in the host's memory; a device's derives from it and has
/// its own. Laid out as the float kernel's panels, so that scores and the weighted
/// sum are two matrix products: keys (layer, head, token / 16, width, 16), values (layer, head, width / 16, token, 16).
class Kv {
 public:
  Kv(size_t layers, size_t heads, size_t width, size_t capacity)
      : heads_(heads), width_(width), capacity_(cpu::padded16(capacity)), wide_(cpu::padded16(width)), layers_(layers),
        data_(bytes_for(layers, heads, width, capacity)) {}
  static size_t bytes_for(size_t layers, size_t heads, size_t width, size_t capacity) {
    return layers * heads * cpu::padded16(capacity) * (width + cpu::padded16(width)) * sizeof(float);
  }
  const float* keys(size_t layer, size_t head) const { return head_at(layer, head); }
  const float* values(size_t layer, size_t head) const { return head_at(layer, head) + capacity_ * width_; }
  size_t value_stride() const { return capacity_ * 16; }
  /// Writes token `at`'s key and value of one head.
  void put(size_t layer, size_t head, size_t at, const float* key, const float* value) {
    float* k = head_at(layer, head) + at / 16 * 16 * width_ + at % 16;
    for (size_t i = 0; i < width_; i++) k[i * 16] = key[i];
    float* v = head_at(layer, head) + capacity_ * width_;
    for (size_t i = 0; i < width_; i++) v[i / 16 * capacity_ * 16 + at * 16 + i % 16] = value[i];
  }
  size_t layers() const { return layers_; }
  size_t bytes() const { return data_.size(); }
  virtual ~Kv() = default;
  size_t length = 0;  // tokens of all layers that are valid

 protected:
  Kv() : heads_(0), width_(0), capacity_(0), wide_(0), layers_(0) {}

 private:
  float* head_at(size_t layer, size_t head) const {
    return reinterpret_cast<float*>(data_.data()) + (layer * heads_ + head) * capacity_ * (width_ + wide_);
  }
  size_t heads_, width_, capacity_, wide_, layers_;
  cpu::Bytes data_;
};

}  // namespace guard
