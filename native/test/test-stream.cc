// Streaming as a caller of guard.h sees it: the same bits from wherever layers lie, and what happens when they cannot be had.
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "check.h"
#include "deepen.h"

namespace {

constexpr size_t kLayers = 7;

struct Way {
  const char* name;
  guard_backend backend;
  guard_streaming streaming;
  uint64_t device_layers;  // max_device_bytes in layers; 0: no bound
  uint64_t pinned_layers;  // max_pinned_bytes in layers; 0: no bound
  uint32_t slots;
};

guard_open_options options_of(const std::string& path, const Way& way, uint64_t layer_bytes) {
  guard_open_options o{};
  o.model = path.c_str();
  o.threads = 2;
  o.isa = GUARD_ISA_AUTO;
  o.backend = way.backend;
  o.streaming = way.streaming;
  o.max_device_bytes = way.device_layers * layer_bytes;
  o.max_pinned_bytes = way.pinned_layers * layer_bytes;
  o.stream_slots = way.slots;
  o.simulated_link_bytes_per_second = 2000000000;
  return o;
}

guard_engine* open_with(const guard_open_options& options) {
  guard_engine* engine = nullptr;
  guard_error error{};
  CHECK_THAT(guard_open(&options, &engine, &error) == GUARD_OK, error.sentence);
  return engine;
}

guard_stats stats_of(guard_engine* engine) {
  guard_stats stats{};
  CHECK(guard_get_stats(engine, &stats) == GUARD_OK);
  return stats;
}

const int32_t kLabels[] = {3, 7, 11};

guard_request request_of(const std::vector<int32_t>& ids, bool encoder) {
  guard_request r{};
  r.tokens = ids.data();
  r.n_tokens = ids.size();
  r.labels = kLabels;
  r.n_labels = encoder ? 0 : 3;
  r.risk_label = -1;
  return r;
}

std::vector<int32_t> ids_of(int seed, size_t n) {
  std::vector<int32_t> ids(n);
  for (size_t i = 0; i < n; i++) ids[i] = static_cast<int32_t>((static_cast<size_t>(seed) * 31 + i * 17) % 40 + 20);
  return ids;
}

/// Logits of twelve requests, asked for at once: they share passes.
std::vector<std::vector<float>> scores_of(guard_engine* engine, bool encoder) {
  constexpr int kRequests = 12;
  std::vector<std::vector<int32_t>> ids;
  for (int i = 0; i < kRequests; i++) ids.push_back(ids_of(i, 1 + static_cast<size_t>(i) * 3 % 23));
  std::vector<std::promise<guard_result>> promises(kRequests);
  for (size_t i = 0; i < ids.size(); i++) {
    const guard_request r = request_of(ids[i], encoder);
    const auto done = [](void* user, const guard_result* result) { static_cast<std::promise<guard_result>*>(user)->set_value(*result); };
    CHECK(guard_submit(engine, nullptr, &r, done, &promises[i], nullptr, nullptr) == GUARD_OK);
  }
  std::vector<std::vector<float>> out;
  for (auto& promise : promises) {
    const guard_result result = promise.get_future().get();
    CHECK_THAT(result.status == GUARD_OK, guard_status_name(result.status));
    out.emplace_back(result.logits, result.logits + result.n_labels);
  }
  return out;
}

guard_status score(guard_engine* engine, guard_error* error = nullptr, guard_result* into = nullptr) {
  const auto ids = ids_of(1, 5);
  const guard_request r = request_of(ids, false);
  guard_result result{};
  const guard_status status = guard_score(engine, nullptr, &r, &result, error);
  if (into != nullptr) *into = result;
  return status;
}

/// Bytes of a layer: of a resident engine's, the largest layer is at most this.
uint64_t layer_bytes_of(const std::string& path) {
  const Way least{"least", GUARD_BACKEND_CPU, GUARD_STREAMING_DISK, 0, 0, 2};
  guard_engine* engine = open_with(options_of(path, least, 0));
  if (engine == nullptr) return 1;
  const guard_stats stats = stats_of(engine);
  guard_close(engine);
  return stats.device_bytes / stats.ring_slots;
}

constexpr Way kWays[] = {
    {"CPU, all from disk", GUARD_BACKEND_CPU, GUARD_STREAMING_DISK, 0, 0, 2},
    {"CPU, three layers kept, a ring of three", GUARD_BACKEND_CPU, GUARD_STREAMING_DISK, 6, 0, 3},
    {"all from pinned memory", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_PINNED, 0, 0, 2},
    {"all from disk", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_DISK, 0, 0, 2},
    {"three tiers at once", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_AUTO, 4, 4, 2},
    {"a deep ring", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_PINNED, 6, 0, 5},
    {"nothing streamed", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_RESIDENT, 0, 0, 0},
};

void same_bits(const std::string& model) {
  const std::string path = deepen(model, kLayers);
  const uint64_t layer = layer_bytes_of(path);
  const Way resident{"resident", GUARD_BACKEND_CPU, GUARD_STREAMING_RESIDENT, 0, 0, 0};
  guard_engine* engine = open_with(options_of(path, resident, layer));
  if (engine == nullptr) return;
  guard_info info{};
  guard_get_info(engine, &info);
  const bool encoder = info.is_encoder != 0;
  CHECK(info.layers == kLayers && std::string(info.backend) == "cpu");
  const auto wanted = scores_of(engine, encoder);
  CHECK(stats_of(engine).layers_on_device == kLayers && stats_of(engine).layers_streamed == 0);
  guard_close(engine);
  for (const Way& way : kWays) {
    engine = open_with(options_of(path, way, layer));
    if (engine == nullptr) continue;
    for (int round = 0; round < 2; round++) CHECK_THAT(scores_of(engine, encoder) == wanted, model + ": " + way.name + " gives other bits");
    const guard_stats s = stats_of(engine);
    CHECK_THAT(s.layers_on_device + s.layers_pinned + s.layers_on_disk == kLayers, way.name);
    CHECK_THAT((s.layers_streamed > 0) == (way.streaming != GUARD_STREAMING_RESIDENT), way.name);
    if (way.device_layers > 0) CHECK_THAT(s.device_bytes <= way.device_layers * layer, way.name);
    guard_close(engine);
  }
}

}  // namespace

TEST("streamed Llama layers give the resident ones' bits in every quantization") {
  for (const char* name : {"llama-f32.gguf", "llama-rope-tied-f16.gguf", "llama-bf16.gguf", "llama-q8_0.gguf", "llama-q4_0.gguf", "llama-q4_k.gguf", "llama-q6_k.gguf"}) same_bits(name);
}
TEST("streamed Qwen layers give the resident ones' bits") {
  for (const char* name : {"qwen2-f32.gguf", "qwen2-q8_0.gguf", "qwen3-bf16.gguf", "qwen3-q4_k.gguf"}) same_bits(name);
}
TEST("streamed encoder layers give the resident ones' bits") {
  for (const char* name : {"canary-f32.gguf", "canary-q8_0.gguf", "canary-q4_k.gguf", "deberta-v3", "deberta-v3-f16"}) same_bits(name);
}

TEST("counters tell what was streamed, from where, and how much of it was hidden") {
  const std::string path = deepen("llama-q8_0.gguf", kLayers);
  const uint64_t layer = layer_bytes_of(path);
  guard_engine* engine = open_with(options_of(path, {"", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_AUTO, 4, 3, 2}, layer));
  guard_info info{};
  guard_get_info(engine, &info);
  CHECK(std::string(info.backend) == "simulated");
  const guard_stats before = stats_of(engine);
  CHECK(before.layers_on_device == 2 && before.layers_pinned == 1 && before.layers_on_disk == 4 && before.ring_slots == 2);
  for (int i = 0; i < 5; i++) CHECK(score(engine) == GUARD_OK);
  const guard_stats after = stats_of(engine);
  CHECK(after.passes == before.passes + 5);
  CHECK(after.layers_streamed == before.layers_streamed + 5 * 5);
  // The layers that stay are hits each time; the ring's may be.
  CHECK(after.layer_hits - before.layer_hits >= 5 * 2 && after.layer_hits - before.layer_hits <= 5 * kLayers);
  CHECK(after.uploaded_pinned_bytes >= 5 * layer / 2 && after.uploaded_disk_bytes >= 4 * 5 * layer / 2);
  CHECK(after.read_bytes > 0 && after.read_ms > 0 && after.upload_ms > 0 && after.layer_ms > 0);
  CHECK(after.overlap >= 0 && after.overlap <= 1);
  // The link is never faster than it was set.
  CHECK(after.link_bytes_per_second > 0 && after.link_bytes_per_second <= 2000000000 * 1.05);
  guard_close(engine);
}

TEST("what does not fit is refused with a sentence that says how much is needed") {
  const std::string path = deepen("llama-f32.gguf", kLayers);
  const uint64_t layer = layer_bytes_of(path);
  guard_error error{};
  guard_engine* engine = nullptr;
  const auto opens = [&](const Way& way) {
    const guard_open_options o = options_of(path, way, layer);
    return guard_open(&o, &engine, &error);
  };
  CHECK(opens({"", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_AUTO, 1, 0, 0}) == GUARD_NO_MEMORY);
  CHECK_THAT(strstr(error.sentence, "room for 2 layers") != nullptr, error.sentence);
  CHECK(opens({"", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_AUTO, 3, 0, 4}) == GUARD_NO_MEMORY);
  CHECK_THAT(strstr(error.sentence, "room for 4 layers") != nullptr, error.sentence);
  CHECK(opens({"", GUARD_BACKEND_CPU, GUARD_STREAMING_RESIDENT, 6, 0, 0}) == GUARD_NO_MEMORY);
  CHECK(opens({"", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_PINNED, 2, 3, 2}) == GUARD_NO_MEMORY);
  CHECK(opens({"", GUARD_BACKEND_CPU, GUARD_STREAMING_PINNED, 2, 0, 2}) == GUARD_UNSUPPORTED);
  guard_open_options o = options_of(path, {"", GUARD_BACKEND_CPU, GUARD_STREAMING_AUTO, 0, 0, 1}, layer);
  CHECK(guard_open(&o, &engine, &error) == GUARD_BAD_ARGUMENT);
  o.stream_slots = 0;
  o.streaming = static_cast<guard_streaming>(9);
  CHECK(guard_open(&o, &engine, &error) == GUARD_BAD_ARGUMENT);
  CHECK(engine == nullptr);
}

TEST("a model file that is changed while it is streamed is refused, and stays so") {
  for (const guard_backend backend : {GUARD_BACKEND_CPU, GUARD_BACKEND_SIMULATED}) {
    const std::string path = deepen("llama-q8_0.gguf", kLayers);
    guard_engine* engine = open_with(options_of(path, {"", backend, GUARD_STREAMING_DISK, 0, 0, 2}, 0));
    CHECK(score(engine) == GUARD_OK);
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(-64, std::ios::end);
      file.put('x');
    }
    guard_error error{};
    guard_status status = GUARD_OK;
    // The ring may hold layers that were read before.
    for (int i = 0; i < 4 && status == GUARD_OK; i++) status = score(engine, &error);
    CHECK_THAT(status == GUARD_MODEL_REJECTED, error.sentence);
    CHECK_THAT(strstr(error.sentence, "model") != nullptr, error.sentence);
    CHECK(score(engine, &error) == GUARD_MODEL_REJECTED);
    guard_close(engine);
  }
}

TEST("a model file that is cut while it is streamed fails every request of the pass, and nothing else") {
  const std::string path = deepen("llama-f32.gguf", kLayers);
  guard_engine* engine = open_with(options_of(path, {"", GUARD_BACKEND_CPU, GUARD_STREAMING_DISK, 0, 0, 2}, 0));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  std::atomic<int> done{0}, refused{0};
  struct Count {
    std::atomic<int>&done, &refused;
  } count{done, refused};
  const auto ids = ids_of(2, 6);
  for (int i = 0; i < 8; i++) {
    const guard_request r = request_of(ids, false);
    const auto on_done = [](void* user, const guard_result* result) {
      auto* c = static_cast<Count*>(user);
      if (result->status == GUARD_MODEL_REJECTED) c->refused++;
      c->done++;
    };
    CHECK(guard_submit(engine, nullptr, &r, on_done, &count, nullptr, nullptr) == GUARD_OK);
  }
  while (done < 8) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(refused == 8);
  CHECK(stats_of(engine).running == 0);
  guard_close(engine);
}

TEST("requests are cancelled at layer borders, and closing while layers are on their way is safe") {
  const std::string path = deepen("llama-q8_0.gguf", kLayers);
  for (const guard_streaming streaming : {GUARD_STREAMING_PINNED, GUARD_STREAMING_DISK}) {
    guard_open_options o = options_of(path, {"", GUARD_BACKEND_SIMULATED, streaming, 0, 0, 2}, 0);
    o.simulated_link_bytes_per_second = 4000000;  // some milliseconds a layer
    guard_engine* engine = open_with(o);
    std::atomic<int> done{0}, cancelled{0};
    struct Count {
      std::atomic<int>&done, &cancelled;
    } count{done, cancelled};
    const auto on_done = [](void* user, const guard_result* result) {
      auto* c = static_cast<Count*>(user);
      if (result->status == GUARD_CANCELLED) c->cancelled++;
      c->done++;
    };
    const auto ids = ids_of(3, 4);
    const guard_request r = request_of(ids, false);
    int sent = 0;
    for (int round = 0; round < 6; round++) {
      guard_ticket* ticket = nullptr;
      CHECK(guard_submit(engine, nullptr, &r, on_done, &count, &ticket, nullptr) == GUARD_OK);
      sent++;
      std::this_thread::sleep_for(std::chrono::milliseconds(round));
      guard_cancel(ticket);
      guard_ticket_release(ticket);
    }
    while (done < sent) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(cancelled > 0);
    // Passes that ended early leave nothing behind: the next one begins with the first layer.
    guard_result a{}, b{};
    CHECK(score(engine, nullptr, &a) == GUARD_OK);
    guard_engine* resident = open_with(options_of(path, {"", GUARD_BACKEND_CPU, GUARD_STREAMING_RESIDENT, 0, 0, 0}, 0));
    CHECK(score(resident, nullptr, &b) == GUARD_OK);
    CHECK(memcmp(a.logits, b.logits, 3 * sizeof(float)) == 0);
    guard_close(resident);
    for (int i = 0; i < 4; i++) {
      CHECK(guard_submit(engine, nullptr, &r, on_done, &count, nullptr, nullptr) == GUARD_OK);
      sent++;
    }
    guard_close(engine);
    CHECK(done == sent);
  }
}

TEST("prefixes and generated tokens pass through the ring as well") {
  const std::string path = deepen("qwen3-q8_0.gguf", kLayers);
  guard_result results[2];
  int n = 0;
  for (const Way& way : {Way{"", GUARD_BACKEND_CPU, GUARD_STREAMING_RESIDENT, 0, 0, 0}, Way{"", GUARD_BACKEND_SIMULATED, GUARD_STREAMING_DISK, 0, 0, 3}}) {
    guard_engine* engine = open_with(options_of(path, way, 0));
    const std::string policy = "in the on there is";
    guard_prefix* prefix = nullptr;
    CHECK(guard_prefix_create(engine, "a", policy.data(), policy.size(), &prefix, nullptr, nullptr) == GUARD_OK);
    const auto ids = ids_of(4, 9);
    guard_request r = request_of(ids, false);
    r.prefix = prefix;
    r.max_tokens = 6;
    CHECK(guard_score(engine, "a", &r, &results[n], nullptr) == GUARD_OK);
    n++;
    guard_prefix_release(prefix);
    guard_close(engine);
  }
  CHECK(results[0].n_generated > 0 && results[0].n_generated == results[1].n_generated);
  CHECK(memcmp(results[0].generated, results[1].generated, results[0].n_generated * sizeof(int32_t)) == 0);
  CHECK(memcmp(results[0].logits, results[1].logits, 3 * sizeof(float)) == 0);
}
