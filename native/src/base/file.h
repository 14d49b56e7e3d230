#pragma once
#include <cstdint>
#include <string>

namespace guard {

/// A regular file, opened read-only without following a link, whose size is fixed at the time of opening.
/// Reads never leave [0, size): a request beyond it is a refused model, and so is a file that has shrunk.
class File {
 public:
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  uint64_t size() const { return size_; }
  void read(uint64_t offset, void* out, uint64_t bytes) const;
  /// Lower-case hex of SHA-256 over the whole file.
  std::string sha256() const;
  /// Refuses a file that was changed since it was opened: what was hashed must be what is loaded, and loaded again.
  void ensure_unchanged() const;
  int descriptor() const { return fd_; }
  /// A second descriptor of the same file that passes by the page cache (O_DIRECT), or -1 where that cannot be had.
  int open_direct() const;

 private:
  int fd_ = -1;
  uint64_t size_ = 0;
  uint64_t inode_ = 0;
  int64_t modified_s_ = 0, modified_ns_ = 0, changed_s_ = 0, changed_ns_ = 0;
};

}  // namespace guard
