#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "stream/file-reads.h"

namespace guard::stream {

struct FileRange {
  uint64_t begin, end;
};

/// Reads announced ranges of a file ahead, in pieces, through a small ring of buffers, and hands out their bytes in order.
/// Memory is bounded by the ring, however large a layer is. One thread uses it.
class ChunkReader {
 public:
  ChunkReader(std::unique_ptr<FileReads> reads, const std::atomic<bool>& stop);
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  static constexpr unsigned kDepth = 8;
  static constexpr size_t kChunk = 1 << 20;

  const char* name() const { return reads_->name(); }
  /// Announces a part: its ranges, ascending. Parts are read in the order in which they were announced.
  void expect(const std::vector<FileRange>& ranges);
  /// Goes on to the next part.
  void next_part();
  /// Bytes of the current part, at ascending offsets; they stay until the next call. Throws what reading throws, and
  /// Fail(GUARD_CLOSED) once `stop` is set.
  const uint8_t* read(uint64_t offset, size_t bytes);
  /// Forgets what was announced.
  void reset();
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct Chunk {
    uint64_t offset, end;  // of the file, cut to its end
    uint64_t part;
  };
  void begin_reads();
  void drop_front();
  void await_front();

  std::unique_ptr<FileReads> reads_;
  const std::atomic<bool>& stop_;
  uint8_t* buffers_;
  std::deque<Chunk> chunks_;          // [0, begun_) are under way or there, at buffer (first_ + i) % kDepth
  uint64_t first_ = 0;
  size_t begun_ = 0;
  bool front_there_ = false;
  uint64_t announced_ = 0, part_ = 0;  // parts
  std::vector<uint8_t> joined_;        // bytes that lie in two chunks
  std::atomic<uint64_t> bytes_read_{0};
};

}  // namespace guard::stream
