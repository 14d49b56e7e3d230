// Whole models on the emulated device (or a real one, GUARD_TEST_DEVICE) against the CPU.
#include <cmath>
#include <cstring>
#include <future>

#include "base/json.h"
#include "check.h"
#include "device.h"

namespace {

struct Open {
  std::string model;
  guard_backend backend = GUARD_BACKEND_CUDA;
  bool int8 = false;
  uint32_t batch = 0;
  uint64_t device_bytes = 0;
  guard_streaming streaming = GUARD_STREAMING_AUTO;
};

/// Null, and the test skipped, where the device is not to be had.
guard_engine* open_engine(const Open& o) {
  const std::string path = golden_folder() + "/" + o.model, library = device_library();
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = 1;
  options.backend = o.backend;
  options.int8 = o.int8;
  options.max_batch_tokens = o.batch;
  options.max_device_bytes = o.device_bytes;
  options.streaming = o.streaming;
  options.device_library = library.c_str();
  guard_engine* engine = nullptr;
  guard_error error{};
  const guard_status status = guard_open(&options, &engine, &error);
  if (status == GUARD_UNSUPPORTED && !device_is_emulated()) skip(error.sentence);
  CHECK_THAT(status == GUARD_OK, error.sentence);
  return engine;
}

struct Ask {
  std::vector<int32_t> ids;
  guard_prefix* prefix = nullptr;
  uint32_t max_tokens = 0;
};

guard_request request_of(const Ask& ask, bool decoder) {
  static const int32_t labels[] = {3, 77, 200, 11};
  guard_request r{};
  r.tokens = ask.ids.data();
  r.n_tokens = ask.ids.size();
  r.prefix = ask.prefix;
  r.labels = labels;
  r.n_labels = decoder ? 4 : 0;
  r.max_tokens = ask.max_tokens;
  r.risk_label = -1;
  return r;
}

guard_result score(guard_engine* engine, const Ask& ask) {
  guard_info info{};
  guard_get_info(engine, &info);
  const guard_request r = request_of(ask, info.is_encoder == 0);
  guard_result result{};
  guard_error error{};
  CHECK_THAT(guard_score(engine, nullptr, &r, &result, &error) == GUARD_OK, error.sentence);
  return result;
}

std::vector<float> logits_of(const guard_result& r) { return {r.logits, r.logits + r.n_labels}; }

std::vector<int32_t> some_ids(int seed, size_t n) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < n; i++) ids.push_back(static_cast<int32_t>((seed * 131 + static_cast<int>(i) * 37) % 250 + 3));
  return ids;
}

/// Nearly: what sixteen bits of every factor leave. Rounded: a float that differs a little may round to another int8.
enum class Agree { Bits, Nearly, Rounded };

/// The same questions on both, and every golden case.
void compare(const std::string& model, bool int8, Agree how) {
  guard_engine* cpu = open_engine({model, GUARD_BACKEND_CPU, int8});
  guard_engine* device = open_engine({model, GUARD_BACKEND_CUDA, int8});
  if (cpu == nullptr || device == nullptr) return;
  double worst = 0, largest = 0;
  for (const size_t n : {1, 33, 70})
    if (std::vector<float> a = logits_of(score(cpu, {some_ids(1, n)})), b = logits_of(score(device, {some_ids(1, n)})); how == Agree::Bits) {
      CHECK_THAT(a == b, model + ": " + std::to_string(n) + " tokens differ from the CPU's bits");
    } else {
      for (size_t i = 0; i < a.size(); i++) {
        worst = std::max(worst, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        largest = std::max(largest, std::fabs(static_cast<double>(a[i])));
      }
    }
  if (how != Agree::Bits) {
    printf("    %s: off by %.2g of logits up to %.2g\n", model.c_str(), worst, largest);
    CHECK_THAT(worst <= (how == Agree::Nearly ? 1e-4 : 0.02) * std::max(1.0, largest), model + " differs from the CPU");
  }
  guard_info info{};
  CHECK(guard_get_info(device, &info) == GUARD_OK);
  CHECK(std::string(info.backend) != "cpu" && info.device_total_bytes > 0);
  guard_close(cpu);
  guard_close(device);
}

}  // namespace

TEST("the device gives the CPU's very bits for every quantization of every architecture") {
  for (const char* model : {"llama-q8_0.gguf", "llama-q4_0.gguf", "llama-q4_k.gguf", "llama-q6_k.gguf", "qwen2-q8_0.gguf", "qwen2-q4_k.gguf", "qwen3-q8_0.gguf", "qwen3-q4_0.gguf", "qwen3-q6_k.gguf"})
    compare(model, false, Agree::Bits);
  for (const char* model : {"canary-q8_0.gguf", "canary-q4_0.gguf", "canary-q4_k.gguf", "canary-q6_k.gguf", "canary-max-q8_0.gguf"}) compare(model, false, Agree::Bits);
}
TEST("the device gives the CPU's bits for floats that are rounded to int8, and nearly for DeBERTa, whose positions stay floats") {
  compare("llama-f32.gguf", true, Agree::Bits);
  compare("canary-f16.gguf", true, Agree::Bits);
  compare("deberta-v3-bf16", true, Agree::Rounded);
}
TEST("the device gives nearly the CPU's logits for every float type") {
  for (const char* model : {"llama-f32.gguf", "llama-bf16.gguf", "llama-rope-tied-f16.gguf", "qwen2-f16.gguf", "qwen3-f32.gguf", "canary-f32.gguf", "canary-bf16.gguf", "deberta-v3", "deberta-v3-f16"})
    compare(model, false, Agree::Nearly);
}

static void device_batches(const char* model, bool decoder) {
  guard_engine* engine = open_engine({model});
  if (engine == nullptr) return;
  std::vector<Ask> asks;
  for (int i = 0; i < 10; i++) asks.push_back({some_ids(i, 1 + static_cast<size_t>(i * 13) % 71)});
  std::vector<std::vector<float>> alone;
  for (const Ask& ask : asks) alone.push_back(logits_of(score(engine, ask)));
  for (int round = 0; round < 2; round++) {
    std::vector<std::promise<guard_result>> promises(asks.size());
    for (size_t i = 0; i < asks.size(); i++) {
      const guard_request r = request_of(asks[i], decoder);
      CHECK(guard_submit(engine, nullptr, &r, [](void* user, const guard_result* result) { static_cast<std::promise<guard_result>*>(user)->set_value(*result); }, &promises[i], nullptr, nullptr) == GUARD_OK);
    }
    for (size_t i = 0; i < asks.size(); i++) CHECK_THAT(logits_of(promises[i].get_future().get()) == alone[i], "request " + std::to_string(i) + " differs in a batch");
  }
  guard_close(engine);
}
TEST("on the device, too, a score is the same bits alone and in any batch") {
  device_batches("qwen3-q8_0.gguf", true);
  device_batches("llama-f32.gguf", true);
  device_batches("canary-q8_0.gguf", false);
  device_batches("deberta-v3", false);
}

TEST("pages of a prefix on the device change no bit, and outlive their engine harmlessly") {
  guard_engine* engine = open_engine({"llama-q4_0.gguf"});
  if (engine == nullptr) return;
  const std::string policy = "in the on there is an error: refuse";
  guard_prefix* prefix = nullptr;
  uint32_t tokens = 0;
  CHECK(guard_prefix_create(engine, nullptr, policy.data(), policy.size(), &prefix, &tokens, nullptr) == GUARD_OK);
  std::vector<int32_t> whole(64);
  size_t n = 0;
  CHECK(guard_tokenize(engine, policy.data(), policy.size(), 1, whole.data(), whole.size(), &n, nullptr) == GUARD_OK);
  std::vector<int32_t> all(whole.begin(), whole.begin() + static_cast<long>(n));
  if (tokens == n + 1) all.insert(all.begin(), 1);  // the beginning-of-text token
  const std::vector<int32_t> own = some_ids(4, 39);
  const guard_result behind = score(engine, {own, prefix});
  CHECK(behind.cached_tokens == tokens);
  guard_engine* cpu = open_engine({"llama-q4_0.gguf", GUARD_BACKEND_CPU});
  guard_prefix* other = nullptr;
  CHECK(guard_prefix_create(cpu, nullptr, policy.data(), policy.size(), &other, nullptr, nullptr) == GUARD_OK);
  CHECK(logits_of(behind) == logits_of(score(cpu, {own, other})));
  guard_prefix_release(other);
  guard_close(cpu);
  guard_close(engine);
  guard_prefix_release(prefix);
}

TEST("a long request goes over the device in pieces, generates the CPU's tokens, and gives its pages back") {
  const Ask ask{some_ids(5, 45), nullptr, 6};
  guard_engine* cpu = open_engine({"qwen3-q8_0.gguf", GUARD_BACKEND_CPU});
  guard_engine* pieces = open_engine({"qwen3-q8_0.gguf", GUARD_BACKEND_CUDA, false, 16});
  if (cpu == nullptr || pieces == nullptr) return;
  const guard_result a = score(cpu, ask), b = score(pieces, ask);
  CHECK(a.n_generated > 0 && a.n_generated == b.n_generated && b.batch_tokens <= 16);
  CHECK(logits_of(a) == logits_of(b) && memcmp(a.generated, b.generated, a.n_generated * sizeof(int32_t)) == 0);
  guard_stats stats{};
  guard_get_stats(pieces, &stats);
  CHECK(stats.kv_bytes == 0);
  guard_close(cpu);
  guard_close(pieces);
}

static void streams_like_resident(const char* model) {
  guard_engine* resident = open_engine({model});
  if (resident == nullptr) return;
  guard_stats stats{};
  guard_get_stats(resident, &stats);
  CHECK(stats.layers_streamed == 0 && stats.device_bytes > 0);
  for (const guard_streaming way : {GUARD_STREAMING_PINNED, GUARD_STREAMING_DISK}) {
    guard_engine* streamed = open_engine({model, GUARD_BACKEND_CUDA, false, 0, 0, way});
    for (int i = 0; i < 3; i++) CHECK_THAT(logits_of(score(resident, {some_ids(i, 20)})) == logits_of(score(streamed, {some_ids(i, 20)})), std::string(model) + " differs when it is streamed");
    guard_get_stats(streamed, &stats);
    CHECK(stats.layers_streamed > 0);
    guard_close(streamed);
  }
  guard_close(resident);
}
TEST("layers that are streamed to the device give the bits of layers that stay there") {
  streams_like_resident("canary-q8_0.gguf");
  streams_like_resident("canary-f32.gguf");
}

TEST("without a device, auto computes on the CPU and says why, and cuda is refused by name") {
  const std::string model = golden_folder() + "/llama-q8_0.gguf";
  guard_open_options options{};
  options.model = model.c_str();
  options.threads = 1;
  const std::string none = temporary_folder() + "/none.so", wrong = temporary_file("wrong.so", "no library");
  for (const std::string& library : {none, wrong}) {
    options.device_library = library.c_str();
    options.backend = GUARD_BACKEND_AUTO;
    guard_engine* engine = nullptr;
    guard_error error{};
    CHECK_THAT(guard_open(&options, &engine, &error) == GUARD_OK, error.sentence);
    guard_info info{};
    guard_get_info(engine, &info);
    CHECK(std::string(info.backend) == "cpu" && std::string(info.fallback).find("CUDA library") != std::string::npos);
    guard_close(engine);
    options.backend = GUARD_BACKEND_CUDA;
    CHECK(guard_open(&options, &engine, &error) == GUARD_UNSUPPORTED && std::string(error.sentence).find("CUDA library") != std::string::npos);
  }
}

TEST("what an engine takes of the device, it gives back") {
  if (!device_is_emulated()) return skip("other programs use this device's memory");
  const auto free_bytes = [] {
    guard_engine* engine = open_engine({"llama-q8_0.gguf"});
    guard_info info{};
    guard_get_info(engine, &info);
    guard_close(engine);
    return info.device_free_bytes;
  };
  const uint64_t before = free_bytes();
  guard_engine* engine = open_engine({"deberta-v3"});
  score(engine, {some_ids(1, 40)});
  guard_close(engine);
  CHECK(before > 0 && free_bytes() == before);
}
