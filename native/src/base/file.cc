#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fail.h"
#include "base/sha256.h"

namespace guard {

/// fstat, as the system call of that name: some C libraries make it newfstatat, which can open paths as well, and
/// which a confined process is not allowed.
static int stat_of(int fd, struct stat& info) {
#if defined(__linux__) && defined(SYS_fstat) && __SIZEOF_POINTER__ == 8
  return static_cast<int>(syscall(SYS_fstat, fd, &info));
#else
  return fstat(fd, &info);
#endif
}

File::File(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it is refused below as no regular file.
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd_ < 0)
    fail(GUARD_NOT_FOUND, "The model file cannot be opened: %s.",
         errno == ELOOP ? "it is a symbolic link" : strerror(errno));
  struct stat info;
  if (fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd_);
    fail(GUARD_NOT_FOUND, "The model is not a regular file.");
  }
  size_ = static_cast<uint64_t>(info.st_size);
  inode_ = info.st_ino;
  modified_s_ = info.st_mtim.tv_sec;
  modified_ns_ = info.st_mtim.tv_nsec;
  changed_s_ = info.st_ctim.tv_sec;
  changed_ns_ = info.st_ctim.tv_nsec;
}

File::~File() { close(fd_); }

void File::read(uint64_t offset, void* out, uint64_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) reject("The file ends before its data does.");
  auto* to = static_cast<char*>(out);
  while (bytes > 0) {
    const size_t step = bytes < (1u << 30) ? bytes : (1u << 30);
    const ssize_t got = pread(fd_, to, step, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(GUARD_IO, "The model file cannot be read: %s.", strerror(errno));
    if (got == 0) reject("The file became shorter while it was read.");
    to += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<uint64_t>(got);
  }
}

std::string File::sha256() const {
  Sha256 hash;
  std::vector<uint8_t> buffer(size_ < (1u << 20) ? size_ + 1 : 1u << 20);
  for (uint64_t at = 0; at < size_;) {
    const uint64_t step = size_ - at < buffer.size() ? size_ - at : buffer.size();
    read(at, buffer.data(), step);
    hash.update(buffer.data(), step);
    at += step;
  }
  return hash.hex();
}

void File::ensure_unchanged() const {
  struct stat now;
  if (stat_of(fd_, now) != 0 || static_cast<uint64_t>(now.st_size) != size_ || now.st_ino != inode_ ||
      now.st_mtim.tv_sec != modified_s_ || now.st_mtim.tv_nsec != modified_ns_ ||
      now.st_ctim.tv_sec != changed_s_ || now.st_ctim.tv_nsec != changed_ns_)
    reject("The model file was changed after it was opened.");
}

int File::open_direct() const {
#ifdef O_DIRECT
  // By the descriptor and not by the path, which may name another file by now.
  const std::string self = "/proc/self/fd/" + std::to_string(fd_);
  const int fd = open(self.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (fd < 0) return -1;
  struct stat info;
  if (fstat(fd, &info) == 0 && info.st_ino == inode_ && static_cast<uint64_t>(info.st_size) == size_) return fd;
  close(fd);
#endif
  return -1;
}

}  // namespace guard
