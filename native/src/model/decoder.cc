#include "model/decoder.h"

#include <algorithm>
#include <cstring>

#include "backend/cuda-decoder.h"
#include "model/attention.h"
#include "model/plan-layer.h"
#include "stream/panel-layout.h"

namespace guard {

std::string DecoderNames::of(const char* gguf_name, const char* hf_name, int layer) const {
  if (layer < 0) return gguf ? gguf_name : std::string(hf_name);
  return (gguf ? "blk." : "model.layers.") + std::to_string(layer) + "." + (gguf ? gguf_name : hf_name);
}

namespace {

/// A layer where its blob lies now.
struct Layer {
  explicit Layer(const stream::BoundLayer& b)
      : attn_norm(b.vector("attn_norm")), ffn_norm(b.vector("ffn_norm")), q_bias(b.vector("q_bias")), k_bias(b.vector("k_bias")), v_bias(b.vector("v_bias")),
        q_norm(b.vector("q_norm")), k_norm(b.vector("k_norm")), q(b.matrix("q")), k(b.matrix("k")), v(b.matrix("v")), o(b.matrix("o")), gate(b.matrix("gate")),
        up(b.matrix("up")), down(b.matrix("down")) {}
  const float *attn_norm, *ffn_norm, *q_bias, *k_bias, *v_bias, *q_norm, *k_norm;
  cpu::MatrixView q, k, v, o, gate, up, down;
};

/// Llama 3.x (Dubey et al. 2024), Qwen2.5, Qwen3: RMSNorm before, rotary positions, grouped keys, SwiGLU.
class Decoder final : public Model {
 public:
  Decoder(DecoderConfig config, DecoderNames names, const TensorSource& source, std::unique_ptr<Tokenizer> words, std::shared_ptr<cpu::Cpu> cpu,
          stream::Streaming& streaming)
      : c_(std::move(config)), cpu_(std::move(cpu)) {
    architecture = c_.architecture;
    tokenizer = std::move(words);
    context = c_.context;
    width = c_.width;
    layers = c_.layers;
    vocabulary = static_cast<uint32_t>(tokenizer->vocab().size());
    load(names, source, streaming);
  }

  void forward(std::vector<Pass>& passes) override;

  std::vector<float> logits(const std::vector<float>& hidden, const std::vector<int32_t>& ids) override {
    const cpu::MatrixView& out = output_.n > 0 ? output_ : embedding_;
    if (ids.empty()) {
      std::vector<float> y(cpu::padded16(vocabulary));
      std::vector<float> x = hidden;
      cpu_->forget();
      cpu_->linear(out, {x.data(), x.size(), 1}, y.data(), y.size());
      cpu_->forget();
      y.resize(vocabulary);
      return y;
    }
    // A handful of rows in place of the whole output matrix, gathered once; summed in double in a fixed order.
    std::vector<float> y;
    for (const int32_t id : ids) {
      auto& row = label_rows_[id];
      if (row.empty()) {
        row.resize(width);
        out.row(static_cast<size_t>(id), row.data());
      }
      double sum = 0;
      for (uint32_t i = 0; i < width; i++) sum += static_cast<double>(row[i]) * static_cast<double>(hidden[i]);
      y.push_back(static_cast<float>(sum));
    }
    return y;
  }

  std::unique_ptr<Kv> make_kv(size_t tokens) const override { return runner ? runner->make_kv(tokens) : std::make_unique<Kv>(c_.layers, c_.kv_heads, c_.head_width, tokens); }
  size_t kv_bytes(size_t tokens) const override { return runner ? runner->kv_bytes(tokens) : Kv::bytes_for(c_.layers, c_.kv_heads, c_.head_width, tokens); }

 private:
  void load(const DecoderNames& names, const TensorSource& source, stream::Streaming& streaming);
  void norm(const float* weight, const std::vector<float>& x, std::vector<float>& y, size_t rows) {
    cpu_->forget();
    cpu_->pool.run((rows + 15) / 16, [&](size_t task) {
      for (size_t r = task * 16; r < std::min(rows, task * 16 + 16); r++) cpu_->k.rms_norm(x.data() + r * ld_, weight, c_.eps, width, y.data() + r * ld_);
    });
  }
  void add_rows(std::vector<float>& x, const std::vector<float>& y, size_t rows) {
    cpu_->pool.run((rows + 15) / 16, [&](size_t task) {
      for (size_t r = task * 16; r < std::min(rows, task * 16 + 16); r++) cpu_->k.add(x.data() + r * ld_, y.data() + r * ld_, width);
    });
  }

  DecoderConfig c_;
  std::shared_ptr<cpu::Cpu> cpu_;
  size_t ld_ = 0;
  cpu::Matrix embedding_, output_;
  std::vector<float> output_norm_;
  struct { std::vector<float> x, y, q, k, v, gate, up, table; } buffers_;
  std::unordered_map<int32_t, std::vector<float>> label_rows_;
};

void Decoder::load(const DecoderNames& names, const TensorSource& source, stream::Streaming& streaming) {
  Weights w(source);
  const uint64_t d = c_.width, q = uint64_t(c_.heads) * c_.head_width, kv = uint64_t(c_.kv_heads) * c_.head_width;
  ld_ = cpu::row_stride(d);
  embedding_ = w.matrix(names.of("token_embd.weight", "model.embed_tokens.weight"), vocabulary, d);
  output_norm_ = w.vector(names.of("output_norm.weight", "model.norm.weight"), d);
  // Tied embeddings: without an output matrix, the embedding serves.
  if (const auto name = names.of("output.weight", "lm_head.weight"); w.has(name)) output_ = w.matrix(name, vocabulary, d);
  if (names.gguf && w.has("rope_freqs.weight")) {
    c_.rope_factors = w.vector("rope_freqs.weight", c_.rotated / 2);
    for (const float f : c_.rope_factors)
      if (!(f > 0)) reject("A factor of the rotary positions is not above 0.");
  }
  std::vector<stream::LayerPlan> plans;
  for (int i = 0; i < static_cast<int>(c_.layers); i++) {
    const auto name = [&](const char* g, const char* h) { return names.of(g, h, i); };
    PlanLayer b(w, streaming.layout());
    b.vector("attn_norm", name("attn_norm.weight", "input_layernorm.weight"), d);
    b.vector("ffn_norm", name("ffn_norm.weight", "post_attention_layernorm.weight"), d);
    b.matrix("q", name("attn_q.weight", "self_attn.q_proj.weight"), q, d);
    b.matrix("k", name("attn_k.weight", "self_attn.k_proj.weight"), kv, d);
    b.matrix("v", name("attn_v.weight", "self_attn.v_proj.weight"), kv, d);
    b.matrix("o", name("attn_output.weight", "self_attn.o_proj.weight"), d, q);
    b.matrix("gate", name("ffn_gate.weight", "mlp.gate_proj.weight"), c_.ff, d);
    b.matrix("up", name("ffn_up.weight", "mlp.up_proj.weight"), c_.ff, d);
    b.matrix("down", name("ffn_down.weight", "mlp.down_proj.weight"), d, c_.ff);
    if (c_.qkv_bias) {
      b.vector("q_bias", name("attn_q.bias", "self_attn.q_proj.bias"), q);
      b.vector("k_bias", name("attn_k.bias", "self_attn.k_proj.bias"), kv);
      b.vector("v_bias", name("attn_v.bias", "self_attn.v_proj.bias"), kv);
    }
    if (c_.qk_norm) {
      b.vector("q_norm", name("attn_q_norm.weight", "self_attn.q_norm.weight"), c_.head_width);
      b.vector("k_norm", name("attn_k_norm.weight", "self_attn.k_norm.weight"), c_.head_width);
    }
    plans.push_back(b.finish());
  }
  w.ensure_all_taken();
  weight_bytes = w.bytes();
  feed = streaming.feed(std::move(plans));
  if (streaming.cuda() != nullptr) runner = backend::run_decoder(*streaming.cuda(), *feed, c_, embedding_, output_norm_);
}

void Decoder::forward(std::vector<Pass>& passes) {
  if (runner) return runner->forward(passes);
  const size_t h = c_.head_width, ldq = cpu::row_stride(c_.heads * h), ldkv = cpu::row_stride(c_.kv_heads * h), ldf = cpu::row_stride(c_.ff);
  struct Part {
    Pass* pass;
    size_t row, rows;
    std::unique_ptr<Kv> scratch;
    Kv* kv;
    size_t kv_layer, start;  // where this pass's tokens begin in kv
  };
  std::vector<Part> parts;
  size_t rows = 0;
  for (Pass& pass : passes) {
    Part part{&pass, rows, pass.n, nullptr, pass.kv, 0, 0};
    if (part.kv == nullptr) {
      // One answer is wanted: keys and values of a layer are needed while that layer runs, no longer.
      part.scratch = std::make_unique<Kv>(1, c_.kv_heads, h, pass.n);
      part.kv = part.scratch.get();
    }
    part.start = part.kv->length;
    rows += pass.n;
    parts.push_back(std::move(part));
  }

  // Kept from pass to pass: fresh pages for a few megabytes cost as much as a layer.
  auto& [x, y, q, k, v, gate, up, table] = buffers_;
  for (const auto& [buffer, size] : {std::pair{&x, ld_}, {&y, ld_}, {&q, ldq}, {&k, ldkv}, {&v, ldkv}, {&gate, std::max(ldf, ldq)}, {&up, ldf}, {&table, size_t{c_.rotated}}})
    if (buffer->size() < rows * size) buffer->resize(rows * size);
  for (const Part& part : parts)
    for (size_t i = 0; i < part.rows; i++) {
      embedding_.row(static_cast<size_t>(part.pass->tokens[i]), x.data() + (part.row + i) * ld_);
      rope_table(table.data() + (part.row + i) * c_.rotated, part.pass->position + i, c_.rotated, c_.rope_base,
                 c_.rope_factors.empty() ? nullptr : c_.rope_factors.data(), c_.rope_scale);
    }

  feed->begin();
  for (size_t layer = 0; layer < c_.layers; layer++) {
    // The layer border: whoever was cancelled leaves the batch, and the rows behind move up.
    size_t kept = 0;
    for (auto it = parts.begin(); it != parts.end();) {
      if (it->pass->cancelled && it->pass->cancelled()) {
        it->pass->dropped = true;
        it = parts.erase(it);
        continue;
      }
      if (kept != it->row) {
        memmove(x.data() + kept * ld_, x.data() + it->row * ld_, it->rows * ld_ * sizeof(float));
        memmove(table.data() + kept * c_.rotated, table.data() + it->row * c_.rotated, it->rows * c_.rotated * sizeof(float));
        it->row = kept;
      }
      kept += it->rows;
      ++it;
    }
    rows = kept;
    if (rows == 0) return;
    const stream::HeldLayer held(*feed, layer);
    const Layer b(stream::BoundLayer(held.plan(), held.blob()));

    norm(b.attn_norm, x, y, rows);
    cpu_->linear(b.k, {y.data(), ld_, rows}, k.data(), ldkv);
    cpu_->linear(b.v, {y.data(), ld_, rows}, v.data(), ldkv);
    struct Piece { size_t part, row; };
    std::vector<Piece> pieces;
    for (size_t p = 0; p < parts.size(); p++)
      for (size_t r = 0; r < parts[p].rows; r += cpu::kPanel) pieces.push_back({p, r});
    cpu_->pool.run(pieces.size(), [&](size_t t) {
      Part& part = parts[pieces[t].part];
      for (size_t i = pieces[t].row; i < std::min(part.rows, pieces[t].row + cpu::kPanel); i++)
        for (size_t g = 0; g < c_.kv_heads; g++) {
          float* key = k.data() + (part.row + i) * ldkv + g * h;
          float* value = v.data() + (part.row + i) * ldkv + g * h;
          if (c_.qkv_bias) {
            cpu_->k.add(key, b.k_bias + g * h, h);
            cpu_->k.add(value, b.v_bias + g * h, h);
          }
          if (c_.qk_norm) cpu_->k.rms_norm(key, b.k_norm, c_.eps, h, key);
          rope(key, table.data() + (part.row + i) * c_.rotated, c_.rotated, c_.half_split);
          part.kv->put(part.scratch ? 0 : layer, g, part.start + i, key, value);
        }
    });

    // After the last layer's keys and values, only the rows that are asked for go on.
    if (layer + 1 == c_.layers) {
      size_t out = 0;
      for (auto it = parts.begin(); it != parts.end();) {
        it->pass->kv != nullptr ? void(it->kv->length = it->start + it->rows) : void();
        if (!it->pass->wants_output) {
          it = parts.erase(it);
          continue;
        }
        const size_t last = it->row + it->rows - 1;
        memmove(x.data() + out * ld_, x.data() + last * ld_, ld_ * sizeof(float));
        memmove(y.data() + out * ld_, y.data() + last * ld_, ld_ * sizeof(float));
        memmove(table.data() + out * c_.rotated, table.data() + last * c_.rotated, c_.rotated * sizeof(float));
        it->row = out++;
        it->rows = 1;
        ++it;
      }
      rows = out;
      if (rows == 0) return;
      cpu_->forget();
    }

    cpu_->linear(b.q, {y.data(), ld_, rows}, q.data(), ldq);
    struct Tile { size_t part, row, head; };
    std::vector<Tile> tiles;
    for (size_t p = 0; p < parts.size(); p++)
      for (size_t r = 0; r < parts[p].rows; r += kQueryTile)
        for (size_t head = 0; head < c_.heads; head++) tiles.push_back({p, r, head});
    std::vector<float>& mixed = gate;  // (rows, ldq): free until the feed-forward part
    cpu_->pool.run(tiles.size(), [&](size_t t) {
      const Tile& tile = tiles[t];
      const Part& part = parts[tile.part];
      const size_t count = std::min(kQueryTile, part.rows - tile.row);
      for (size_t r = 0; r < count; r++) {
        float* query = q.data() + (part.row + tile.row + r) * ldq + tile.head * h;
        if (c_.qkv_bias) cpu_->k.add(query, b.q_bias + tile.head * h, h);
        if (c_.qk_norm) cpu_->k.rms_norm(query, b.q_norm, c_.eps, h, query);
        rope(query, table.data() + (part.row + tile.row + r) * c_.rotated, c_.rotated, c_.half_split);
      }
      const size_t shared = part.pass->prefix != nullptr ? part.pass->prefix->length : 0;
      const size_t behind = part.start + part.pass->n;
      AttentionTile job{};
      job.q = q.data() + (part.row + tile.row) * ldq + tile.head * h;
      job.ldq = ldq;
      job.rows = count;
      job.first = part.pass->position + part.pass->n - part.rows + tile.row;
      job.prefix = part.pass->prefix;
      job.prefix_layer = layer;
      job.prefix_length = shared;
      job.own = part.kv;
      job.own_layer = part.scratch ? 0 : layer;
      job.own_length = behind;
      job.head = tile.head / (c_.heads / c_.kv_heads);
      job.width = h;
      job.scale = 1.0f / __builtin_sqrtf(static_cast<float>(h));
      job.causal = true;
      job.out = mixed.data() + (part.row + tile.row) * ldq + tile.head * h;
      job.ldo = ldq;
      attend(cpu_->k, job);
    });
    cpu_->forget();
    cpu_->linear(b.o, {mixed.data(), ldq, rows}, y.data(), ld_);
    add_rows(x, y, rows);
    norm(b.ffn_norm, x, y, rows);
    cpu_->linear(b.gate, {y.data(), ld_, rows}, gate.data(), ldf);
    cpu_->linear(b.up, {y.data(), ld_, rows}, up.data(), ldf);
    cpu_->pool.run(rows, [&](size_t r) { cpu_->k.silu_mul(gate.data() + r * ldf, up.data() + r * ldf, c_.ff, gate.data() + r * ldf); });
    cpu_->forget();
    cpu_->linear(b.down, {gate.data(), ldf, rows}, y.data(), ld_);
    add_rows(x, y, rows);
  }

  for (Part& part : parts) {
    part.pass->output.resize(width);
    cpu_->k.rms_norm(x.data() + part.row * ld_, output_norm_.data(), c_.eps, width, part.pass->output.data());
  }
}

}  // namespace

std::unique_ptr<Model> make_decoder(DecoderConfig config, DecoderNames names, const TensorSource& source, std::unique_ptr<Tokenizer> tokenizer,
                                    std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) {
  return std::make_unique<Decoder>(std::move(config), names, source, std::move(tokenizer), std::move(cpu), streaming);
}

}  // namespace guard
