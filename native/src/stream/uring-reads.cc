#include "stream/file-reads.h"

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fail.h"
#include "base/file.h"

namespace guard::stream {
namespace {

/// A mapping that goes with its owner.
struct Mapped {
  void* at = MAP_FAILED;
  size_t bytes = 0;
  ~Mapped() {
    if (at != MAP_FAILED) munmap(at, bytes);
  }
  bool map(int fd, size_t n, off_t where) {
    bytes = n;
    at = mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, where);
    return at != MAP_FAILED;
  }
  template <class T>
  T* as(size_t offset) const { return reinterpret_cast<T*>(static_cast<char*>(at) + offset); }
};

/// A ring that can read this one file and do nothing else: the kernel refuses every other operation on it, whoever may
/// come to write into its queue.
class UringReads final : public FileReads {
 public:
  UringReads(const File& file, unsigned depth) : size_(file.size()), reads_(depth), file_(file.open_direct()) {
    fd_ = file_ < 0 ? file.descriptor() : file_;
  }
  ~UringReads() override {
    // Reads under way write into buffers that go after this.
    while (ring_ >= 0 && under_way_ > 0 && reap(true)) {
    }
    if (ring_ >= 0) close(ring_);
    if (file_ >= 0) close(file_);
  }
  const char* name() const override { return "io_uring"; }

  bool open() {
    io_uring_params p{};
    p.flags = IORING_SETUP_R_DISABLED;
    ring_ = static_cast<int>(syscall(SYS_io_uring_setup, static_cast<unsigned>(reads_.size()), &p));
    if (ring_ < 0) return false;
    io_uring_restriction rules[3]{};
    rules[0].opcode = IORING_RESTRICTION_SQE_OP;
    rules[0].sqe_op = IORING_OP_READ;
    rules[1].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    rules[1].sqe_flags = IOSQE_FIXED_FILE;
    rules[2].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    rules[2].sqe_flags = IOSQE_FIXED_FILE;
    if (syscall(SYS_io_uring_register, ring_, IORING_REGISTER_FILES, &fd_, 1) != 0) return false;
    if (syscall(SYS_io_uring_register, ring_, IORING_REGISTER_RESTRICTIONS, rules, 3) != 0) return false;
    if (syscall(SYS_io_uring_register, ring_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) return false;
    if (!queue_.map(ring_, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING)) return false;
    if (!completions_.map(ring_, p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING)) return false;
    if (!entries_.map(ring_, p.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES)) return false;
    params_ = p;
    return true;
  }

  void submit(unsigned id, uint64_t offset, uint8_t* out, size_t bytes) override {
    reads_[id] = {offset, out, bytes, 0, 0, true};
    put(id);
  }

  void wait(unsigned id) override {
    while (reads_[id].busy)
      if (!reap(true)) fail(GUARD_IO, "The model file cannot be read: %s.", strerror(errno));
    const int error = reads_[id].error;
    if (error == kShort) reject("The model file became shorter while it was read.");
    if (error != 0) fail(GUARD_IO, "The model file cannot be read: %s.", strerror(error));
  }

 private:
  static constexpr int kShort = -1;
  struct One {
    uint64_t offset = 0;
    uint8_t* out = nullptr;
    size_t bytes = 0, got = 0;
    int error = 0;
    bool busy = false;
  };

  /// The part of a read that is still missing, into the queue.
  void put(unsigned id) {
    One& one = reads_[id];
    const auto mask = *queue_.as<unsigned>(params_.sq_off.ring_mask);
    std::atomic_ref<unsigned> tail(*queue_.as<unsigned>(params_.sq_off.tail));
    const unsigned at = tail.load(std::memory_order_relaxed), index = at & mask;
    io_uring_sqe& entry = entries_.as<io_uring_sqe>(0)[index];
    memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_READ;
    entry.flags = IOSQE_FIXED_FILE;
    entry.fd = 0;  // the registered file
    entry.off = one.offset + one.got;
    entry.addr = reinterpret_cast<uint64_t>(one.out + one.got);
    entry.len = static_cast<uint32_t>(one.bytes - one.got);
    entry.user_data = id;
    queue_.as<unsigned>(params_.sq_off.array)[index] = index;
    tail.store(at + 1, std::memory_order_release);
    under_way_++;
    while (syscall(SYS_io_uring_enter, ring_, 1, 0, 0, nullptr, 0) < 0) {
      if (errno == EINTR) continue;
      if ((errno == EAGAIN || errno == EBUSY) && reap(false)) continue;
      under_way_--;
      one.error = errno;
      one.busy = false;
      return;
    }
  }

  /// Takes what has finished; `block`: at least one. False where the kernel refuses.
  bool reap(bool block) {
    std::atomic_ref<unsigned> head(*completions_.as<unsigned>(params_.cq_off.head)), tail(*completions_.as<unsigned>(params_.cq_off.tail));
    const auto mask = *completions_.as<unsigned>(params_.cq_off.ring_mask);
    unsigned at = head.load(std::memory_order_relaxed);
    while (block && at == tail.load(std::memory_order_acquire))
      if (syscall(SYS_io_uring_enter, ring_, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0 && errno != EINTR) return false;
    std::vector<unsigned> again;
    for (; at != tail.load(std::memory_order_acquire); at++) {
      const io_uring_cqe& done = completions_.as<io_uring_cqe>(params_.cq_off.cqes)[at & mask];
      under_way_--;
      if (!settle(reads_[done.user_data], done.res)) again.push_back(static_cast<unsigned>(done.user_data));
    }
    head.store(at, std::memory_order_release);
    for (const unsigned id : again) put(id);
    return true;
  }

  /// False where a part is still missing.
  bool settle(One& one, int result) const {
    const uint64_t wanted = std::min<uint64_t>(one.bytes, size_ - std::min(size_, one.offset));
    if (result == -EINTR || result == -EAGAIN) return false;
    one.error = result < 0 ? -result : result == 0 && one.got < wanted ? kShort : 0;
    one.got += result > 0 ? static_cast<size_t>(result) : 0;
    if (one.error == 0 && one.got < wanted) return false;
    one.busy = false;
    return true;
  }

  const uint64_t size_;
  std::vector<One> reads_;
  int file_ = -1, fd_ = -1, ring_ = -1;
  size_t under_way_ = 0;
  io_uring_params params_{};
  Mapped queue_, completions_, entries_;
};

}  // namespace

std::unique_ptr<FileReads> make_uring_reads(const File& file, unsigned depth) {
  auto made = std::make_unique<UringReads>(file, depth);
  return made->open() ? std::move(made) : nullptr;
}

}  // namespace guard::stream
#else
namespace guard::stream {
std::unique_ptr<FileReads> make_uring_reads(const File&, unsigned) { return nullptr; }
}  // namespace guard::stream
#endif
