#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "format/tensor-source.h"

namespace guard {

/// GGUF's value types (specification of GGUF v3).
enum class GgufType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

struct GgufValue {
  explicit GgufValue(GgufType of) : type(of) {}
  GgufType type;
  uint64_t bits = 0;       // scalars, widened
  std::string_view text;   // strings
  GgufType item{};         // arrays
  uint64_t count = 0;      // arrays
  const uint8_t* items = nullptr;           // arrays of numbers: unaligned, little-endian
  std::vector<std::string_view> texts;      // arrays of strings
};

/// A GGUF v2 or v3 file whose header was read into bounded memory and checked whole: counts against caps and
/// against the bytes that are left, names, duplicates, types, alignment, and that the tensors fill the data
/// part without gap, overlap or end beyond the file. Throws Fail(GUARD_MODEL_REJECTED) otherwise.
class Gguf {
 public:
  explicit Gguf(const File& file);

  const TensorSource& source() const { return source_; }
  void as_int8(Int8 how) { source_.int8 = how; }
  const GgufValue* find(std::string_view key) const;

  // Getters by exact type: a key of another type is refused, never converted.
  std::string_view text(const std::string& key) const;
  uint32_t u32(const std::string& key, uint32_t low, uint32_t high) const;
  uint32_t u32_or(const std::string& key, uint32_t low, uint32_t high, uint32_t fallback) const;
  float f32(const std::string& key) const;
  float f32_or(const std::string& key, float fallback) const;
  bool bool_or(const std::string& key, bool fallback) const;
  const std::vector<std::string_view>& texts(const std::string& key) const;
  std::vector<float> f32s(const std::string& key, uint64_t count) const;
  std::vector<int32_t> i32s(const std::string& key, uint64_t count) const;

 private:
  const GgufValue& need(const std::string& key, GgufType type) const;
  std::vector<uint8_t> header_;
  std::unordered_map<std::string_view, GgufValue> values_;
  TensorSource source_;
};

}  // namespace guard
