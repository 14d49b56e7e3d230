#include "room.h"

#include <thread>

namespace binding {

void Engine::enter() {
  std::lock_guard lock(mutex_);
  inside_++;
}

void Engine::leave() {
  std::lock_guard lock(mutex_);
  if (--inside_ == 0) left_.notify_all();
}

void Engine::close() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return inside_ == 0; });
  guard_engine* engine = engine_;
  engine_ = nullptr;
  lock.unlock();
  guard_close(engine);
}

std::shared_ptr<Room> Room::make(Napi::Env env) {
  auto room = std::make_shared<Room>();
  // The bell is hung before the hook: hooks run last in, first out, so that the room closes while it still rings.
  room->bell_ = Bell::New(env, "sallyport guard", 0, 1, new std::shared_ptr<Room>(room),
                          [](Napi::Env, void*, std::shared_ptr<Room>* held) { delete held; }, static_cast<void*>(nullptr));
  room->bell_.Unref(env);
  env.SetInstanceData<std::shared_ptr<Room>>(new std::shared_ptr<Room>(room));
  env.AddCleanupHook([](std::shared_ptr<Room>* held) {
    (*held)->close();
    delete held;
  }, new std::shared_ptr<Room>(room));
  return room;
}

Room& Room::of(Napi::Env env) { return **env.GetInstanceData<std::shared_ptr<Room>>(); }

void Room::post(Settle settle) {
  std::lock_guard lock(mutex_);
  if (closing_) return;
  settled_.push_back(std::move(settle));
  bell_.NonBlockingCall();
}

void Room::background(Napi::Env env, std::function<Settle()> work) {
  begin(env);
  {
    std::lock_guard lock(mutex_);
    working_++;
  }
  std::thread([room = shared_from_this(), work = std::move(work)]() mutable {
    Settle settle = work();
    work = nullptr;
    room->post([room = room.get(), settle = std::move(settle)](Napi::Env at) {
      room->end(at);
      settle(at);
    });
    std::lock_guard lock(room->mutex_);
    if (--room->working_ == 0) room->idle_.notify_all();
  }).detach();
}

void Room::begin(Napi::Env env) {
  if (held_++ == 0) bell_.Ref(env);
}

void Room::end(Napi::Env env) {
  if (--held_ == 0) bell_.Unref(env);
}

void Room::drain(Napi::Env env, Napi::Function, std::shared_ptr<Room>* room, void*) {
  if (static_cast<napi_env>(env) == nullptr) return;
  std::vector<Settle> settled;
  {
    std::lock_guard lock((*room)->mutex_);
    settled.swap((*room)->settled_);
  }
  for (auto& settle : settled) {
    Napi::HandleScope scope(env);
    try {
      settle(env);
    } catch (const Napi::Error&) {
      // JavaScript can't be called any more: the environment is being torn down, and nobody waits.
    }
  }
}

void Room::close() {
  std::vector<Settle> dropped;
  {
    std::unique_lock lock(mutex_);
    if (closing_) return;
    closing_ = true;
    dropped.swap(settled_);
    // Bounded by one load of a model: guard_open can't be cancelled.
    idle_.wait(lock, [this] { return working_ == 0; });
  }
  dropped.clear();
  engines.clear();  // closes each, which waits for its last callback
  prefixes.clear();
  for (auto& [id, one] : pending) guard_ticket_release(one.ticket);
  pending.clear();
  bell_.Abort();
}

Napi::Error error_of(Napi::Env env, guard_status status, const std::string& sentence) {
  auto error = Napi::Error::New(env, sentence);
  error.Value().Set("code", guard_status_name(status));
  return error;
}

}  // namespace binding
