#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace guard::cpu {

/// Threads of the engine's own. One caller at a time gives them a number of tasks; which thread does which task
/// never changes a result, because tasks write to places of their own.
class ThreadPool {
 public:
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }
  /// Calls task(i) for each i below n, on all threads, and waits. Tasks must not throw.
  void run(size_t n, const std::function<void(size_t)>& task);

 private:
  void work();
  void take();
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(size_t)>* task_ = nullptr;
  size_t count_ = 0;
  std::atomic<size_t> next_{0};
  unsigned busy_ = 0;
  uint64_t round_ = 0;
  bool stop_ = false;
};

}  // namespace guard::cpu
