#pragma once
#include <cstdint>

namespace guard {

/// Element types that the engine reads, with GGUF's numbers. Everything else in a file is refused.
enum class Dtype : uint32_t { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, Q4_K = 12, Q6_K = 14, BF16 = 30 };

struct DtypeInfo {
  Dtype type;
  const char* name;
  uint32_t block;        // elements a block
  uint32_t block_bytes;  // bytes a block
};

/// nullptr for a type that the engine does not read.
inline const DtypeInfo* dtype_info(uint32_t type) {
  static constexpr DtypeInfo kTable[] = {
      {Dtype::F32, "F32", 1, 4},      {Dtype::F16, "F16", 1, 2},        {Dtype::Q4_0, "Q4_0", 32, 18},
      {Dtype::Q8_0, "Q8_0", 32, 34},  {Dtype::Q4_K, "Q4_K", 256, 144},  {Dtype::Q6_K, "Q6_K", 256, 210},
      {Dtype::BF16, "BF16", 1, 2},
  };
  for (const auto& row : kTable)
    if (static_cast<uint32_t>(row.type) == type) return &row;
  return nullptr;
}

}  // namespace guard
