#include <algorithm>
#include <cstring>

#include "../gguf-doc.h"
#include "random.h"

uint64_t Chance::number() {
  static const uint64_t kEdges[] = {0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 127, 128, 255, 256, 512, 513, 1024, 4096, 4097, 65535, 65536, 1u << 20, (1u << 20) + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000,
                                    0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFC, 0xFFFFFFFFFFFFFFFF};
  return one_in(4) ? next() >> below(64) : kEdges[below(sizeof kEdges / sizeof *kEdges)];
}

void mutate_bytes(std::string& bytes, Chance& chance) {
  if (bytes.empty()) return;
  const size_t at = chance.below(bytes.size());
  const size_t n = std::min(bytes.size() - at, size_t{1} << chance.below(8));
  switch (chance.below(6)) {
    case 0: bytes[at] ^= static_cast<char>(1 << chance.below(8)); break;
    case 1: bytes[at] = static_cast<char>(chance.next()); break;
    case 2: bytes.resize(at); break;
    case 3: bytes.erase(at, n); break;
    case 4: bytes.insert(at, bytes.substr(chance.below(bytes.size()), n)); break;
    case 5: {
      const uint64_t value = chance.number();
      memcpy(bytes.data() + at, &value, std::min<size_t>(n, 8));
      break;
    }
  }
}

namespace {

std::string some_text(Chance& chance) {
  static const char* const kTexts[] = {"", "a", "<0x-1>", "<0xGG>", "<0x41>", "<|eot_id|>", "[CLS]", "\xE2\x96\x81", "\xC4\xA0", "\xFF\xFE", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a b", " ", "llama", "qwen3", "canary-guard", "gpt2", "bert", "t5", "linear", "mean", "cls"};
  return chance.one_in(6) ? std::string(chance.below(3000), 'a') : kTexts[chance.below(sizeof kTexts / sizeof *kTexts)];
}

void mutate_array(std::string& payload, Chance& chance) {
  uint32_t item = 0;
  uint64_t count = 0;
  if (payload.size() < 12) return;
  memcpy(&item, payload.data(), 4);
  memcpy(&count, payload.data() + 4, 8);
  switch (chance.below(5)) {
    case 0: payload.replace(4, 8, le64(chance.one_in(2) ? chance.number() : count + chance.below(3) - 1)); return;
    case 1: payload.replace(0, 4, le32(static_cast<uint32_t>(chance.below(14)))); return;
    case 2: payload.resize(12 + chance.below(payload.size() - 11)); return;
    default: break;
  }
  if (item != 8) {
    if (payload.size() > 12) payload[12 + chance.below(payload.size() - 12)] = static_cast<char>(chance.next());
    return;
  }
  // One of its strings becomes another, at its own place.
  size_t at = 12;
  for (uint64_t skip = chance.below(count); skip > 0 && at + 8 <= payload.size(); skip--) {
    uint64_t n = 0;
    memcpy(&n, payload.data() + at, 8);
    at += 8 + n;
  }
  uint64_t n = 0;
  if (at + 8 > payload.size()) return;
  memcpy(&n, payload.data() + at, 8);
  payload.replace(at, 8 + n, counted(some_text(chance)));
}

void mutate_key(GgufDoc::Key& key, Chance& chance) {
  switch (chance.below(6)) {
    case 0: key.type = static_cast<uint32_t>(chance.below(14)); return;
    case 1: key.name = chance.one_in(2) ? some_text(chance) : key.name + "x"; return;
    default: break;
  }
  if (key.type == 9) return mutate_array(key.payload, chance);
  if (key.type == 8) {
    key.payload = chance.one_in(4) ? le64(chance.number()) + "a" : counted(some_text(chance));
    return;
  }
  const uint64_t value = chance.number();
  memcpy(key.payload.data(), &value, std::min<size_t>(key.payload.size(), 8));
}

void mutate_tensor(GgufDoc::Tensor& tensor, Chance& chance) {
  switch (chance.below(6)) {
    case 0: tensor.type = chance.one_in(2) ? static_cast<uint32_t>(chance.below(40)) : static_cast<uint32_t>(chance.number()); break;
    case 1: tensor.offset = chance.one_in(2) ? chance.number() : tensor.offset + 32; break;
    case 2: tensor.name = chance.one_in(2) ? some_text(chance) : "blk." + std::to_string(chance.below(600)) + ".attn_q.weight"; break;
    case 3: tensor.dims.push_back(chance.number()); break;
    case 4: tensor.dims.resize(chance.below(3)); break;
    default:
      if (!tensor.dims.empty()) tensor.dims[chance.below(tensor.dims.size())] = chance.number();
  }
}

template <class T>
void mutate_list(std::vector<T>& list, Chance& chance) {
  if (list.empty()) return;
  const size_t at = chance.below(list.size());
  switch (chance.below(3)) {
    case 0: list.erase(list.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1: list.push_back(list[at]); break;
    case 2: std::swap(list[at], list[chance.below(list.size())]); break;
  }
}

}  // namespace

std::string mutated_gguf(const std::string& bytes, Chance& chance) {
  GgufDoc doc = GgufDoc::read(bytes);
  for (uint64_t n = 1 + chance.below(4); n > 0; n--) {
    switch (chance.below(12)) {
      case 0: doc.says_keys = chance.one_in(2) ? chance.number() : doc.keys.size() + chance.below(3) - 1; break;
      case 1: doc.says_tensors = chance.one_in(2) ? chance.number() : doc.tensors.size() + chance.below(3) - 1; break;
      case 2: doc.version = static_cast<uint32_t>(chance.below(5)); break;
      case 3: mutate_list(doc.keys, chance); break;
      case 4: mutate_list(doc.tensors, chance); break;
      case 5: mutate_bytes(doc.data, chance); break;
      case 6: case 7: case 8: case 9:
        if (!doc.keys.empty()) mutate_key(doc.keys[chance.below(doc.keys.size())], chance);
        break;
      default:
        if (!doc.tensors.empty()) mutate_tensor(doc.tensors[chance.below(doc.tensors.size())], chance);
    }
  }
  std::string out = doc.bytes();
  if (chance.one_in(8)) mutate_bytes(out, chance);
  return out;
}

void mutate_json(std::string& text, Chance& chance) {
  if (text.empty()) return;
  // A place where a value or a name begins, else any.
  size_t at = chance.below(text.size());
  const size_t next = text.find_first_of("0123456789\"[{tfn", at);
  if (next != std::string::npos) at = next;
  size_t end = text.find_first_of(",]}\n", at);
  if (end == std::string::npos) end = text.size();
  static const char* const kValues[] = {"null", "true", "false", "0", "-1", "1e999", "-0", "1.5", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"<0x-1>\"", "[]", "{}", "[[[[]]]]", "{\"a\":1,\"a\":2}", "\"F32\"", "\"F64\"", "\"Unigram\"", "\"BPE\"", "\"WordPiece\"", "\"c2p\""};
  switch (chance.below(8)) {
    case 0: mutate_bytes(text, chance); break;
    case 1: text.insert(at, std::string(1 + chance.below(200), chance.one_in(2) ? '[' : '{')); break;
    case 2: text.insert(at, text.substr(at, end - at) + ","); break;
    case 3: text.erase(at, end - at + 1); break;
    case 4: text.replace(at, end - at, std::to_string(chance.number())); break;
    default: text.replace(at, end - at, kValues[chance.below(sizeof kValues / sizeof *kValues)]);
  }
}

std::string mutated_safetensors(const std::string& bytes, Chance& chance) {
  uint64_t length = 0;
  memcpy(&length, bytes.data(), 8);
  std::string header = bytes.substr(8, length), data = bytes.substr(8 + length);
  for (uint64_t n = 1 + chance.below(3); n > 0; n--) chance.one_in(6) ? mutate_bytes(data, chance) : mutate_json(header, chance);
  const uint64_t says = chance.one_in(8) ? chance.number() : header.size();
  return le64(says) + header + data;
}
