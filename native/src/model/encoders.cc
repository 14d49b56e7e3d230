#include "model/encoders.h"

#include <algorithm>
#include <cstring>

#include "model/attention.h"

namespace guard {

EncoderBatch::EncoderBatch(std::vector<Pass>& passes) {
  for (Pass& pass : passes) parts.push_back({&pass, rows(), pass.n});
}

size_t EncoderBatch::rows() const { return parts.empty() ? 0 : parts.back().row + parts.back().rows; }

size_t EncoderBatch::drop_cancelled(const std::vector<std::pair<std::vector<float>*, size_t>>& buffers) {
  size_t kept = 0;
  for (auto it = parts.begin(); it != parts.end();) {
    if (it->pass->cancelled && it->pass->cancelled()) {
      it->pass->dropped = true;
      it = parts.erase(it);
      continue;
    }
    if (kept != it->row) {
      for (const auto& [buffer, ld] : buffers) memmove(buffer->data() + kept * ld, buffer->data() + it->row * ld, it->rows * ld * sizeof(float));
      it->row = kept;
    }
    kept += it->rows;
    ++it;
  }
  return kept;
}

void encoder_attention(cpu::Cpu& cpu, const EncoderBatch& batch, const EncoderAttention& a) {
  std::vector<std::unique_ptr<Kv>> kvs;
  struct Task { size_t part, head, row; };
  std::vector<Task> fills, tiles;
  for (size_t p = 0; p < batch.parts.size(); p++) {
    kvs.push_back(std::make_unique<Kv>(1, a.heads, a.width, batch.parts[p].rows));
    for (size_t head = 0; head < a.heads; head++) {
      fills.push_back({p, head, 0});
      for (size_t r = 0; r < batch.parts[p].rows; r += kQueryTile) tiles.push_back({p, head, r});
    }
  }
  cpu.pool.run(fills.size(), [&](size_t t) {
    const auto& [p, head, unused] = fills[t];
    for (size_t i = 0; i < batch.parts[p].rows; i++) {
      const size_t at = (batch.parts[p].row + i) * a.ld + head * a.width;
      kvs[p]->put(0, head, i, a.k + at, a.v + at);
    }
  });
  cpu.pool.run(tiles.size(), [&](size_t t) {
    const auto& [p, head, row] = tiles[t];
    const auto& part = batch.parts[p];
    AttentionTile job{};
    job.q = a.q + (part.row + row) * a.ld + head * a.width;
    job.ldq = a.ld;
    job.rows = std::min(kQueryTile, part.rows - row);
    job.first = row;
    job.own = kvs[p].get();
    job.own_length = part.rows;
    job.head = head;
    job.width = a.width;
    job.scale = a.scale;
    job.reach = a.reach;
    job.out = a.out + (part.row + row) * a.ldo + head * a.width;
    job.ldo = a.ldo;
    static thread_local std::vector<float> extra;
    if (a.extra) {
      job.extra_ld = cpu::padded16(part.rows) + 32;
      extra.assign(job.rows * job.extra_ld, 0.0f);
      a.extra(p, head, row, job.rows, extra.data(), job.extra_ld);
      job.extra = extra.data();
    }
    attend(cpu.k, job);
  });
}

}  // namespace guard
