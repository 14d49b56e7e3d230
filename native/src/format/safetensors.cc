#include "format/safetensors.h"

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "format/limits.h"

namespace guard {

static Dtype dtype_of(const std::string& text, const std::string& name) {
  if (text == "F32") return Dtype::F32;
  if (text == "F16") return Dtype::F16;
  if (text == "BF16") return Dtype::BF16;
  reject("Tensor %s has the type %s, which this engine does not read (F32, F16, BF16).", shown(name).c_str(), shown(text).c_str());
}

static TensorInfo read_entry(const std::string& name, const Json& entry, uint64_t data_bytes) {
  if (entry.kind != Json::Object || entry.members.size() != 3) reject("Tensor %s has no description of the known form.", shown(name).c_str());
  const Json *dtype = entry.find("dtype"), *shape = entry.find("shape"), *range = entry.find("data_offsets");
  if (dtype == nullptr || dtype->kind != Json::String || shape == nullptr || shape->kind != Json::Array || range == nullptr || range->kind != Json::Array || range->items.size() != 2)
    reject("Tensor %s has no description of the known form.", shown(name).c_str());
  TensorInfo info;
  info.type = dtype_of(dtype->string, name);
  if (shape->items.empty() || shape->items.size() > 4) reject("Tensor %s has %zu dimensions; 1 to 4 are allowed.", shown(name).c_str(), shape->items.size());
  unsigned __int128 bytes = dtype_info(static_cast<uint32_t>(info.type))->block_bytes;
  for (const Json& d : shape->items) {
    if (!d.is_integer || d.integer < 1 || d.integer > static_cast<int64_t>(limits::kDimension)) reject("Tensor %s has a dimension that is none.", shown(name).c_str());
    info.shape.push_back(static_cast<uint64_t>(d.integer));
    bytes *= static_cast<uint64_t>(d.integer);
  }
  const Json &begin = range->items[0], &end = range->items[1];
  if (!begin.is_integer || !end.is_integer || begin.integer < 0 || end.integer < begin.integer || static_cast<uint64_t>(end.integer) > data_bytes)
    reject("The data of tensor %s lies outside the file.", shown(name).c_str());
  info.offset = static_cast<uint64_t>(begin.integer);
  info.bytes = static_cast<uint64_t>(end.integer - begin.integer);
  if (bytes != info.bytes) reject("Tensor %s has %llu bytes, which is not what its shape takes.", shown(name).c_str(), (unsigned long long)info.bytes);
  return info;
}

TensorSource read_safetensors(const File& file) {
  uint64_t length = 0;
  if (file.size() < 8) reject("The file ends inside the length of its header.");
  file.read(0, &length, 8);
  if (length > limits::kHeaderBytes || length > file.size() - 8) reject("The header is said to have %llu bytes, more than the file or the limit allows.", (unsigned long long)length);
  std::string text(length, '\0');
  file.read(8, text.data(), length);
  const Json header = Json::parse(text, "The safetensors header");
  if (header.kind != Json::Object) reject("The safetensors header is no object.");
  if (header.members.size() > limits::kTensors) reject("The file has %zu tensors; at most %llu are allowed.", header.members.size(), (unsigned long long)limits::kTensors);
  const uint64_t data = 8 + length, data_bytes = file.size() - data;
  TensorSource source;
  source.file = &file;
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, entry] : header.members) {
    if (name == "__metadata__") continue;
    if (name.empty() || name.size() > 256) reject("A tensor's name has %zu bytes; 1 to 256 are allowed.", name.size());
    TensorInfo info = read_entry(name, entry, data_bytes);
    ranges.emplace_back(info.offset, info.bytes);
    info.offset += data;
    source.tensors.emplace(name, std::move(info));
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t expected = 0;
  for (const auto& [offset, bytes] : ranges) {
    if (offset != expected) reject("Two tensors overlap, or there is a hole between them, at byte %llu of the data.", (unsigned long long)std::min(offset, expected));
    expected = offset + bytes;
  }
  if (expected != data_bytes) reject("The file goes on after its last tensor.");
  return source;
}

Json read_json_file(const std::string& path, const char* what) {
  const File file(path);
  if (file.size() > limits::kJsonBytes) reject("%s has %llu bytes; at most %llu are allowed.", what, (unsigned long long)file.size(), (unsigned long long)limits::kJsonBytes);
  std::string text(file.size(), '\0');
  file.read(0, text.data(), text.size());
  Json json = Json::parse(text, what);
  if (json.kind != Json::Object) reject("%s is no object.", what);
  return json;
}

}  // namespace guard
