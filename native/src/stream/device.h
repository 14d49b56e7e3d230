#pragma once
#include <cstddef>
#include <cstdint>

#include "stream/layout.h"

namespace guard::stream {

/// A point in a queue of a device: reached once everything that was put into the queue before it is done. 0 is
/// reached always. Numbers of one queue grow, and a queue reaches them in order.
using Event = uint64_t;

struct DeviceMemory {
  uint64_t total = 0, free = 0;
};

/// What the transfer queue has done since the device was opened. `seconds`: while it was busy, not while it was idle.
struct LinkUse {
  uint64_t bytes = 0;
  double seconds = 0;
};

/// Where layers are computed: memory of its own, a queue of transfers into it, and a queue of computations, which is
/// the backend's own business: here it is only waited for and marked. Two threads use a device at once: the feed's
/// (allocate, upload, transfer_*, wait) and the pass's (compute_*, wait); `done`, `wait`, `memory` and `link` may
/// come from any. What fails throws Fail: GUARD_NO_MEMORY, or GUARD_IO for a device that is lost; a mark throws never,
/// and a device that was lost by then shows at the next wait.
class Device {
 public:
  virtual ~Device() = default;
  /// For people: "cpu", "simulated", "NVIDIA H200".
  virtual const char* name() const = 0;
  virtual DeviceMemory memory() const = 0;
  /// How this device's kernels want the bytes of a tensor.
  virtual const Layout& layout() const = 0;
  /// Slots are plain memory of this process, which the feed may fill itself: then nothing is staged nor uploaded.
  virtual bool is_host() const { return false; }

  /// A slot of the device's memory, aligned to 256 bytes.
  virtual void* allocate(size_t bytes) = 0;
  virtual void free(void* slot, size_t bytes) noexcept = 0;
  /// Host memory that uploads are fastest from (page-locked where the system allows it: `locked` says so), aligned to
  /// a page.
  virtual void* allocate_pinned(size_t bytes, bool& locked) = 0;
  virtual void free_pinned(void* memory, size_t bytes) noexcept = 0;

  /// Puts a copy of host bytes into a slot on the transfer queue; returns at once. The host's bytes must stay until
  /// an event that is marked after it is reached.
  virtual void upload(void* slot, const void* host, size_t bytes) = 0;
  virtual Event transfer_mark() noexcept = 0;
  /// What is put on the transfer queue from now on begins after `event` (one of the compute queue).
  virtual void transfer_after(Event event) = 0;
  virtual Event compute_mark() noexcept = 0;
  /// What is put on the compute queue from now on begins after `event` (one of the transfer queue). A device that
  /// computes on the calling thread waits here.
  virtual void compute_after(Event event) = 0;

  virtual bool done(Event event) = 0;
  /// The calling thread waits.
  virtual void wait(Event event) = 0;
  virtual LinkUse link() const = 0;
};

}  // namespace guard::stream
