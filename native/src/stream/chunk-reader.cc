#include "stream/chunk-reader.h"

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "stream/pages.h"

namespace guard::stream {

ChunkReader::ChunkReader(std::unique_ptr<FileReads> reads, const std::atomic<bool>& stop) : reads_(std::move(reads)), stop_(stop) {
  bool locked = true;
  buffers_ = static_cast<uint8_t*>(map_pages(kDepth * kChunk, locked));
}

ChunkReader::~ChunkReader() {
  reset();
  reads_.reset();
  unmap_pages(buffers_, kDepth * kChunk);
}

void ChunkReader::expect(const std::vector<FileRange>& ranges) {
  announced_++;
  for (const FileRange& range : ranges)
    for (uint64_t at = range.begin / kReadAlignment * kReadAlignment; at < range.end; at += kChunk) {
      const uint64_t end = std::min(at + kChunk, (range.end + kReadAlignment - 1) / kReadAlignment * kReadAlignment);
      chunks_.push_back({at, end, announced_});
    }
  begin_reads();
}

void ChunkReader::begin_reads() {
  for (; begun_ < std::min<size_t>(chunks_.size(), kDepth); begun_++) {
    const auto id = static_cast<unsigned>((first_ + begun_) % kDepth);
    const Chunk& chunk = chunks_[begun_];
    reads_->submit(id, chunk.offset, buffers_ + id * kChunk, chunk.end - chunk.offset);
    bytes_read_ += chunk.end - chunk.offset;
  }
}

void ChunkReader::await_front() {
  if (stop_) fail(GUARD_CLOSED, "The engine was closed.");
  if (!front_there_) reads_->wait(static_cast<unsigned>(first_ % kDepth));
  front_there_ = true;
}

void ChunkReader::drop_front() {
  // Its buffer is used again, so its read must be over, also where nobody wanted the bytes.
  await_front();
  chunks_.pop_front();
  front_there_ = false;
  first_++;
  begun_--;
  begin_reads();
}

void ChunkReader::next_part() {
  part_++;
  while (!chunks_.empty() && chunks_.front().part < part_) drop_front();
}

const uint8_t* ChunkReader::read(uint64_t offset, size_t bytes) {
  const auto holds = [&](uint64_t at) {
    while (!chunks_.empty() && chunks_.front().part == part_ && chunks_.front().end <= at) drop_front();
    if (chunks_.empty() || chunks_.front().part != part_ || chunks_.front().offset > at) fail(GUARD_IO, "A layer was read in another order than announced.");
    await_front();
    return buffers_ + first_ % kDepth * kChunk + (at - chunks_.front().offset);
  };
  const uint8_t* there = holds(offset);
  if (offset + bytes <= chunks_.front().end) return there;
  if (joined_.size() < bytes) joined_.resize(bytes);
  for (size_t done = 0; done < bytes;) {
    there = holds(offset + done);
    const size_t n = static_cast<size_t>(std::min<uint64_t>(bytes - done, chunks_.front().end - offset - done));
    memcpy(joined_.data() + done, there, n);
    done += n;
  }
  return joined_.data();
}

void ChunkReader::reset() {
  for (size_t i = 0; i < begun_; i++) {
    if (i == 0 && front_there_) continue;
    try {
      reads_->wait(static_cast<unsigned>((first_ + i) % kDepth));
    } catch (const Fail&) {
      // Nobody wants these bytes any more; whoever reads the place again is told.
    }
  }
  chunks_.clear();
  begun_ = 0;
  first_ = 0;
  front_there_ = false;
  part_ = announced_;
}

}  // namespace guard::stream
