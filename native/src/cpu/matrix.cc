#include "cpu/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

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

}  // namespace

void MatrixView::row(size_t i, float* out) const {
  const uint8_t* panel = data + i / kPanel * panel_bytes();
  const size_t r = i % kPanel, unit = unit_bytes(pack);
  const auto number = [](const uint8_t* p, size_t lane) {
    float v;
    memcpy(&v, p + 4 * lane, 4);
    return v;
  };
  if (pack == Pack::Q8Rows) {
    const float scale = number(panel, r);
    for (size_t j = 0; j < k; j++) out[j] = scale * static_cast<float>(static_cast<int8_t>(panel[64 + j / 4 * 64 + r * 4 + j % 4]));
    return;
  }
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
      case Pack::Q8Rows: break;  // above
      case Pack::Q4: out[j] = number(p, r) * (four(p + 64) - 8); break;
      case Pack::Q4M: out[j] = number(p, r) * four(p + 128) - number(p + 64, r); break;
      case Pack::Q6: out[j] = number(p + (e < 16 ? 0 : 64), r) * static_cast<float>(p[128 + byte] - 32); break;
    }
  }
}

void Cpu::quantize(const Rows& x, size_t width, bool by_rows) {
  if (quantized_ == x.data && by_rows_ == by_rows) return;
  quantized_ = x.data;
  by_rows_ = by_rows;
  const auto kernel = by_rows ? k.quantize_rows : k.quantize;
  const size_t blocks = width / kBlock;
  const size_t all = (x.rows + k.group - 1) / k.group * k.group * blocks;
  q_.resize(all * kBlock);
  d_.resize(all);
  halves_.resize(all * 2);
  minus_.resize(all);
  const Quantized all_rows = quantized();
  pool.run((x.rows + k.group - 1) / k.group, [&](size_t task) {
    for (size_t r = task * k.group; r < std::min(x.rows, (task + 1) * k.group); r++) {
      const size_t i = all_rows.at(r, 0, blocks);
      kernel(x.data + r * x.ld, width, {q_.data() + i * kBlock, d_.data() + i, halves_.data() + i * 2, minus_.data() + i, k.group});
    }
  });
}

void Cpu::linear(const MatrixView& w, const Rows& x, float* y, size_t ldy) {
  if (x.rows == 0) return;
  if (is_integer(w.pack)) quantize(x, w.k, w.pack == Pack::Q8Rows);
  const size_t panels = w.panels();
  // Several tasks a thread, so that a late thread does not hold up the rest; the split changes no result.
  // Whole rows are multiplied by two panels at a time.
  const size_t side = w.pack == Pack::Q8Rows ? 2 : 1;
  const size_t step = std::max<size_t>(1, panels / (pool.threads() * 8 * side)) * side;
  pool.run((panels + step - 1) / step, [&](size_t task) {
    const size_t first = task * step;
    const Gemm job{w.pack, w.data + first * w.panel_bytes(), w.panel_bytes(), std::min(step, panels - first), w.k,
                   x.data, x.ld, quantized(), x.rows, y + first * kPanel, ldy, false};
    k.gemm(job);
  });
}

}  // namespace guard::cpu
