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
#include "gguf-doc.h"

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

bool ends_with(const std::string& text, const std::string& end) { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }

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
  GgufDoc doc = GgufDoc::read(read_text(golden_folder() + "/" + model));
  size_t had = 0;
  for (GgufDoc::Key& key : doc.keys) {
    if (!ends_with(key.name, ".block_count")) continue;
    had = static_cast<uint8_t>(key.payload[0]);
    key.payload = le32(static_cast<uint32_t>(layers));
  }
  std::vector<Tensor> tensors;
  for (const GgufDoc::Tensor& t : doc.tensors) {
    const guard::DtypeInfo* kind = guard::dtype_info(t.type);
    uint64_t bytes = kind->block_bytes;
    for (const uint64_t d : t.dims) bytes *= d;
    tensors.push_back({t.name, doc.data.substr(t.offset, bytes / kind->block), t.dims, t.type});
  }
  doc.tensors.clear();
  doc.data.clear();
  for (const Tensor& t : repeat(tensors, "blk.", had, layers)) {
    doc.tensors.push_back({t.name, t.dims, t.type, doc.data.size()});
    doc.data += t.data;
    doc.data.resize((doc.data.size() + 31) / 32 * 32);
  }
  return temporary_file("deep" + std::to_string(layers) + "-" + model, doc.bytes());
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
  const std::string weights = read_text(from + "/model.safetensors");
  uint64_t length = 0;
  memcpy(&length, weights.data(), 8);
  const guard::Json header = guard::Json::parse(weights.substr(8, length), "the header");
  std::vector<Tensor> tensors;
  for (const auto& [name, entry] : header.members) {
    if (name == "__metadata__") continue;
    const auto& range = entry.find("data_offsets")->items;
    Tensor t;
    t.name = name;
    const std::string type = entry.get_string_or("dtype", "");
    for (const auto& d : entry.find("shape")->items) t.dims.insert(t.dims.begin(), static_cast<uint64_t>(d.integer));
    t.data = weights.substr(8 + length + static_cast<size_t>(range[0].integer), static_cast<size_t>(range[1].integer - range[0].integer));
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
  std::ofstream(to + "/model.safetensors", std::ios::binary) << le64(infos.size()) << infos << blobs;
  return to;
}

}  // namespace

std::string deepen(const std::string& model, size_t layers) {
  return ends_with(model, ".gguf") ? deepen_gguf(model, layers) : deepen_folder(model, layers);
}
