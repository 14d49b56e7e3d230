#include <algorithm>
#include <cmath>

#include "backend/cuda-encoders.h"
#include "base/json.h"
#include "format/limits.h"
#include "model/attention.h"
#include "model/encoders.h"
#include "model/plan-layer.h"
#include "stream/panel-layout.h"

namespace guard {
namespace {

struct Dense {
  cpu::Matrix weight;
  std::vector<float> bias;
};

struct Norm {
  std::vector<float> weight, bias;
};

/// The same where a layer's blob lies now.
struct DenseView {
  DenseView(const stream::BoundLayer& b, const std::string& role) : weight(b.matrix(role)), bias(b.vector(role + "_bias")) {}
  DenseView(const Dense& dense) : weight(dense.weight), bias(dense.bias.data()) {}
  cpu::MatrixView weight;
  const float* bias;
};

struct NormView {
  NormView(const stream::BoundLayer& b, const std::string& role) : weight(b.vector(role)), bias(b.vector(role + "_bias")) {}
  const float *weight, *bias;
};

struct Layer {
  explicit Layer(const stream::BoundLayer& b)
      : q(b, "q"), k(b, "k"), v(b, "v"), o(b, "o"), up(b, "up"), down(b, "down"), attn(b, "attn_norm"), ffn(b, "ffn_norm") {}
  DenseView q, k, v, o, up, down;
  NormView attn, ffn;
};

/// Position keys and queries of a layer, a matrix (2 * span, head width) for each head. They do not depend on the text:
/// they are made once, and stay.
struct Positions {
  std::vector<cpu::Matrix> key, query;
};

/// At most a tile of rows in int8, each with one scale; they stay until this thread's next call.
cpu::Quantized rounded_rows(const cpu::Kernels& kernels, const float* x, size_t ld, size_t rows, size_t k) {
  static thread_local std::vector<int8_t> q;
  static thread_local std::vector<float> d;
  static thread_local std::vector<int32_t> minus;
  const size_t blocks = k / cpu::kBlock, all = (rows + kernels.group - 1) / kernels.group * kernels.group * blocks;
  q.resize(all * cpu::kBlock);
  d.resize(all);
  minus.resize(all);
  const cpu::Quantized to{q.data(), d.data(), nullptr, minus.data(), kernels.group};
  for (size_t r = 0; r < rows; r++) {
    const size_t i = to.at(r, 0, blocks);
    kernels.quantize_rows(x + r * ld, k, {q.data() + i * cpu::kBlock, d.data() + i, nullptr, minus.data() + i, kernels.group});
  }
  return to;
}

/// DeBERTa-v2/v3 (He et al. 2021): content and relative position attend to one another through shared projections
/// (c2p and p2c), with logarithmic buckets of distance; no absolute positions.
class Deberta final : public Model {
 public:
  Deberta(const Json& config, const TensorSource& source, std::unique_ptr<Tokenizer> words, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) : cpu_(std::move(cpu)) {
    architecture = "deberta-v2";
    encoder = true;
    tokenizer = std::move(words);
    settings(config);
    load(source, streaming);
  }

  void forward(std::vector<Pass>& passes) override;
  std::vector<float> logits(const std::vector<float>& output, const std::vector<int32_t>&) override { return output; }
  std::unique_ptr<Kv> make_kv(size_t) const override { fail(GUARD_UNSUPPORTED, "An encoder keeps no keys and values."); }
  size_t kv_bytes(size_t tokens) const override { return runner ? runner->kv_bytes(tokens) : tokens * (10 * width + 2 * ff_ + 2 * span_ * heads_) * sizeof(float); }

 private:
  void settings(const Json& config);
  void load(const TensorSource& source, stream::Streaming& streaming);
  void make_positions(const std::vector<float>& positions, size_t places);
  void apply(const DenseView& dense, const cpu::Rows& x, float* y, size_t ldy) {
    cpu_->linear(dense.weight, x, y, ldy);
    cpu_->pool.run((x.rows + 15) / 16, [&](size_t t) {
      for (size_t r = t * 16; r < std::min(x.rows, t * 16 + 16); r++) cpu_->k.add(y + r * ldy, dense.bias, dense.weight.n);
    });
  }
  /// Index of the pair (query i, key j) in the position table: log buckets, clamped.
  size_t bucket(int64_t distance) const {
    const int64_t mid = span_ / 2, most = max_distance_;
    int64_t b = distance;
    if (bucketed_ && std::abs(distance) > mid) {
      const double far = std::ceil(std::log(static_cast<double>(std::abs(distance)) / static_cast<double>(mid)) / std::log(static_cast<double>(most - 1) / static_cast<double>(mid)) * static_cast<double>(mid - 1)) + static_cast<double>(mid);
      b = (distance < 0 ? -1 : 1) * static_cast<int64_t>(far);
    }
    return static_cast<size_t>(std::clamp<int64_t>(b + span_, 0, 2 * span_ - 1));
  }

  std::shared_ptr<cpu::Cpu> cpu_;
  uint32_t ff_ = 0, heads_ = 0, head_width_ = 0;
  int64_t span_ = 0, max_distance_ = 0;
  bool bucketed_ = false, c2p_ = false, p2c_ = false, norm_positions_ = false;
  float eps_ = 0;
  cpu::Matrix embedding_;
  Norm embedding_norm_;
  std::vector<Positions> positions_;  // of each layer
  Dense pooler_, classifier_;
};

void Deberta::settings(const Json& j) {
  width = static_cast<uint32_t>(j.get_integer("hidden_size", 1, limits::kWidth));
  layers = static_cast<uint32_t>(j.get_integer("num_hidden_layers", 1, limits::kLayers));
  heads_ = static_cast<uint32_t>(j.get_integer("num_attention_heads", 1, limits::kHeads));
  ff_ = static_cast<uint32_t>(j.get_integer("intermediate_size", 1, 4 * limits::kWidth));
  vocabulary = static_cast<uint32_t>(j.get_integer("vocab_size", 1, static_cast<int64_t>(limits::kVocabulary)));
  context = static_cast<uint32_t>(j.get_integer("max_position_embeddings", 16, 8192));
  if (width % heads_ != 0) reject("A width of %u cannot be divided among %u heads.", width, heads_);
  head_width_ = width / heads_;
  if (head_width_ > limits::kHeadWidth) reject("A head is %u wide; at most %u is allowed.", head_width_, limits::kHeadWidth);
  eps_ = static_cast<float>(j.get_number_or("layer_norm_eps", 1e-7));
  if (!(eps_ > 0) || eps_ > 0.1f) reject("The norm's epsilon is %g; it must be above 0 and at most 0.1.", static_cast<double>(eps_));
  if (tokenizer->vocab().size() > vocabulary) reject("The tokenizer has more words than the model.");
  if (j.get_integer_or("embedding_size", 1, limits::kWidth, width) != width) reject("Embeddings of another width than the layers are not supported.");
  if (j.get_bool_or("position_biased_input", true)) reject("DeBERTa with absolute positions is not supported.");
  if (j.get_integer_or("type_vocab_size", 0, 16, 0) != 0) reject("DeBERTa with token types is not supported.");
  if (j.get_integer_or("conv_kernel_size", 0, 16, 0) != 0) reject("DeBERTa with a convolution is not supported.");
  if (!j.get_bool_or("relative_attention", false) || !j.get_bool_or("share_att_key", false)) reject("DeBERTa needs relative attention with shared projections.");
  if (j.get_string_or("hidden_act", "gelu") != "gelu" || j.get_string_or("pooler_hidden_act", "gelu") != "gelu") reject("Only the activation gelu is supported in encoders.");
  norm_positions_ = j.get_string_or("norm_rel_ebd", "none").find("layer_norm") != std::string::npos;
  const Json* kinds = j.find("pos_att_type");
  if (kinds != nullptr && kinds->kind == Json::Array) {
    for (const Json& kind : kinds->items) (kind.string == "c2p" ? c2p_ : p2c_) = true;
  } else if (kinds != nullptr && kinds->kind == Json::String) {
    c2p_ = kinds->string.find("c2p") != std::string::npos;
    p2c_ = kinds->string.find("p2c") != std::string::npos;
  }
  max_distance_ = j.get_integer_or("max_relative_positions", -1, 8192, -1);
  if (max_distance_ < 1) max_distance_ = context;
  const int64_t buckets = j.get_integer_or("position_buckets", -1, 8192, -1);
  bucketed_ = buckets > 0;
  span_ = bucketed_ ? buckets : max_distance_;
  if (bucketed_ && (span_ < 4 || max_distance_ - 1 <= span_ / 2)) reject("%lld buckets do not fit %lld positions.", (long long)span_, (long long)max_distance_);
  uint32_t n = 2;
  if (const Json* names = j.find("id2label"); names != nullptr && names->kind == Json::Object) n = static_cast<uint32_t>(names->members.size());
  if (n < 1 || n > 64) reject("The model has %u labels; 1 to 64 are allowed.", n);
  const Json* names = j.find("id2label");
  for (uint32_t i = 0; i < n; i++) {
    const Json* name = names == nullptr ? nullptr : names->find(std::to_string(i));
    labels.push_back(name != nullptr && name->kind == Json::String ? shown(name->string) : "LABEL_" + std::to_string(i));
  }
  cls = tokenizer->vocab().cls;
  sep = tokenizer->vocab().sep;
  if (cls < 0 || sep < 0) reject("The tokenizer names no [CLS] and [SEP] tokens.");
}

void Deberta::load(const TensorSource& source, stream::Streaming& streaming) {
  Weights w(source);
  const auto dense = [&](const std::string& name, uint64_t n, uint64_t k) { return Dense{w.matrix(name + ".weight", n, k), w.vector(name + ".bias", n)}; };
  const auto norm = [&](const std::string& name) { return Norm{w.vector(name + ".weight", width), w.vector(name + ".bias", width)}; };
  embedding_ = w.matrix("deberta.embeddings.word_embeddings.weight", vocabulary, width);
  embedding_norm_ = norm("deberta.embeddings.LayerNorm");
  w.ignore("deberta.embeddings.position_ids");
  const size_t places = static_cast<size_t>(2 * span_), ld = cpu::padded16(width);
  const cpu::Matrix table = w.exact("deberta.encoder.rel_embeddings.weight", places, width);
  std::vector<float> positions(places * ld);
  Norm position_norm;
  if (norm_positions_) position_norm = norm("deberta.encoder.LayerNorm");
  for (size_t i = 0; i < places; i++) {
    table.row(i, positions.data() + i * ld);
    if (norm_positions_) cpu_->k.layer_norm(positions.data() + i * ld, position_norm.weight.data(), position_norm.bias.data(), eps_, width, positions.data() + i * ld);
  }
  std::vector<stream::LayerPlan> plans;
  for (uint32_t i = 0; i < layers; i++) {
    const std::string p = "deberta.encoder.layer." + std::to_string(i) + ".";
    PlanLayer b(w, streaming.layout());
    const auto plan_dense = [&](const std::string& role, const std::string& name, uint64_t n, uint64_t k) {
      b.matrix(role, name + ".weight", n, k);
      b.vector(role + "_bias", name + ".bias", n);
    };
    const auto plan_norm = [&](const std::string& role, const std::string& name) {
      b.vector(role, name + ".weight", width);
      b.vector(role + "_bias", name + ".bias", width);
    };
    plan_dense("q", p + "attention.self.query_proj", width, width);
    plan_dense("k", p + "attention.self.key_proj", width, width);
    plan_dense("v", p + "attention.self.value_proj", width, width);
    plan_dense("o", p + "attention.output.dense", width, width);
    plan_norm("attn_norm", p + "attention.output.LayerNorm");
    plan_dense("up", p + "intermediate.dense", ff_, width);
    plan_dense("down", p + "output.dense", width, ff_);
    plan_norm("ffn_norm", p + "output.LayerNorm");
    plans.push_back(b.finish());
  }
  pooler_ = dense("pooler.dense", width, width);
  classifier_ = {w.exact("classifier.weight", labels.size(), width), w.vector("classifier.bias", labels.size())};
  w.ensure_all_taken();
  weight_bytes = w.bytes();
  feed = streaming.feed(std::move(plans));
  if (streaming.cuda() == nullptr) return make_positions(positions, places);
  runner = backend::run_deberta(*streaming.cuda(), *feed, {width, ff_, heads_, layers, static_cast<uint32_t>(labels.size()), static_cast<uint32_t>(places), context, eps_, c2p_, p2c_, embedding_, pooler_.weight, classifier_.weight, embedding_norm_.weight, embedding_norm_.bias, pooler_.bias, classifier_.bias, positions, [this](int64_t distance) { return static_cast<uint32_t>(bucket(distance)); }});
}

void Deberta::make_positions(const std::vector<float>& positions, size_t places) {
  const size_t ld = cpu::padded16(width);
  std::vector<float> projected(places * ld), given = positions;
  const auto project = [&](const DenseView& by) {
    cpu_->forget();
    apply(by, {given.data(), ld, places}, projected.data(), ld);
    std::vector<cpu::Matrix> heads;
    std::vector<float> one(places * head_width_);
    for (uint32_t h = 0; h < heads_; h++) {
      for (size_t i = 0; i < places; i++) std::copy_n(projected.data() + i * ld + h * head_width_, head_width_, one.data() + i * head_width_);
      const bool rounded = by.weight.pack == cpu::Pack::Q8Rows && head_width_ % cpu::kBlock == 0;
      heads.push_back(rounded ? cpu::pack_rounded_rows(one.data(), places, head_width_) : cpu::pack_floats(one.data(), places, head_width_));
    }
    return heads;
  };
  feed->begin();
  for (uint32_t i = 0; i < layers; i++) {
    const stream::HeldLayer held(*feed, i);
    const Layer b(stream::BoundLayer(held.plan(), held.blob()));
    Positions made;
    if (c2p_) made.key = project(b.k);
    if (p2c_) made.query = project(b.q);
    positions_.push_back(std::move(made));
  }
  cpu_->forget();
}

void Deberta::forward(std::vector<Pass>& passes) {
  if (runner) return runner->forward(passes);
  const size_t d = width, h = head_width_, ld = cpu::padded16(d), ldf = cpu::padded16(ff_), places = static_cast<size_t>(2 * span_), ldp = cpu::padded16(places);
  EncoderBatch batch(passes);
  size_t rows = batch.rows();
  std::vector<float> x(rows * ld), y(rows * ld), q(rows * ld), k(rows * ld), v(rows * ld), u(rows * ldf);
  const auto each_row = [&](size_t n, const auto& task) {
    cpu_->pool.run((n + 15) / 16, [&](size_t t) {
      for (size_t r = t * 16; r < std::min(n, t * 16 + 16); r++) task(r);
    });
  };
  for (const auto& part : batch.parts)
    for (size_t i = 0; i < part.rows; i++) {
      float* row = x.data() + (part.row + i) * ld;
      embedding_.row(static_cast<size_t>(part.pass->tokens[i]), row);
      cpu_->k.layer_norm(row, embedding_norm_.weight.data(), embedding_norm_.bias.data(), eps_, d, row);
    }
  size_t longest = 1;
  for (const auto& part : batch.parts) longest = std::max(longest, part.rows);
  std::vector<int32_t> places_of(2 * longest);  // by distance + longest
  for (size_t i = 1; i < 2 * longest; i++) places_of[i] = static_cast<int32_t>(bucket(static_cast<int64_t>(i) - static_cast<int64_t>(longest)));
  // Rows of a head times those positions alone that lie between two distances; places and distances rise together.
  const auto multiply = [&](const cpu::Matrix& m, const float* from, size_t n, int64_t nearest, int64_t farthest, float* to) {
    const auto panel = [&](int64_t distance) { return static_cast<size_t>(places_of[static_cast<size_t>(distance + static_cast<int64_t>(longest))]) / 16; };
    const size_t first = panel(nearest), end = panel(farthest) + 1;
    const cpu::Quantized x8 = m.pack == cpu::Pack::Q8Rows ? rounded_rows(cpu_->k, from, ld, n, h) : cpu::Quantized{};
    cpu_->k.gemm({m.pack, m.bytes.data() + first * m.panel_bytes(), m.panel_bytes(), end - first, h, from, ld, x8, n, to + first * 16, ldp, false});
  };
  const float scale = 1.0f / std::sqrt(static_cast<float>(h) * static_cast<float>(1 + c2p_ + p2c_));
  // Written anew in every layer where it is read, so that nothing has to be cleared.
  const auto p2c = std::make_unique_for_overwrite<float[]>(p2c_ ? heads_ * rows * ldp : 0);

  feed->begin();
  for (uint32_t layer = 0; layer < layers; layer++) {
    rows = batch.drop_cancelled({{&x, ld}});
    if (rows == 0) return;
    const stream::HeldLayer held(*feed, layer);
    const Layer b(stream::BoundLayer(held.plan(), held.blob()));
    const Positions& at = positions_[layer];
    struct KeyTile { size_t part, head, first, rows; };
    std::vector<KeyTile> key_tiles;
    for (size_t p = 0; p < batch.parts.size(); p++)
      for (size_t head = 0; head < heads_; head++)
        for (size_t first = 0; first < batch.parts[p].rows; first += kQueryTile) key_tiles.push_back({p, head, first, std::min(kQueryTile, batch.parts[p].rows - first)});
    cpu_->forget();
    apply(b.q, {x.data(), ld, rows}, q.data(), ld);
    apply(b.k, {x.data(), ld, rows}, k.data(), ld);
    apply(b.v, {x.data(), ld, rows}, v.data(), ld);
    // p2c of all keys of a part's head, (rows, places), made once for all its query tiles.
    cpu_->pool.run(p2c_ ? key_tiles.size() : 0, [&](size_t t) {
      const auto& [p, head, first, n] = key_tiles[t];
      const size_t row = batch.parts[p].row + first;
      const auto last = static_cast<int64_t>(batch.parts[p].rows) - 1;
      multiply(at.query[head], k.data() + row * ld + head * h, n, -static_cast<int64_t>(first + n - 1), last - static_cast<int64_t>(first), p2c.get() + (head * rows + row) * ldp);
    });
    const auto extra = [&](size_t p, size_t head, size_t first, size_t n, float* out, size_t ldo) {
      const auto& part = batch.parts[p];
      static thread_local std::vector<float> c2p;
      if (c2p_) {
        c2p.resize(n * ldp);
        multiply(at.key[head], q.data() + (part.row + first) * ld + head * h, n, static_cast<int64_t>(first) - static_cast<int64_t>(part.rows - 1), static_cast<int64_t>(first + n - 1), c2p.data());
      }
      for (size_t r = 0; r < n; r++)
        cpu_->k.relative(c2p_ ? c2p.data() + r * ldp : nullptr, p2c_ ? p2c.get() + (head * rows + part.row) * ldp : nullptr, ldp, places_of.data() + first + r + longest, part.rows, scale, out + r * ldo);
    };
    EncoderAttention job{q.data(), k.data(), v.data(), ld, heads_, h, scale, 0, y.data(), ld, {}};
    if (c2p_ || p2c_) job.extra = extra;
    encoder_attention(*cpu_, batch, job);
    cpu_->forget();
    apply(b.o, {y.data(), ld, rows}, q.data(), ld);
    each_row(rows, [&](size_t r) {
      cpu_->k.add(x.data() + r * ld, q.data() + r * ld, d);
      cpu_->k.layer_norm(x.data() + r * ld, b.attn.weight, b.attn.bias, eps_, d, x.data() + r * ld);
    });
    cpu_->forget();
    apply(b.up, {x.data(), ld, rows}, u.data(), ldf);
    each_row(rows, [&](size_t r) { cpu_->k.gelu_mul(u.data() + r * ldf, nullptr, ff_, u.data() + r * ldf); });
    cpu_->forget();
    apply(b.down, {u.data(), ldf, rows}, y.data(), ld);
    each_row(rows, [&](size_t r) {
      cpu_->k.add(x.data() + r * ld, y.data() + r * ld, d);
      cpu_->k.layer_norm(x.data() + r * ld, b.ffn.weight, b.ffn.bias, eps_, d, x.data() + r * ld);
    });
  }

  for (auto& part : batch.parts) {
    std::vector<float> pooled(ld);
    cpu_->forget();
    apply(pooler_, {x.data() + part.row * ld, ld, 1}, pooled.data(), ld);
    cpu_->k.gelu_mul(pooled.data(), nullptr, d, pooled.data());
    cpu_->forget();
    part.pass->output.assign(cpu::padded16(labels.size()), 0.0f);
    apply(classifier_, {pooled.data(), ld, 1}, part.pass->output.data(), part.pass->output.size());
    part.pass->output.resize(labels.size());
    cpu_->forget();
  }
}

}  // namespace

std::unique_ptr<Model> make_deberta(const Json& config, const TensorSource& source, std::unique_ptr<Tokenizer> tokenizer, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) {
  return std::make_unique<Deberta>(config, source, std::move(tokenizer), std::move(cpu), streaming);
}

}  // namespace guard
