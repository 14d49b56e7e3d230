#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace guard {
class File;
}

namespace guard::stream {

/// Several reads of one file under way at once. Offsets, buffers and sizes are multiples of 4,096; a read may reach
/// beyond the file's end, where it is shorter. All that is needed (descriptors, rings, threads) is made by the constructor: a
/// process that may open nothing afterwards reads on. One thread uses it.
class FileReads {
 public:
  virtual ~FileReads() = default;
  /// "io_uring" or "threads".
  virtual const char* name() const = 0;
  /// Begins read number `id`, below the depth; that number must not be under way.
  virtual void submit(unsigned id, uint64_t offset, uint8_t* out, size_t bytes) = 0;
  /// Waits for read `id`. Throws Fail(GUARD_IO), and GUARD_MODEL_REJECTED for a file that has become shorter.
  virtual void wait(unsigned id) = 0;
};

inline constexpr size_t kReadAlignment = 4096;

/// io_uring, where the system and this process's filter allow it; else null.
std::unique_ptr<FileReads> make_uring_reads(const File& file, unsigned depth);
/// Threads that call pread.
std::unique_ptr<FileReads> make_thread_reads(const File& file, unsigned depth);
/// The first of the two that works here.
std::unique_ptr<FileReads> make_file_reads(const File& file, unsigned depth);

}  // namespace guard::stream
