#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A GGUF file taken apart, so that tests can write one that is wrong in exactly one place.
struct GgufDoc {
  struct Key {
    std::string name;
    uint32_t type;
    std::string payload;  // what stands behind the type
  };
  struct Tensor {
    std::string name;
    std::vector<uint64_t> dims;  // fastest first, as in the file
    uint32_t type;
    uint64_t offset;
  };
  uint32_t version = 3;
  std::optional<uint64_t> says_keys, says_tensors;  // in place of the true counts
  std::vector<Key> keys;
  std::vector<Tensor> tensors;
  std::string data;

  /// Of a good file.
  static GgufDoc read(const std::string& bytes);
  std::string bytes() const;
  Key& key(const std::string& name);
  Tensor& tensor(const std::string& name);
};

std::string le32(uint32_t value);
std::string le64(uint64_t value);
/// A string as GGUF writes it: length, bytes.
std::string counted(const std::string& text);
/// The payload of an array.
std::string array_of(uint32_t item_type, uint64_t count, const std::string& items);
