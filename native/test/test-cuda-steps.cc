// The kernels of native/cuda, one step at a time, against the CPU's, on the emulated device or a real one.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "backend/steps.h"
#include "base/fail.h"
#include "check.h"
#include "cpu/dispatch.h"
#include "device.h"
#include "model/attention.h"

using guard::backend::copied;
using guard::backend::CopiedMatrix;
using guard::backend::CudaDevice;
using guard::backend::DeviceBytes;
using guard::backend::PinnedBytes;
using guard::cpu::Pack;

namespace {

std::unique_ptr<CudaDevice> open_device() {
  try {
    return std::make_unique<CudaDevice>(guard::backend::Library::load(device_library().c_str()), 0, 0);
  } catch (const guard::Fail& none) {
    skip(none.what());
    return nullptr;
  }
}

std::vector<float> back(CudaDevice& device, const void* from, size_t n) {
  PinnedBytes room(device, n * sizeof(float));
  device.check(device.api()->take(device.handle(), room.as<void>(), from, n * sizeof(float)));
  device.wait(device.compute_mark());
  return {room.as<float>(), room.as<float>() + n};
}

struct Dice {
  std::mt19937 engine{7};
  float number() { return std::uniform_real_distribution<float>(-2, 2)(engine); }
  std::vector<float> numbers(size_t n) {
    std::vector<float> out(n);
    for (float& v : out) v = number();
    return out;
  }
};

/// A packed matrix of random weights: bytes of the kind's units, with scales that are sane.
guard::cpu::Matrix random_matrix(Dice& dice, Pack pack, size_t n, size_t k) {
  guard::cpu::Matrix m;
  m.pack = pack;
  m.n = n;
  m.k = k;
  m.bytes = guard::cpu::Bytes(m.panels() * m.panel_bytes());
  m.data = m.bytes.data();
  const size_t unit = guard::cpu::unit_bytes(pack);
  for (size_t i = 0; i < m.bytes.size(); i += unit) {
    uint8_t* p = m.bytes.data() + i;
    const size_t scales = !is_integer(pack) ? 0 : pack == Pack::Q8 || pack == Pack::Q4 ? 16 : 32;
    for (size_t s = 0; s < scales; s++) {
      const float scale = dice.number() * 0.01f;
      memcpy(p + 4 * s, &scale, 4);
    }
    for (size_t b = 4 * scales; b < unit; b++) p[b] = static_cast<uint8_t>(dice.engine() & (pack == Pack::Q6 ? 63 : 255));
    if (is_integer(pack)) continue;
    for (size_t lane = 0; lane < 16; lane++) {
      const float v = dice.number() * 0.1f;
      uint32_t bits;
      memcpy(&bits, &v, 4);
      const uint16_t brain = static_cast<uint16_t>(bits >> 16), half = static_cast<uint16_t>((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 | (bits >> 13 & 1023));
      if (pack == Pack::F32) memcpy(p + 4 * lane, &v, 4);
      if (pack == Pack::BF16) memcpy(p + 2 * lane, &brain, 2);
      if (pack == Pack::F16) memcpy(p + 2 * lane, std::fabs(v) < 1e-3f ? "\0\1" : reinterpret_cast<const char*>(&half), 2);
    }
  }
  return m;
}

void check_product(CudaDevice& device, Pack pack, size_t n, size_t k, size_t rows, bool exact) {
  Dice dice;
  const auto m = random_matrix(dice, pack, n, k);
  const size_t ld = guard::cpu::padded16(k), ldy = guard::cpu::padded16(n);
  std::vector<float> x = dice.numbers(rows * ld), bias = dice.numbers(n), old = dice.numbers(rows * ldy);
  std::vector<float> wanted(rows * ldy);
  guard::cpu::Cpu cpu(guard::cpu::kernels_for(GUARD_ISA_AUTO), 1);
  cpu.linear(m, {x.data(), ld, rows}, wanted.data(), ldy);
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) wanted[r * ldy + i] = old[r * ldy + i] + (wanted[r * ldy + i] + bias[i]);

  const CopiedMatrix there(device, m);
  const DeviceBytes xs = copied(device, x.data(), x.size() * 4), ys = copied(device, old.data(), old.size() * 4), biases = copied(device, bias.data(), bias.size() * 4);
  const int32_t counts[4] = {static_cast<int32_t>(rows)};
  const DeviceBytes count = copied(device, counts, sizeof counts);
  const guard_cuda_count all{count.as<int32_t>(), static_cast<uint32_t>(rows + 5)};
  guard::backend::Int8Buffer int8(device, k);
  int8.fit(rows + 5);
  const guard::backend::Steps steps(device);
  const guard::backend::Operand operand{xs.as<float>(), static_cast<uint32_t>(ld), int8.here()};
  steps.round(operand, m, all);
  steps.multiply(operand, {{there.view, ys.as<float>(), static_cast<uint32_t>(ldy), biases.as<float>()}}, all, true, exact);
  const std::vector<float> got = back(device, ys.as<void>(), rows * ldy);
  double worst = 0, largest = 0;
  bool same = true;
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) {
      worst = std::max(worst, std::fabs(static_cast<double>(got[r * ldy + i]) - static_cast<double>(wanted[r * ldy + i])));
      largest = std::max(largest, std::fabs(static_cast<double>(wanted[r * ldy + i])));
      same &= got[r * ldy + i] == wanted[r * ldy + i];
    }
  const std::string what = "kind " + std::to_string(static_cast<int>(pack)) + ", " + std::to_string(n) + " x " + std::to_string(k) + ", " + std::to_string(rows) + " rows: off by " + std::to_string(worst) + " of " + std::to_string(largest);
  if (is_integer(pack) || exact)
    CHECK_THAT(same, what);
  else
    CHECK_THAT(worst <= 2e-5 * largest * std::sqrt(static_cast<double>(k)), what);
}

}  // namespace

TEST("the device multiplies integer matrices to the CPU's very bits, in every tile") {
  const auto device = open_device();
  if (device == nullptr) return;
  for (const Pack pack : {Pack::Q8, Pack::Q4, Pack::Q4M, Pack::Q6}) {
    check_product(*device, pack, 48, 96, 1, false);
    check_product(*device, pack, 40, 64, 33, false);
    check_product(*device, pack, 144, 288, 70, false);
    check_product(*device, pack, 272, 32, 131, false);
  }
}

TEST("the device multiplies float matrices within sixteen bits of every factor, and small ones exactly") {
  const auto device = open_device();
  if (device == nullptr) return;
  for (const Pack pack : {Pack::F32, Pack::F16, Pack::BF16}) {
    check_product(*device, pack, 40, 80, 3, false);
    check_product(*device, pack, 144, 40, 70, false);
    check_product(*device, pack, 272, 16, 131, false);
    check_product(*device, pack, 20, 48, 3, true);
  }
}
