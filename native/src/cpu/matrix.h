#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/thread-pool.h"
#include "format/tensor-source.h"

namespace guard::cpu {

/// Bytes at a 64-byte border, zeroed.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(size_t n);
  uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free { void operator()(uint8_t* p) const; };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

/// A weight matrix (n, k), packed for the kernels, wherever its bytes are: a layer's lie in a blob that is not the
/// matrix's own. Rows beyond n up to the panel's end are zero.
struct MatrixView {
  Pack pack = Pack::F32;
  size_t n = 0, k = 0;
  const uint8_t* data = nullptr;

  size_t panels() const { return (n + kPanel - 1) / kPanel; }
  size_t panel_bytes() const { return head_bytes(pack) + (is_integer(pack) ? k / kBlock : k) * unit_bytes(pack); }
  /// Row i in float32, exactly as the kernels see it.
  void row(size_t i, float* out) const;
};

/// One that owns its bytes.
struct Matrix : MatrixView {
  Bytes bytes;
};

/// Bytes [offset, offset + n) of a file; they stay until the next call.
using Read = std::function<const uint8_t*(uint64_t offset, size_t n)>;

/// How a tensor is packed, and how many bytes that takes. `int8`: matrices of floats whose rows are whole blocks become Q8
/// or Q8Rows.
Pack pack_kind(const TensorInfo& info, Int8 int8);
size_t packed_bytes(const TensorInfo& info, Int8 int8);
/// Packs a tensor into `out`; refuses values, scales and minima that are not finite.
void pack_into(const std::string& name, const TensorInfo& info, Int8 int8, const Read& read, uint8_t* out);
/// The values of a tensor of floats as float32.
void read_floats_into(const std::string& name, const TensorInfo& info, const Read& read, float* out);

/// Reads a tensor of the file and packs it.
Matrix pack_tensor(const TensorSource& source, const std::string& name, const TensorInfo& info, Int8 int8 = Int8::No);
/// Packs float32 rows (n, k).
Matrix pack_floats(const float* rows, size_t n, size_t k);
/// The same rounded to Q8Rows; k is a multiple of 32.
Matrix pack_rounded_rows(const float* rows, size_t n, size_t k);
/// A float32 tensor as it is, for vectors and norms.
std::vector<float> read_floats(const TensorSource& source, const std::string& name, const TensorInfo& info);

/// Rows of activations; quantized once, when the first integer matrix asks.
struct Rows {
  float* data = nullptr;
  size_t ld = 0, rows = 0;
};

class Cpu {
 public:
  Cpu(const Kernels& kernels, unsigned threads) : k(kernels), pool(threads) {}
  /// y (rows, ldy) = x · wᵀ. ldy is at least w.panels() * 16: whole panels are written.
  void linear(const MatrixView& w, const Rows& x, float* y, size_t ldy);
  /// Says that `x` has new contents: its quantized copy is no longer valid.
  void forget() { quantized_ = nullptr; }

  const Kernels& k;
  ThreadPool pool;

 private:
  void quantize(const Rows& x, size_t k, bool by_rows);
  Quantized quantized() { return {q_.data(), d_.data(), halves_.data(), minus_.data(), k.group}; }
  const float* quantized_ = nullptr;
  bool by_rows_ = false;
  std::vector<int8_t> q_;
  std::vector<float> d_;
  std::vector<int32_t> halves_, minus_;
};

constexpr size_t padded16(size_t n) { return (n + 15) / 16 * 16; }
/// Of rows that are written in tiles: never a power of two, which would put a tile's rows into one set of the cache.
constexpr size_t row_stride(size_t n) { return padded16(n) + 16; }

}  // namespace guard::cpu
