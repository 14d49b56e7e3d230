#include <cmath>

#include "backend/cuda-encoders.h"
#include "backend/pass-runner.h"

namespace guard::backend {
namespace {

uint32_t pitch(size_t n) { return static_cast<uint32_t>(cpu::padded16(n)); }
DeviceBytes copied(CudaDevice& device, const std::vector<float>& v) { return copied(device, v.data(), v.size() * sizeof(float)); }

/// DeBERTa-v2 and v3 as src/model/deberta.cc computes them.
class CudaDeberta final : public PassRunner {
 public:
  CudaDeberta(CudaDevice& device, stream::LayerFeed& feed, const DebertaParts& p)
      : PassRunner(device, feed, pitch(p.labels)), p_(p), ld_(pitch(p.width)), ldf_(pitch(p.ff)), ldp_(pitch(p.places)), embedding_(device, p.embedding), pooler_(device, p.pooler),
        classifier_(device, p.classifier), embedding_norm_(copied(device, p.embedding_norm)), embedding_norm_bias_(copied(device, p.embedding_norm_bias)), pooler_bias_(copied(device, p.pooler_bias)),
        classifier_bias_(copied(device, p.classifier_bias)), places_(place_table(p)), x_(device, ld_ * 4), y_(device, ld_ * 4), q_(device, ld_ * 4), k_(device, ld_ * 4), v_(device, ld_ * 4),
        u_(device, ldf_ * 4), by_query_(device, size_t{p.heads} * ldp_ * 4), by_key_(device, size_t{p.heads} * ldp_ * 4), pooled_(device, ld_ * 4), head_(device, ld_ * 4), x8_(device, p.width),
        y8_(device, p.width), u8_(device, p.ff), pooled8_(device, p.width) {
    project(p);
  }

  size_t kv_bytes(size_t tokens) const override { return tokens * (10 * p_.width + 2 * p_.ff + (p_.by_query + p_.by_key) * p_.heads * ldp_) * sizeof(float); }

 private:
  struct Settings {
    explicit Settings(const DebertaParts& p)
        : width(p.width), ff(p.ff), heads(p.heads), layers(p.layers), labels(p.labels), places(p.places), context(p.context), eps(p.eps), by_query(p.by_query), by_key(p.by_key) {}
    uint32_t width, ff, heads, layers, labels, places, context;
    float eps;
    bool by_query, by_key;
  };
  /// A layer's position keys and queries: for each head a matrix (places, head width).
  struct Positions {
    DeviceBytes key, query;
  };

  uint32_t head_width() const { return p_.width / p_.heads; }
  size_t head_matrix_bytes() const { return cpu::padded16(p_.places) / 16 * head_width() * cpu::unit_bytes(cpu::Pack::F32); }

  DeviceBytes place_table(const DebertaParts& p) {
    std::vector<int32_t> table(2 * p.context + 1);
    for (size_t i = 0; i < table.size(); i++) table[i] = static_cast<int32_t>(p.place(static_cast<int64_t>(i) - static_cast<int64_t>(p.context)));
    return copied(device_, table.data(), table.size() * sizeof(int32_t));
  }

  /// The position projections do not depend on the text: they are made here, once, through each layer's own weights.
  void project(const DebertaParts& p) {
    const std::vector<int32_t> one = {static_cast<int32_t>(p.places), 0, 0, 0};
    const DeviceBytes count = copied(device_, one.data(), sizeof(int32_t) * one.size());
    const guard_cuda_count rows{count.as<int32_t>(), p.places};
    const DeviceBytes given = copied(device_, p.positions), made(device_, size_t{p.places} * ld_ * 4);
    Int8Buffer rounded(device_, p.width);
    rounded.fit(p.places);
    const PinnedBytes back(device_, size_t{p.places} * ld_ * 4);
    const Operand x{given.as<float>(), ld_, rounded.here()};
    const auto through = [&](const stream::BoundLayer& b, const std::string& role) {
      const cpu::MatrixView matrix = b.matrix(role);
      steps_.round(x, matrix, rows);
      steps_.multiply(x, {{matrix, made.as<float>(), ld_, b.vector(role + "_bias")}}, rows);
      device_.check(device_.api()->take(device_.handle(), back.as<void>(), made.as<void>(), back.size()));
      device_.wait(device_.compute_mark());
      const size_t h = head_width();
      std::vector<float> head(size_t{p.places} * h);
      std::vector<uint8_t> packed;
      for (uint32_t n = 0; n < p.heads; n++) {
        for (size_t i = 0; i < p.places; i++) std::copy_n(back.as<float>() + i * ld_ + n * h, h, head.data() + i * h);
        const cpu::Matrix matrix_of_head = cpu::pack_floats(head.data(), p.places, h);
        packed.insert(packed.end(), matrix_of_head.bytes.data(), matrix_of_head.bytes.data() + head_matrix_bytes());
      }
      return backend::copied(device_, packed.data(), packed.size());
    };
    feed_.begin();
    for (uint32_t i = 0; i < p.layers; i++) {
      const stream::HeldLayer held(feed_, i);
      const stream::BoundLayer b(held.plan(), held.blob());
      Positions of;
      if (p.by_query) of.key = through(b, "k");
      if (p.by_key) of.query = through(b, "q");
      positions_.push_back(std::move(of));
    }
  }

  bool fit(const BatchSize& size) override {
    bool moved = false;
    for (RowBuffer* buffer : {&x_, &y_, &q_, &k_, &v_, &u_}) moved |= buffer->fit(size.rows);
    if (p_.by_query) moved |= by_query_.fit(size.rows);
    if (p_.by_key) moved |= by_key_.fit(size.rows);
    for (RowBuffer* buffer : {&pooled_, &head_}) moved |= buffer->fit(size.parts);
    for (Int8Buffer* buffer : {&x8_, &y8_, &u8_}) moved |= buffer->fit(size.rows);
    moved |= pooled8_.fit(size.parts);
    return fit_scratch(p_.heads, head_width(), size) || moved;
  }

  void norm(const float* weight, const float* bias, const guard_cuda_int8& int8) const {
    guard_cuda_norm step{};
    step.x = step.y = x_.as<float>();
    step.weight = weight;
    step.bias = bias;
    step.int8 = int8;
    step.eps = p_.eps;
    step.centred = 1;
    step.n = p_.width;
    step.ldx = step.ldy = ld_;
    step.rows = batch_.rows();
    steps_.norm(step);
  }

  void compute() override {
    guard_cuda_embed embed{};
    embed.table = on_device(embedding_.view);
    embed.ids = batch_.ids();
    embed.rows = batch_.rows();
    embed.x = x_.as<float>();
    embed.ld = ld_;
    steps_.embed(embed);
    norm(embedding_norm_.as<float>(), embedding_norm_bias_.as<float>(), {});
    for (uint32_t layer = 0; layer < p_.layers; layer++) {
      if (everybody_left()) throw EverybodyLeft{};
      const stream::HeldLayer held(feed_, layer);
      compute_layer(positions_[layer], stream::BoundLayer(held.plan(), held.blob()));
    }
    compute_head();
  }

  /// Products of every head's columns of `x` with that head's positions: (head, row, places).
  void score_positions(const float* x, const DeviceBytes& matrices, float* to) const {
    const uint32_t h = head_width();
    guard_cuda_linear step{};
    step.matrix[0] = {static_cast<int32_t>(cpu::Pack::F32), p_.places, h, matrices.as<void>()};
    step.y[0] = to;
    step.ldy[0] = ldp_;
    step.matrices = 1;
    step.x = x;
    step.ldx = ld_;
    step.times = p_.heads;
    step.x_apart = h * sizeof(float);
    step.matrix_apart = head_matrix_bytes();
    step.y_apart = uint64_t{batch_.size().rows} * ldp_ * sizeof(float);
    step.rows = batch_.rows();
    steps_.linear(step);
  }

  void compute_layer(const Positions& at, const stream::BoundLayer& b) {
    const cpu::MatrixView q = b.matrix("q"), k = b.matrix("k"), v = b.matrix("v"), o = b.matrix("o"), up = b.matrix("up"), down = b.matrix("down");
    const Operand x{x_.as<float>(), ld_, x8_.here()}, y{y_.as<float>(), ld_, y8_.here()}, u{u_.as<float>(), ldf_, u8_.here()};
    const guard_cuda_count rows = batch_.rows();
    const uint32_t h = head_width();
    for (const cpu::MatrixView* m : {&q, &k, &v})
      if (cpu::is_integer(m->pack)) {
        steps_.round(x, *m, rows);
        break;
      }
    steps_.multiply(x, {{q, q_.as<float>(), ld_, b.vector("q_bias")}, {k, k_.as<float>(), ld_, b.vector("k_bias")}, {v, v_.as<float>(), ld_, b.vector("v_bias")}}, rows);
    if (p_.by_query) score_positions(q_.as<float>(), at.key, by_query_.as<float>());
    if (p_.by_key) score_positions(k_.as<float>(), at.query, by_key_.as<float>());

    guard_cuda_attend look{};
    look.q = q_.as<float>();
    look.k = k_.as<float>();
    look.v = v_.as<float>();
    look.ldq = look.ldk = look.ldv = ld_;
    look.heads = look.kv_heads = p_.heads;
    look.width = h;
    look.scale = 1.0f / std::sqrt(static_cast<float>(h) * static_cast<float>(1 + p_.by_query + p_.by_key));
    look.parts = batch_.part_list();
    look.tiles = batch_.tile_list();
    look.n_tiles = batch_.tiles();
    look.pages = batch_.pages();
    look.out = y.x;
    look.ldo = ld_;
    look.most_keys = batch_.size().keys;
    look.scratch = scratch(h);
    if (p_.by_query || p_.by_key) look.places = places_.as<int32_t>();
    look.by_query = p_.by_query ? by_query_.as<float>() : nullptr;
    look.by_key = p_.by_key ? by_key_.as<float>() : nullptr;
    look.head_apart = uint64_t{batch_.size().rows} * ldp_;
    look.ldp = ldp_;
    look.middle = static_cast<int32_t>(p_.context);
    steps_.attend(look);

    steps_.round(y, o, rows);
    steps_.multiply(y, {{o, x.x, ld_, b.vector("o_bias")}}, rows, true);
    norm(b.vector("attn_norm"), b.vector("attn_norm_bias"), x.int8_for({&up}));
    steps_.multiply(x, {{up, u.x, ldf_, b.vector("up_bias")}}, rows);
    guard_cuda_activate act{};
    act.x = u.x;
    act.ldx = act.ldy = ldf_;
    act.n = p_.ff;
    act.gelu = 1;
    act.y = u.floats_for({&down});
    act.int8 = u.int8_for({&down});
    act.rows = rows;
    steps_.activate(act);
    steps_.multiply(u, {{down, x.x, ld_, b.vector("down_bias")}}, rows, true);
    norm(b.vector("ffn_norm"), b.vector("ffn_norm_bias"), {});
  }

  void compute_head() {
    const guard_cuda_count parts = batch_.parts();
    const Operand pooled{pooled_.as<float>(), ld_, pooled8_.here()};
    const Operand head{head_.as<float>(), ld_, {}};
    guard_cuda_norm first{};
    first.x = x_.as<float>();
    first.from = batch_.first_rows();
    first.y = pooled.x;
    first.int8 = pooled.int8_for({&pooler_.view});
    first.n = p_.width;
    first.ldx = first.ldy = ld_;
    first.rows = parts;
    steps_.norm(first);
    steps_.multiply(pooled, {{pooler_.view, head.x, ld_, pooler_bias_.as<float>()}}, parts);
    guard_cuda_activate act{};
    act.x = act.y = head.x;
    act.ldx = act.ldy = ld_;
    act.n = p_.width;
    act.gelu = 1;
    act.rows = parts;
    steps_.activate(act);
    steps_.multiply(head, {{classifier_.view, output(), pitch(p_.labels), classifier_bias_.as<float>()}}, parts, false, true);
  }

  void settle(std::vector<Pass>&) override {}
  std::vector<float> answer(const float* row) const override { return {row, row + p_.labels}; }

  const Settings p_;
  const uint32_t ld_, ldf_, ldp_;
  const CopiedMatrix embedding_, pooler_, classifier_;
  const DeviceBytes embedding_norm_, embedding_norm_bias_, pooler_bias_, classifier_bias_, places_;
  std::vector<Positions> positions_;
  RowBuffer x_, y_, q_, k_, v_, u_, by_query_, by_key_, pooled_, head_;
  Int8Buffer x8_, y8_, u8_, pooled8_;
};

}  // namespace

std::unique_ptr<Runner> run_deberta(CudaDevice& device, stream::LayerFeed& feed, const DebertaParts& parts) { return std::make_unique<CudaDeberta>(device, feed, parts); }

}  // namespace guard::backend
