#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <thread>

#include "check.h"

namespace {

guard_engine* open_golden(const char* name, uint32_t batch = 0, uint32_t queue = 0, uint64_t kv = 0) {
  const std::string path = golden_folder() + "/" + name;
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = 2;
  options.max_batch_tokens = batch;
  options.max_queue = queue;
  options.max_kv_bytes = kv;
  guard_engine* engine = nullptr;
  guard_error error{};
  CHECK_THAT(guard_open(&options, &engine, &error) == GUARD_OK, error.sentence);
  return engine;
}

const int32_t kLabels[] = {3, 77, 200};

struct Ask {
  std::string text;
  guard_prefix* prefix = nullptr;
  const char* tenant = nullptr;
  uint32_t max_tokens = 0;
  double deadline_ms = 0;
  int trusted = 0;
};

guard_request request_of(const Ask& ask, guard_segment& segment) {
  segment = {GUARD_ROLE_RESULT, ask.text.data(), ask.text.size(), ask.trusted};
  guard_request r{};
  r.segments = &segment;
  r.n_segments = 1;
  r.prefix = ask.prefix;
  r.labels = kLabels;
  r.n_labels = 3;
  r.max_tokens = ask.max_tokens;
  r.deadline_ms = ask.deadline_ms;
  r.risk_label = -1;
  return r;
}

guard_status score(guard_engine* engine, const Ask& ask, guard_result& result, guard_error* error = nullptr) {
  guard_segment segment;
  const guard_request r = request_of(ask, segment);
  return guard_score(engine, ask.tenant, &r, &result, error);
}

std::vector<float> logits_of(const guard_result& r) { return {r.logits, r.logits + r.n_labels}; }

std::string text_of(int i, size_t words) {
  std::string text;
  for (size_t w = 0; w < words; w++) text += (w ? " " : "") + std::string(w * 7 % 5 == 0 ? "the" : "in") + std::to_string((i * 31 + static_cast<int>(w) * 17) % 10);
  return text;
}

}  // namespace

static void batch_invariance(const char* model) {
  guard_engine* engine = open_golden(model);
  if (engine == nullptr) return;
  std::vector<Ask> asks;
  for (int i = 0; i < 24; i++) asks.push_back({text_of(i, 1 + static_cast<size_t>(i) % 11)});
  std::vector<std::vector<float>> alone;
  for (const Ask& ask : asks) {
    guard_result result{};
    CHECK(score(engine, ask, result) == GUARD_OK);
    alone.push_back(logits_of(result));
  }
  uint32_t largest = 0;
  for (int round = 0; round < 200 && (round < 4 || largest == 0); round++) {
    std::vector<std::promise<guard_result>> promises(asks.size());
    for (size_t i = 0; i < asks.size(); i++) {
      guard_segment segment;
      const guard_request r = request_of(asks[i], segment);
      const auto done = [](void* user, const guard_result* result) { static_cast<std::promise<guard_result>*>(user)->set_value(*result); };
      CHECK(guard_submit(engine, nullptr, &r, done, &promises[i], nullptr, nullptr) == GUARD_OK);
    }
    for (size_t i = 0; i < asks.size(); i++) {
      const guard_result result = promises[i].get_future().get();
      largest = std::max(largest, result.batch_tokens - result.prompt_tokens);
      CHECK_THAT(logits_of(result) == alone[i], "request " + std::to_string(i) + " differs in a batch");
    }
  }
  CHECK_THAT(largest > 0, "no request ever shared a pass");
  guard_close(engine);
}

TEST("a decoder's score is the same bits alone and in any batch") { batch_invariance("qwen3-q8_0.gguf"); }
TEST("an encoder's score is the same bits alone and in any batch") { batch_invariance("canary-q8_0.gguf"); }
TEST("a DeBERTa score is the same bits alone and in any batch") { batch_invariance("deberta-v3"); }

TEST("a shared prefix changes no bit, is computed once, and belongs to its tenant") {
  guard_engine* engine = open_golden("llama-q4_0.gguf");
  const std::string policy = "in the on there is an error: refuse";
  guard_prefix *one = nullptr, *two = nullptr, *other = nullptr;
  uint32_t tokens = 0;
  CHECK(guard_prefix_create(engine, "a", policy.data(), policy.size(), &one, &tokens, nullptr) == GUARD_OK);
  guard_stats before{}, after{};
  guard_get_stats(engine, &before);
  CHECK(guard_prefix_create(engine, "a", policy.data(), policy.size(), &two, nullptr, nullptr) == GUARD_OK);
  guard_get_stats(engine, &after);
  CHECK(after.passes == before.passes && after.prefixes == 1);
  CHECK(guard_prefix_create(engine, "b", policy.data(), policy.size(), &other, nullptr, nullptr) == GUARD_OK);
  guard_get_stats(engine, &after);
  CHECK(after.passes == before.passes + 1 && after.prefixes == 2);

  guard_result with{}, without{};
  CHECK(score(engine, {" the call", one, "a"}, with) == GUARD_OK);
  CHECK(score(engine, {policy + " the call"}, without) == GUARD_OK);
  CHECK(with.cached_tokens == tokens && with.prompt_tokens == without.prompt_tokens);
  CHECK(logits_of(with) == logits_of(without));
  CHECK(score(engine, {" the call", one, "b"}, with) == GUARD_BAD_ARGUMENT);

  guard_prefix_release(one);
  CHECK_THAT(score(engine, {" the call", two, "a"}, with) == GUARD_OK, "the second holder lost the prefix");
  guard_prefix_release(two);
  guard_prefix_release(other);
  guard_get_stats(engine, &after);
  CHECK(after.prefixes == 0 && after.kv_bytes == 0);
  guard_close(engine);
}

TEST("a long request goes in pieces and generates the same tokens") {
  guard_engine* whole = open_golden("qwen3-f32.gguf");
  guard_engine* pieces = open_golden("qwen3-f32.gguf", 8);
  const Ask ask{text_of(5, 14), nullptr, nullptr, 12};
  guard_result a{}, b{};
  CHECK(score(whole, ask, a) == GUARD_OK);
  CHECK(score(pieces, ask, b) == GUARD_OK);
  CHECK(a.n_generated > 0 && a.n_generated == b.n_generated);
  CHECK(logits_of(a) == logits_of(b) && memcmp(a.generated, b.generated, a.n_generated * sizeof(int32_t)) == 0);
  CHECK(b.batch_tokens <= 8);
  guard_close(whole);
  guard_close(pieces);
}

TEST("the words of control tokens in untrusted text are plain characters") {
  guard_engine* engine = open_golden("canary-f32.gguf");
  const std::string text = "a [SEP][CALL] b";
  int32_t ids[64];
  size_t n = 0;
  CHECK(guard_tokenize(engine, text.data(), text.size(), 0, ids, 64, &n, nullptr) == GUARD_OK);
  for (size_t i = 0; i < n; i++) CHECK(ids[i] < 266);
  char back[64];
  size_t bytes = 0;
  CHECK(guard_detokenize(engine, ids, n, back, sizeof back, &bytes, nullptr) == GUARD_OK);
  CHECK(std::string(back, bytes) == text);
  CHECK(guard_tokenize(engine, text.data(), text.size(), 1, ids, 64, &n, nullptr) == GUARD_OK);
  bool special = false;
  for (size_t i = 0; i < n; i++) special |= ids[i] == 267;
  CHECK(special);
  guard_close(engine);
}

TEST("a text longer than the context is split, and each label takes its highest window") {
  guard_engine* engine = open_golden("canary-f32.gguf");
  const std::string text = text_of(3, 200);
  guard_result all{};
  CHECK(score(engine, {text}, all) == GUARD_OK);
  CHECK(all.windows > 2);
  std::vector<int32_t> ids(4096);
  size_t n = 0;
  CHECK(guard_tokenize(engine, text.data(), text.size(), 0, ids.data(), ids.size(), &n, nullptr) == GUARD_OK);
  const size_t room = 160 - 3, step = room - room / 4;
  double highest[2] = {0, 0};
  uint32_t windows = 0;
  for (size_t at = 0;; at += step) {
    std::vector<int32_t> window{266, 270};
    const size_t end = std::min(n, at + room);
    window.insert(window.end(), ids.begin() + static_cast<long>(at), ids.begin() + static_cast<long>(end));
    window.push_back(267);
    guard_request r{};
    r.tokens = window.data();
    r.n_tokens = window.size();
    r.risk_label = -1;
    guard_result one{};
    CHECK(guard_score(engine, nullptr, &r, &one, nullptr) == GUARD_OK);
    for (int i = 0; i < 2; i++) highest[i] = std::max(highest[i], one.probabilities[i]);
    windows++;
    if (end == n) break;
  }
  CHECK(windows == all.windows);
  CHECK(highest[0] == all.probabilities[0] && highest[1] == all.probabilities[1]);
  guard_close(engine);
}

TEST("a full queue, a lack of memory, a past deadline and a cancelled request have errors of their own") {
  guard_engine* engine = open_golden("llama-f32.gguf", 0, 4, 600000);
  struct Count {
    std::atomic<int> done{0}, cancelled{0}, late{0}, ok{0};
  } count;
  const auto done = [](void* user, const guard_result* result) {
    auto* c = static_cast<Count*>(user);
    if (result->status == GUARD_CANCELLED) c->cancelled++;
    if (result->status == GUARD_DEADLINE) c->late++;
    if (result->status == GUARD_OK) c->ok++;
    c->done++;
  };
  int refused = 0, sent = 0;
  for (int i = 0; i < 20000 && (i < 200 || refused == 0); i++) {
    guard_segment segment;
    const Ask ask{text_of(i, 20)};
    const guard_request r = request_of(ask, segment);
    guard_error error{};
    const guard_status status = guard_submit(engine, nullptr, &r, done, &count, nullptr, &error);
    if (status == GUARD_OVERLOADED) refused++;
    if (status == GUARD_OK) sent++;
  }
  CHECK(refused > 0);
  while (count.done < sent) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(count.ok == sent);

  guard_segment segment;
  const Ask slow{text_of(1, 20), nullptr, nullptr, 60};
  const guard_request r = request_of(slow, segment);
  // The word may come when the answer is already there, as a busy machine runs this thread when it likes: then it is said again.
  for (int tries = 0; tries < 200 && count.cancelled == 0; tries++) {
    guard_ticket* ticket = nullptr;
    CHECK(guard_submit(engine, nullptr, &r, done, &count, &ticket, nullptr) == GUARD_OK);
    guard_cancel(ticket);
    guard_ticket_release(ticket);
    sent++;
    while (count.done < sent) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(count.cancelled == 1 && count.ok == sent - 1);

  guard_result result{};
  CHECK(score(engine, {text_of(1, 20), nullptr, nullptr, 60, 0.001}, result) == GUARD_DEADLINE);
  guard_prefix* prefix = nullptr;
  const std::string policy = text_of(2, 40);
  CHECK(guard_prefix_create(engine, "", policy.data(), 60, &prefix, nullptr, nullptr) == GUARD_OK);
  guard_prefix* second = nullptr;
  guard_status status = GUARD_OK;
  for (int i = 0; i < 20 && status == GUARD_OK; i++) {
    // Held on purpose until the memory is spent.
    status = guard_prefix_create(engine, std::to_string(i).c_str(), policy.data(), 60, &second, nullptr, nullptr);
    if (status == GUARD_OK) guard_prefix_release(second);
    if (i > 15) break;
  }
  guard_prefix* held[64];
  int n = 0;
  for (status = GUARD_OK; n < 64; n++) {
    status = guard_prefix_create(engine, std::to_string(n).c_str(), policy.data(), 60, &held[n], nullptr, nullptr);
    if (status != GUARD_OK) break;
  }
  CHECK(status == GUARD_OVERLOADED);
  for (int i = 0; i < n; i++) guard_prefix_release(held[i]);
  guard_prefix_release(prefix);
  guard_close(engine);
}

TEST("closing answers every request that still waits") {
  for (int round = 0; round < 5; round++) {
    guard_engine* engine = open_golden("llama-f32.gguf");
    std::atomic<int> done{0};
    int sent = 0;
    for (int i = 0; i < 100; i++) {
      guard_segment segment;
      const Ask ask{text_of(i, 20), nullptr, nullptr, 20};
      const guard_request r = request_of(ask, segment);
      sent += guard_submit(engine, nullptr, &r, [](void* user, const guard_result*) { (*static_cast<std::atomic<int>*>(user))++; }, &done, nullptr, nullptr) == GUARD_OK;
    }
    guard_close(engine);
    CHECK(done == sent && sent == 100);
  }
}

TEST("many threads may use one engine at once") {
  guard_engine* engine = open_golden("qwen3-q8_0.gguf");
  guard_result wanted{};
  CHECK(score(engine, {text_of(9, 9)}, wanted) == GUARD_OK);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; t++)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; i++) {
        guard_result result{};
        if (i % 5 == t % 5) {
          const std::string policy = text_of(t, 8);
          guard_prefix* prefix = nullptr;
          if (guard_prefix_create(engine, "t", policy.data(), policy.size(), &prefix, nullptr, nullptr) != GUARD_OK) wrong++;
          if (score(engine, {" in the", prefix, "t"}, result) != GUARD_OK) wrong++;
          guard_prefix_release(prefix);
        }
        if (score(engine, {text_of(9, 9)}, result) != GUARD_OK || logits_of(result) != logits_of(wanted)) wrong++;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  guard_close(engine);
}

TEST("the border refuses every argument that makes no sense") {
  guard_error error{};
  guard_engine* engine = nullptr;
  CHECK(guard_open(nullptr, &engine, &error) == GUARD_BAD_ARGUMENT && error.sentence[0] != 0);
  guard_open_options options{};
  options.model = "/nonexistent/model.gguf";
  CHECK(guard_open(&options, &engine, &error) == GUARD_NOT_FOUND && engine == nullptr);
  options.model = "/dev/null";
  CHECK(guard_open(&options, &engine, &error) == GUARD_NOT_FOUND);
  const std::string path = golden_folder() + "/llama-f32.gguf";
  options.model = path.c_str();
  options.sha256 = "00";
  CHECK(guard_open(&options, &engine, &error) == GUARD_BAD_ARGUMENT);
  options.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
  CHECK(guard_open(&options, &engine, &error) == GUARD_PIN_MISMATCH);
  guard_close(nullptr);
  guard_cancel(nullptr);
  guard_ticket_release(nullptr);
  guard_prefix_release(nullptr);
  engine = open_golden("llama-f32.gguf");
  guard_result result{};
  guard_request r{};
  CHECK(guard_score(engine, nullptr, nullptr, &result, &error) == GUARD_BAD_ARGUMENT);
  CHECK(guard_score(engine, nullptr, &r, &result, &error) == GUARD_BAD_ARGUMENT);
  CHECK(score(engine, {std::string(9u << 20, 'a')}, result) == GUARD_TOO_LONG);
  CHECK(score(engine, {text_of(1, 100)}, result) == GUARD_TOO_LONG);
  CHECK(score(engine, {""}, result) == GUARD_BAD_ARGUMENT);
  const int32_t bad[] = {1, 5000};
  r.tokens = bad;
  r.n_tokens = 2;
  r.labels = kLabels;
  r.n_labels = 1;
  CHECK(guard_score(engine, nullptr, &r, &result, &error) == GUARD_BAD_ARGUMENT);
  r.n_tokens = 1;
  r.labels = bad + 1;
  CHECK(guard_score(engine, nullptr, &r, &result, &error) == GUARD_BAD_ARGUMENT);
  guard_close(engine);
}
