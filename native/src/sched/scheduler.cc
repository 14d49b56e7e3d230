#include "sched/scheduler.h"

#include <algorithm>
#include <cmath>
#include <future>

#include "base/fail.h"
#include "sched/windows.h"

namespace guard {

static double ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

Scheduler::Scheduler(std::shared_ptr<Model> model, Limits limits) : model_(std::move(model)), limits_(limits) {
  intake_thread_ = std::thread([this] { intake(); });
  loop_thread_ = std::thread([this] { loop(); });
}

Scheduler::~Scheduler() { close(); }

void Scheduler::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_all();
  ready_.notify_all();
  if (intake_thread_.joinable()) intake_thread_.join();
  if (loop_thread_.joinable()) loop_thread_.join();
}

void Scheduler::submit(std::shared_ptr<Job> job) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) fail(GUARD_CLOSED, "The engine is closed.");
    if (held_ >= limits_.max_queue) {
      stats_.refused++;
      fail(GUARD_OVERLOADED, "%zu requests wait already; try again later.", held_);
    }
    held_++;
    stats_.requests++;
    texts_.push_back(std::move(job));
  }
  arrived_.notify_one();
}

void Scheduler::answer(const std::shared_ptr<Job>& job, guard_status status, const std::string& sentence) {
  job->result.status = status;
  job->result.sentence = sentence.c_str();
  const auto now = Clock::now();
  if (job->started) {
    job->result.queue_ms = ms(job->begun - job->submitted);
    job->result.compute_ms = ms(now - job->begun);
  } else {
    job->result.queue_ms = ms(now - job->submitted);
  }
  if (job->makes && status == GUARD_OK) {
    // A prefix's keys and values outlive the job that computed them.
    job->makes->kv = std::move(job->kv);
    job->makes->reservation = std::move(job->reservation);
  }
  // Everything that the job held is given back before its answer: who has the answer may look at the account.
  job->kv.reset();
  job->reservation.reset();
  job->prefix.reset();
  job->makes.reset();
  {
    std::lock_guard lock(mutex_);
    held_--;
    if (status == GUARD_OK) stats_.completed++;
    if (status == GUARD_CANCELLED) stats_.cancelled++;
    if (status == GUARD_DEADLINE) stats_.late++;
    if (status == GUARD_OVERLOADED) stats_.refused++;
  }
  job->done(job->user, &job->result);
}

void Scheduler::admit(const std::shared_ptr<Job>& job) {
  make_windows(*model_, *job);
  Job& j = *job;
  size_t total = 0, longest = 0;
  for (const auto& window : j.windows) {
    total += window.size();
    longest = std::max(longest, window.size());
  }
  const size_t shared = j.prefix ? j.prefix->tokens.size() : 0;
  j.result.prompt_tokens = static_cast<uint32_t>(shared + total);
  j.result.cached_tokens = static_cast<uint32_t>(shared);
  j.result.windows = static_cast<uint32_t>(j.windows.size());
  // A decoder's request that needs several passes keeps keys and values of all layers between them.
  const bool keeps = !model_->encoder && (j.makes || j.max_tokens > 0 || total > limits_.max_batch_tokens);
  const uint64_t bytes = keeps || model_->encoder ? model_->kv_bytes(longest + j.max_tokens) : 0;
  if (account_->kv_bytes + bytes > limits_.max_kv_bytes) fail(GUARD_OVERLOADED, "The request needs %llu bytes of working memory, more than is left of the limit.", (unsigned long long)bytes);
  j.reservation = std::make_unique<Reservation>(account_, bytes);
  if (keeps) j.kv = model_->make_kv(total + j.max_tokens);
}

void Scheduler::intake() {
  for (;;) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return closing_ || !texts_.empty(); });
    if (texts_.empty()) return;
    const auto job = texts_.front();
    texts_.pop_front();
    const bool closing = closing_;
    lock.unlock();
    if (closing) {
      answer(job, GUARD_CLOSED, "The engine was closed.");
      continue;
    }
    try {
      admit(job);
    } catch (const Fail& error) {
      answer(job, error.status(), error.what());
      continue;
    } catch (const std::bad_alloc&) {
      answer(job, GUARD_NO_MEMORY, "There is not enough memory for the request.");
      continue;
    }
    lock.lock();
    waiting_.push_back(job);
    lock.unlock();
    ready_.notify_one();
  }
}

/// Called with the lock held. Jobs that are over (cancelled, late) leave the queue by `over`.
std::vector<Scheduler::Unit> Scheduler::choose(Clock::time_point now, std::vector<std::shared_ptr<Job>>& over) {
  std::erase_if(waiting_, [&](const std::shared_ptr<Job>& job) {
    if (!closing_ && !job->cancelled && !job->late(now)) return false;
    over.push_back(job);
    return true;
  });
  // A job that has waited 1 ms counts as 4 tokens shorter, so that no stream of short ones starves a long one.
  const auto cost = [&](const Job& job) { return static_cast<double>(job.tokens_left()) - 4.0 * ms(now - job.submitted); };
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < waiting_.size(); i++) order.emplace_back(cost(*waiting_[i]), i);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    const int32_t pa = waiting_[a.second]->priority, pb = waiting_[b.second]->priority;
    return pa != pb ? pa > pb : a < b;
  });
  std::vector<Unit> units;
  size_t budget = limits_.max_batch_tokens;
  for (const auto& [unused, i] : order) {
    const auto& job = waiting_[i];
    size_t progress = job->progress;
    for (size_t w = job->next_window; w < job->windows.size(); w++) {
      const size_t left = job->windows[w].size() - progress;
      // Encoders see a window whole; decoders' keys and values let a long one go in pieces.
      const size_t count = job->kv ? std::min(left, budget) : left;
      if (count == 0 || (count > budget && !units.empty())) return units;
      units.push_back({job, w, progress, count});
      budget -= std::min(budget, count);
      if (count < left) return units;
      progress = 0;
    }
  }
  return units;
}

void Scheduler::finish_window(Job& job, const Pass& pass, bool& done) {
  guard_result& r = job.result;
  done = false;
  if (job.makes) {
    done = true;
    return;
  }
  const bool first = r.n_generated == 0;
  std::vector<float> logits;
  if (first && (model_->encoder || !job.labels.empty())) logits = model_->logits(pass.output, job.labels);
  for (const float v : logits)
    if (!std::isfinite(v)) fail(GUARD_NOT_FINITE, "The model's answer is not finite.");
  if (!logits.empty()) {
    std::vector<double> p(logits.size());
    if (model_->sigmoid) {
      for (size_t i = 0; i < p.size(); i++) p[i] = 1 / (1 + std::exp(-(static_cast<double>(logits[i]) / static_cast<double>(model_->temperature[i]) + static_cast<double>(model_->bias[i]))));
    } else {
      const double most = *std::max_element(logits.begin(), logits.end());
      double sum = 0;
      for (size_t i = 0; i < p.size(); i++) sum += p[i] = std::exp(static_cast<double>(logits[i]) - most);
      for (double& v : p) v /= sum;
    }
    const bool begin = r.n_labels == 0;
    r.n_labels = logits.size();
    const size_t risk = job.risk_label < 0 ? logits.size() - 1 : static_cast<size_t>(job.risk_label);
    const bool worse = begin || (!model_->sigmoid && p[risk] > r.probabilities[risk]);
    for (size_t i = 0; i < p.size(); i++)
      if (worse || (model_->sigmoid && p[i] > r.probabilities[i])) {
        r.logits[i] = logits[i];
        r.probabilities[i] = p[i];
      }
  }
  if (job.max_tokens == 0) {
    done = job.next_window == job.windows.size();
    return;
  }
  const std::vector<float> all = model_->logits(pass.output, {});
  const auto best = static_cast<int32_t>(std::max_element(all.begin(), all.end()) - all.begin());
  if (!std::isfinite(all[static_cast<size_t>(best)])) fail(GUARD_NOT_FINITE, "The model's answer is not finite.");
  r.generated[r.n_generated++] = best;
  done = r.n_generated == job.max_tokens || best == model_->tokenizer->vocab().eos;
  if (!done) {
    // The new token is the next window's only one: it joins whatever batch runs next.
    job.windows.back().push_back(best);
    job.next_window = job.windows.size() - 1;
    job.progress = job.windows.back().size() - 1;
  }
}

void Scheduler::run(std::vector<Unit>& units) {
  const auto begun = Clock::now();
  std::vector<Pass> passes;
  uint32_t tokens = 0, cached = 0;
  for (const Unit& unit : units) {
    Job& job = *unit.job;
    if (!job.started) {
      job.started = true;
      job.begun = begun;
      cached += job.result.cached_tokens;
    }
    Pass pass;
    pass.tokens = job.windows[unit.window].data() + unit.from;
    pass.n = unit.count;
    const bool whole = unit.from + unit.count == job.windows[unit.window].size();
    pass.wants_output = whole && !job.makes;
    if (!model_->encoder) {
      pass.prefix = job.prefix ? job.prefix->kv.get() : nullptr;
      pass.position = (job.prefix ? job.prefix->tokens.size() : 0) + unit.from;
      pass.kv = job.kv.get();
    }
    pass.cancelled = [&job] { return job.cancelled.load() || job.late(Clock::now()); };
    tokens += static_cast<uint32_t>(unit.count);
    passes.push_back(std::move(pass));
  }
  // What fails in a pass (a layer that cannot be read) fails for all that are in it; the next pass tries again.
  guard_status fault = GUARD_OK;
  std::string failure;
  try {
    model_->forward(passes);
  } catch (const Fail& error) {
    fault = error.status();
    failure = error.what();
  } catch (const std::bad_alloc&) {
    fault = GUARD_NO_MEMORY;
    failure = "There is not enough memory for the request.";
  }
  std::vector<std::pair<std::shared_ptr<Job>, std::pair<guard_status, std::string>>> over;
  for (size_t i = 0; i < units.size(); i++) {
    Job& job = *units[i].job;
    const bool settled = std::any_of(over.begin(), over.end(), [&](const auto& o) { return o.first == units[i].job; });
    if (settled || passes[i].dropped) continue;  // the dropped are found cancelled or late when the next batch is chosen
    if (fault != GUARD_OK) {
      over.push_back({units[i].job, {fault, failure}});
      continue;
    }
    job.result.batch_tokens = tokens;
    job.progress = units[i].from + units[i].count;
    job.next_window = units[i].window;
    if (job.progress < job.windows[units[i].window].size()) continue;
    job.next_window++;
    job.progress = 0;
    bool done = false;
    try {
      finish_window(job, passes[i], done);
    } catch (const Fail& error) {
      over.push_back({units[i].job, {error.status(), error.what()}});
      continue;
    }
    if (done) over.push_back({units[i].job, {GUARD_OK, ""}});
  }
  {
    std::lock_guard lock(mutex_);
    stats_.passes++;
    stats_.tokens += tokens;
    stats_.cached_tokens += cached;
    stats_.compute_ms += ms(Clock::now() - begun);
    for (const auto& [job, unused] : over) std::erase(waiting_, job);
  }
  for (const auto& [job, how] : over) answer(job, how.first, how.second);
}

void Scheduler::loop() {
  for (;;) {
    std::vector<std::shared_ptr<Job>> over;
    std::vector<Unit> units;
    {
      std::unique_lock lock(mutex_);
      if (waiting_.empty()) ready_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_ && waiting_.empty() && texts_.empty() && held_ == 0) return;
      if (closing_ && waiting_.empty()) {
        // Intake still holds a job: it answers it, or hands it over.
        ready_.wait_for(lock, std::chrono::milliseconds(1));
        continue;
      }
      units = choose(Clock::now(), over);
    }
    for (const auto& job : over) {
      const bool late = !job->cancelled && job->late(Clock::now());
      answer(job, job->cancelled ? GUARD_CANCELLED : late ? GUARD_DEADLINE : GUARD_CLOSED,
             job->cancelled ? "The request was cancelled." : late ? "The request was not done in time." : "The engine was closed.");
    }
    if (!units.empty()) run(units);
  }
}

std::shared_ptr<Prefix> Scheduler::prefix(const std::string& tenant, std::vector<int32_t> tokens) {
  if (model_->encoder) fail(GUARD_UNSUPPORTED, "An encoder has no prefix: every token sees every other.");
  if (tokens.empty() || tokens.size() >= model_->context) fail(GUARD_TOO_LONG, "A prefix must have 1 to %u tokens; this one has %zu.", model_->context - 1, tokens.size());
  std::lock_guard only(prefix_mutex_);
  std::erase_if(prefixes_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : prefixes_)
    // Compared token by token and within a tenant: another tenant's timing must not tell what is cached.
    if (const auto held = weak.lock(); held && held->tenant == tenant && held->tokens == tokens) return held;
  auto made = std::make_shared<Prefix>();
  made->tenant = tenant;
  made->tokens = tokens;
  made->account = account_;
  account_->prefixes++;
  const uint64_t bytes = model_->kv_bytes(tokens.size());
  if (account_->kv_bytes + bytes > limits_.max_kv_bytes) fail(GUARD_OVERLOADED, "The prefix needs %llu bytes, more than is left of the limit.", (unsigned long long)bytes);

  const auto job = std::make_shared<Job>();
  job->given = std::move(tokens);
  job->makes = made;
  job->submitted = Clock::now();
  std::promise<std::pair<guard_status, std::string>> promise;
  auto future = promise.get_future();
  job->user = &promise;
  struct Waiter {
    static void done(void* user, const guard_result* result) {
      static_cast<std::promise<std::pair<guard_status, std::string>>*>(user)->set_value({result->status, result->sentence});
    }
  };
  job->done = [](void* user, const guard_result* result) { Waiter::done(user, result); };
  submit(job);
  const auto [status, sentence] = future.get();
  if (status != GUARD_OK) fail(status, "%s", sentence.c_str());
  prefixes_.push_back(made);
  return made;
}

guard_stats Scheduler::stats() const {
  std::lock_guard lock(mutex_);
  guard_stats out = stats_;
  out.queued = held_ - std::min(held_, waiting_.size());
  out.running = waiting_.size();
  out.kv_bytes = account_->kv_bytes;
  out.prefixes = account_->prefixes;
  return out;
}

}  // namespace guard
