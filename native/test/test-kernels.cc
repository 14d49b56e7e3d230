#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/fail.h"
#include "check.h"
#include "cpu/dispatch.h"
#include "cpu/matrix.h"

using namespace guard::cpu;

namespace {

const Kernels* table_of(guard_isa isa) {
  try {
    return &kernels_for(isa);
  } catch (const guard::Fail&) {
    return nullptr;  // not of this machine
  }
}

struct Product {
  Pack pack;
  size_t rows, k, panels;
  std::vector<float> x;
  Bytes weights;
};

/// Any bytes are good quants; scales and minima are small floats.
Product random_product(Pack pack, size_t rows, size_t k, size_t panels, std::mt19937& random) {
  Product p{pack, rows, k, panels, std::vector<float>(rows * k), Bytes(panels * (head_bytes(pack) + k / kBlock * unit_bytes(pack)))};
  std::uniform_real_distribution<float> value(-3, 3), scale(-0.01f, 0.01f);
  for (float& v : p.x) v = value(random);
  if (pack == Pack::Q8Rows) {
    const size_t panel = p.weights.size() / panels;
    for (size_t i = 0; i < p.weights.size(); i++) p.weights.data()[i] = static_cast<uint8_t>(static_cast<int8_t>(static_cast<int>(random() % 255) - 127));
    for (size_t i = 0; i < panels * kPanel; i++) {
      const float v = scale(random);
      memcpy(p.weights.data() + i / kPanel * panel + 4 * (i % kPanel), &v, 4);
    }
    return p;
  }
  const size_t unit = unit_bytes(pack), scales = pack == Pack::Q4M || pack == Pack::Q6 ? 32 : 16;
  for (size_t at = 0; at < p.weights.size(); at += unit) {
    for (size_t i = 0; i < scales; i++) {
      const float v = scale(random);
      memcpy(p.weights.data() + at + 4 * i, &v, 4);
    }
    for (size_t i = 4 * scales; i < unit; i++) p.weights.data()[at + i] = static_cast<uint8_t>(random() & (pack == Pack::Q6 ? 63 : 255));
  }
  return p;
}

std::vector<float> multiplied(const Kernels& k, const Product& p) {
  const size_t blocks = p.k / kBlock, all = (p.rows + k.group - 1) / k.group * k.group * blocks, ldy = p.panels * kPanel;
  std::vector<int8_t> q(all * kBlock);
  std::vector<float> d(all), y(p.rows * ldy, -1.0f);
  std::vector<int32_t> halves(2 * all), minus(all);
  const Quantized x8{q.data(), d.data(), halves.data(), minus.data(), k.group};
  for (size_t r = 0; r < p.rows; r++) {
    const size_t i = x8.at(r, 0, blocks);
    (p.pack == Pack::Q8Rows ? k.quantize_rows : k.quantize)(p.x.data() + r * p.k, p.k, {q.data() + i * kBlock, d.data() + i, halves.data() + 2 * i, minus.data() + i, k.group});
  }
  k.gemm({p.pack, p.weights.data(), head_bytes(p.pack) + blocks * unit_bytes(p.pack), p.panels, p.k, p.x.data(), p.k, x8, p.rows, y.data(), ldy, false});
  return y;
}

}  // namespace

TEST("an activation that is no number makes the outputs of its row none, on every instruction set, and no other row's") {
  std::mt19937 random(7);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (const Pack pack : {Pack::Q8, Pack::Q8Rows}) {
      Product p = random_product(pack, 3, 64, 1, random);
      p.x[64 + 40] = bad;
      for (const guard_isa isa : {GUARD_ISA_SCALAR, GUARD_ISA_AVX2, GUARD_ISA_AVX512, GUARD_ISA_AMX})
        if (const Kernels* k = table_of(isa)) {
          const std::vector<float> y = multiplied(*k, p);
          for (size_t i = 0; i < y.size(); i++) CHECK_THAT(std::isnan(y[i]) == (i / kPanel == 1), std::string(k->name) + ", output " + std::to_string(i));
        }
    }
  }
}

TEST("every instruction set multiplies quantized matrices of every shape to the same bits") {
  std::mt19937 random(20261129);
  for (const Pack pack : {Pack::Q8, Pack::Q8Rows, Pack::Q4, Pack::Q4M, Pack::Q6})
    for (const size_t rows : {1, 3, 12, 15, 16, 17, 49})
      for (const size_t k : {32, 256, 512, 544, 1088})
        for (const size_t panels : {1, 3, 4, 5}) {
          const Product p = random_product(pack, rows, k, panels, random);
          const std::vector<float> wanted = multiplied(kernels_for(GUARD_ISA_SCALAR), p);
          for (const guard_isa isa : {GUARD_ISA_AVX2, GUARD_ISA_AVX512, GUARD_ISA_AMX})
            if (const Kernels* k8 = table_of(isa)) CHECK_THAT(multiplied(*k8, p) == wanted, std::string(k8->name) + ", kind " + std::to_string(static_cast<int>(pack)) + ", " + std::to_string(rows) + " rows, k " + std::to_string(k) + ", " + std::to_string(panels) + " panels");
        }
}

TEST("rows with one scale each multiply to what their int8 values say") {
  std::mt19937 random(3);
  const size_t k = 96, rows = 5;
  const Product p = random_product(Pack::Q8Rows, rows, k, 1, random);
  const MatrixView w{Pack::Q8Rows, kPanel, k, p.weights.data()};
  const std::vector<float> y = multiplied(kernels_for(GUARD_ISA_SCALAR), p);
  std::vector<float> weights(k);
  for (size_t n = 0; n < kPanel; n++) {
    w.row(n, weights.data());
    for (size_t r = 0; r < rows; r++) {
      const float* x = p.x.data() + r * k;
      double most = 0, exact = 0;
      for (size_t i = 0; i < k; i++) most = std::max(most, std::fabs(static_cast<double>(x[i])));
      for (size_t i = 0; i < k; i++) exact += std::nearbyint(static_cast<double>(x[i]) * 127 / most) * most / 127 * static_cast<double>(weights[i]);
      CHECK(std::fabs(exact - static_cast<double>(y[r * kPanel + n])) < 1e-3 * std::max(1.0, std::fabs(exact)));
    }
  }
}
