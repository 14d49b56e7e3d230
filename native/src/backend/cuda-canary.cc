#include <cmath>

#include "backend/cuda-encoders.h"
#include "backend/pass-runner.h"
#include "model/attention.h"

namespace guard::backend {
namespace {

uint32_t pitch(size_t n) { return static_cast<uint32_t>(cpu::padded16(n)); }
DeviceBytes copied(CudaDevice& device, const std::vector<float>& v) { return copied(device, v.data(), v.size() * sizeof(float)); }

/// docs/reference/guard-model.md, as src/model/canary.cc computes it.
class CudaCanary final : public PassRunner {
 public:
  CudaCanary(CudaDevice& device, stream::LayerFeed& feed, const CanaryParts& p)
      : PassRunner(device, feed, pitch(p.labels)), p_(p), ld_(pitch(p.width)), ld3_(pitch(3 * p.width)), ldf_(pitch(2 * p.ff)), ldg_(pitch(p.ff)), embedding_(device, p.embedding), dense_(device, p.dense),
        output_matrix_(device, p.output), embedding_norm_(copied(device, p.embedding_norm)), output_norm_(copied(device, p.output_norm)), head_norm_(copied(device, p.head_norm)),
        global_(angles(p.base)), local_(angles(p.local_base)), x_(device, ld_ * 4), y_(device, ld_ * 4), qkv_(device, ld3_ * 4), u_(device, ldf_ * 4), gated_(device, ldg_ * 4), pooled_(device, ld_ * 4),
        head_(device, ld_ * 4), z_(device, pitch(p.labels) * 4), y8_(device, p.width), gated8_(device, p.ff), pooled8_(device, p.width) {
    if (p.pooling == CanaryParts::Pooling::Max) mark_ = [from = p.judged_from](const Pass& pass) { return static_cast<int32_t>(from(pass)); };
  }

  size_t kv_bytes(size_t tokens) const override { return tokens * (12 * p_.width + 4 * p_.ff) * sizeof(float); }

 private:
  /// Settings and no references: the host's weights may go.
  struct Settings {
    explicit Settings(const CanaryParts& p)
        : width(p.width), ff(p.ff), heads(p.heads), layers(p.layers), labels(p.labels), window(p.window), global_every(p.global_every), context(p.context), eps(p.eps), pooling(p.pooling) {}
    uint32_t width, ff, heads, layers, labels, window, global_every, context;
    float eps;
    CanaryParts::Pooling pooling;
  };

  DeviceBytes angles(float base) {
    const size_t h = p_.width / p_.heads;
    std::vector<float> table(p_.context * h);
    for (size_t i = 0; i < p_.context; i++) rope_table(table.data() + i * h, i, h, static_cast<double>(base), nullptr, 1);
    return copied(device_, table);
  }

  bool fit(const BatchSize& size) override {
    bool moved = false;
    for (RowBuffer* buffer : {&x_, &y_, &qkv_, &u_, &gated_}) moved |= buffer->fit(size.rows);
    for (RowBuffer* buffer : {&pooled_, &head_}) moved |= buffer->fit(size.parts);
    if (p_.pooling == CanaryParts::Pooling::Max) moved |= z_.fit(size.rows);
    for (Int8Buffer* buffer : {&y8_, &gated8_}) moved |= buffer->fit(size.rows);
    moved |= pooled8_.fit(size.parts);
    return fit_scratch(p_.heads, p_.width / p_.heads, size) || moved;
  }

  guard_cuda_norm norm(const float* weight, const float* x, float* y, const guard_cuda_count& rows) const {
    guard_cuda_norm step{};
    step.x = x;
    step.weight = weight;
    step.y = y;
    step.eps = p_.eps;
    step.centred = 1;
    step.n = p_.width;
    step.ldx = step.ldy = ld_;
    step.rows = rows;
    return step;
  }

  void compute() override {
    guard_cuda_embed embed{};
    embed.table = on_device(embedding_.view);
    embed.ids = batch_.ids();
    embed.rows = batch_.rows();
    embed.x = y_.as<float>();
    embed.ld = ld_;
    steps_.embed(embed);
    steps_.norm(norm(embedding_norm_.as<float>(), y_.as<float>(), x_.as<float>(), batch_.rows()));
    for (uint32_t layer = 0; layer < p_.layers; layer++) {
      if (everybody_left()) throw EverybodyLeft{};
      const stream::HeldLayer held(feed_, layer);
      compute_layer(layer, stream::BoundLayer(held.plan(), held.blob()));
    }
    compute_head();
  }

  void compute_layer(uint32_t layer, const stream::BoundLayer& b) {
    const cpu::MatrixView qkv = b.matrix("qkv"), o = b.matrix("o"), up = b.matrix("up"), down = b.matrix("down");
    const Operand y{y_.as<float>(), ld_, y8_.here()}, gated{gated_.as<float>(), ldg_, gated8_.here()};
    const guard_cuda_count rows = batch_.rows();
    const uint32_t d = p_.width, h = d / p_.heads;
    const bool everything = layer % p_.global_every == 0;
    // The first layer has no norm of its own: the embeddings' was just before.
    guard_cuda_norm before = norm(b.vector("attn_norm"), x_.as<float>(), y.floats_for({&qkv}), rows);
    before.int8 = y.int8_for({&qkv});
    steps_.norm(before);
    steps_.multiply(y, {{qkv, qkv_.as<float>(), ld3_}}, rows);

    guard_cuda_rotate turn{};
    turn.q = qkv_.as<float>();
    turn.k = turn.q + d;
    turn.v = turn.q + 2 * d;
    turn.ldq = turn.ldk = turn.ldv = ld3_;
    turn.heads = turn.kv_heads = p_.heads;
    turn.width = turn.rotated = h;
    turn.half_split = 1;
    turn.table = (everything ? global_ : local_).as<float>();
    turn.position = batch_.positions();
    turn.rows = rows;
    steps_.rotate(turn);

    guard_cuda_attend look{};
    look.q = turn.q;
    look.k = turn.k;
    look.v = turn.v;
    look.ldq = look.ldk = look.ldv = ld3_;
    look.heads = look.kv_heads = p_.heads;
    look.width = h;
    look.scale = 1.0f / std::sqrt(static_cast<float>(h));
    look.reach = everything ? 0 : p_.window / 2;
    look.parts = batch_.part_list();
    look.tiles = batch_.tile_list();
    look.n_tiles = batch_.tiles();
    look.pages = batch_.pages();
    look.out = y.x;
    look.ldo = ld_;
    look.most_keys = batch_.size().keys;
    look.scratch = scratch(h);
    steps_.attend(look);
    steps_.round(y, o, rows);
    steps_.multiply(y, {{o, x_.as<float>(), ld_}}, rows, true);

    guard_cuda_norm after = norm(b.vector("ffn_norm"), x_.as<float>(), y.floats_for({&up}), rows);
    after.int8 = y.int8_for({&up});
    steps_.norm(after);
    steps_.multiply(y, {{up, u_.as<float>(), ldf_}}, rows);
    guard_cuda_activate act{};
    act.x = u_.as<float>();
    act.gate = act.x + p_.ff;
    act.ldx = act.ldg = ldf_;
    act.ldy = ldg_;
    act.n = p_.ff;
    act.gelu = 1;
    act.y = gated.floats_for({&down});
    act.int8 = gated.int8_for({&down});
    act.rows = rows;
    steps_.activate(act);
    steps_.multiply(gated, {{down, x_.as<float>(), ld_}}, rows, true);
  }

  void compute_head() {
    const guard_cuda_count parts = batch_.parts();
    const Operand pooled{pooled_.as<float>(), ld_, pooled8_.here()};
    guard_cuda_pool pool{};
    pool.parts = batch_.part_list();
    pool.n_parts = parts;
    if (p_.pooling == CanaryParts::Pooling::Cls) {
      guard_cuda_norm first = norm(output_norm_.as<float>(), x_.as<float>(), pooled.x, parts);
      first.from = batch_.first_rows();
      steps_.norm(first);
      return classify(pooled, head_.as<float>(), output(), parts);
    }
    steps_.norm(norm(output_norm_.as<float>(), x_.as<float>(), y_.as<float>(), batch_.rows()));
    if (p_.pooling == CanaryParts::Pooling::Mean) {
      pool.x = y_.as<float>();
      pool.y = pooled.x;
      pool.ldx = pool.ldy = ld_;
      pool.n = p_.width;
      steps_.pool(pool);
      return classify(pooled, head_.as<float>(), output(), parts);
    }
    // Each token is judged, also those before the last segment: they are few, and their judgements are passed over.
    classify({y_.as<float>(), ld_, y8_.here()}, x_.as<float>(), z_.as<float>(), batch_.rows());
    pool.highest = 1;
    pool.from = batch_.marks();
    pool.x = z_.as<float>();
    pool.y = output();
    pool.ldx = pool.ldy = pitch(p_.labels);
    pool.n = p_.labels;
    steps_.pool(pool);
  }

  /// The head: rows of `x` to their labels' logits. `room` holds rows between.
  void classify(const Operand& x, float* room, float* logits, const guard_cuda_count& rows) const {
    steps_.round(x, dense_.view, rows);
    steps_.multiply(x, {{dense_.view, room, ld_}}, rows);
    guard_cuda_activate act{};
    act.x = act.y = room;
    act.ldx = act.ldy = ld_;
    act.n = p_.width;
    act.gelu = 1;
    act.rows = rows;
    steps_.activate(act);
    steps_.norm(norm(head_norm_.as<float>(), room, x.x, rows));
    steps_.multiply({x.x, ld_, {}}, {{output_matrix_.view, logits, pitch(p_.labels)}}, rows, false, true);
  }

  void settle(std::vector<Pass>&) override {}
  std::vector<float> answer(const float* row) const override { return {row, row + p_.labels}; }

  const Settings p_;
  const uint32_t ld_, ld3_, ldf_, ldg_;
  const CopiedMatrix embedding_, dense_, output_matrix_;
  const DeviceBytes embedding_norm_, output_norm_, head_norm_, global_, local_;
  RowBuffer x_, y_, qkv_, u_, gated_, pooled_, head_, z_;
  Int8Buffer y8_, gated8_, pooled8_;
};

}  // namespace

std::unique_ptr<Runner> run_canary(CudaDevice& device, stream::LayerFeed& feed, const CanaryParts& parts) { return std::make_unique<CudaCanary>(device, feed, parts); }

}  // namespace guard::backend
