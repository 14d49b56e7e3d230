// `guard-test leak COUNT`: as many scorings, in every way that a request can go, and what memory they leave behind.
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "check.h"

namespace {

/// Bytes that are allocated, by all threads, in the heap and outside of it.
size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

size_t resident() {
  std::ifstream in("/proc/self/statm");
  size_t all = 0, pages = 0;
  in >> all >> pages;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

struct Waiting {
  std::atomic<int> open{0}, ok{0}, other{0};
  static void done(void* user, const guard_result* result) {
    auto* w = static_cast<Waiting*>(user);
    (result->status == GUARD_OK ? w->ok : w->other)++;
    w->open--;
  }
  void wait() const {
    while (open > 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
};

guard_engine* open_model(const char* name) {
  const std::string path = golden_folder() + "/" + name;
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = 1;
  guard_engine* engine = nullptr;
  guard_error error{};
  if (guard_open(&options, &engine, &error) != GUARD_OK) printf("%s\n", error.sentence);
  return engine;
}

const int32_t kLabels[] = {3, 77};

guard_request request_of(const guard_segment& segment, bool decoder) {
  guard_request r{};
  r.segments = &segment;
  r.n_segments = 1;
  r.labels = kLabels;
  r.n_labels = decoder ? 2 : 0;
  r.risk_label = -1;
  return r;
}

/// Eight at a time: plain ones, one behind a prefix of its own, one that generates, one cancelled, one that is late.
void eight(guard_engine* engine, bool decoder, size_t round, Waiting& waiting) {
  guard_ticket* cancelled = nullptr;
  guard_prefix* prefix = nullptr;
  if (decoder && round % 4 == 0) {
    const std::string policy = "in the on " + std::to_string(round % 100);
    if (guard_prefix_create(engine, "t", policy.data(), policy.size(), &prefix, nullptr, nullptr) != GUARD_OK) waiting.other++;
  }
  for (int i = 0; i < 8; i++) {
    const std::string text = "the " + std::to_string(round * 8 + static_cast<size_t>(i)) + " in the";
    const guard_segment segment{GUARD_ROLE_RESULT, text.data(), text.size(), 0};
    guard_request r = request_of(segment, decoder);
    if (i == 1) r.prefix = prefix;
    if (i == 2 && decoder && round % 8 == 0) r.max_tokens = 4;
    if (i == 3 && round % 8 == 1) r.deadline_ms = 0.001;
    waiting.open++;
    if (guard_submit(engine, "t", &r, Waiting::done, &waiting, i == 4 ? &cancelled : nullptr, nullptr) != GUARD_OK) {
      waiting.open--;
      waiting.other++;
    }
  }
  if (round % 8 == 2) guard_cancel(cancelled);
  guard_ticket_release(cancelled);
  guard_prefix_release(prefix);
  waiting.wait();
}

}  // namespace

int run_leak(size_t count) {
  guard_engine* engines[] = {open_model("llama-q4_0.gguf"), open_model("canary-q4_0.gguf")};
  if (engines[0] == nullptr || engines[1] == nullptr) return 2;
  Waiting waiting;
  const size_t rounds = count / 8;
  size_t early = 0, early_resident = 0;
  for (size_t round = 0; round < rounds; round++) {
    if (round == rounds / 10) early = allocated(), early_resident = resident();
    eight(engines[round % 2], round % 2 == 0, round / 2, waiting);
  }
  const size_t late = allocated(), late_resident = resident();
  guard_stats stats{};
  guard_get_stats(engines[0], &stats);
  for (guard_engine* engine : engines) guard_close(engine);
  printf("{\"scorings\":%zu,\"ok\":%d,\"notOk\":%d,\"allocatedAfterTenth\":%zu,\"allocatedAtEnd\":%zu,\"residentAfterTenth\":%zu,\"residentAtEnd\":%zu,\"prefixesAtEnd\":%llu,\"kvBytesAtEnd\":%llu}\n",
         rounds * 8, waiting.ok.load(), waiting.other.load(), early, late, early_resident, late_resident, (unsigned long long)stats.prefixes, (unsigned long long)stats.kv_bytes);
  return 0;
}
