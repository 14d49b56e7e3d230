#pragma once
#include <algorithm>
#include <initializer_list>

#include "backend/batch.h"
#include "cpu/matrix.h"

namespace guard::backend {

/// A buffer of rows on the device, as large as the largest batch so far.
class RowBuffer {
 public:
  RowBuffer(CudaDevice& device, size_t row_bytes) : device_(&device), row_bytes_(row_bytes) {}
  /// Room for `rows`; true where the buffer moved.
  bool fit(size_t rows) {
    if (memory_.size() >= rows * row_bytes_ && memory_.size() > 0) return false;
    memory_ = DeviceBytes();
    memory_ = DeviceBytes(*device_, std::max<size_t>(rows, 1) * row_bytes_);
    return true;
  }
  template <class T>
  T* as() const {
    return memory_.as<T>();
  }

 private:
  CudaDevice* device_;
  size_t row_bytes_;
  DeviceBytes memory_;
};

/// Rows of one width in int8, for integer matrices.
class Int8Buffer {
 public:
  Int8Buffer(CudaDevice& device, size_t width) : blocks_(std::max<size_t>(1, (width / 32 + 3) / 4) * 4), q_(device, blocks_ * 32), d_(device, blocks_ * 4), sums_(device, blocks_ * 4) {}
  bool fit(size_t rows) {
    const bool q = q_.fit(rows), d = d_.fit(rows), sums = sums_.fit(rows);
    return q || d || sums;
  }
  guard_cuda_int8 here() const { return {q_.as<int8_t>(), d_.as<float>(), sums_.as<int32_t>(), static_cast<uint32_t>(blocks_)}; }

 private:
  size_t blocks_;
  RowBuffer q_, d_, sums_;
};

/// Rows that matrices multiply: in float32 for float kinds, in int8 for integer kinds.
struct Operand {
  float* x;
  uint32_t ld;
  guard_cuda_int8 int8;
  /// The int8 side where any of the matrices wants it.
  guard_cuda_int8 int8_for(std::initializer_list<const cpu::MatrixView*> matrices) const {
    for (const cpu::MatrixView* m : matrices)
      if (cpu::is_integer(m->pack)) return int8;
    return {};
  }
  /// The float side likewise.
  float* floats_for(std::initializer_list<const cpu::MatrixView*> matrices) const {
    for (const cpu::MatrixView* m : matrices)
      if (!cpu::is_integer(m->pack)) return x;
    return nullptr;
  }
};

struct Product {
  const cpu::MatrixView& matrix;
  float* y;
  uint32_t ldy;
  const float* bias = nullptr;
};

inline guard_cuda_matrix on_device(const cpu::MatrixView& m) { return {static_cast<int32_t>(m.pack), static_cast<uint32_t>(m.n), static_cast<uint32_t>(m.k), m.data}; }

/// Puts the steps of a pass on a device's compute queue.
class Steps {
 public:
  explicit Steps(CudaDevice& device) : device_(device) {}
  void embed(const guard_cuda_embed& step) const { device_.check(device_.api()->embed(device_.handle(), &step)); }
  void norm(const guard_cuda_norm& step) const { device_.check(device_.api()->norm(device_.handle(), &step)); }
  void rotate(const guard_cuda_rotate& step) const { device_.check(device_.api()->rotate(device_.handle(), &step)); }
  void attend(const guard_cuda_attend& step) const { device_.check(device_.api()->attend(device_.handle(), &step)); }
  void activate(const guard_cuda_activate& step) const { device_.check(device_.api()->activate(device_.handle(), &step)); }
  void pool(const guard_cuda_pool& step) const { device_.check(device_.api()->pool(device_.handle(), &step)); }
  void linear(const guard_cuda_linear& step) const { device_.check(device_.api()->linear(device_.handle(), &step)); }
  /// Matrices of one depth by the same rows.
  void multiply(const Operand& x, std::initializer_list<Product> products, const guard_cuda_count& rows, bool adds = false, bool exact = false) const {
    guard_cuda_linear step{};
    for (const Product& p : products) {
      step.matrix[step.matrices] = on_device(p.matrix);
      step.y[step.matrices] = p.y;
      step.ldy[step.matrices] = p.ldy;
      step.bias[step.matrices++] = p.bias;
    }
    step.int8 = x.int8;
    step.x = x.x;
    step.ldx = x.ld;
    step.adds = adds;
    step.exact = exact;
    step.rows = rows;
    linear(step);
  }
  /// Rows of float32 as int8, where the matrix wants them so.
  void round(const Operand& x, const cpu::MatrixView& matrix, const guard_cuda_count& rows) const {
    if (!cpu::is_integer(matrix.pack)) return;
    guard_cuda_norm step{};
    step.x = x.x;
    step.int8 = x.int8;
    step.n = static_cast<uint32_t>(matrix.k);
    step.ldx = x.ld;
    step.rows = rows;
    norm(step);
  }

 private:
  CudaDevice& device_;
};

/// A matrix or a vector of the host, copied to the device when the model is opened.
DeviceBytes copied(CudaDevice& device, const void* bytes, size_t n);
struct CopiedMatrix {
  CopiedMatrix() = default;
  CopiedMatrix(CudaDevice& device, const cpu::MatrixView& m) : bytes(copied(device, m.data, m.panels() * m.panel_bytes())), view{m.pack, m.n, m.k, bytes.as<uint8_t>()} {}
  DeviceBytes bytes;
  cpu::MatrixView view;
};

/// Whether the scores of `keys` keys fit a block's shared memory beside a head of that width.
bool scores_fit(const CudaDevice& device, uint32_t width, uint32_t keys);
/// Bytes of the room that they need else, for one tile of one head.
size_t score_room(uint32_t keys);

}  // namespace guard::backend
