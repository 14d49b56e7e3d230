#pragma once
#include "cpu/matrix.h"
#include "stream/layer-plan.h"
#include "stream/layout.h"

namespace guard::stream {

/// The CPU kernels' panels (cpu/kernels.h).
class PanelLayout final : public Layout {
 public:
  size_t bytes(const TensorInfo& info, Int8 int8) const override { return cpu::packed_bytes(info, int8); }
  void pack(const std::string& name, const TensorInfo& info, Int8 int8, const Reader& read, uint8_t* out) const override {
    cpu::pack_into(name, info, int8, read, out);
  }
};

/// A layer's tensors where its blob lies. Nulls and empty matrices where the plan has none of that role.
class BoundLayer {
 public:
  BoundLayer(const LayerPlan& plan, const uint8_t* blob) : plan_(plan), blob_(blob) {}
  const float* vector(std::string_view role) const {
    const PlannedTensor* t = plan_.find(role);
    return t == nullptr ? nullptr : reinterpret_cast<const float*>(blob_ + t->offset);
  }
  cpu::MatrixView matrix(std::string_view role) const {
    const PlannedTensor* t = plan_.find(role);
    if (t == nullptr) return {};
    return {cpu::pack_kind(t->info, t->int8), t->info.shape[0], t->info.shape.back(), blob_ + t->offset};
  }

 private:
  const LayerPlan& plan_;
  const uint8_t* blob_;
};

}  // namespace guard::stream
