#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <vector>

#include "../device.h"
#include "backend/steps.h"
#include "base/fail.h"
#include "commands.h"
#include "guard.h"
#include "shapes.h"

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

struct Plan {
  bool dry;
  int runs() const { return dry ? 1 : 40; }
  double burst_seconds() const { return dry ? 0.2 : 4; }
  uint32_t batch() const { return dry ? 256 : 8192; }
  std::vector<uint32_t> lengths() const { return dry ? std::vector<uint32_t>{9, 17} : std::vector<uint32_t>{100, 300}; }
  size_t waiting() const { return dry ? 2 : 64; }
};

guard_engine* open_engine(const char* file, const Plan& plan, guard_backend backend, uint64_t device_bytes, guard_streaming way) {
  const std::string library = device_library();
  guard_open_options options{};
  options.model = file;
  options.backend = backend;
  options.device_library = library.c_str();
  options.max_batch_tokens = plan.batch();
  options.max_kv_bytes = 8ull << 30;
  options.max_device_bytes = device_bytes;
  options.streaming = way;
  guard_engine* engine = nullptr;
  guard_error error{};
  if (guard_open(&options, &engine, &error) != GUARD_OK) guard::fail(GUARD_UNSUPPORTED, "%s", error.sentence);
  return engine;
}

guard_request request_of(const std::vector<int32_t>& ids) {
  static const int32_t labels[] = {5, 9};
  guard_request r{};
  r.tokens = ids.data();
  r.n_tokens = ids.size();
  r.labels = labels;
  r.n_labels = 2;
  r.risk_label = -1;
  return r;
}

std::vector<int32_t> ids_of(uint32_t seed, uint32_t n) {
  std::vector<int32_t> ids;
  for (uint32_t i = 0; i < n; i++) ids.push_back(static_cast<int32_t>((seed * 7919 + i * 104729) % 500));
  return ids;
}

guard_result score(guard_engine* engine, const std::vector<int32_t>& ids) {
  const guard_request r = request_of(ids);
  guard_result result{};
  guard_error error{};
  if (guard_score(engine, nullptr, &r, &result, &error) != GUARD_OK) guard::fail(GUARD_IO, "%s", error.sentence);
  return result;
}

/// The middle of single scorings, in milliseconds.
double median_ms(guard_engine* engine, const Plan& plan, uint32_t tokens) {
  std::vector<double> times;
  for (int i = 0; i < plan.runs() + 2; i++) {
    const auto ids = ids_of(static_cast<uint32_t>(i), tokens);
    const auto begun = Clock::now();
    score(engine, ids);
    if (i >= 2) times.push_back(seconds_since(begun) * 1000);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// Scorings a second while so many always wait.
double per_second(guard_engine* engine, const Plan& plan, uint32_t tokens) {
  struct Crowd {
    std::mutex mutex;
    std::condition_variable left;
    size_t inside = 0, done = 0, failed = 0;
  } crowd;
  const auto done = [](void* user, const guard_result* result) {
    auto* c = static_cast<Crowd*>(user);
    std::lock_guard lock(c->mutex);
    c->inside--;
    c->done++;
    c->failed += result->status != GUARD_OK;
    c->left.notify_one();
  };
  std::vector<std::vector<int32_t>> texts;
  for (uint32_t i = 0; i < 64; i++) texts.push_back(ids_of(i, tokens));
  const auto begun = Clock::now();
  for (size_t i = 0; seconds_since(begun) < plan.burst_seconds(); i++) {
    {
      std::unique_lock lock(crowd.mutex);
      crowd.left.wait(lock, [&] { return crowd.inside < plan.waiting(); });
      crowd.inside++;
    }
    const guard_request r = request_of(texts[i % texts.size()]);
    guard_error error{};
    if (guard_submit(engine, nullptr, &r, done, &crowd, nullptr, &error) != GUARD_OK) guard::fail(GUARD_IO, "%s", error.sentence);
  }
  std::unique_lock lock(crowd.mutex);
  crowd.left.wait(lock, [&] { return crowd.inside == 0; });
  if (crowd.failed > 0) guard::fail(GUARD_IO, "%zu scorings failed.", crowd.failed);
  return static_cast<double>(crowd.done) / seconds_since(begun);
}

/// Bytes a second of plain uploads from locked memory: what the link can do.
double link_speed(const Plan& plan) {
  guard::backend::CudaDevice device(guard::backend::Library::load(device_library().c_str()), 0, 0);
  const size_t bytes = plan.dry ? 1u << 20 : 256u << 20;
  const guard::backend::DeviceBytes to(device, bytes);
  const guard::backend::PinnedBytes from(device, bytes);
  double best = 0;
  for (int i = 0; i < 8; i++) {
    const auto begun = Clock::now();
    device.upload(to.as<void>(), from.as<void>(), bytes);
    device.wait(device.transfer_mark());
    best = std::max(best, static_cast<double>(bytes) / seconds_since(begun));
  }
  return best;
}

/// Layers that pass through a quarter of their size, with batches too small to hide it: how much of the link is used.
/// The scores must be those of resident layers, bit for bit.
int measure_stream(const char* file, const Plan& plan, guard_engine* resident) {
  guard_info info{};
  guard_get_info(resident, &info);
  guard_stats stats{};
  guard_get_stats(resident, &stats);
  guard_engine* streamed = open_engine(file, plan, GUARD_BACKEND_CUDA, stats.device_bytes / 4, GUARD_STREAMING_AUTO);
  int wrong = 0;
  for (uint32_t i = 0; i < 3; i++) {
    const guard_result a = score(resident, ids_of(i, 64)), b = score(streamed, ids_of(i, 64));
    wrong += a.logits[0] != b.logits[0] || a.logits[1] != b.logits[1];
  }
  guard_stats before{}, after{};
  guard_get_stats(streamed, &before);
  const auto begun = Clock::now();
  int passes = 0;
  while (seconds_since(begun) < plan.burst_seconds()) {
    score(streamed, ids_of(static_cast<uint32_t>(passes), 64));
    passes++;
  }
  const double took = seconds_since(begun);
  guard_get_stats(streamed, &after);
  const double moved = static_cast<double>(after.uploaded_pinned_bytes + after.uploaded_disk_bytes - before.uploaded_pinned_bytes - before.uploaded_disk_bytes);
  const double link = link_speed(plan);
  printf("| a quarter of the layers on the device | %.1f GB/s of %.1f GB/s | %.0f %% | %llu layers streamed, overlap %.2f, %s |\n", moved / took / 1e9, link / 1e9, 100 * moved / took / link,
         (unsigned long long)after.layers_streamed, after.overlap, wrong == 0 ? "the resident bits" : "OTHER BITS");
  guard_close(streamed);
  return wrong;
}

}  // namespace

int measure_device(const char* name, const char* file, bool dry) {
  const Shape* shape = shape_of(name);
  if (shape == nullptr) return 2;
  const Plan plan{dry};
  try {
    const auto begun = Clock::now();
    guard_engine* device = open_engine(file, plan, GUARD_BACKEND_CUDA, 0, GUARD_STREAMING_RESIDENT);
    const double load = seconds_since(begun);
    guard_info info{};
    guard_get_info(device, &info);
    printf("\n### %s, Q8_0, on %s\n\nLoaded in %.1f s. CUDA driver %d.%d, %.1f GiB of %.1f GiB free then.\n\n", name, info.backend, load, info.cuda_driver / 1000, info.cuda_driver % 1000 / 10,
           static_cast<double>(info.device_free_bytes) / (1 << 30), static_cast<double>(info.device_total_bytes) / (1 << 30));
    printf("| new tokens | p50 alone | limit | share of the limit | scorings a second | limit | share |\n|---|---|---|---|---|---|---|\n");
    for (const uint32_t tokens : plan.lengths()) {
      const double ms = median_ms(device, plan, tokens), rps = per_second(device, plan, tokens);
      const double limit = tokens == 100 ? shape->limit_100_ms : tokens == 300 ? shape->limit_300_ms : 0;
      const double most = shape->limit_rps * 300 / tokens;
      printf("| %u | %.2f ms | %.2f ms | %.0f %% | %.0f | %.0f | %.0f %% |\n", tokens, ms, limit, limit > 0 ? 100 * limit / ms : 0.0, rps, most, most > 0 ? 100 * rps / most : 0.0);
      fflush(stdout);
    }
    printf("\n| streaming | speed | share of the link | |\n|---|---|---|---|\n");
    const int wrong = measure_stream(file, plan, device);
    guard_close(device);
    return wrong == 0 ? 0 : 1;
  } catch (const guard::Fail& failed) {
    fprintf(stderr, "%s\n", failed.what());
    return 1;
  }
}
