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

/// What both formats come to: named tensors whose ranges were checked against the file.
struct TensorSource {
  const File* file = nullptr;
  std::unordered_map<std::string, TensorInfo> tensors;
  bool int8 = false;  // matrices of floats are packed as int8
};

}  // namespace guard
