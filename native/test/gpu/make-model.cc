#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "commands.h"
#include "shapes.h"

namespace {

/// A GGUF file as it is written: numbers, strings, padding.
class Out {
 public:
  explicit Out(const char* path) : file_(fopen(path, "wb")) {}
  ~Out() {
    if (file_ != nullptr) fclose(file_);
  }
  bool good() const { return file_ != nullptr && ferror(file_) == 0; }
  void bytes(const void* p, size_t n) {
    if (file_ != nullptr) at_ += fwrite(p, 1, n, file_);
  }
  template <class T>
  void number(T v) {
    bytes(&v, sizeof v);
  }
  void text(const std::string& s) {
    number<uint64_t>(s.size());
    bytes(s.data(), s.size());
  }
  void key(const std::string& name, uint32_t type) {
    text(name);
    number(type);
  }
  void pad() {
    static const char zeros[32] = {};
    bytes(zeros, (32 - at_ % 32) % 32);
  }

 private:
  FILE* file_;
  uint64_t at_ = 0;
};

struct Tensor {
  std::string name;
  uint64_t n, k;  // n 0: a norm of k ones
  uint64_t bytes() const { return n == 0 ? 4 * k : n * k / 32 * 34; }
};

std::vector<Tensor> tensors_of(const Shape& s) {
  std::vector<Tensor> out = {{"token_embd.weight", s.vocabulary, s.width}, {"output_norm.weight", 0, s.width}};
  const uint64_t q = uint64_t{s.heads} * s.head_width, kv = uint64_t{s.kv_heads} * s.head_width;
  for (uint32_t i = 0; i < s.layers; i++) {
    const std::string p = "blk." + std::to_string(i) + ".";
    for (const Tensor& t : std::vector<Tensor>{{"attn_norm", 0, s.width}, {"attn_q", q, s.width}, {"attn_k", kv, s.width}, {"attn_v", kv, s.width}, {"attn_output", s.width, q},
                                               {"ffn_norm", 0, s.width}, {"ffn_gate", s.ff, s.width}, {"ffn_up", s.ff, s.width}, {"ffn_down", s.width, s.ff}})
      out.push_back({p + t.name + ".weight", t.n, t.k});
  }
  return out;
}

void write_head(Out& out, const Shape& s, const std::vector<Tensor>& tensors) {
  out.bytes("GGUF", 4);
  out.number<uint32_t>(3);
  out.number<uint64_t>(tensors.size());
  out.number<uint64_t>(15);
  out.key("general.architecture", 8);
  out.text("llama");
  const std::pair<const char*, uint32_t> numbers[] = {{"context_length", 4096}, {"embedding_length", s.width}, {"block_count", s.layers}, {"feed_forward_length", s.ff},
                                                      {"attention.head_count", s.heads}, {"attention.head_count_kv", s.kv_heads}, {"attention.key_length", s.head_width},
                                                      {"rope.dimension_count", s.head_width}};
  for (const auto& [name, value] : numbers) {
    out.key(std::string("llama.") + name, 4);
    out.number(value);
  }
  out.key("llama.attention.layer_norm_rms_epsilon", 6);
  out.number(1e-5f);
  out.key("llama.rope.freq_base", 6);
  out.number(500000.0f);
  out.key("tokenizer.ggml.model", 8);
  out.text("llama");
  out.key("tokenizer.ggml.tokens", 9);
  out.number<uint32_t>(8);
  out.number<uint64_t>(s.vocabulary);
  for (uint32_t i = 0; i < s.vocabulary; i++) out.text("w" + std::to_string(i));
  out.key("tokenizer.ggml.scores", 9);
  out.number<uint32_t>(6);
  out.number<uint64_t>(s.vocabulary);
  for (uint32_t i = 0; i < s.vocabulary; i++) out.number(0.0f);
  out.key("tokenizer.ggml.unknown_token_id", 4);
  out.number<uint32_t>(0);
  uint64_t offset = 0;
  for (const Tensor& t : tensors) {
    out.text(t.name);
    out.number<uint32_t>(t.n == 0 ? 1 : 2);
    out.number<uint64_t>(t.k);
    if (t.n > 0) out.number<uint64_t>(t.n);
    out.number<uint32_t>(t.n == 0 ? 0 : 8);
    out.number(offset);
    offset += (t.bytes() + 31) / 32 * 32;
  }
  out.pad();
}

/// Some megabytes of blocks, written again and again: the time of a product does not depend on its values.
std::vector<uint8_t> blocks() {
  std::vector<uint8_t> out(34 * 100003);
  std::mt19937_64 dice(1);
  for (size_t i = 0; i + 8 <= out.size(); i += 8) {
    const uint64_t v = dice();
    memcpy(out.data() + i, &v, 8);
  }
  const uint16_t scale = 0x0c80;  // weights near 0.02
  for (size_t i = 0; i < out.size(); i += 34) memcpy(out.data() + i, &scale, 2);
  return out;
}

}  // namespace

int make_model(const char* name, const char* file) {
  const Shape* shape = shape_of(name);
  if (shape == nullptr) {
    fprintf(stderr, "The shapes are 1b, 8b and tiny.\n");
    return 2;
  }
  const auto tensors = tensors_of(*shape);
  Out out(file);
  write_head(out, *shape, tensors);
  const auto noise = blocks();
  for (const Tensor& t : tensors) {
    if (t.n == 0)
      for (uint64_t i = 0; i < t.k; i++) out.number(1.0f);
    else
      for (uint64_t left = t.bytes(); left > 0;) {
        const uint64_t some = std::min<uint64_t>(left, noise.size());
        out.bytes(noise.data(), some);
        left -= some;
      }
    out.pad();
  }
  if (!out.good()) {
    fprintf(stderr, "%s could not be written.\n", file);
    return 1;
  }
  return 0;
}
