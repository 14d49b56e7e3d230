#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "sched/job.h"

namespace guard {

struct Limits {
  uint32_t max_batch_tokens, max_queue;
  uint64_t max_kv_bytes;
};

/// Guard work: many short prefills, one answer each. One thread tokenizes, one runs forward passes; each pass
/// takes the shortest jobs (older ones count as shorter), whole or a piece of them, up to a budget of tokens.
class Scheduler {
 public:
  Scheduler(std::shared_ptr<Model> model, Limits limits);
  ~Scheduler();

  /// Queues; throws Fail(GUARD_OVERLOADED, GUARD_CLOSED). job->done is called exactly once afterwards.
  void submit(std::shared_ptr<Job> job);
  /// The prefix of that tenant and those tokens, computed now if nobody holds one. Blocks.
  std::shared_ptr<Prefix> prefix(const std::string& tenant, std::vector<int32_t> tokens);
  guard_stats stats() const;
  /// Cancels everything and joins the threads. Idempotent.
  void close();

 private:
  struct Unit {
    std::shared_ptr<Job> job;
    size_t window, from, count;
  };
  void intake();
  void loop();
  void admit(const std::shared_ptr<Job>& job);
  std::vector<Unit> choose(Clock::time_point now, std::vector<std::shared_ptr<Job>>& over);
  void run(std::vector<Unit>& units);
  void finish_window(Job& job, const Pass& pass, bool& done);
  void answer(const std::shared_ptr<Job>& job, guard_status status, const std::string& sentence);

  std::shared_ptr<Model> model_;
  const Limits limits_;
  std::shared_ptr<Account> account_ = std::make_shared<Account>();
  mutable std::mutex mutex_;
  std::condition_variable arrived_, ready_;
  std::deque<std::shared_ptr<Job>> texts_;     // to be tokenized
  std::vector<std::shared_ptr<Job>> waiting_;  // tokenized, not finished
  size_t held_ = 0;                            // all jobs that are not answered yet
  guard_stats stats_{};
  std::vector<std::weak_ptr<Prefix>> prefixes_;
  std::mutex prefix_mutex_;                    // one prefix is made at a time
  bool closing_ = false;
  std::thread intake_thread_, loop_thread_;
};

}  // namespace guard
