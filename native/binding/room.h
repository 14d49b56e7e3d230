#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <napi.h>

#include "guard.h"

namespace binding {

/// An engine, and the calls that block on a thread of their own: it is closed when the last of them has left.
class Engine {
 public:
  explicit Engine(guard_engine* engine) : engine_(engine) {}
  ~Engine() { close(); }
  Engine(const Engine&) = delete;
  guard_engine* get() const { return engine_; }
  void enter();
  void leave();
  /// Waits for blocking calls, then for the engine's own threads. Never on a thread of the engine.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  int inside_ = 0;
  guard_engine* engine_;
};

/// A request on its way; made and dropped on the JavaScript thread.
struct Pending {
  Napi::Promise::Deferred deferred;
  guard_ticket* ticket = nullptr;
};

/**
 * What one JavaScript environment (the main thread or a worker) holds of the engine. JavaScript knows engines,
 * prefixes and requests by number alone: a number that is wrong, stale or forged is a clear error, never a pointer.
 */
class Room : public std::enable_shared_from_this<Room> {
 public:
  /// Settles a promise, on the JavaScript thread.
  using Settle = std::function<void(Napi::Env)>;

  static std::shared_ptr<Room> make(Napi::Env env);
  static Room& of(Napi::Env env);

  /// From any thread. Dropped when the environment goes.
  void post(Settle settle);
  /// Runs on a thread of its own; what it returns is posted. The event loop is kept alive meanwhile.
  void background(Napi::Env env, std::function<Settle()> work);
  /// Keeps the event loop alive until as many `end`s have come.
  void begin(Napi::Env env);
  void end(Napi::Env env);
  /// When the environment goes: nothing is called after it returns.
  void close();

  // JavaScript thread only.
  uint32_t next = 1;
  std::map<uint32_t, std::shared_ptr<Engine>> engines;
  std::map<uint32_t, std::shared_ptr<guard_prefix>> prefixes;
  std::map<uint32_t, Pending> pending;

 private:
  static void drain(Napi::Env env, Napi::Function, std::shared_ptr<Room>* room, void*);
  using Bell = Napi::TypedThreadSafeFunction<std::shared_ptr<Room>, void, &Room::drain>;

  Bell bell_;
  int held_ = 0;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<Settle> settled_;
  int working_ = 0;
  bool closing_ = false;
};

/// An Error whose `code` is the name of the status.
Napi::Error error_of(Napi::Env env, guard_status status, const std::string& sentence);

}  // namespace binding
