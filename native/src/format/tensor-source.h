#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/dtype.h"

namespace guard {

class File;

/// Where a tensor lies in its file. Shape is PyTorch's order: slowest first.
struct TensorInfo {
  Dtype type;
  std::vector<uint64_t> shape;
  uint64_t offset;  // from the start of the file
  uint64_t bytes;
};

/// How matrices of floats are rounded to int8: not at all; a scale for each 32 values, as Q8_0; or one for each row, of
/// weights and of activations, so that a whole row's products are one exact sum.
enum class Int8 : uint8_t { No, Blocks, Rows };

/// What both formats come to: named tensors whose ranges were checked against the file.
struct TensorSource {
  const File* file = nullptr;
  std::unordered_map<std::string, TensorInfo> tensors;
  Int8 int8 = Int8::No;
};

}  // namespace guard
