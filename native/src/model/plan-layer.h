#pragma once
#include "model/weights.h"
#include "stream/layer-plan.h"
#include "stream/layout.h"

namespace guard {

/// Lays a layer out as one blob while its tensors are checked; their bytes are read later, once or for each pass.
class PlanLayer {
 public:
  PlanLayer(Weights& weights, const stream::Layout& layout) : weights_(weights), layout_(layout) {}

  void matrix(const std::string& role, const std::string& name, uint64_t n, uint64_t k) {
    const TensorInfo& info = weights_.matrix_info(name, n, k);
    add({role, name, info, false, weights_.int8(), 0, layout_.bytes(info, weights_.int8())});
  }
  void vector(const std::string& role, const std::string& name, uint64_t n) { add({role, name, weights_.vector_info(name, n), true, Int8::No, 0, n * sizeof(float)}); }

  stream::LayerPlan finish() {
    plan_.bytes = padded(plan_.bytes, 4096);
    weights_.count(plan_.bytes);
    return std::move(plan_);
  }

 private:
  static size_t padded(size_t n, size_t to) { return (n + to - 1) / to * to; }
  void add(stream::PlannedTensor tensor) {
    tensor.offset = padded(plan_.bytes, 256);
    plan_.bytes = tensor.offset + tensor.bytes;
    plan_.tensors.push_back(std::move(tensor));
  }

  Weights& weights_;
  const stream::Layout& layout_;
  stream::LayerPlan plan_;
};

}  // namespace guard
