#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/tensor-source.h"

namespace guard::stream {

/// A tensor of a layer: what it is to the model, where it lies in the file and where in the layer's blob.
struct PlannedTensor {
  std::string role;  // "attn_norm", "q", "down": the architecture's own words
  std::string name;  // in the file
  TensorInfo info;   // checked against the file
  bool vector;       // float32 in the blob, whatever the file has; else as the backend's layout packs it
  Int8 int8;         // whether and how a matrix of floats is to be rounded
  size_t offset, bytes;
};

/// One layer as one contiguous blob, so that it moves in one copy: its tensors, each at a 256-byte border.
struct LayerPlan {
  std::vector<PlannedTensor> tensors;
  size_t bytes = 0;  // of the blob, a multiple of 4,096

  /// Null where the layer has none of that role.
  const PlannedTensor* find(std::string_view role) const {
    for (const auto& one : tensors)
      if (one.role == role) return &one;
    return nullptr;
  }
};

}  // namespace guard::stream
