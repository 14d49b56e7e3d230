#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/cuda-encoders.h"
#include "format/gguf.h"
#include "format/limits.h"
#include "model/attention.h"
#include "model/encoders.h"
#include "model/plan-layer.h"
#include "stream/panel-layout.h"

namespace guard {
namespace {

using Pooling = backend::CanaryParts::Pooling;

/// A layer where its blob lies now; the first has no norm before attention.
struct Layer {
  explicit Layer(const stream::BoundLayer& b)
      : attn_norm(b.vector("attn_norm")), ffn_norm(b.vector("ffn_norm")), qkv(b.matrix("qkv")), o(b.matrix("o")), up(b.matrix("up")), down(b.matrix("down")) {}
  const float *attn_norm, *ffn_norm;
  cpu::MatrixView qkv, o, up, down;
};

/// docs/reference/guard-model.md, step by step.
class Canary final : public Model {
 public:
  Canary(const Gguf& file, std::unique_ptr<Tokenizer> words, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) : cpu_(std::move(cpu)) {
    architecture = "canary-guard";
    encoder = sigmoid = true;
    tokenizer = std::move(words);
    vocabulary = static_cast<uint32_t>(tokenizer->vocab().size());
    settings(file);
    load(file.source(), streaming);
  }

  void forward(std::vector<Pass>& passes) override;
  std::vector<float> logits(const std::vector<float>& output, const std::vector<int32_t>&) override { return output; }
  std::unique_ptr<Kv> make_kv(size_t) const override { fail(GUARD_UNSUPPORTED, "An encoder keeps no keys and values."); }
  size_t kv_bytes(size_t tokens) const override { return runner ? runner->kv_bytes(tokens) : tokens * (12 * width + 4 * ff_) * sizeof(float); }

 private:
  void settings(const Gguf& file);
  void load(const TensorSource& source, stream::Streaming& streaming);
  int32_t control(const Gguf& file, const char* key);
  size_t judged_from(const Pass& pass) const;

  std::shared_ptr<cpu::Cpu> cpu_;
  uint32_t ff_ = 0, heads_ = 0, window_ = 0, global_every_ = 0;
  float eps_ = 0, base_ = 0, local_base_ = 0;
  Pooling pooling_ = Pooling::Cls;
  cpu::Matrix embedding_, dense_, output_;
  std::vector<float> embedding_norm_, output_norm_, head_norm_;
};

int32_t Canary::control(const Gguf& file, const char* key) {
  const auto id = static_cast<int32_t>(file.u32(std::string("canary-guard.") + key, 0, vocabulary - 1));
  if (tokenizer->vocab().types[id] != TokenType::Control) reject("canary-guard.%s names a token that is no control token.", key);
  return id;
}

void Canary::settings(const Gguf& file) {
  const auto u32 = [&](const char* key, uint32_t low, uint32_t high) { return file.u32(std::string("canary-guard.") + key, low, high); };
  if (file.text("tokenizer.ggml.model") != "gpt2") reject("canary-guard needs the tokenizer model gpt2.");
  u32("version", 1, 1);
  context = u32("context_length", 16, 8192);
  width = u32("embedding_length", 16, 4096);
  layers = u32("block_count", 1, 64);
  ff_ = u32("feed_forward_length", 16, 16384);
  heads_ = u32("attention.head_count", 1, limits::kHeads);
  if (width % heads_ != 0 || width / heads_ % 2 != 0 || width / heads_ > 256) reject("A width of %u cannot be divided among %u heads of an even width up to 256.", width, heads_);
  eps_ = file.f32("canary-guard.attention.layer_norm_epsilon");
  if (!(eps_ > 0) || eps_ > 0.1f) reject("The norm's epsilon is %g; it must be above 0 and at most 0.1.", static_cast<double>(eps_));
  window_ = u32("attention.sliding_window", 2, 8192);
  if (window_ % 2 != 0) reject("The sliding window is %u; it must be even.", window_);
  global_every_ = u32("attention.global_every", 1, 64);
  base_ = file.f32("canary-guard.rope.freq_base");
  local_base_ = file.f32("canary-guard.rope.freq_base_local");
  if (!(base_ > 0) || !(local_base_ > 0)) reject("A base of the rotary positions is not above 0.");
  const std::string_view pooling = file.text("canary-guard.pooling");
  if (pooling != "cls" && pooling != "mean" && pooling != "max") reject("The pooling %s is none of cls, mean and max.", shown(pooling).c_str());
  pooling_ = pooling == "max" ? Pooling::Max : pooling == "mean" ? Pooling::Mean : Pooling::Cls;
  for (const std::string_view label : file.texts("canary-guard.labels")) {
    if (label.empty() || label.size() > 64 || label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != label.npos) reject("The label %s is no name.", shown(label).c_str());
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) reject("The label %s stands twice.", shown(label).c_str());
    labels.emplace_back(label);
  }
  if (labels.empty() || labels.size() > 64) reject("The model has %zu labels; 1 to 64 are allowed.", labels.size());
  temperature = file.f32s("canary-guard.calibration.temperature", labels.size());
  bias = file.f32s("canary-guard.calibration.bias", labels.size());
  for (const float t : temperature)
    if (!(t > 0)) reject("A temperature is not above 0.");
  if (file.find("canary-guard.threshold") != nullptr)
    for (const float t : file.f32s("canary-guard.threshold", labels.size()))
      if (t < 0 || t > 1) reject("A threshold does not lie between 0 and 1.");
  cls = control(file, "cls_token_id");
  sep = control(file, "sep_token_id");
  roles[0] = control(file, "role.instruction_token_id");
  roles[1] = control(file, "role.call_token_id");
  roles[2] = control(file, "role.result_token_id");
  const int32_t five[] = {cls, sep, roles[0], roles[1], roles[2]};
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < i; j++)
      if (five[i] == five[j]) reject("Two of the five control tokens are the same.");
}

void Canary::load(const TensorSource& source, stream::Streaming& streaming) {
  Weights w(source);
  embedding_ = w.matrix("token_embd.weight", vocabulary, width);
  embedding_norm_ = w.vector("token_embd_norm.weight", width);
  std::vector<stream::LayerPlan> plans;
  for (uint32_t i = 0; i < layers; i++) {
    const std::string p = "blk." + std::to_string(i) + ".";
    PlanLayer b(w, streaming.layout());
    if (i > 0) b.vector("attn_norm", p + "attn_norm.weight", width);
    b.matrix("qkv", p + "attn_qkv.weight", 3ull * width, width);
    b.matrix("o", p + "attn_output.weight", width, width);
    b.vector("ffn_norm", p + "ffn_norm.weight", width);
    b.matrix("up", p + "ffn_up.weight", 2ull * ff_, width);
    b.matrix("down", p + "ffn_down.weight", width, ff_);
    plans.push_back(b.finish());
  }
  output_norm_ = w.vector("output_norm.weight", width);
  dense_ = w.matrix("cls.dense.weight", width, width);
  head_norm_ = w.vector("cls.norm.weight", width);
  output_ = w.exact("cls.output.weight", labels.size(), width);
  if (output_.pack != cpu::Pack::F32) reject("Tensor cls.output.weight must be F32.");
  w.ensure_all_taken();
  weight_bytes = w.bytes();
  feed = streaming.feed(std::move(plans));
  if (streaming.cuda() != nullptr)
    runner = backend::run_canary(*streaming.cuda(), *feed, {width, ff_, heads_, layers, static_cast<uint32_t>(labels.size()), window_, global_every_, context, eps_, base_, local_base_, pooling_, embedding_, dense_, output_, embedding_norm_, output_norm_, head_norm_, [this](const Pass& pass) { return judged_from(pass); }});
}

void Canary::forward(std::vector<Pass>& passes) {
  if (runner) return runner->forward(passes);
  const size_t d = width, h = d / heads_, ld = cpu::padded16(d), ld3 = cpu::padded16(3 * d), ldf = cpu::padded16(2 * ff_);
  EncoderBatch batch(passes);
  size_t rows = batch.rows();
  std::vector<float> x(rows * ld), y(rows * ld), qkv(rows * ld3), u(rows * ldf), global(rows * h), local(rows * h), gated(rows * cpu::padded16(ff_));
  const auto each_row = [&](size_t n, const auto& task) {
    cpu_->pool.run((n + 15) / 16, [&](size_t t) {
      for (size_t r = t * 16; r < std::min(n, t * 16 + 16); r++) task(r);
    });
  };
  for (const auto& part : batch.parts)
    for (size_t i = 0; i < part.rows; i++) {
      const size_t r = part.row + i;
      embedding_.row(static_cast<size_t>(part.pass->tokens[i]), y.data() + r * ld);
      cpu_->k.layer_norm(y.data() + r * ld, embedding_norm_.data(), nullptr, eps_, d, x.data() + r * ld);
      rope_table(global.data() + r * h, i, h, static_cast<double>(base_), nullptr, 1);
      rope_table(local.data() + r * h, i, h, static_cast<double>(local_base_), nullptr, 1);
    }

  feed->begin();
  for (uint32_t l = 0; l < layers; l++) {
    rows = batch.drop_cancelled({{&x, ld}, {&global, h}, {&local, h}});
    if (rows == 0) return;
    const stream::HeldLayer held(*feed, l);
    const Layer b(stream::BoundLayer(held.plan(), held.blob()));
    const bool everything = l % global_every_ == 0;
    const std::vector<float>& table = everything ? global : local;
    cpu_->forget();
    if (l == 0)
      std::copy_n(x.data(), rows * ld, y.data());
    else
      each_row(rows, [&](size_t r) { cpu_->k.layer_norm(x.data() + r * ld, b.attn_norm, nullptr, eps_, d, y.data() + r * ld); });
    cpu_->linear(b.qkv, {y.data(), ld, rows}, qkv.data(), ld3);
    each_row(rows, [&](size_t r) {
      for (size_t head = 0; head < 2 * heads_; head++) rope(qkv.data() + r * ld3 + head * h, table.data() + r * h, h, true);
    });
    encoder_attention(*cpu_, batch, {qkv.data(), qkv.data() + d, qkv.data() + 2 * d, ld3, heads_, h, 1.0f / std::sqrt(static_cast<float>(h)), everything ? 0 : window_ / 2, y.data(), ld, {}});
    cpu_->forget();
    cpu_->linear(b.o, {y.data(), ld, rows}, qkv.data(), ld);
    each_row(rows, [&](size_t r) {
      cpu_->k.add(x.data() + r * ld, qkv.data() + r * ld, d);
      cpu_->k.layer_norm(x.data() + r * ld, b.ffn_norm, nullptr, eps_, d, y.data() + r * ld);
    });
    cpu_->forget();
    cpu_->linear(b.up, {y.data(), ld, rows}, u.data(), ldf);
    const size_t ldg = cpu::padded16(ff_);
    each_row(rows, [&](size_t r) { cpu_->k.gelu_mul(u.data() + r * ldf, u.data() + r * ldf + ff_, ff_, gated.data() + r * ldg); });
    cpu_->forget();
    cpu_->linear(b.down, {gated.data(), ldg, rows}, y.data(), ld);
    each_row(rows, [&](size_t r) { cpu_->k.add(x.data() + r * ld, y.data() + r * ld, d); });
  }

  const size_t ldz = cpu::padded16(labels.size());
  for (auto& part : batch.parts) {
    const size_t from = pooling_ == Pooling::Max ? judged_from(*part.pass) : 0;
    const size_t read = pooling_ == Pooling::Cls ? 1 : part.rows - from, judged = pooling_ == Pooling::Max ? read : 1;
    std::vector<float> line(read * ld), head(judged * ld), z(judged * ldz);
    each_row(read, [&](size_t r) { cpu_->k.layer_norm(x.data() + (part.row + from + r) * ld, output_norm_.data(), nullptr, eps_, d, line.data() + r * ld); });
    if (pooling_ == Pooling::Mean) {
      for (size_t r = 1; r < read; r++) cpu_->k.add(line.data(), line.data() + r * ld, d);
      for (size_t i = 0; i < d; i++) line[i] /= static_cast<float>(read);
    }
    cpu_->forget();
    cpu_->linear(dense_, {line.data(), ld, judged}, head.data(), ld);
    each_row(judged, [&](size_t r) {
      cpu_->k.gelu_mul(head.data() + r * ld, nullptr, d, head.data() + r * ld);
      cpu_->k.layer_norm(head.data() + r * ld, head_norm_.data(), nullptr, eps_, d, line.data() + r * ld);
    });
    cpu_->forget();
    cpu_->linear(output_, {line.data(), ld, judged}, z.data(), ldz);
    cpu_->forget();
    part.pass->output.assign(z.begin(), z.begin() + static_cast<ptrdiff_t>(labels.size()));
    for (size_t r = 1; r < judged; r++)
      for (size_t label = 0; label < labels.size(); label++) part.pass->output[label] = std::max(part.pass->output[label], z[r * ldz + label]);
  }
}

/// Where the last segment begins, at its role's token; no text can make one.
size_t Canary::judged_from(const Pass& pass) const {
  for (size_t i = pass.n; i-- > 0;)
    if (std::find(std::begin(roles), std::end(roles), pass.tokens[i]) != std::end(roles)) return i;
  return 0;
}

}  // namespace

std::unique_ptr<Model> make_canary(const Gguf& file, std::unique_ptr<Tokenizer> tokenizer, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming) {
  return std::make_unique<Canary>(file, std::move(tokenizer), std::move(cpu), streaming);
}

}  // namespace guard
