// What the scheduler promises, with a model that computes nothing and waits until it is told to go on: the order of
// things is then the same on every machine.
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/fail.h"
#include "check.h"
#include "sched/scheduler.h"

using namespace guard;

namespace {

class Idle final : public Model {
 public:
  Idle() {
    architecture = "idle";
    encoder = true;
    context = 4096;
    vocabulary = 16;
    layers = 4;
    labels = {"one"};
  }
  void forward(std::vector<Pass>& passes) override {
    std::vector<size_t> sizes;
    for (const Pass& pass : passes) sizes.push_back(pass.n);
    {
      std::unique_lock lock(mutex_);
      seen.push_back(sizes);
      changed_.notify_all();
    }
    for (uint32_t layer = 0; layer < layers; layer++) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return open_ || steps_ > 0; });
      if (steps_ > 0) steps_--;
      for (Pass& pass : passes)
        if (!pass.dropped && pass.cancelled && pass.cancelled()) pass.dropped = true;
      if (std::all_of(passes.begin(), passes.end(), [](const Pass& pass) { return pass.dropped; })) return;
      computed++;
      changed_.notify_all();
    }
    for (Pass& pass : passes) pass.output = {0.5f};
  }
  std::vector<float> logits(const std::vector<float>& output, const std::vector<int32_t>&) override { return output; }
  std::unique_ptr<Kv> make_kv(size_t) const override { return nullptr; }
  size_t kv_bytes(size_t) const override { return 0; }

  /// Lets one layer be computed.
  void step() {
    std::lock_guard lock(mutex_);
    steps_++;
    changed_.notify_all();
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_passes(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seen.size() >= n; });
  }
  void wait_layers(uint32_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return computed >= n; });
  }
  std::vector<std::vector<size_t>> seen;  // tokens of each sequence of each pass
  uint32_t computed = 0;                  // layers, of all passes

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int steps_ = 0;
};

/// Answers by the length of what was asked.
struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<size_t, guard_status>> all;
  struct Ask {
    Answers* to;
    size_t tokens;
  };
  std::map<size_t, Ask> asks;
  static void done(void* user, const guard_result* result) {
    const Ask& ask = *static_cast<Ask*>(user);
    std::lock_guard lock(ask.to->mutex);
    ask.to->all.emplace_back(ask.tokens, result->status);
    ask.to->changed.notify_all();
  }
  void wait(size_t n) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return all.size() >= n; });
  }
  guard_status of(size_t tokens) {
    std::lock_guard lock(mutex);
    for (const auto& [n, status] : all)
      if (n == tokens) return status;
    return GUARD_CLOSED;
  }
};

/// All were submitted at one moment, however slowly this machine gets here.
std::shared_ptr<Job> job_of(size_t tokens, Answers& answers) {
  static const Clock::time_point submitted = Clock::now();
  auto job = std::make_shared<Job>();
  job->given.assign(tokens, 1);
  job->submitted = submitted;
  job->done = Answers::done;
  job->user = &(answers.asks[tokens] = {&answers, tokens});
  return job;
}

/// A scheduler whose model is busy with a job of one token, so that what comes next waits and can be chosen from.
struct Busy {
  std::shared_ptr<Idle> model = std::make_shared<Idle>();
  Answers answers;
  Scheduler scheduler;
  explicit Busy(uint32_t budget) : scheduler(model, {budget, 64, 1 << 20}) {
    scheduler.submit(job_of(1, answers));
    model->wait_passes(1);
  }
  ~Busy() { model->open(); }
  /// Until the intake has made windows of all of them.
  void queue(std::vector<std::shared_ptr<Job>> jobs) {
    const size_t wanted = scheduler.stats().running + jobs.size();
    for (auto& job : jobs) scheduler.submit(std::move(job));
    while (scheduler.stats().running < wanted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void finish(size_t answered) {
    model->open();
    answers.wait(answered);
  }
};

using Passes = std::vector<std::vector<size_t>>;

}  // namespace

TEST("the shortest job goes first, and as many join a pass as its budget of tokens holds") {
  Busy busy(40);
  busy.queue({job_of(50, busy.answers), job_of(30, busy.answers), job_of(10, busy.answers), job_of(25, busy.answers), job_of(4, busy.answers)});
  busy.finish(6);
  // 4 + 10 + 25 are 39 of 40 tokens; 30 no longer fits; 50 is longer than any budget, and goes alone.
  CHECK((busy.model->seen == Passes{{1}, {4, 10, 25}, {30}, {50}}));
}

TEST("a job that has waited counts as shorter, so that no stream of short ones starves it") {
  Busy busy(40);
  auto old = job_of(39, busy.answers);
  old->submitted -= std::chrono::seconds(1);
  busy.queue({job_of(5, busy.answers), std::move(old), job_of(6, busy.answers)});
  busy.finish(4);
  CHECK((busy.model->seen == Passes{{1}, {39}, {5, 6}}));
}

TEST("a higher priority goes before a shorter job") {
  Busy busy(40);
  auto urgent = job_of(38, busy.answers);
  urgent->priority = 1;
  busy.queue({job_of(5, busy.answers), std::move(urgent), job_of(6, busy.answers)});
  busy.finish(4);
  CHECK((busy.model->seen == Passes{{1}, {38}, {5, 6}}));
}

TEST("a job whose deadline passes while it waits is answered as late, and is never computed") {
  Busy busy(40);
  auto late = job_of(7, busy.answers);
  late->deadline = Clock::now() + std::chrono::milliseconds(5);
  busy.queue({std::move(late), job_of(8, busy.answers)});
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  busy.finish(3);
  CHECK((busy.model->seen == Passes{{1}, {8}}));
  CHECK(busy.answers.of(7) == GUARD_DEADLINE && busy.answers.of(8) == GUARD_OK);
  CHECK(busy.scheduler.stats().late == 1);
}

TEST("a job that is cancelled while it waits is never computed") {
  Busy busy(40);
  auto job = job_of(7, busy.answers);
  const auto held = job;
  busy.queue({std::move(job), job_of(8, busy.answers)});
  held->cancelled = true;
  busy.finish(3);
  CHECK((busy.model->seen == Passes{{1}, {8}}));
  CHECK(busy.answers.of(7) == GUARD_CANCELLED && busy.answers.of(8) == GUARD_OK);
}

TEST("a job that is cancelled while it runs leaves at the next border of layers, and is not computed further") {
  auto model = std::make_shared<Idle>();
  Answers answers;
  Scheduler scheduler(model, {40, 64, 1 << 20});
  auto job = job_of(9, answers);
  const auto held = job;
  scheduler.submit(std::move(job));
  model->wait_passes(1);
  model->step();
  model->wait_layers(1);
  held->cancelled = true;
  model->step();
  answers.wait(1);
  CHECK(model->computed == 1);
  CHECK(answers.of(9) == GUARD_CANCELLED);
  model->open();
}

TEST("more requests than may wait are refused as overloaded, and those that wait are answered") {
  Busy busy(4096);
  std::vector<std::shared_ptr<Job>> jobs;
  for (size_t i = 2; i < 65; i++) jobs.push_back(job_of(i, busy.answers));
  busy.queue(std::move(jobs));
  guard_status status = GUARD_OK;
  try {
    busy.scheduler.submit(job_of(99, busy.answers));
  } catch (const Fail& fail) {
    status = fail.status();
  }
  CHECK(status == GUARD_OVERLOADED);
  busy.finish(64);
  CHECK(busy.scheduler.stats().refused == 1 && busy.scheduler.stats().completed == 64);
}
