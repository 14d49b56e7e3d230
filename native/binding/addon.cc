/*
 * The border between JavaScript and guard.h. Every argument is checked here; what blocks runs on threads of its own;
 * results come back by one thread-safe function an environment. JavaScript's side is src/guard/engine.ts.
 */
#include <optional>

#include "arguments.h"
#include "confine.h"
#include "room.h"

namespace binding {
namespace {

/// The engine by its number, or an error that says it is closed.
std::shared_ptr<Engine> engine_of(const Napi::CallbackInfo& info) {
  Room& room = Room::of(info.Env());
  const auto id = static_cast<uint32_t>(count_of(info[0], "the engine", 4294967295.0));
  const auto found = room.engines.find(id);
  if (found == room.engines.end()) throw error_of(info.Env(), GUARD_CLOSED, "The engine is closed.");
  return found->second;
}

void check(Napi::Env env, guard_status status, const guard_error& error) {
  if (status != GUARD_OK) throw error_of(env, status, error.sentence);
}

uint32_t new_id(Room& room) {
  if (room.next == UINT32_MAX) room.next = 1;
  return room.next++;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto o = object_of(info[0], "options");
  struct Given {
    std::string model;
    std::optional<std::string> sha256;
    guard_open_options options{};
  };
  const auto given = std::make_shared<Given>();
  given->model = text_of(o.Get("model"), "model");
  if (given->model.find('\0') != std::string::npos) throw Napi::TypeError::New(env, "model must be a path.");
  if (!o.Get("sha256").IsUndefined()) given->sha256 = text_of(o.Get("sha256"), "sha256");
  guard_open_options& g = given->options;
  g.threads = static_cast<int>(count_of(o.Get("threads"), "threads", 256));
  g.isa = static_cast<guard_isa>(static_cast<int>(count_of(o.Get("isa"), "isa", 3)));
  g.tokenizer_only = flag_of(o.Get("tokenizerOnly"), "tokenizerOnly");
  g.max_batch_tokens = static_cast<uint32_t>(count_of(o.Get("maxBatchTokens"), "maxBatchTokens", 65536));
  g.max_queue = static_cast<uint32_t>(count_of(o.Get("maxQueue"), "maxQueue", 1 << 20));
  g.max_kv_bytes = static_cast<uint64_t>(count_of(o.Get("maxKvBytes"), "maxKvBytes", 9007199254740991.0));
  g.int8 = flag_of(o.Get("int8"), "int8");
  g.backend = static_cast<guard_backend>(static_cast<int>(count_of(o.Get("backend"), "backend", 3)));
  g.streaming = static_cast<guard_streaming>(static_cast<int>(count_of(o.Get("streaming"), "streaming", 3)));
  g.max_device_bytes = static_cast<uint64_t>(count_of(o.Get("maxDeviceBytes"), "maxDeviceBytes", 9007199254740991.0));
  g.max_pinned_bytes = static_cast<uint64_t>(count_of(o.Get("maxPinnedBytes"), "maxPinnedBytes", 9007199254740991.0));
  g.stream_slots = static_cast<uint32_t>(count_of(o.Get("streamSlots"), "streamSlots", 16));
  g.simulated_link_bytes_per_second = static_cast<uint64_t>(count_of(o.Get("simulatedLinkBytesPerSecond"), "simulatedLinkBytesPerSecond", 9007199254740991.0));
  g.model = given->model.c_str();
  g.sha256 = given->sha256 ? given->sha256->c_str() : nullptr;

  auto deferred = Napi::Promise::Deferred::New(env);
  Room& room = Room::of(env);
  room.background(env, [given, deferred]() -> Room::Settle {
    guard_engine* engine = nullptr;
    guard_error error{};
    const guard_status status = guard_open(&given->options, &engine, &error);
    if (status != GUARD_OK)
      return [deferred, status, sentence = std::string(error.sentence)](Napi::Env at) { deferred.Reject(error_of(at, status, sentence).Value()); };
    return [deferred, held = std::make_shared<Engine>(engine)](Napi::Env at) {
      Room& here = Room::of(at);
      const uint32_t id = new_id(here);
      here.engines.emplace(id, held);
      deferred.Resolve(Napi::Number::New(at, id));
    };
  });
  return deferred.Promise();
}

Napi::Value close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Room& room = Room::of(env);
  const auto id = static_cast<uint32_t>(count_of(info[0], "the engine", 4294967295.0));
  auto deferred = Napi::Promise::Deferred::New(env);
  const auto found = room.engines.find(id);
  if (found == room.engines.end()) {
    deferred.Resolve(env.Undefined());
    return deferred.Promise();
  }
  // Out of the map first: from here on nobody can begin anything on it.
  auto engine = std::move(found->second);
  room.engines.erase(found);
  room.background(env, [engine = std::move(engine), deferred]() -> Room::Settle {
    engine->close();
    return [deferred](Napi::Env at) { deferred.Resolve(at.Undefined()); };
  });
  return deferred.Promise();
}

Napi::Value info_of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto engine = engine_of(info);
  guard_info found{};
  const guard_status status = guard_get_info(engine->get(), &found);
  if (status != GUARD_OK) throw error_of(env, status, "The engine gave no information.");
  auto out = Napi::Object::New(env);
  out.Set("architecture", found.architecture);
  out.Set("isa", found.isa);
  out.Set("tokenizer", found.tokenizer);
  out.Set("vocabulary", found.vocabulary);
  out.Set("context", found.context);
  out.Set("width", found.width);
  out.Set("layers", found.layers);
  out.Set("isEncoder", Napi::Boolean::New(env, found.is_encoder != 0));
  out.Set("weightBytes", static_cast<double>(found.weight_bytes));
  out.Set("threads", found.threads);
  out.Set("backend", found.backend);
  out.Set("fallback", found.fallback);
  out.Set("cudaDriver", found.cuda_driver);
  out.Set("deviceTotalBytes", static_cast<double>(found.device_total_bytes));
  out.Set("deviceFreeBytes", static_cast<double>(found.device_free_bytes));
  auto labels = Napi::Array::New(env);
  for (uint32_t i = 0; i < found.labels; i++) {
    const char* name = guard_label_name(engine->get(), i);
    labels.Set(i, name == nullptr ? "" : name);
  }
  out.Set("labels", labels);
  return out;
}

Napi::Value stats_of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  guard_stats s{};
  const guard_status status = guard_get_stats(engine_of(info)->get(), &s);
  if (status != GUARD_OK) throw error_of(env, status, "An engine without weights counts nothing.");
  auto out = Napi::Object::New(env);
  const auto put = [&](const char* name, double value) { out.Set(name, value); };
  put("requests", static_cast<double>(s.requests));
  put("completed", static_cast<double>(s.completed));
  put("refused", static_cast<double>(s.refused));
  put("cancelled", static_cast<double>(s.cancelled));
  put("late", static_cast<double>(s.late));
  put("passes", static_cast<double>(s.passes));
  put("tokens", static_cast<double>(s.tokens));
  put("cachedTokens", static_cast<double>(s.cached_tokens));
  put("queued", static_cast<double>(s.queued));
  put("running", static_cast<double>(s.running));
  put("prefixes", static_cast<double>(s.prefixes));
  put("kvBytes", static_cast<double>(s.kv_bytes));
  put("computeMs", s.compute_ms);
  put("layersOnDevice", static_cast<double>(s.layers_on_device));
  put("layersPinned", static_cast<double>(s.layers_pinned));
  put("layersOnDisk", static_cast<double>(s.layers_on_disk));
  put("ringSlots", static_cast<double>(s.ring_slots));
  put("deviceBytes", static_cast<double>(s.device_bytes));
  put("lockedBytes", static_cast<double>(s.locked_bytes));
  put("layersStreamed", static_cast<double>(s.layers_streamed));
  put("layerHits", static_cast<double>(s.layer_hits));
  put("promotions", static_cast<double>(s.promotions));
  put("uploadedPinnedBytes", static_cast<double>(s.uploaded_pinned_bytes));
  put("uploadedDiskBytes", static_cast<double>(s.uploaded_disk_bytes));
  put("readBytes", static_cast<double>(s.read_bytes));
  put("readMs", s.read_ms);
  put("uploadMs", s.upload_ms);
  put("stallMs", s.stall_ms);
  put("layerMs", s.layer_ms);
  put("overlap", s.overlap);
  put("linkBytesPerSecond", s.link_bytes_per_second);
  put("readBytesPerSecond", s.read_bytes_per_second);
  return out;
}

Napi::Value tokenize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto engine = engine_of(info);
  const std::string text = text_of(info[1], "text");
  const bool trusted = flag_of(info[2], "trusted");
  guard_error error{};
  // Byte-level vocabularies give at most a token a byte; those that add a word mark, a few more.
  std::vector<int32_t> ids(text.size() + 16);
  size_t needed = 0;
  guard_status status = guard_tokenize(engine->get(), text.data(), text.size(), trusted, ids.data(), ids.size(), &needed, &error);
  if (status == GUARD_BAD_ARGUMENT && needed > ids.size()) {
    ids.resize(needed);
    status = guard_tokenize(engine->get(), text.data(), text.size(), trusted, ids.data(), ids.size(), &needed, &error);
  }
  check(env, status, error);
  auto out = Napi::Int32Array::New(env, needed);
  std::copy(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(needed), out.Data());
  return out;
}

Napi::Value detokenize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto engine = engine_of(info);
  const auto ids = ids_of(info[1], "ids", 1u << 20);
  guard_error error{};
  std::string text(ids.size() * 16 + 16, '\0');
  size_t needed = 0;
  guard_status status = guard_detokenize(engine->get(), ids.data(), ids.size(), text.data(), text.size(), &needed, &error);
  if (status == GUARD_BAD_ARGUMENT && needed > text.size()) {
    text.resize(needed);
    status = guard_detokenize(engine->get(), ids.data(), ids.size(), text.data(), text.size(), &needed, &error);
  }
  check(env, status, error);
  return Napi::String::New(env, text.data(), needed);
}

Napi::Value prefix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto engine = engine_of(info);
  const auto text = std::make_shared<std::string>(text_of(info[1], "text"));
  const std::string tenant = info[2].IsUndefined() ? "" : text_of(info[2], "tenant");
  auto deferred = Napi::Promise::Deferred::New(env);
  engine->enter();
  Room::of(env).background(env, [engine = std::move(engine), text, tenant, deferred]() -> Room::Settle {
    guard_prefix* made = nullptr;
    uint32_t tokens = 0;
    guard_error error{};
    const guard_status status = guard_prefix_create(engine->get(), tenant.c_str(), text->data(), text->size(), &made, &tokens, &error);
    engine->leave();
    if (status != GUARD_OK)
      return [deferred, status, sentence = std::string(error.sentence)](Napi::Env at) { deferred.Reject(error_of(at, status, sentence).Value()); };
    const std::shared_ptr<guard_prefix> held(made, guard_prefix_release);
    return [deferred, held, tokens](Napi::Env at) {
      Room& here = Room::of(at);
      const uint32_t id = new_id(here);
      here.prefixes.emplace(id, held);
      auto out = Napi::Object::New(at);
      out.Set("id", id);
      out.Set("tokens", tokens);
      deferred.Resolve(out);
    };
  });
  return deferred.Promise();
}

void release_prefix(const Napi::CallbackInfo& info) {
  Room::of(info.Env()).prefixes.erase(static_cast<uint32_t>(count_of(info[0], "the prefix", 4294967295.0)));
}

/// What the engine's thread hands over: it may not touch JavaScript, and its result lives as long as the callback.
struct Delivery {
  std::shared_ptr<Room> room;
  uint32_t id;
};

Napi::Object answer_of(Napi::Env env, const guard_result& r) {
  auto out = Napi::Object::New(env);
  auto logits = Napi::Array::New(env, r.n_labels);
  auto probabilities = Napi::Array::New(env, r.n_labels);
  for (uint32_t i = 0; i < r.n_labels; i++) {
    logits.Set(i, r.logits[i]);
    probabilities.Set(i, r.probabilities[i]);
  }
  out.Set("logits", logits);
  out.Set("probabilities", probabilities);
  out.Set("promptTokens", r.prompt_tokens);
  out.Set("cachedTokens", r.cached_tokens);
  out.Set("windows", r.windows);
  out.Set("batchTokens", r.batch_tokens);
  out.Set("queueMs", r.queue_ms);
  out.Set("computeMs", r.compute_ms);
  auto generated = Napi::Int32Array::New(env, r.n_generated);
  std::copy(r.generated, r.generated + r.n_generated, generated.Data());
  out.Set("generated", generated);
  return out;
}

void settle(Napi::Env env, uint32_t id, const guard_result& result, const std::string& sentence) {
  Room& room = Room::of(env);
  room.end(env);
  const auto found = room.pending.find(id);
  if (found == room.pending.end()) return;
  const auto deferred = found->second.deferred;
  guard_ticket_release(found->second.ticket);
  room.pending.erase(found);
  if (result.status == GUARD_OK)
    deferred.Resolve(answer_of(env, result));
  else
    deferred.Reject(error_of(env, result.status, sentence).Value());
}

void on_done(void* user, const guard_result* result) {
  const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(user));
  delivery->room->post([id = delivery->id, copy = std::make_shared<guard_result>(*result), sentence = std::string(result->sentence == nullptr ? "" : result->sentence)](Napi::Env env) { settle(env, id, *copy, sentence); });
}

/// (engine, request) → {id, result: Promise}
Napi::Value submit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Room& room = Room::of(env);
  Request request;
  const auto from = object_of(info[1], "the request");
  read_request(from, request);
  std::shared_ptr<guard_prefix> prefix;
  if (!from.Get("prefix").IsUndefined()) {
    const auto held = room.prefixes.find(static_cast<uint32_t>(count_of(from.Get("prefix"), "prefix", 4294967295.0)));
    if (held == room.prefixes.end()) throw error_of(env, GUARD_BAD_ARGUMENT, "The prefix was released.");
    prefix = held->second;
    request.view.prefix = prefix.get();
  }
  // Last: a getter of the request could have closed the engine.
  const auto engine = engine_of(info);
  const uint32_t id = new_id(room);
  auto delivery = std::make_unique<Delivery>(Delivery{room.shared_from_this(), id});
  guard_ticket* ticket = nullptr;
  guard_error error{};
  check(env, guard_submit(engine->get(), request.tenant.c_str(), &request.view, on_done, delivery.get(), &ticket, &error), error);
  delivery.release();
  room.begin(env);
  auto deferred = Napi::Promise::Deferred::New(env);
  room.pending.emplace(id, Pending{deferred, ticket});
  auto out = Napi::Object::New(env);
  out.Set("id", id);
  out.Set("result", deferred.Promise());
  return out;
}

void cancel(const Napi::CallbackInfo& info) {
  Room& room = Room::of(info.Env());
  const auto found = room.pending.find(static_cast<uint32_t>(count_of(info[0], "the request", 4294967295.0)));
  if (found != room.pending.end()) guard_cancel(found->second.ticket);
}

Napi::Value confine_process(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), confine()); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Room::make(env);
  exports.Set("open", Napi::Function::New(env, open));
  exports.Set("close", Napi::Function::New(env, close));
  exports.Set("info", Napi::Function::New(env, info_of));
  exports.Set("stats", Napi::Function::New(env, stats_of));
  exports.Set("tokenize", Napi::Function::New(env, tokenize));
  exports.Set("detokenize", Napi::Function::New(env, detokenize));
  exports.Set("prefix", Napi::Function::New(env, prefix));
  exports.Set("releasePrefix", Napi::Function::New(env, release_prefix));
  exports.Set("submit", Napi::Function::New(env, submit));
  exports.Set("cancel", Napi::Function::New(env, cancel));
  exports.Set("confine", Napi::Function::New(env, confine_process));
  return exports;
}

}  // namespace

NODE_API_MODULE(guard, init)

}  // namespace binding
