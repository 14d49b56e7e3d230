#include "gguf-doc.h"

#include <cstring>
#include <stdexcept>

std::string le32(uint32_t value) { return {reinterpret_cast<const char*>(&value), 4}; }
std::string le64(uint64_t value) { return {reinterpret_cast<const char*>(&value), 8}; }
std::string counted(const std::string& text) { return le64(text.size()) + text; }
std::string array_of(uint32_t item_type, uint64_t count, const std::string& items) { return le32(item_type) + le64(count) + items; }

namespace {

struct Reader {
  const std::string& bytes;
  size_t at = 0;
  template <class T>
  T number() {
    T value;
    memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return value;
  }
  std::string text() {
    const auto n = number<uint64_t>();
    at += n;
    return bytes.substr(at - n, n);
  }
  void skip(uint32_t type) {
    static const size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == 8) {
      text();
    } else if (type == 9) {
      const auto item = number<uint32_t>();
      const auto n = number<uint64_t>();
      for (uint64_t i = 0; i < n; i++) skip(item);
    } else {
      at += kBytes[type];
    }
  }
};

size_t padded(size_t n) { return (n + 31) / 32 * 32; }

}  // namespace

GgufDoc GgufDoc::read(const std::string& bytes) {
  GgufDoc doc;
  Reader in{bytes, 4};
  doc.version = in.number<uint32_t>();
  const auto tensors = in.number<uint64_t>(), keys = in.number<uint64_t>();
  for (uint64_t i = 0; i < keys; i++) {
    Key key{in.text(), in.number<uint32_t>(), ""};
    const size_t from = in.at;
    in.skip(key.type);
    key.payload = bytes.substr(from, in.at - from);
    doc.keys.push_back(std::move(key));
  }
  for (uint64_t i = 0; i < tensors; i++) {
    Tensor tensor{in.text(), {}, 0, 0};
    for (auto n = in.number<uint32_t>(); n > 0; n--) tensor.dims.push_back(in.number<uint64_t>());
    tensor.type = in.number<uint32_t>();
    tensor.offset = in.number<uint64_t>();
    doc.tensors.push_back(std::move(tensor));
  }
  if (padded(in.at) < bytes.size()) doc.data = bytes.substr(padded(in.at));
  return doc;
}

std::string GgufDoc::bytes() const {
  std::string out = "GGUF" + le32(version) + le64(says_tensors.value_or(tensors.size())) + le64(says_keys.value_or(keys.size()));
  for (const Key& key : keys) out += counted(key.name) + le32(key.type) + key.payload;
  for (const Tensor& tensor : tensors) {
    out += counted(tensor.name) + le32(static_cast<uint32_t>(tensor.dims.size()));
    for (const uint64_t dim : tensor.dims) out += le64(dim);
    out += le32(tensor.type) + le64(tensor.offset);
  }
  if (!tensors.empty()) out.resize(padded(out.size()));
  return out + data;
}

GgufDoc::Key& GgufDoc::key(const std::string& name) {
  for (Key& one : keys)
    if (one.name == name) return one;
  throw std::runtime_error("no key " + name);
}

GgufDoc::Tensor& GgufDoc::tensor(const std::string& name) {
  for (Tensor& one : tensors)
    if (one.name == name) return one;
  throw std::runtime_error("no tensor " + name);
}
