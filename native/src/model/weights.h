#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "base/fail.h"
#include "cpu/matrix.h"

namespace guard {

/// Takes an architecture's tensors out of a file: each by name, with its exact shape, and none left over.
class Weights {
 public:
  explicit Weights(const TensorSource& source) : source_(source) {}

  bool has(const std::string& name) const { return source_.tensors.contains(name); }
  cpu::Matrix matrix(const std::string& name, uint64_t n, uint64_t k) { return packed(name, n, k, source_.int8); }
  /// One that is not worth rounding: small, or read once.
  cpu::Matrix exact(const std::string& name, uint64_t n, uint64_t k) { return packed(name, n, k, Int8::No); }
  std::vector<float> vector(const std::string& name, uint64_t n) {
    bytes_ += n * 4;
    return cpu::read_floats(source_, name, vector_info(name, n));
  }
  /// Where a tensor is, for those that are read later (PlanLayer).
  const TensorInfo& matrix_info(const std::string& name, uint64_t n, uint64_t k) { return take(name, {n, k}); }
  const TensorInfo& vector_info(const std::string& name, uint64_t n) {
    const TensorInfo& info = take(name, {n});
    if (info.type != Dtype::F32 && info.type != Dtype::F16 && info.type != Dtype::BF16) reject("Tensor %s must be a float type.", name.c_str());
    return info;
  }
  Int8 int8() const { return source_.int8; }
  void count(uint64_t bytes) { bytes_ += bytes; }
  /// A tensor that some writers add and no engine needs.
  void ignore(const std::string& name) { taken_.insert(name); }
  void ensure_all_taken() const {
    for (const auto& [name, info] : source_.tensors)
      if (!taken_.contains(name)) reject("The architecture has no tensor named %s.", shown(name).c_str());
  }
  uint64_t bytes() const { return bytes_; }

 private:
  cpu::Matrix packed(const std::string& name, uint64_t n, uint64_t k, Int8 int8) {
    cpu::Matrix m = cpu::pack_tensor(source_, name, take(name, {n, k}), int8);
    bytes_ += m.bytes.size();
    return m;
  }
  const TensorInfo& take(const std::string& name, const std::vector<uint64_t>& shape) {
    const auto it = source_.tensors.find(name);
    if (it == source_.tensors.end()) reject("The tensor %s is missing.", name.c_str());
    if (it->second.shape != shape) {
      std::string has, wants;
      for (const uint64_t d : it->second.shape) has += (has.empty() ? "" : ", ") + std::to_string(d);
      for (const uint64_t d : shape) wants += (wants.empty() ? "" : ", ") + std::to_string(d);
      reject("Tensor %s has the shape (%s); (%s) was expected.", name.c_str(), has.c_str(), wants.c_str());
    }
    taken_.insert(name);
    return it->second;
  }
  const TensorSource& source_;
  std::unordered_set<std::string> taken_;
  uint64_t bytes_ = 0;
};

}  // namespace guard
