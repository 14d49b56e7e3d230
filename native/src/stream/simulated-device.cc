#include "stream/simulated-device.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/fail.h"
#include "stream/pages.h"

namespace guard::stream {

namespace {
/// Small enough that a slow link is smooth, large enough that a fast one is not all sleeping.
constexpr size_t kStep = 1 << 20;
using Clock = std::chrono::steady_clock;
}  // namespace

SimulatedDevice::SimulatedDevice(SimulatedOptions options, std::shared_ptr<const HostMemory> host) : options_(options), host_(std::move(host)) {
  thread_ = std::thread([this] { work(); });
}

SimulatedDevice::~SimulatedDevice() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

DeviceMemory SimulatedDevice::memory() const {
  std::lock_guard lock(mutex_);
  const uint64_t total = options_.memory_bytes != 0 ? options_.memory_bytes : host_->available().value_or(UINT64_MAX / 2) + used_;
  return {total, total > used_ ? total - used_ : 0};
}

void* SimulatedDevice::allocate(size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    if (options_.memory_bytes != 0 && used_ + bytes > options_.memory_bytes)
      fail(GUARD_NO_MEMORY, "The simulated device has %llu bytes, of which %llu are in use: %zu more do not fit.", (unsigned long long)options_.memory_bytes, (unsigned long long)used_, bytes);
    used_ += bytes;
  }
  bool locked = false;
  return map_pages(bytes, locked);
}

void SimulatedDevice::free(void* slot, size_t bytes) noexcept {
  unmap_pages(slot, bytes);
  std::lock_guard lock(mutex_);
  used_ -= bytes;
}

void* SimulatedDevice::allocate_pinned(size_t bytes, bool& locked) {
  locked = true;
  return map_pages(bytes, locked);
}

void SimulatedDevice::free_pinned(void* memory, size_t bytes) noexcept { unmap_pages(memory, bytes); }

void SimulatedDevice::upload(void* slot, const void* host, size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    copies_.push_back({slot, host, bytes});
    put_++;
  }
  arrived_.notify_one();
}

Event SimulatedDevice::transfer_mark() noexcept {
  std::lock_guard lock(mutex_);
  return put_;
}

bool SimulatedDevice::done(Event event) {
  std::lock_guard lock(mutex_);
  return finished_ >= event;
}

void SimulatedDevice::wait(Event event) {
  std::unique_lock lock(mutex_);
  reached_.wait(lock, [&] { return finished_ >= event; });
}

LinkUse SimulatedDevice::link() const {
  std::lock_guard lock(mutex_);
  return link_;
}

void SimulatedDevice::work() {
  // When the link is free again. It runs on while copies follow one another, so that a late wake-up is made good.
  Clock::time_point due = Clock::now(), counted = due;
  for (;;) {
    std::unique_lock lock(mutex_);
    if (copies_.empty()) {
      arrived_.wait(lock, [this] { return stop_ || !copies_.empty(); });
      counted = Clock::now();
      due = std::max(due, counted);
    }
    if (copies_.empty()) return;  // told to stop, and nothing waits for a copy any more
    const Copy copy = copies_.front();
    copies_.pop_front();
    lock.unlock();
    for (size_t at = 0; at < copy.bytes; at += kStep) {
      const size_t n = std::min(kStep, copy.bytes - at);
      memcpy(static_cast<char*>(copy.slot) + at, static_cast<const char*>(copy.host) + at, n);
      due += std::chrono::nanoseconds(n * 1000000000ull / options_.link_bytes_per_second);
      std::this_thread::sleep_until(due);
    }
    const Clock::time_point now = Clock::now();
    lock.lock();
    link_.bytes += copy.bytes;
    link_.seconds += std::chrono::duration<double>(now - counted).count();
    counted = now;
    finished_++;
    lock.unlock();
    reached_.notify_all();
  }
}

}  // namespace guard::stream
