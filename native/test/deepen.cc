#include "deepen.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/json.h"
#include "check.h"
#include "format/dtype.h"

namespace {

struct Tensor {
  std::string name, data;
  std::vector<uint64_t> dims;  // GGUF's order: a row's length first
  uint32_t type = 0;
};

/// Rows of a matrix, or elements of a vector, turned by `by`.
std::string turned(const Tensor& t, size_t by) {
  const uint64_t rows = t.dims.size() > 1 ? t.dims[1] : t.dims[0];
  const size_t unit = t.data.size() / rows, shift = by % rows * unit;
  return t.data.substr(shift) + t.data.substr(0, shift);
}

class Bytes {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  template <class T>
  T take() {
    T value;
    memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() { return skip(take<uint64_t>()); }
  std::string skip(size_t n) {
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  size_t at() const { return at_; }
  std::string slice(size_t from, size_t n) const { return bytes_.substr(from, n); }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

template <class T>
std::string raw(T value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); }
std::string counted(const std::string& text) { return raw<uint64_t>(text.size()) + text; }

void skip_value(Bytes& in, uint32_t type) {
  static constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  if (type == 8) {
    in.text();
  } else if (type == 9) {
    const auto of = in.take<uint32_t>();
    for (auto n = in.take<uint64_t>(); n > 0; n--) skip_value(in, of);
  } else {
    in.skip(kSizes[type]);
  }
}

bool ends_with(const std::string& text, const std::string& end) { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }
size_t padded(size_t n) { return (n + 31) / 32 * 32; }

bool has(const std::vector<Tensor>& tensors, const std::string& name) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
}

/// Tensors whose names begin with `head` and a number, copied under more numbers.
std::vector<Tensor> repeat(const std::vector<Tensor>& tensors, const std::string& head, size_t had, size_t layers) {
  std::vector<Tensor> out;
  for (const Tensor& t : tensors)
    if (t.name.compare(0, head.size(), head) != 0) out.push_back(t);
  for (size_t i = 0; i < layers; i++)
    for (const Tensor& t : tensors) {
      // The last of the model's own layers: in some architectures the first is not like the others.
      const std::string own = head + std::to_string(std::min(i, had - 1)) + ".";
      if (t.name.compare(0, own.size(), own) != 0) continue;
      Tensor copy = t;
      copy.name = head + std::to_string(i) + "." + t.name.substr(own.size());
      if (i >= had) copy.data = turned(t, i);
      out.push_back(copy);
      // canary-guard's first layer has no norm before attention, and every other has one.
      if (i > 0 && had == 1 && ends_with(t.name, "ffn_norm.weight") && !has(tensors, own + "attn_norm.weight")) {
        copy.name = head + std::to_string(i) + ".attn_norm.weight";
        out.push_back(copy);
      }
    }
  return out;
}

std::string deepen_gguf(const std::string& model, size_t layers) {
  Bytes in(read_text(golden_folder() + "/" + model));
  const std::string head = in.skip(8);
  const auto n_tensors = in.take<uint64_t>(), n_kv = in.take<uint64_t>();
  std::string settings;
  size_t had = 0;
  for (uint64_t i = 0; i < n_kv; i++) {
    const std::string key = in.text();
    const auto type = in.take<uint32_t>();
    const size_t from = in.at();
    skip_value(in, type);
    std::string value = in.slice(from, in.at() - from);
    if (ends_with(key, ".block_count")) {
      had = static_cast<uint8_t>(value[0]);
      value = raw<uint32_t>(static_cast<uint32_t>(layers));
    }
    settings += counted(key) + raw(type) + value;
  }
  std::vector<Tensor> tensors(n_tensors);
  std::vector<uint64_t> offsets;
  for (Tensor& t : tensors) {
    t.name = in.text();
    t.dims.resize(in.take<uint32_t>());
    for (uint64_t& d : t.dims) d = in.take<uint64_t>();
    t.type = in.take<uint32_t>();
    offsets.push_back(in.take<uint64_t>());
  }
  const size_t data = padded(in.at());
  for (size_t i = 0; i < tensors.size(); i++) {
    const guard::DtypeInfo* kind = guard::dtype_info(tensors[i].type);
    uint64_t bytes = kind->block_bytes;
    for (const uint64_t d : tensors[i].dims) bytes *= d;
    tensors[i].data = in.slice(data + offsets[i], bytes / kind->block);
  }
  const std::vector<Tensor> more = repeat(tensors, "blk.", had, layers);
  std::string infos, blobs;
  for (const Tensor& t : more) {
    infos += counted(t.name) + raw<uint32_t>(static_cast<uint32_t>(t.dims.size()));
    for (const uint64_t d : t.dims) infos += raw(d);
    infos += raw(t.type) + raw<uint64_t>(blobs.size());
    blobs += t.data;
    blobs.resize(padded(blobs.size()));
  }
  std::string out = head + raw<uint64_t>(more.size()) + raw(n_kv) + settings + infos;
  out.resize(padded(out.size()));
  return temporary_file("deep" + std::to_string(layers) + "-" + model, out + blobs);
}

void replace_number(std::string& json, const std::string& key, size_t value) {
  const size_t at = json.find("\"" + key + "\": ") + key.size() + 4, end = json.find_first_not_of("0123456789", at);
  json.replace(at, end - at, std::to_string(value));
}

std::string deepen_folder(const std::string& model, size_t layers) {
  const std::string from = golden_folder() + "/" + model, to = temporary_folder() + "/deep" + std::to_string(layers) + "-" + model;
  std::filesystem::create_directories(to);
  std::filesystem::copy_file(from + "/tokenizer.json", to + "/tokenizer.json", std::filesystem::copy_options::overwrite_existing);
  std::string config = read_text(from + "/config.json");
  const auto had = static_cast<size_t>(guard::Json::parse(config, "config.json").get_integer("num_hidden_layers", 1, 64));
  replace_number(config, "num_hidden_layers", layers);
  std::ofstream(to + "/config.json") << config;
  Bytes in(read_text(from + "/model.safetensors"));
  const guard::Json header = guard::Json::parse(in.text(), "the header");
  const size_t data = in.at();
  std::vector<Tensor> tensors;
  for (const auto& [name, entry] : header.members) {
    if (name == "__metadata__") continue;
    const auto& range = entry.find("data_offsets")->items;
    Tensor t;
    t.name = name;
    const std::string type = entry.get_string_or("dtype", "");
    for (const auto& d : entry.find("shape")->items) t.dims.insert(t.dims.begin(), static_cast<uint64_t>(d.integer));
    t.data = in.slice(data + static_cast<size_t>(range[0].integer), static_cast<size_t>(range[1].integer - range[0].integer));
    t.type = type == "F32" ? 0 : type == "F16" ? 1 : 30;
    tensors.push_back(std::move(t));
  }
  std::string infos = "{", blobs;
  for (const Tensor& t : repeat(tensors, "deberta.encoder.layer.", had, layers)) {
    std::string shape;
    for (size_t i = t.dims.size(); i > 0; i--) shape += (shape.empty() ? "" : ",") + std::to_string(t.dims[i - 1]);
    infos += std::string(infos.size() > 1 ? "," : "") + "\"" + t.name + "\":{\"dtype\":\"" + (t.type == 0 ? "F32" : t.type == 1 ? "F16" : "BF16") + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
             std::to_string(blobs.size()) + "," + std::to_string(blobs.size() + t.data.size()) + "]}";
    blobs += t.data;
  }
  infos += "}";
  std::ofstream(to + "/model.safetensors", std::ios::binary) << raw<uint64_t>(infos.size()) << infos << blobs;
  return to;
}

}  // namespace

std::string deepen(const std::string& model, size_t layers) {
  return ends_with(model, ".gguf") ? deepen_gguf(model, layers) : deepen_folder(model, layers);
}
