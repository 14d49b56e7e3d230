// Tensors of a file, as the kernels want them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"
#include "cpu/half.h"
#include "cpu/matrix.h"

namespace guard::cpu {
namespace {

float half_at(const uint8_t* p) {
  uint16_t h;
  memcpy(&h, p, 2);
  return half_to_float(h);
}

/// A scale of a file, refused when it is not finite: NaN would make every comparison with a threshold false.
float scale_at(const uint8_t* p, const std::string& name) {
  const float value = half_at(p);
  if (!std::isfinite(value)) reject("Tensor %s has a scale that is not finite.", name.c_str());
  return value;
}

/// The six-bit scale and minimum of sub-block j in a Q4_K block (ggml's packing).
void scale_min(const uint8_t* s, int j, int& scale, int& min) {
  if (j < 4) {
    scale = s[j] & 63;
    min = s[j + 4] & 63;
  } else {
    scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
    min = (s[j + 4] >> 4) | (s[j] >> 6) << 4;
  }
}

Pack pack_of(Dtype type) {
  switch (type) {
    case Dtype::F32: return Pack::F32;
    case Dtype::F16: return Pack::F16;
    case Dtype::BF16: return Pack::BF16;
    case Dtype::Q8_0: return Pack::Q8;
    case Dtype::Q4_0: return Pack::Q4;
    case Dtype::Q4_K: return Pack::Q4M;
    case Dtype::Q6_K: return Pack::Q6;
  }
  return Pack::F32;
}

void put(uint8_t* to, size_t lane, float value) { memcpy(to + 4 * lane, &value, 4); }

/// Four bytes at a time: a layer out of the file is packed anew for each pass.
void put_four(uint8_t* to, const uint8_t* from, uint32_t flip) {
  uint32_t four;
  memcpy(&four, from, 4);
  four ^= flip;
  memcpy(to, &four, 4);
}

float float_at(Dtype type, const uint8_t* row, size_t i) {
  float v;
  if (type == Dtype::F32) {
    memcpy(&v, row + 4 * i, 4);
    return v;
  }
  if (type == Dtype::F16) return half_at(row + 2 * i);
  const uint32_t bits = static_cast<uint32_t>(row[2 * i] | row[2 * i + 1] << 8) << 16;
  memcpy(&v, &bits, 4);
  return v;
}

/// One row of the file into lane `r` of a panel.
void pack_row(Dtype type, const uint8_t* row, size_t k, size_t r, uint8_t* panel, const std::string& name) {
  const size_t unit = unit_bytes(pack_of(type));
  switch (type) {
    case Dtype::F32:
      for (size_t i = 0; i < k; i++) {
        float v;
        memcpy(&v, row + 4 * i, 4);
        if (!std::isfinite(v)) reject("Tensor %s has a value that is not finite.", name.c_str());
        put(panel + i * unit, r, v);
      }
      return;
    case Dtype::F16: case Dtype::BF16:
      for (size_t i = 0; i < k; i++) {
        const uint16_t bits = static_cast<uint16_t>(row[2 * i] | row[2 * i + 1] << 8), exponent = type == Dtype::F16 ? 0x7C00 : 0x7F80;
        if ((bits & exponent) == exponent) reject("Tensor %s has a value that is not finite.", name.c_str());
        memcpy(panel + i * unit + 2 * r, &bits, 2);
      }
      return;
    case Dtype::Q8_0:
      for (size_t b = 0; b < k / 32; b++, row += 34, panel += unit) {
        put(panel, r, scale_at(row, name));
        for (size_t g = 0; g < 8; g++) put_four(panel + 64 + g * 64 + r * 4, row + 2 + g * 4, 0x80808080);  // + 128 of each
      }
      return;
    case Dtype::Q4_0:
      for (size_t b = 0; b < k / 32; b++, row += 18, panel += unit) {
        put(panel, r, scale_at(row, name));
        // Low halves are elements 0 to 15, high halves 16 to 31: the packed order too.
        for (size_t g = 0; g < 4; g++) put_four(panel + 64 + g * 64 + r * 4, row + 2 + g * 4, 0);
      }
      return;
    case Dtype::Q4_K:
      for (size_t b = 0; b < k / 256; b++, row += 144) {
        const float d = scale_at(row, name), dmin = scale_at(row + 2, name);
        for (int j = 0; j < 8; j++, panel += unit) {
          int scale, min;
          scale_min(row + 4, j, scale, min);
          put(panel, r, d * static_cast<float>(scale));
          put(panel + 64, r, dmin * static_cast<float>(min));
          const uint8_t* q = row + 16 + j / 2 * 32;  // 32 bytes hold two sub-blocks: low halves, then high halves
          for (size_t i = 0; i < 16; i++) {
            const int first = j % 2 ? q[i] >> 4 : q[i] & 15, second = j % 2 ? q[i + 16] >> 4 : q[i + 16] & 15;
            panel[128 + i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(first | second << 4);
          }
        }
      }
      return;
    case Dtype::Q6_K:
      for (size_t b = 0; b < k / 256; b++, row += 210) {
        const float d = scale_at(row + 208, name);
        const auto* scales = reinterpret_cast<const int8_t*>(row + 192);
        for (size_t j = 0; j < 8; j++, panel += unit) {
          put(panel, r, d * static_cast<float>(scales[2 * j]));
          put(panel + 64, r, d * static_cast<float>(scales[2 * j + 1]));
          const uint8_t* low = row + j / 4 * 64 + j % 2 * 32;
          const uint8_t* high = row + 128 + j / 4 * 32;
          for (size_t i = 0; i < 32; i++) {
            const int four = j % 4 < 2 ? low[i] & 15 : low[i] >> 4;
            const int two = high[i] >> (2 * (j % 4)) & 3;
            panel[128 + i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(four | two << 4);
          }
        }
      }
      return;
  }
}

/// One row of floats into lane `r` of a Q8 panel: each block of 32 by its largest value, as Q8_0 does.
void round_row(Dtype type, const uint8_t* row, size_t k, size_t r, uint8_t* panel, const std::string& name) {
  float block[kBlock];
  for (size_t b = 0; b < k / kBlock; b++, panel += unit_bytes(Pack::Q8)) {
    float most = 0;
    for (size_t i = 0; i < kBlock; i++) {
      block[i] = float_at(type, row, b * kBlock + i);
      if (!std::isfinite(block[i])) reject("Tensor %s has a value that is not finite.", name.c_str());
      most = std::max(most, std::fabs(block[i]));
    }
    put(panel, r, most / 127.0f);
    for (size_t i = 0; i < kBlock; i++) {
      const long q = most > 0 ? std::lrintf(block[i] * (127.0f / most)) : 0;
      panel[64 + i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(q + 128);
    }
  }
}

/// One row of floats into lane `r` of a Q8Rows panel, by its largest value.
void round_whole_row(Dtype type, const uint8_t* row, size_t k, size_t r, uint8_t* panel, const std::string& name) {
  float most = 0;
  for (size_t i = 0; i < k; i++) {
    const float v = float_at(type, row, i);
    if (!std::isfinite(v)) reject("Tensor %s has a value that is not finite.", name.c_str());
    most = std::max(most, std::fabs(v));
  }
  put(panel, r, most / 127.0f);
  panel += head_bytes(Pack::Q8Rows);
  for (size_t i = 0; i < k; i++) {
    const long q = most > 0 ? std::lrintf(float_at(type, row, i) * (127.0f / most)) : 0;
    panel[i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(static_cast<int8_t>(q));
  }
}

bool rounds(const TensorInfo& info, Int8 int8) {
  return int8 != Int8::No && !is_integer(pack_of(info.type)) && info.shape.size() == 2 && info.shape.back() % kBlock == 0;
}

/// Reads of a file into a buffer that is kept from call to call.
Read reads_of(const File& file) {
  return [&file, raw = std::vector<uint8_t>()](uint64_t offset, size_t n) mutable {
    if (raw.size() < n) raw.resize(n);
    file.read(offset, raw.data(), n);
    return static_cast<const uint8_t*>(raw.data());
  };
}

/// Shape and kind of a packed tensor, without bytes.
MatrixView shape_of(const TensorInfo& info, Int8 int8) {
  return {pack_kind(info, int8), info.shape.size() == 1 ? 1 : info.shape[0], info.shape.back(), nullptr};
}

}  // namespace

Pack pack_kind(const TensorInfo& info, Int8 int8) {
  if (!rounds(info, int8)) return pack_of(info.type);
  return int8 == Int8::Rows && info.shape.back() <= kLongestRow ? Pack::Q8Rows : Pack::Q8;
}

size_t packed_bytes(const TensorInfo& info, Int8 int8) {
  const MatrixView m = shape_of(info, int8);
  return m.panels() * m.panel_bytes();
}

void pack_into(const std::string& name, const TensorInfo& info, Int8 int8, const Read& read, uint8_t* out) {
  const MatrixView m = shape_of(info, int8);
  const bool round = rounds(info, int8);
  const uint64_t row_bytes = info.bytes / m.n;
  for (size_t p = 0; p < m.panels(); p++) {
    const size_t rows = std::min(kPanel, m.n - p * kPanel);
    const uint8_t* raw = read(info.offset + p * kPanel * row_bytes, rows * row_bytes);
    uint8_t* panel = out + p * m.panel_bytes();
    // Lanes without a row hold scale 0 and quant 0: they come out as 0 and are never read.
    if (rows < kPanel) memset(panel, 0, m.panel_bytes());
    for (size_t r = 0; r < rows; r++) {
      if (m.pack == Pack::Q8Rows)
        round_whole_row(info.type, raw + r * row_bytes, m.k, r, panel, name);
      else if (round)
        round_row(info.type, raw + r * row_bytes, m.k, r, panel, name);
      else
        pack_row(info.type, raw + r * row_bytes, m.k, r, panel, name);
    }
  }
}

void read_floats_into(const std::string& name, const TensorInfo& info, const Read& read, float* out) {
  const size_t n = info.bytes / (info.type == Dtype::F32 ? 4 : 2);
  const uint8_t* raw = read(info.offset, info.bytes);
  for (size_t i = 0; i < n; i++) {
    out[i] = float_at(info.type, raw, i);
    if (!std::isfinite(out[i])) reject("Tensor %s has a value that is not finite.", name.c_str());
  }
}

Matrix pack_tensor(const TensorSource& source, const std::string& name, const TensorInfo& info, Int8 int8) {
  Matrix out;
  static_cast<MatrixView&>(out) = shape_of(info, int8);
  out.bytes = Bytes(packed_bytes(info, int8));
  out.data = out.bytes.data();
  pack_into(name, info, int8, reads_of(*source.file), out.bytes.data());
  return out;
}

std::vector<float> read_floats(const TensorSource& source, const std::string& name, const TensorInfo& info) {
  uint64_t n = 1;
  for (const uint64_t d : info.shape) n *= d;
  std::vector<float> out(n);
  read_floats_into(name, info, reads_of(*source.file), out.data());
  return out;
}

Matrix pack_floats(const float* rows, size_t n, size_t k) {
  Matrix out;
  out.n = n;
  out.k = k;
  out.bytes = Bytes(out.panels() * out.panel_bytes());
  out.data = out.bytes.data();
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) put(out.bytes.data() + i / kPanel * out.panel_bytes() + j * 64, i % kPanel, rows[i * k + j]);
  return out;
}

Matrix pack_rounded_rows(const float* rows, size_t n, size_t k) {
  Matrix out;
  out.pack = Pack::Q8Rows;
  out.n = n;
  out.k = k;
  out.bytes = Bytes(out.panels() * out.panel_bytes());
  out.data = out.bytes.data();
  for (size_t i = 0; i < n; i++)
    round_whole_row(Dtype::F32, reinterpret_cast<const uint8_t*>(rows + i * k), k, i % kPanel, out.bytes.data() + i / kPanel * out.panel_bytes(), "of positions");
  return out;
}

}  // namespace guard::cpu
