#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "stream/file-reads.h"

namespace guard::stream {
namespace {

/// As many as keep a disk busy; more would only wait beside one another.
constexpr unsigned kThreads = 4;

class ThreadReads final : public FileReads {
 public:
  ThreadReads(const File& file, unsigned depth) : direct_(file.open_direct()), fd_(direct_ < 0 ? file.descriptor() : direct_), size_(file.size()), reads_(depth) {
    for (unsigned i = 0; i < std::min(depth, kThreads); i++) threads_.emplace_back([this] { work(); });
  }
  ~ThreadReads() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    arrived_.notify_all();
    for (auto& thread : threads_) thread.join();
    if (direct_ >= 0) close(direct_);
  }
  const char* name() const override { return "threads"; }

  void submit(unsigned id, uint64_t offset, uint8_t* out, size_t bytes) override {
    {
      std::lock_guard lock(mutex_);
      reads_[id] = {offset, out, bytes, true, 0};
      queue_.push_back(id);
    }
    arrived_.notify_one();
  }

  void wait(unsigned id) override {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return !reads_[id].busy; });
    const int error = reads_[id].error;
    if (error == kShort) reject("The model file became shorter while it was read.");
    if (error != 0) fail(GUARD_IO, "The model file cannot be read: %s.", strerror(error));
  }

 private:
  static constexpr int kShort = -1;
  struct One {
    uint64_t offset = 0;
    uint8_t* out = nullptr;
    size_t bytes = 0;
    bool busy = false;
    int error = 0;
  };

  int read(const One& one) const {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(one.bytes, size_ - std::min(size_, one.offset)));
    for (size_t got = 0; got < wanted;) {
      const ssize_t n = pread(fd_, one.out + got, one.bytes - got, static_cast<off_t>(one.offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) return kShort;
      got += static_cast<size_t>(n);
    }
    return 0;
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const unsigned id = queue_.front();
      queue_.pop_front();
      const One one = reads_[id];
      lock.unlock();
      const int error = read(one);
      lock.lock();
      reads_[id].error = error;
      reads_[id].busy = false;
      lock.unlock();
      finished_.notify_all();
    }
  }

  const int direct_, fd_;
  const uint64_t size_;
  std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  std::vector<One> reads_;
  std::deque<unsigned> queue_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<FileReads> make_thread_reads(const File& file, unsigned depth) { return std::make_unique<ThreadReads>(file, depth); }

std::unique_ptr<FileReads> make_file_reads(const File& file, unsigned depth) {
  auto ring = make_uring_reads(file, depth);
  return ring ? std::move(ring) : make_thread_reads(file, depth);
}

}  // namespace guard::stream
