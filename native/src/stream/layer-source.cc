#include "stream/layer-source.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/fail.h"
#include "cpu/matrix.h"

namespace guard::stream {

LayerSource::LayerSource(std::shared_ptr<const File> file, std::vector<LayerPlan> plans, const Layout& layout)
    : file_(std::move(file)), plans_(std::move(plans)), layout_(layout), digests_(plans_.size()) {
  // The order of the file, in which a layer is read from end to end.
  for (LayerPlan& plan : plans_)
    std::sort(plan.tensors.begin(), plan.tensors.end(), [](const auto& a, const auto& b) { return a.info.offset < b.info.offset; });
}

void LayerSource::fill(size_t layer, const Reader& read, uint8_t* blob) {
  for (const PlannedTensor& t : plans_[layer].tensors) {
    if (t.vector)
      cpu::read_floats_into(t.name, t.info, read, reinterpret_cast<float*>(blob + t.offset));
    else
      layout_.pack(t.name, t.info, t.int8, read, blob + t.offset);
  }
  // Borders between tensors come from the plan; a buffer that held another layer must not shine through there.
  std::vector<std::pair<size_t, size_t>> taken;
  for (const PlannedTensor& t : plans_[layer].tensors) taken.emplace_back(t.offset, t.offset + t.bytes);
  std::sort(taken.begin(), taken.end());
  size_t at = 0;
  for (const auto& [from, to] : taken) {
    memset(blob + at, 0, from - at);
    at = to;
  }
  memset(blob + at, 0, plans_[layer].bytes - at);
}

void LayerSource::seal(size_t layer, const uint8_t* blob) {
  file_->ensure_unchanged();
  const uint64_t digest = digest_of(blob, plans_[layer].bytes);
  if (digests_[layer] != 0 && digests_[layer] != digest) reject("Layer %zu of the model file is not what it was when the model was opened.", layer);
  digests_[layer] = digest;
}

void LayerSource::pack(size_t layer, uint8_t* blob) {
  std::vector<uint8_t> raw;
  fill(layer, [&](uint64_t offset, size_t n) {
    if (raw.size() < n) raw.resize(n);
    file_->read(offset, raw.data(), n);
    return static_cast<const uint8_t*>(raw.data());
  }, blob);
  seal(layer, blob);
}

void LayerSource::open_stream(const std::atomic<bool>& stop) {
  reader_ = std::make_unique<ChunkReader>(make_file_reads(*file_, ChunkReader::kDepth), stop);
}

std::vector<FileRange> LayerSource::ranges_of(size_t layer) const {
  // Tensors that lie near one another come in one read; what is between them is cheaper to read than to leave out.
  constexpr uint64_t kGap = 256 << 10;
  std::vector<FileRange> ranges;
  for (const PlannedTensor& t : plans_[layer].tensors) {
    if (!ranges.empty() && t.info.offset <= ranges.back().end + kGap)
      ranges.back().end = t.info.offset + t.info.bytes;
    else
      ranges.push_back({t.info.offset, t.info.offset + t.info.bytes});
  }
  return ranges;
}

void LayerSource::stream(size_t layer, size_t then, uint8_t* blob) {
  const auto begun = std::chrono::steady_clock::now();
  const auto announce = [&](size_t one) {
    announced_.push_back(one);
    reader_->expect(ranges_of(one));
  };
  if (announced_.empty() || announced_.front() != layer) {
    reader_->reset();
    announced_.clear();
    announce(layer);
  }
  if (then != kNone && announced_.size() == 1) announce(then);
  try {
    reader_->next_part();
    fill(layer, [&](uint64_t offset, size_t n) { return reader_->read(offset, n); }, blob);
    announced_.erase(announced_.begin());
    seal(layer, blob);
  } catch (...) {
    reader_->reset();
    announced_.clear();
    throw;
  }
  seconds_ = seconds_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

ReadUse LayerSource::use() const { return {reader_ ? reader_->bytes_read() : 0, seconds_}; }

uint64_t digest_of(const uint8_t* bytes, size_t n) {
  // Eight lanes beside one another, so that multiplications do not wait for one another.
  constexpr uint64_t kPrime = 0x9E3779B185EBCA87;
  uint64_t lanes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  size_t i = 0;
  for (; i + 64 <= n; i += 64)
    for (size_t lane = 0; lane < 8; lane++) {
      uint64_t word;
      memcpy(&word, bytes + i + lane * 8, 8);
      lanes[lane] = (lanes[lane] ^ word) * kPrime;
      lanes[lane] ^= lanes[lane] >> 29;
    }
  for (; i < n; i++) lanes[i % 8] = (lanes[i % 8] ^ bytes[i]) * kPrime;
  uint64_t all = n;
  for (const uint64_t lane : lanes) {
    all = (all ^ lane) * kPrime;
    all ^= all >> 31;
  }
  return all == 0 ? 1 : all;
}

}  // namespace guard::stream
