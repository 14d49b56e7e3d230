#include <algorithm>
#include <cstring>
#include <future>
#include <new>

#include "base/fail.h"
#include "cpu/dispatch.h"
#include "format/limits.h"
#include "sched/scheduler.h"

struct guard_engine {
  std::shared_ptr<guard::cpu::Cpu> cpu;
  std::shared_ptr<guard::Model> model;
  std::unique_ptr<guard::Tokenizer> tokenizer_only;
  std::unique_ptr<guard::Scheduler> scheduler;
  const guard::Tokenizer& tokenizer() const { return model ? *model->tokenizer : *tokenizer_only; }
};
struct guard_prefix {
  std::shared_ptr<guard::Prefix> held;
};
struct guard_ticket {
  std::shared_ptr<guard::Job> job;
};

namespace {

using guard::fail;

void say(guard_error* error, const char* sentence) {
  if (error == nullptr) return;
  snprintf(error->sentence, sizeof error->sentence, "%s", sentence);
}

/// The border: whatever is thrown inside becomes a status, and a sentence.
template <class Body>
guard_status bordered(guard_error* error, Body body) {
  say(error, "");
  try {
    body();
    return GUARD_OK;
  } catch (const guard::Fail& thrown) {
    say(error, thrown.what());
    return thrown.status();
  } catch (const std::bad_alloc&) {
    say(error, "There is not enough memory.");
    return GUARD_NO_MEMORY;
  } catch (const std::exception& thrown) {
    say(error, thrown.what());
    return GUARD_IO;
  }
}

void need(bool condition, const char* sentence) {
  if (!condition) fail(GUARD_BAD_ARGUMENT, "%s", sentence);
}

std::shared_ptr<guard::Job> job_of(const guard_engine* engine, const char* tenant, const guard_request* r) {
  const guard::Model& model = *engine->model;
  auto job = std::make_shared<guard::Job>();
  job->tenant = tenant == nullptr ? "" : tenant;
  job->submitted = guard::Clock::now();
  if (r->n_tokens > 0) {
    need(r->tokens != nullptr && r->n_tokens <= guard::limits::kContext, "The tokens are missing, or too many.");
    job->given.assign(r->tokens, r->tokens + r->n_tokens);
  } else {
    need(r->segments != nullptr && r->n_segments > 0 && r->n_segments <= 64, "A request has 1 to 64 segments.");
    uint64_t bytes = 0;
    for (size_t i = 0; i < r->n_segments; i++) {
      const guard_segment& s = r->segments[i];
      need(s.text != nullptr || s.bytes == 0, "A segment has no text.");
      need(s.role >= GUARD_ROLE_INSTRUCTION && s.role <= GUARD_ROLE_RESULT, "A segment has no role of the known ones.");
      // Counted before it is tokenized: what follows may trust every length to be small.
      if (s.bytes > guard::limits::kTextBytes || (bytes += s.bytes) > guard::limits::kTextBytes) fail(GUARD_TOO_LONG, "The text is longer than %llu bytes.", (unsigned long long)guard::limits::kTextBytes);
      job->segments.push_back({s.role, std::string(s.text == nullptr ? "" : s.text, s.bytes), s.trusted != 0});
    }
  }
  if (!model.encoder) {
    need(r->n_labels <= 64 && (r->labels != nullptr || r->n_labels == 0), "A request has at most 64 labels.");
    need(r->n_labels > 0 || r->max_tokens > 0, "A decoder needs labels to score, or a number of tokens to generate.");
    for (size_t i = 0; i < r->n_labels; i++) {
      if (r->labels[i] < 0 || static_cast<uint32_t>(r->labels[i]) >= model.vocabulary) fail(GUARD_BAD_ARGUMENT, "Label id %d lies beyond the vocabulary.", r->labels[i]);
      job->labels.push_back(r->labels[i]);
    }
    need(r->max_tokens <= 256, "At most 256 tokens can be generated.");
    job->max_tokens = r->max_tokens;
  } else {
    if (r->max_tokens > 0) fail(GUARD_UNSUPPORTED, "An encoder generates nothing.");
    if (r->prefix != nullptr) fail(GUARD_UNSUPPORTED, "An encoder has no prefix: every token sees every other.");
  }
  const size_t labels = model.encoder ? model.labels.size() : job->labels.size();
  need(r->risk_label >= -1 && (r->risk_label < 0 || static_cast<size_t>(r->risk_label) < labels), "The risk label is none of the labels.");
  job->risk_label = r->risk_label;
  if (r->prefix != nullptr) {
    need(r->prefix->held != nullptr && r->prefix->held->tenant == job->tenant, "The prefix belongs to another tenant.");
    job->prefix = r->prefix->held;
  }
  need(r->deadline_ms >= 0 && r->deadline_ms < 1e12, "The deadline is no time.");
  if (r->deadline_ms > 0) job->deadline = job->submitted + std::chrono::microseconds(static_cast<int64_t>(r->deadline_ms * 1000));
  job->priority = r->priority;
  return job;
}

void add_streaming(const guard::stream::StreamStats& s, guard_stats& out) {
  out.layers_on_device = s.on_device;
  out.layers_pinned = s.pinned;
  out.layers_on_disk = s.on_disk;
  out.ring_slots = s.slots;
  out.device_bytes = s.device_bytes;
  out.locked_bytes = s.locked_bytes;
  out.layers_streamed = s.streamed;
  out.layer_hits = s.hits;
  out.promotions = s.promotions;
  out.uploaded_pinned_bytes = s.pinned_bytes;
  out.uploaded_disk_bytes = s.disk_bytes;
  out.read_bytes = s.read_bytes;
  out.read_ms = s.read_seconds * 1000;
  out.upload_ms = s.link_seconds * 1000;
  out.stall_ms = s.stall_seconds * 1000;
  out.layer_ms = s.compute_seconds * 1000;
  out.overlap = s.overlap();
  out.link_bytes_per_second = s.link_seconds > 0 ? static_cast<double>(s.link_bytes) / s.link_seconds : 0;
  out.read_bytes_per_second = s.read_seconds > 0 ? static_cast<double>(s.read_bytes) / s.read_seconds : 0;
}

}  // namespace

/// The number that a caller put into an enumeration, which may be none of its own: to load that as the enumeration is undefined.
template <class Enumeration>
static unsigned raw(const Enumeration& value) {
  static_assert(sizeof(Enumeration) == sizeof(unsigned));
  unsigned number;
  memcpy(&number, &value, sizeof number);
  return number;
}

extern "C" {

guard_status guard_open(const guard_open_options* o, guard_engine** out, guard_error* error) {
  return bordered(error, [&] {
    need(o != nullptr && out != nullptr && o->model != nullptr, "The options, the model's path or the place for the engine is missing.");
    *out = nullptr;
    need(o->threads >= 0 && o->threads <= 256, "The number of threads must lie between 0 and 256.");
    need(raw(o->backend) <= GUARD_BACKEND_SIMULATED, "The backend is none of the known ones.");
    need(raw(o->streaming) <= GUARD_STREAMING_DISK, "The way of streaming is none of the known ones.");
    need(o->stream_slots == 0 || (o->stream_slots >= 2 && o->stream_slots <= 16), "The ring has 2 to 16 slots.");
    need(o->max_batch_tokens <= 65536 && o->max_queue <= 1u << 20, "The batch or the queue is too large.");
    auto engine = std::make_unique<guard_engine>();
    if (o->tokenizer_only != 0) {
      engine->tokenizer_only = guard::load_tokenizer(*o);
    } else {
      const unsigned machine = std::max(1u, std::thread::hardware_concurrency());
      const unsigned threads = o->threads > 0 ? static_cast<unsigned>(o->threads) : std::min(machine, 16u);
      engine->cpu = std::make_shared<guard::cpu::Cpu>(guard::cpu::kernels_for(o->isa), threads);
      engine->model = guard::load_model(*o, engine->cpu);
      engine->scheduler = std::make_unique<guard::Scheduler>(
          engine->model, guard::Limits{o->max_batch_tokens ? o->max_batch_tokens : 512, o->max_queue ? o->max_queue : 256, o->max_kv_bytes ? o->max_kv_bytes : 1ull << 30});
    }
    *out = engine.release();
  });
}

void guard_close(guard_engine* engine) { delete engine; }

guard_status guard_get_info(const guard_engine* e, guard_info* info) {
  if (e == nullptr || info == nullptr) return GUARD_BAD_ARGUMENT;
  *info = {};
  info->tokenizer = e->tokenizer().name();
  info->vocabulary = static_cast<uint32_t>(e->tokenizer().vocab().size());
  info->architecture = info->isa = info->backend = "none";
  info->fallback = "";
  if (!e->model) return GUARD_OK;
  const guard::Model& m = *e->model;
  info->architecture = m.architecture.c_str();
  info->isa = e->cpu->k.name;
  info->context = m.context;
  info->width = m.width;
  info->layers = m.layers;
  info->labels = static_cast<uint32_t>(m.labels.size());
  info->is_encoder = m.encoder;
  info->weight_bytes = m.weight_bytes;
  info->threads = e->cpu->pool.threads();
  info->backend = m.device.c_str();
  info->fallback = m.fallback.c_str();
  info->cuda_driver = m.cuda_driver;
  info->device_total_bytes = m.device_memory.total;
  info->device_free_bytes = m.device_memory.free;
  return GUARD_OK;
}

const char* guard_label_name(const guard_engine* e, uint32_t label) {
  return e != nullptr && e->model && label < e->model->labels.size() ? e->model->labels[label].c_str() : nullptr;
}

guard_status guard_tokenize(const guard_engine* e, const char* text, size_t bytes, int trusted, int32_t* ids, size_t capacity, size_t* needed, guard_error* error) {
  return bordered(error, [&] {
    need(e != nullptr && (text != nullptr || bytes == 0) && needed != nullptr, "The engine, the text or the place for the count is missing.");
    if (bytes > guard::limits::kTextBytes) fail(GUARD_TOO_LONG, "The text is longer than %llu bytes.", (unsigned long long)guard::limits::kTextBytes);
    std::vector<int32_t> out;
    const std::string_view view(text == nullptr ? "" : text, bytes);
    if (trusted != 0)
      e->tokenizer().encode_trusted(view, out);
    else
      e->tokenizer().encode(view, out);
    *needed = out.size();
    need(out.size() <= capacity, "The place for the ids is too small.");
    if (!out.empty()) memcpy(ids, out.data(), out.size() * sizeof(int32_t));
  });
}

guard_status guard_detokenize(const guard_engine* e, const int32_t* ids, size_t n, char* text, size_t capacity, size_t* needed, guard_error* error) {
  return bordered(error, [&] {
    need(e != nullptr && (ids != nullptr || n == 0) && needed != nullptr, "The engine, the ids or the place for the count is missing.");
    std::string out;
    for (size_t i = 0; i < n; i++) {
      need(ids[i] >= 0 && static_cast<size_t>(ids[i]) < e->tokenizer().vocab().size(), "A token id lies beyond the vocabulary.");
      out += e->tokenizer().decode(ids[i]);
    }
    *needed = out.size();
    need(out.size() <= capacity, "The place for the text is too small.");
    if (!out.empty()) memcpy(text, out.data(), out.size());
  });
}

guard_status guard_prefix_create(guard_engine* e, const char* tenant, const char* text, size_t bytes, guard_prefix** out, uint32_t* tokens, guard_error* error) {
  return bordered(error, [&] {
    need(e != nullptr && e->model && out != nullptr && (text != nullptr || bytes == 0), "The engine, the text or the place for the prefix is missing.");
    *out = nullptr;
    if (bytes > guard::limits::kTextBytes) fail(GUARD_TOO_LONG, "The text is longer than %llu bytes.", (unsigned long long)guard::limits::kTextBytes);
    const guard::Vocab& vocab = e->tokenizer().vocab();
    std::vector<int32_t> ids;
    if (vocab.add_bos && vocab.bos >= 0) ids.push_back(vocab.bos);
    e->tokenizer().encode_trusted(std::string_view(text == nullptr ? "" : text, bytes), ids);
    if (ids.size() > 1 && ids[0] == vocab.bos && ids[1] == vocab.bos) ids.erase(ids.begin());
    auto prefix = std::make_unique<guard_prefix>();
    prefix->held = e->scheduler->prefix(tenant == nullptr ? "" : tenant, std::move(ids));
    if (tokens != nullptr) *tokens = static_cast<uint32_t>(prefix->held->tokens.size());
    *out = prefix.release();
  });
}

void guard_prefix_release(guard_prefix* prefix) { delete prefix; }

guard_status guard_submit(guard_engine* e, const char* tenant, const guard_request* request, guard_done done, void* user, guard_ticket** ticket, guard_error* error) {
  return bordered(error, [&] {
    need(e != nullptr && e->model && request != nullptr && done != nullptr, "The engine, the request or the callback is missing.");
    auto job = job_of(e, tenant, request);
    job->done = done;
    job->user = user;
    auto made = ticket == nullptr ? nullptr : std::make_unique<guard_ticket>(guard_ticket{job});
    e->scheduler->submit(std::move(job));
    if (ticket != nullptr) *ticket = made.release();
  });
}

void guard_cancel(guard_ticket* ticket) {
  if (ticket != nullptr) ticket->job->cancelled = true;
}
void guard_ticket_release(guard_ticket* ticket) { delete ticket; }

guard_status guard_score(guard_engine* e, const char* tenant, const guard_request* request, guard_result* result, guard_error* error) {
  if (result == nullptr) return GUARD_BAD_ARGUMENT;
  struct Wait {
    std::promise<void> promise;
    guard_result* result;
    guard_error* error;
  } wait{{}, result, error};
  auto future = wait.promise.get_future();
  const auto done = [](void* user, const guard_result* r) {
    auto* w = static_cast<Wait*>(user);
    *w->result = *r;
    say(w->error, r->sentence);
    w->result->sentence = w->error == nullptr ? "" : w->error->sentence;
    w->promise.set_value();
  };
  const guard_status status = guard_submit(e, tenant, request, done, &wait, nullptr, error);
  if (status != GUARD_OK) return status;
  future.wait();
  return result->status;
}

guard_status guard_get_stats(const guard_engine* e, guard_stats* stats) {
  if (e == nullptr || stats == nullptr || !e->scheduler) return GUARD_BAD_ARGUMENT;
  *stats = e->scheduler->stats();
  add_streaming(e->model->feed->stats(), *stats);
  return GUARD_OK;
}

const char* guard_status_name(guard_status status) {
  static const char* const kNames[] = {"ok", "bad_argument", "not_found", "pin_mismatch", "model_rejected", "no_memory", "io", "too_long", "overloaded", "deadline", "cancelled", "closed", "not_finite", "unsupported"};
  return status >= GUARD_OK && status <= GUARD_UNSUPPORTED ? kNames[status] : "unknown";
}

}  // extern "C"
