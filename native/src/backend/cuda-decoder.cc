#include "backend/cuda-decoder.h"

#include <algorithm>

#include "backend/pages.h"
#include "backend/pass-runner.h"
#include "base/fail.h"
#include "model/attention.h"

namespace guard::backend {
namespace {

using cpu::padded16;

/// Llama, Qwen2 and Qwen3 as src/model/decoder.cc computes them, step by step on the device.
class CudaDecoder final : public PassRunner {
 public:
  CudaDecoder(CudaDevice& device, stream::LayerFeed& feed, const DecoderConfig& config, const cpu::MatrixView& embedding, const std::vector<float>& output_norm)
      : PassRunner(device, feed, config.width), c_(config), embedding_(device, embedding), output_norm_(copied(device, output_norm.data(), output_norm.size() * sizeof(float))),
        pages_(std::make_shared<Pages>(device, page_bytes())), ld_(pitch(c_.width)), ldq_(pitch(c_.heads * c_.head_width)), ldkv_(pitch(c_.kv_heads * c_.head_width)), ldf_(pitch(c_.ff)),
        x_(device, ld_ * 4), y_(device, ld_ * 4), q_(device, ldq_ * 4), k_(device, ldkv_ * 4), v_(device, ldkv_ * 4), mixed_(device, ldq_ * 4), gate_(device, ldf_ * 4), up_(device, ldf_ * 4),
        chosen_(device, ld_ * 4), y8_(device, c_.width), mixed8_(device, c_.heads * c_.head_width), gate8_(device, c_.ff) {
    if (c_.head_width > 256) fail(GUARD_UNSUPPORTED, "A head is %u wide; the CUDA kernels take up to 256.", c_.head_width);
  }

  ~CudaDecoder() override { pages_->close(); }

  std::unique_ptr<Kv> make_kv(size_t tokens) override { return std::make_unique<PagedKv>(pages_, tokens); }
  size_t kv_bytes(size_t tokens) const override { return Pages::count_for(tokens) * page_bytes(); }

 private:
  static uint32_t pitch(size_t n) { return static_cast<uint32_t>(padded16(n)); }
  /// Of one layer in a page: keys of all heads, then values.
  uint64_t layer_bytes() const { return 2ull * c_.kv_heads * GUARD_CUDA_PAGE * c_.head_width * sizeof(float); }
  size_t page_bytes() const { return c_.layers * layer_bytes(); }

  bool fit(const BatchSize& size) override {
    bool moved = fit_table(size.keys);
    for (RowBuffer* buffer : {&x_, &y_, &q_, &k_, &v_, &mixed_, &gate_, &up_}) moved |= buffer->fit(size.rows);
    moved |= chosen_.fit(size.parts);
    for (Int8Buffer* buffer : {&y8_, &mixed8_, &gate8_}) moved |= buffer->fit(size.rows);
    return fit_scratch(c_.heads, c_.head_width, size) || moved;
  }

  /// Angles of all positions below `count`, made by the host as for the CPU's kernels.
  bool fit_table(size_t count) {
    if (positions_ >= count) return false;
    positions_ = count;
    std::vector<float> table(count * c_.rotated);
    for (size_t p = 0; p < count; p++) rope_table(table.data() + p * c_.rotated, p, c_.rotated, c_.rope_base, c_.rope_factors.empty() ? nullptr : c_.rope_factors.data(), c_.rope_scale);
    table_ = DeviceBytes();
    table_ = copied(device_, table.data(), table.size() * sizeof(float));
    return true;
  }

  void norm(const float* weight, const float* x, const Operand& to, std::initializer_list<const cpu::MatrixView*> readers, const guard_cuda_count& rows, const int32_t* from) const {
    guard_cuda_norm step{};
    step.x = x;
    step.weight = weight;
    step.from = from;
    step.y = readers.size() == 0 ? to.x : to.floats_for(readers);
    step.int8 = to.int8_for(readers);
    step.eps = c_.eps;
    step.n = c_.width;
    step.ldx = ld_;
    step.ldy = to.ld;
    step.rows = rows;
    steps_.norm(step);
  }

  guard_cuda_rotate rotation(const guard_cuda_count& rows, const int32_t* positions) const {
    guard_cuda_rotate step{};
    step.ldq = ldq_;
    step.ldk = step.ldv = ldkv_;
    step.heads = c_.heads;
    step.kv_heads = c_.kv_heads;
    step.width = c_.head_width;
    step.rotated = c_.rotated;
    step.eps = c_.eps;
    step.half_split = c_.half_split;
    step.table = table_.as<float>();
    step.position = positions;
    step.rows = rows;
    return step;
  }

  void compute() override {
    guard_cuda_embed embed{};
    embed.table = on_device(embedding_.view);
    embed.ids = batch_.ids();
    embed.rows = batch_.rows();
    embed.x = x_.as<float>();
    embed.ld = ld_;
    steps_.embed(embed);
    for (size_t layer = 0; layer < c_.layers; layer++) {
      if (everybody_left()) throw EverybodyLeft{};
      const stream::HeldLayer held(feed_, layer);
      compute_layer(layer, stream::BoundLayer(held.plan(), held.blob()));
    }
    norm(output_norm_.as<float>(), chosen_.as<float>(), {output(), static_cast<uint32_t>(c_.width), {}}, {}, batch_.wanted(), nullptr);
  }

  void compute_layer(size_t layer, const stream::BoundLayer& b) {
    const cpu::MatrixView q = b.matrix("q"), k = b.matrix("k"), v = b.matrix("v"), o = b.matrix("o"), gate = b.matrix("gate"), up = b.matrix("up"), down = b.matrix("down");
    const Operand y{y_.as<float>(), ld_, y8_.here()}, mixed{mixed_.as<float>(), ldq_, mixed8_.here()}, active{gate_.as<float>(), ldf_, gate8_.here()};
    const bool last = layer + 1 == c_.layers;
    norm(b.vector("attn_norm"), x_.as<float>(), y, {&q, &k, &v}, batch_.rows(), nullptr);
    guard_cuda_rotate turn = rotation(batch_.rows(), batch_.positions());
    turn.k = k_.as<float>();
    turn.v = v_.as<float>();
    turn.k_bias = b.vector("k_bias");
    turn.v_bias = b.vector("v_bias");
    turn.k_norm = b.vector("k_norm");
    turn.page = batch_.row_pages();
    turn.slot = batch_.slots();
    turn.page_offset = layer * layer_bytes();
    if (last) {
      steps_.multiply(y, {{k, k_.as<float>(), ldkv_}, {v, v_.as<float>(), ldkv_}}, batch_.rows());
    } else {
      steps_.multiply(y, {{q, q_.as<float>(), ldq_}, {k, k_.as<float>(), ldkv_}, {v, v_.as<float>(), ldkv_}}, batch_.rows());
      turn.q = q_.as<float>();
      turn.q_bias = b.vector("q_bias");
      turn.q_norm = b.vector("q_norm");
    }
    steps_.rotate(turn);

    // After the last layer's keys and values, only the rows that are asked for go on.
    guard_cuda_count rows = batch_.rows();
    float* x = x_.as<float>();
    if (last) {
      rows = batch_.wanted();
      x = chosen_.as<float>();
      guard_cuda_norm pick{};
      pick.x = x_.as<float>();
      pick.from = batch_.wanted_rows();
      pick.y = x;
      pick.n = c_.width;
      pick.ldx = pick.ldy = ld_;
      pick.rows = rows;
      steps_.norm(pick);
      norm(b.vector("attn_norm"), x, y, {&q}, rows, nullptr);
      steps_.multiply(y, {{q, q_.as<float>(), ldq_}}, rows);
      guard_cuda_rotate queries = rotation(rows, batch_.wanted_positions());
      queries.q = q_.as<float>();
      queries.q_bias = b.vector("q_bias");
      queries.q_norm = b.vector("q_norm");
      steps_.rotate(queries);
    }

    guard_cuda_attend look{};
    look.q = q_.as<float>();
    look.k = k_.as<float>();
    look.v = v_.as<float>();
    look.ldq = ldq_;
    look.ldk = look.ldv = ldkv_;
    look.heads = c_.heads;
    look.kv_heads = c_.kv_heads;
    look.width = c_.head_width;
    look.scale = 1.0f / __builtin_sqrtf(static_cast<float>(c_.head_width));
    look.causal = 1;
    look.parts = last ? batch_.wanted_parts() : batch_.part_list();
    look.tiles = last ? batch_.wanted_tiles() : batch_.tile_list();
    look.n_tiles = last ? batch_.wanted() : batch_.tiles();
    look.pages = batch_.pages();
    look.page_offset = layer * layer_bytes();
    look.out = mixed.x;
    look.ldo = ldq_;
    look.most_keys = batch_.size().keys;
    look.scratch = scratch(c_.head_width);
    steps_.attend(look);

    steps_.round(mixed, o, rows);
    steps_.multiply(mixed, {{o, x, ld_}}, rows, true);
    norm(b.vector("ffn_norm"), x, y, {&gate, &up}, rows, nullptr);
    steps_.multiply(y, {{gate, gate_.as<float>(), ldf_}, {up, up_.as<float>(), ldf_}}, rows);
    guard_cuda_activate act{};
    act.x = gate_.as<float>();
    act.y = active.floats_for({&down});
    act.gate = up_.as<float>();
    act.ldx = act.ldg = act.ldy = ldf_;
    act.n = c_.ff;
    act.int8 = active.int8_for({&down});
    act.rows = rows;
    steps_.activate(act);
    steps_.multiply(active, {{down, x, ld_}}, rows, true);
  }

  void settle(std::vector<Pass>& passes) override {
    for (Pass& pass : passes)
      if (pass.kv != nullptr) pass.kv->length += pass.n;
  }
  std::vector<float> answer(const float* row) const override { return {row, row + c_.width}; }

  const DecoderConfig c_;
  const CopiedMatrix embedding_;
  const DeviceBytes output_norm_;
  const std::shared_ptr<Pages> pages_;
  const uint32_t ld_, ldq_, ldkv_, ldf_;
  RowBuffer x_, y_, q_, k_, v_, mixed_, gate_, up_, chosen_;
  Int8Buffer y8_, mixed8_, gate8_;
  DeviceBytes table_;
  size_t positions_ = 0;
};

}  // namespace

std::unique_ptr<Runner> run_decoder(CudaDevice& device, stream::LayerFeed& feed, const DecoderConfig& config, const cpu::MatrixView& embedding,
                                    const std::vector<float>& output_norm) {
  return std::make_unique<CudaDecoder>(device, feed, config, embedding, output_norm);
}

}  // namespace guard::backend
