#include "cpu/thread-pool.h"

namespace guard::cpu {
namespace {

/// Some 20 microseconds: about what it takes to sleep and be woken, so waiting costs at most twice the best choice.
constexpr int kSpins = 800;

template <class Ready>
bool spin(Ready ready) {
  for (int i = 0; i < kSpins; i++) {
    if (ready()) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
  }
  return ready();
}

}  // namespace

ThreadPool::ThreadPool(unsigned threads) {
  for (unsigned i = 1; i < threads; i++) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::take() {
  uint64_t seen = claim_.load(std::memory_order_acquire);
  for (;;) {
    const size_t i = static_cast<size_t>(seen & kClosed), count = count_.load(std::memory_order_acquire);
    if (i == kClosed || i >= count) return;
    if (!claim_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    (*task_.load(std::memory_order_relaxed))(i);
    if (finished_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
      std::lock_guard lock(mutex_);
      done_.notify_one();
    }
    seen = claim_.load(std::memory_order_acquire);
  }
}

void ThreadPool::run(size_t n, const std::function<void(size_t)>& task) {
  if (n <= 1 || workers_.empty()) {
    for (size_t i = 0; i < n; i++) task(i);
    return;
  }
  const uint64_t round = (claim_.load(std::memory_order_relaxed) >> 32) + 1;
  // Closed first: who reads the new count can no longer claim by the old word.
  claim_.store(round << 32 | kClosed, std::memory_order_release);
  task_.store(&task, std::memory_order_relaxed);
  count_.store(n, std::memory_order_release);
  finished_.store(0, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    claim_.store(round << 32, std::memory_order_release);
  }
  start_.notify_all();
  take();
  const auto all_done = [&] { return finished_.load(std::memory_order_acquire) == n; };
  if (spin(all_done)) return;
  std::unique_lock lock(mutex_);
  done_.wait(lock, all_done);
}

void ThreadPool::work() {
  uint64_t seen = claim_.load(std::memory_order_relaxed) >> 32;
  const auto called = [&] {
    const uint64_t now = claim_.load(std::memory_order_acquire);
    return stop_ || (now >> 32 != seen && (now & kClosed) != kClosed);
  };
  for (;;) {
    if (!spin(called)) {
      std::unique_lock lock(mutex_);
      start_.wait(lock, called);
    }
    if (stop_) return;
    seen = claim_.load(std::memory_order_acquire) >> 32;
    take();
  }
}

}  // namespace guard::cpu
