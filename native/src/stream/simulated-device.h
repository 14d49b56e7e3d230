#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "stream/device.h"
#include "stream/host-memory.h"
#include "stream/panel-layout.h"

namespace guard::stream {

struct SimulatedOptions {
  uint64_t memory_bytes;                  // 0: what the host has
  uint64_t link_bytes_per_second;
};

/// A device on any machine: its memory is host memory of a bounded size, behind a link of a chosen speed that a thread
/// of its own works off in order. Computations run on the calling thread, with the CPU's kernels, on the slots.
class SimulatedDevice final : public Device {
 public:
  SimulatedDevice(SimulatedOptions options, std::shared_ptr<const HostMemory> host);
  ~SimulatedDevice() override;
  const char* name() const override { return "simulated"; }
  DeviceMemory memory() const override;
  const Layout& layout() const override { return layout_; }

  void* allocate(size_t bytes) override;
  void free(void* slot, size_t bytes) noexcept override;
  void* allocate_pinned(size_t bytes, bool& locked) override;
  void free_pinned(void* memory, size_t bytes) noexcept override;

  void upload(void* slot, const void* host, size_t bytes) override;
  Event transfer_mark() noexcept override;
  /// Computations are done when they return, so there is nothing to wait for.
  void transfer_after(Event) override {}
  Event compute_mark() noexcept override { return 0; }
  void compute_after(Event event) override { wait(event); }
  bool done(Event event) override;
  void wait(Event event) override;
  LinkUse link() const override;

 private:
  struct Copy {
    void* slot;
    const void* host;
    size_t bytes;
  };
  void work();

  const PanelLayout layout_;
  const SimulatedOptions options_;
  const std::shared_ptr<const HostMemory> host_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_, reached_;
  std::deque<Copy> copies_;
  uint64_t put_ = 0, finished_ = 0;  // copies; an event is the number of copies before it
  uint64_t used_ = 0;
  LinkUse link_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace guard::stream
