#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "guard.h"
#include "model/model.h"

namespace guard {

using Clock = std::chrono::steady_clock;

/// Bytes of keys and values in use, shared with prefixes so that one released after its engine is harmless.
struct Account {
  std::atomic<uint64_t> kv_bytes{0}, prefixes{0};
};

/// A part of the account, given back when it goes.
class Reservation {
 public:
  Reservation(std::shared_ptr<Account> account, uint64_t bytes) : account_(std::move(account)), bytes_(bytes) { account_->kv_bytes += bytes_; }
  ~Reservation() { account_->kv_bytes -= bytes_; }
  Reservation(const Reservation&) = delete;

 private:
  std::shared_ptr<Account> account_;
  uint64_t bytes_;
};

/// A shared prefix: read-only once it is ready, kept as long as anybody holds it.
struct Prefix {
  std::string tenant;
  std::vector<int32_t> tokens;
  std::unique_ptr<Kv> kv;
  std::unique_ptr<Reservation> reservation;
  std::shared_ptr<Account> account;
  ~Prefix() { account->prefixes--; }
};

/// One request on its way: texts, then windows of tokens, then an answer.
struct Job {
  struct Text {
    guard_role role;
    std::string text;
    bool trusted;
  };
  // What was asked.
  std::string tenant;
  std::vector<Text> segments;
  std::vector<int32_t> given;  // tokens in place of texts
  std::shared_ptr<Prefix> prefix;
  std::shared_ptr<Prefix> makes;  // this job computes a prefix
  std::vector<int32_t> labels;
  uint32_t max_tokens = 0;
  int32_t priority = 0, risk_label = -1;
  Clock::time_point submitted, deadline = Clock::time_point::max();
  guard_done done = nullptr;
  void* user = nullptr;
  std::atomic<bool> cancelled{false};

  // How far it is. Touched by one thread at a time: intake, then the scheduler.
  std::vector<std::vector<int32_t>> windows;
  size_t next_window = 0, progress = 0;
  std::unique_ptr<Kv> kv;
  std::unique_ptr<Reservation> reservation;
  guard_result result{};
  bool started = false;
  Clock::time_point begun;

  size_t tokens_left() const {
    size_t n = 0;
    for (size_t i = next_window; i < windows.size(); i++) n += windows[i].size();
    return n - progress;
  }
  bool late(Clock::time_point now) const { return now >= deadline; }
};

}  // namespace guard
