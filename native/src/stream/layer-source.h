#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "base/file.h"
#include "stream/chunk-reader.h"
#include "stream/layer-plan.h"
#include "stream/layout.h"

namespace guard::stream {

struct ReadUse {
  uint64_t bytes = 0;   // of the file
  double seconds = 0;   // reading and packing
};

/// Packs layers out of the model file, any number of times, always to the same bytes: what a layer was when it was first
/// packed is remembered as a digest, and a file that was changed since the model was opened is refused.
class LayerSource {
 public:
  LayerSource(std::shared_ptr<const File> file, std::vector<LayerPlan> plans, const Layout& layout);
  static constexpr size_t kNone = SIZE_MAX;

  size_t layers() const { return plans_.size(); }
  const LayerPlan& plan(size_t layer) const { return plans_[layer]; }
  /// By plain reads, through the page cache: once, when a model is opened.
  void pack(size_t layer, uint8_t* blob);
  /// Gets ready for `stream`: descriptors, buffers and threads. `stop` ends a read that is under way.
  void open_stream(const std::atomic<bool>& stop);
  /// By large reads ahead that pass by the page cache; `then` is the layer that will be wanted next, or kNone.
  void stream(size_t layer, size_t then, uint8_t* blob);
  /// How `stream` reads: "io_uring", "threads", or "" where it was not opened.
  const char* reads_by() const { return reader_ ? reader_->name() : ""; }
  ReadUse use() const;

 private:
  void fill(size_t layer, const Reader& read, uint8_t* blob);
  void seal(size_t layer, const uint8_t* blob);
  std::vector<FileRange> ranges_of(size_t layer) const;

  const std::shared_ptr<const File> file_;
  std::vector<LayerPlan> plans_;
  const Layout& layout_;
  std::vector<uint64_t> digests_;       // 0: not packed yet
  std::unique_ptr<ChunkReader> reader_;
  std::vector<size_t> announced_;       // layers, in the reader's order
  std::atomic<double> seconds_{0};
};

/// A quick digest that tells accidents and changes; no defence against somebody who chooses both contents.
uint64_t digest_of(const uint8_t* bytes, size_t n);

}  // namespace guard::stream
