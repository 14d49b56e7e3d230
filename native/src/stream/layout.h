#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "format/tensor-source.h"

namespace guard::stream {

/// Bytes [offset, offset + bytes) of the model file; they stay until the next call.
using Reader = std::function<const uint8_t*(uint64_t offset, size_t bytes)>;

/// How a backend's kernels want a tensor's bytes. Packing must give the same bytes each time: a layer may be packed
/// once, or anew for each pass.
class Layout {
 public:
  virtual ~Layout() = default;
  /// `int8`: whether and how a matrix of floats is to be rounded.
  virtual size_t bytes(const TensorInfo& info, Int8 int8) const = 0;
  /// Packs the tensor into `out`, all of its bytes; refuses what is not finite.
  virtual void pack(const std::string& name, const TensorInfo& info, Int8 int8, const Reader& read, uint8_t* out) const = 0;
};

}  // namespace guard::stream
