#pragma once
#include "model/model.h"
#include "model/weights.h"

namespace guard {

class Gguf;
struct Json;

/// What Llama 3.x, Qwen2.5 and Qwen3 differ in, and their sizes.
struct DecoderConfig {
  std::string architecture;
  uint32_t context, width, layers, ff, heads, kv_heads, head_width, rotated;
  float eps;
  double rope_base, rope_scale = 1;  // rope_scale multiplies positions (linear scaling)
  std::vector<float> rope_factors;   // divides frequencies (Llama 3 scaling), or empty
  bool half_split;                   // pairs (i, i + half) instead of (2i, 2i + 1)
  bool qkv_bias, qk_norm;
};

/// Tensor names differ between GGUF and safetensors; nothing else does.
struct DecoderNames {
  bool gguf;
  std::string of(const char* gguf_name, const char* hf_name, int layer = -1) const;
};

DecoderConfig decoder_config(const Gguf& file, const std::string& architecture);
DecoderConfig decoder_config(const Json& config);
std::unique_ptr<Model> make_decoder(DecoderConfig config, DecoderNames names, const TensorSource& source, std::unique_ptr<Tokenizer> tokenizer,
                                    std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming);

}  // namespace guard
