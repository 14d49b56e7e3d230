#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace guard::cpu {

/// Runs numbered tasks on its own threads and the caller's. Which thread runs a task never changes a result. One
/// caller at a time. A thread that the system has put aside is waited for only while it holds a task.
class ThreadPool {
 public:
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  /// Calls task(0) .. task(n - 1), and returns when all are done. n is below 2^32 - 1.
  void run(size_t n, const std::function<void(size_t)>& task);
  unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }

 private:
  void work();
  void take();

  // The round in the upper half, the next task's number in the lower: a late thread cannot claim out of a round that
  // is over, because the whole word must be as it saw it.
  static constexpr uint64_t kClosed = 0xFFFFFFFF;
  std::atomic<uint64_t> claim_{kClosed};
  std::atomic<const std::function<void(size_t)>*> task_{nullptr};
  std::atomic<size_t> count_{0}, finished_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable start_, done_;
  std::vector<std::thread> workers_;
};

}  // namespace guard::cpu
