#include "cpu/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "base/fail.h"
#include "base/file.h"
#include "cpu/half.h"

namespace guard::cpu {

Bytes::Bytes(size_t n) : size_(n) {
  auto* p = static_cast<uint8_t*>(::operator new(n + 64, std::align_val_t(64)));
  memset(p, 0, n + 64);
  data_.reset(p);
}
void Bytes::Free::operator()(uint8_t* p) const { ::operator delete(p, std::align_val_t(64)); }

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
        for (size_t i = 0; i < 32; i++) panel[64 + i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(row[2 + i] + 128);
      }
      return;
    case Dtype::Q4_0:
      for (size_t b = 0; b < k / 32; b++, row += 18, panel += unit) {
        put(panel, r, scale_at(row, name));
        // Low halves are elements 0 to 15, high halves 16 to 31: the packed order too.
        for (size_t i = 0; i < 16; i++) panel[64 + i / 4 * 64 + r * 4 + i % 4] = row[2 + i];
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

}  // namespace

Matrix pack_tensor(const TensorSource& source, const std::string& name, const TensorInfo& info) {
  Matrix out;
  out.pack = pack_of(info.type);
  out.n = info.shape.size() == 1 ? 1 : info.shape[0];
  out.k = info.shape.back();
  out.bytes = Bytes(out.panels() * out.panel_bytes());
  const uint64_t row_bytes = info.bytes / out.n;
  std::vector<uint8_t> raw(row_bytes * std::min(out.n, kPanel));
  for (size_t p = 0; p < out.panels(); p++) {
    const size_t rows = std::min(kPanel, out.n - p * kPanel);
    source.file->read(info.offset + p * kPanel * row_bytes, raw.data(), rows * row_bytes);
    for (size_t r = 0; r < rows; r++) pack_row(info.type, raw.data() + r * row_bytes, out.k, r, out.bytes.data() + p * out.panel_bytes(), name);
    // Lanes without a row hold scale 0 and quant 0: they come out as 0 and are never read.
  }
  return out;
}

Matrix pack_floats(const float* rows, size_t n, size_t k) {
  Matrix out;
  out.n = n;
  out.k = k;
  out.bytes = Bytes(out.panels() * out.panel_bytes());
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) put(out.bytes.data() + i / kPanel * out.panel_bytes() + j * 64, i % kPanel, rows[i * k + j]);
  return out;
}

std::vector<float> read_floats(const TensorSource& source, const std::string& name, const TensorInfo& info) {
  const Matrix m = pack_tensor(source, name, info);
  std::vector<float> out(m.n * m.k);
  for (size_t i = 0; i < m.n; i++) m.row(i, out.data() + i * m.k);
  return out;
}

void Matrix::row(size_t i, float* out) const {
  const uint8_t* panel = bytes.data() + i / kPanel * panel_bytes();
  const size_t r = i % kPanel, unit = unit_bytes(pack);
  const auto number = [](const uint8_t* p, size_t lane) {
    float v;
    memcpy(&v, p + 4 * lane, 4);
    return v;
  };
  for (size_t j = 0; j < k; j++) {
    const uint8_t* p = panel + (is_integer(pack) ? j / 32 : j) * unit;
    const size_t e = j % 32, nibble = e % 16 / 4 * 64 + r * 4 + e % 4, byte = e / 4 * 64 + r * 4 + e % 4;
    const auto four = [&](const uint8_t* q) { return static_cast<float>(e < 16 ? q[nibble] & 15 : q[nibble] >> 4); };
    switch (pack) {
      case Pack::F32: out[j] = number(p, r); break;
      case Pack::F16: out[j] = half_at(p + 2 * r); break;
      case Pack::BF16: {
        const uint32_t bits = static_cast<uint32_t>(p[2 * r] | p[2 * r + 1] << 8) << 16;
        memcpy(&out[j], &bits, 4);
        break;
      }
      case Pack::Q8: out[j] = number(p, r) * static_cast<float>(p[64 + byte] - 128); break;
      case Pack::Q4: out[j] = number(p, r) * (four(p + 64) - 8); break;
      case Pack::Q4M: out[j] = number(p, r) * four(p + 128) - number(p + 64, r); break;
      case Pack::Q6: out[j] = number(p + (e < 16 ? 0 : 64), r) * static_cast<float>(p[128 + byte] - 32); break;
    }
  }
}

void Cpu::quantize(const Rows& x, size_t width) {
  if (quantized_ == x.data) return;
  quantized_ = x.data;
  const size_t blocks = width / kBlock;
  const size_t all = (x.rows + kGroup - 1) / kGroup * kGroup * blocks;
  q_.resize(all * kBlock);
  d_.resize(all);
  halves_.resize(all * 2);
  minus_.resize(all);
  pool.run((x.rows + kGroup - 1) / kGroup, [&](size_t task) {
    for (size_t r = task * kGroup; r < std::min(x.rows, (task + 1) * kGroup); r++) {
      const size_t i = at(r, 0, blocks);
      k.quantize(x.data + r * x.ld, width, {q_.data() + i * kBlock, d_.data() + i, halves_.data() + i * 2, minus_.data() + i});
    }
  });
}

void Cpu::linear(const Matrix& w, const Rows& x, float* y, size_t ldy) {
  if (x.rows == 0) return;
  if (is_integer(w.pack)) quantize(x, w.k);
  const size_t panels = w.panels();
  // Several tasks a thread, so that a late thread does not hold up the rest; the split changes no result.
  const size_t step = std::max<size_t>(1, panels / (pool.threads() * 8));
  pool.run((panels + step - 1) / step, [&](size_t task) {
    const size_t first = task * step;
    const Gemm job{w.pack, w.bytes.data() + first * w.panel_bytes(), w.panel_bytes(), std::min(step, panels - first), w.k,
                   x.data, x.ld, {q_.data(), d_.data(), halves_.data(), minus_.data()}, x.rows, y + first * kPanel, ldy, false};
    k.gemm(job);
  });
}

}  // namespace guard::cpu
