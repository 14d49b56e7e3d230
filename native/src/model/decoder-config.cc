#include <cmath>

#include "base/json.h"
#include "format/gguf.h"
#include "format/limits.h"
#include "model/decoder.h"

namespace guard {

static void check(const DecoderConfig& c) {
  if (!(c.eps > 0) || c.eps > 0.1f) reject("The norm's epsilon is %g; it must be above 0 and at most 0.1.", static_cast<double>(c.eps));
  if (!(c.rope_base > 0) || !std::isfinite(c.rope_base)) reject("The base of the rotary positions is %g.", c.rope_base);
  if (!(c.rope_scale > 0) || !std::isfinite(c.rope_scale)) reject("The scale of the rotary positions is %g.", c.rope_scale);
  if (c.heads % c.kv_heads != 0) reject("%u heads cannot share %u key heads.", c.heads, c.kv_heads);
  if (c.rotated % 2 != 0 || c.rotated > c.head_width) reject("%u rotated dimensions do not fit a head of %u.", c.rotated, c.head_width);
  if (uint64_t(c.heads) * c.head_width > limits::kWidth) reject("The heads together are wider than %u.", limits::kWidth);
  for (const float f : c.rope_factors)
    if (!(f > 0) || !std::isfinite(f)) reject("A factor of the rotary positions is not above 0.");
}

DecoderConfig decoder_config(const Gguf& file, const std::string& architecture) {
  const std::string p = architecture + ".";
  DecoderConfig c{};
  c.architecture = architecture;
  c.context = file.u32(p + "context_length", 1, limits::kContext);
  c.width = file.u32(p + "embedding_length", 1, limits::kWidth);
  c.layers = file.u32(p + "block_count", 1, limits::kLayers);
  c.ff = file.u32(p + "feed_forward_length", 1, 4 * limits::kWidth);
  c.heads = file.u32(p + "attention.head_count", 1, limits::kHeads);
  c.kv_heads = file.u32_or(p + "attention.head_count_kv", 1, limits::kHeads, c.heads);
  if (file.find(p + "attention.key_length") == nullptr && c.width % c.heads != 0) reject("A width of %u cannot be divided among %u heads.", c.width, c.heads);
  c.head_width = file.u32_or(p + "attention.key_length", 1, limits::kHeadWidth, c.width / c.heads);
  if (c.head_width < 1 || c.head_width > limits::kHeadWidth) reject("A head is %u wide; 1 to %u are allowed.", c.head_width, limits::kHeadWidth);
  if (file.u32_or(p + "attention.value_length", 1, limits::kHeadWidth, c.head_width) != c.head_width) reject("Values and keys of different width are not supported.");
  c.rotated = file.u32_or(p + "rope.dimension_count", 2, limits::kHeadWidth, c.head_width);
  c.eps = file.f32(p + "attention.layer_norm_rms_epsilon");
  c.rope_base = static_cast<double>(file.f32_or(p + "rope.freq_base", 10000.0f));
  if (file.find(p + "rope.scaling.type") != nullptr) {
    const std::string_view type = file.text(p + "rope.scaling.type");
    if (type == "linear")
      c.rope_scale = 1.0 / static_cast<double>(file.f32(p + "rope.scaling.factor"));
    else if (type != "none")
      reject("The rotary scaling %s is not supported (none and linear are, and Llama 3's factors).", shown(type).c_str());
  }
  c.half_split = architecture != "llama";
  c.qkv_bias = architecture == "qwen2";
  c.qk_norm = architecture == "qwen3";
  check(c);
  return c;
}

DecoderConfig decoder_config(const Json& j) {
  DecoderConfig c{};
  c.architecture = j.get_string_or("model_type", "");
  c.context = static_cast<uint32_t>(j.get_integer("max_position_embeddings", 1, limits::kContext));
  c.width = static_cast<uint32_t>(j.get_integer("hidden_size", 1, limits::kWidth));
  c.layers = static_cast<uint32_t>(j.get_integer("num_hidden_layers", 1, limits::kLayers));
  c.ff = static_cast<uint32_t>(j.get_integer("intermediate_size", 1, 4 * limits::kWidth));
  c.heads = static_cast<uint32_t>(j.get_integer("num_attention_heads", 1, limits::kHeads));
  c.kv_heads = static_cast<uint32_t>(j.get_integer_or("num_key_value_heads", 1, limits::kHeads, c.heads));
  c.head_width = static_cast<uint32_t>(j.get_integer_or("head_dim", 1, limits::kHeadWidth, c.width / c.heads));
  if (c.head_width < 1) reject("A width of %u cannot be divided among %u heads.", c.width, c.heads);
  c.rotated = c.head_width;
  c.eps = static_cast<float>(j.get_number_or("rms_norm_eps", 1e-6));
  // transformers 5 keeps the base beside the scaling, in rope_parameters; earlier files have two members.
  const Json* scaling = j.find("rope_parameters");
  if (scaling == nullptr) scaling = j.find("rope_scaling");
  c.rope_base = j.get_number_or("rope_theta", 10000);
  if (scaling != nullptr && scaling->kind == Json::Object) {
    c.rope_base = scaling->get_number_or("rope_theta", c.rope_base);
    const std::string type = scaling->get_string_or("rope_type", scaling->get_string_or("type", "default").c_str());
    if (type == "linear") {
      c.rope_scale = 1.0 / scaling->get_number_or("factor", 1);
    } else if (type == "llama3") {
      // Llama 3.1: long wavelengths are slowed by `factor`, short ones are kept, those between are blended.
      const double factor = scaling->get_number_or("factor", 8), low = scaling->get_number_or("low_freq_factor", 1), high = scaling->get_number_or("high_freq_factor", 4);
      const double old = scaling->get_number_or("original_max_position_embeddings", 8192);
      for (uint32_t i = 0; i < c.rotated / 2; i++) {
        const double wave = 2 * M_PI * std::pow(c.rope_base, 2.0 * i / c.rotated);
        const double smooth = (old / wave - low) / (high - low);
        c.rope_factors.push_back(static_cast<float>(wave < old / high ? 1 : wave > old / low ? factor : 1 / ((1 - smooth) / factor + smooth)));
      }
    } else if (type != "default") {
      reject("The rotary scaling %s is not supported (default, linear and llama3 are).", shown(type).c_str());
    }
  }
  c.half_split = true;
  c.qkv_bias = c.architecture == "qwen2";
  c.qk_norm = c.architecture == "qwen3";
  if (j.get_string_or("hidden_act", "silu") != "silu") reject("Only the activation silu is supported in decoders.");
  check(c);
  return c;
}

}  // namespace guard
