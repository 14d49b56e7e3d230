#include "format/gguf.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "format/limits.h"

namespace guard {
namespace {

/// Walks the copy of the header. Every read is checked against the bytes that are left before it is made.
class Cursor {
 public:
  Cursor(const std::vector<uint8_t>& bytes, bool cut) : bytes_(bytes), cut_(cut) {}

  const uint8_t* take(uint64_t n, const char* what) {
    if (n > left()) {
      if (cut_) reject("The metadata is larger than %llu bytes.", (unsigned long long)limits::kHeaderBytes);
      reject("The file ends inside %s.", what);
    }
    const uint8_t* p = bytes_.data() + at_;
    at_ += n;
    return p;
  }
  template <class T>
  T number(const char* what) {
    T value;
    memcpy(&value, take(sizeof value, what), sizeof value);
    return value;
  }
  std::string_view text(uint64_t cap, const char* what) {
    const auto length = number<uint64_t>(what);
    if (length > cap) reject("%s has %llu bytes; at most %llu are allowed.", what, (unsigned long long)length, (unsigned long long)cap);
    return {reinterpret_cast<const char*>(take(length, what)), length};
  }
  uint64_t left() const { return bytes_.size() - at_; }
  uint64_t at() const { return at_; }

 private:
  const std::vector<uint8_t>& bytes_;
  bool cut_;
  uint64_t at_ = 0;
};

uint32_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::U8: case GgufType::I8: case GgufType::Bool: return 1;
    case GgufType::U16: case GgufType::I16: return 2;
    case GgufType::U32: case GgufType::I32: case GgufType::F32: return 4;
    case GgufType::U64: case GgufType::I64: case GgufType::F64: return 8;
    case GgufType::String: case GgufType::Array: return 0;
  }
  return 0;
}

GgufType read_type(Cursor& in, const char* what) {
  const auto type = in.number<uint32_t>(what);
  if (type > 12) reject("%s has the unknown value type %u.", what, type);
  return static_cast<GgufType>(type);
}

GgufValue read_array(Cursor& in) {
  GgufValue value{GgufType::Array};
  value.item = read_type(in, "an array");
  value.count = in.number<uint64_t>("the length of an array");
  if (value.item == GgufType::Array) reject("An array of arrays is not allowed.");
  const uint64_t least = value.item == GgufType::String ? 8 : scalar_bytes(value.item);
  // The count is checked against the bytes that are left before anything is sized by it (CVE-2024-23605).
  if (value.count > in.left() / least || value.count > limits::kArrayItems)
    reject("An array says that it has %llu items; the file has no room for them.", (unsigned long long)value.count);
  if (value.item == GgufType::String) {
    value.texts.reserve(value.count);
    for (uint64_t i = 0; i < value.count; i++) value.texts.push_back(in.text(limits::kStringBytes, "a string of an array"));
    return value;
  }
  value.items = in.take(value.count * least, "an array");
  if (value.item == GgufType::Bool)
    for (uint64_t i = 0; i < value.count; i++)
      if (value.items[i] > 1) reject("A truth value is neither 0 nor 1.");
  return value;
}

GgufValue read_value(Cursor& in) {
  const GgufType type = read_type(in, "a key");
  if (type == GgufType::Array) return read_array(in);
  GgufValue value{type};
  if (type == GgufType::String) {
    value.text = in.text(limits::kStringBytes, "a string value");
    return value;
  }
  const uint32_t bytes = scalar_bytes(type);
  memcpy(&value.bits, in.take(bytes, "a value"), bytes);
  if (type == GgufType::Bool && value.bits > 1) reject("A truth value is neither 0 nor 1.");
  return value;
}

void check_name(std::string_view name, size_t cap, const char* what) {
  if (name.empty() || name.size() > cap) reject("%s has %zu bytes; 1 to %zu are allowed.", what, name.size(), cap);
  for (char c : name)
    if (c <= 32 || c >= 127) reject("%s has a character that no name has.", what);
}

TensorInfo read_tensor(Cursor& in, std::string_view name) {
  TensorInfo info;
  const auto n_dims = in.number<uint32_t>("a tensor's description");
  if (n_dims < 1 || n_dims > 4) reject("Tensor %s has %u dimensions; 1 to 4 are allowed.", shown(name).c_str(), n_dims);
  unsigned __int128 elements = 1;
  uint64_t row = 0;
  for (uint32_t i = 0; i < n_dims; i++) {
    const auto dim = in.number<uint64_t>("a tensor's dimensions");
    if (dim < 1 || dim > limits::kDimension)
      reject("Tensor %s has a dimension of %llu.", shown(name).c_str(), (unsigned long long)dim);
    if (i == 0) row = dim;
    elements *= dim;
    // GGUF lists dimensions fastest first; everything after this line uses PyTorch's order.
    info.shape.insert(info.shape.begin(), dim);
  }
  const auto type = in.number<uint32_t>("a tensor's type");
  const DtypeInfo* dtype = dtype_info(type);
  if (dtype == nullptr) reject("Tensor %s has type %u, which this engine does not read (F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q6_K).", shown(name).c_str(), type);
  if (row % dtype->block != 0)
    reject("Tensor %s is %s with rows of %llu, no multiple of %u.", shown(name).c_str(), dtype->name, (unsigned long long)row, dtype->block);
  // 128 bits: four dimensions below 2^31 multiplied by a block size would wrap 64 (CVE-2026-33298).
  const unsigned __int128 bytes = elements / dtype->block * dtype->block_bytes;
  if (bytes > (static_cast<unsigned __int128>(1) << 62)) reject("Tensor %s is larger than any file.", shown(name).c_str());
  info.type = dtype->type;
  info.bytes = static_cast<uint64_t>(bytes);
  info.offset = in.number<uint64_t>("a tensor's offset");
  return info;
}

uint64_t padded(uint64_t n, uint64_t alignment) { return (n + alignment - 1) / alignment * alignment; }

}  // namespace

Gguf::Gguf(const File& file) {
  const bool cut = file.size() > limits::kHeaderBytes;
  header_.resize(cut ? limits::kHeaderBytes : file.size());
  file.read(0, header_.data(), header_.size());
  Cursor in(header_, cut);
  if (memcmp(in.take(4, "its first four bytes"), "GGUF", 4) != 0) reject("The file does not begin with GGUF: it is no GGUF file.");
  const auto version = in.number<uint32_t>("its version");
  if (version != 2 && version != 3)
    reject("GGUF version %u is not supported (2 and 3 are)%s.", version, (version & 0xFFFF) == 0 && version != 0 ? "; the file may be big-endian" : "");
  const auto n_tensors = in.number<uint64_t>("the number of tensors");
  const auto n_values = in.number<uint64_t>("the number of keys");
  if (n_tensors > limits::kTensors) reject("The file says that it has %llu tensors; at most %llu are allowed.", (unsigned long long)n_tensors, (unsigned long long)limits::kTensors);
  if (n_values > limits::kKeys) reject("The file says that it has %llu keys; at most %llu are allowed.", (unsigned long long)n_values, (unsigned long long)limits::kKeys);

  for (uint64_t i = 0; i < n_values; i++) {
    const std::string_view key = in.text(limits::kKeyBytes, "a key");
    check_name(key, limits::kKeyBytes, "A key");
    if (!values_.emplace(key, read_value(in)).second) reject("The key %s stands twice.", shown(key).c_str());
  }
  const uint32_t alignment = u32_or("general.alignment", 1, 65536, 32);
  if (!std::has_single_bit(alignment)) reject("general.alignment is %u, no power of two.", alignment);

  std::vector<std::pair<std::string, TensorInfo>> listed;
  for (uint64_t i = 0; i < n_tensors; i++) {
    const std::string_view name = in.text(limits::kTensorNameBytes, "a tensor's name");
    check_name(name, limits::kTensorNameBytes, "A tensor's name");
    listed.emplace_back(name, read_tensor(in, name));
  }
  const uint64_t data = padded(in.at(), alignment);
  uint64_t expected = 0;
  for (auto& [name, info] : listed) {
    // Tensors follow one another without gap, so an offset can neither overlap another tensor nor leave the
    // file (CVE-2026-7482), and the running sum cannot wrap: each end is compared with the file's size first.
    if (info.offset != expected)
      reject("Tensor %s begins at offset %llu; %llu was expected.", shown(name).c_str(), (unsigned long long)info.offset, (unsigned long long)expected);
    if (data > file.size() || info.offset > file.size() - data || info.bytes > file.size() - data - info.offset)
      reject("The data of tensor %s ends beyond the file.", shown(name).c_str());
    expected = padded(info.offset + info.bytes, alignment);
    info.offset += data;
    if (!source_.tensors.emplace(name, info).second) reject("Tensor %s stands twice.", shown(name).c_str());
  }
  if (n_tensors > 0 && file.size() > data + expected + 65536) reject("The file goes on after its last tensor.");
  source_.file = &file;
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

const GgufValue& Gguf::need(const std::string& key, GgufType type) const {
  const GgufValue* value = find(key);
  if (value == nullptr) reject("The key %s is missing.", key.c_str());
  if (value->type != type) reject("The key %s has value type %u; %u was expected.", key.c_str(), (unsigned)value->type, (unsigned)type);
  return *value;
}

std::string_view Gguf::text(const std::string& key) const { return need(key, GgufType::String).text; }

uint32_t Gguf::u32(const std::string& key, uint32_t low, uint32_t high) const {
  const auto value = static_cast<uint32_t>(need(key, GgufType::U32).bits);
  if (value < low || value > high) reject("%s is %u; it must lie between %u and %u.", key.c_str(), value, low, high);
  return value;
}
uint32_t Gguf::u32_or(const std::string& key, uint32_t low, uint32_t high, uint32_t fallback) const {
  return find(key) == nullptr ? fallback : u32(key, low, high);
}
float Gguf::f32(const std::string& key) const {
  const float value = std::bit_cast<float>(static_cast<uint32_t>(need(key, GgufType::F32).bits));
  if (!std::isfinite(value)) reject("%s is not finite.", key.c_str());
  return value;
}
float Gguf::f32_or(const std::string& key, float fallback) const { return find(key) == nullptr ? fallback : f32(key); }
bool Gguf::bool_or(const std::string& key, bool fallback) const {
  return find(key) == nullptr ? fallback : need(key, GgufType::Bool).bits != 0;
}
const std::vector<std::string_view>& Gguf::texts(const std::string& key) const {
  const GgufValue& value = need(key, GgufType::Array);
  if (value.item != GgufType::String) reject("%s is no array of strings.", key.c_str());
  return value.texts;
}
std::vector<float> Gguf::f32s(const std::string& key, uint64_t count) const {
  const GgufValue& value = need(key, GgufType::Array);
  if (value.item != GgufType::F32 || value.count != count) reject("%s must be %llu float32 values.", key.c_str(), (unsigned long long)count);
  std::vector<float> out(count);
  if (count > 0) memcpy(out.data(), value.items, count * 4);
  for (float x : out)
    if (!std::isfinite(x)) reject("%s has a value that is not finite.", key.c_str());
  return out;
}
std::vector<int32_t> Gguf::i32s(const std::string& key, uint64_t count) const {
  const GgufValue& value = need(key, GgufType::Array);
  if (value.item != GgufType::I32 || value.count != count) reject("%s must be %llu int32 values.", key.c_str(), (unsigned long long)count);
  std::vector<int32_t> out(count);
  if (count > 0) memcpy(out.data(), value.items, count * 4);
  return out;
}

}  // namespace guard
