#pragma once
#include <atomic>

#include "stream/device.h"
#include "stream/host-memory.h"
#include "stream/panel-layout.h"

namespace guard::stream {

/// The CPU as a device: its memory is this process's, so a layer is put where it is computed, and computations are
/// done when they return.
class HostDevice final : public Device {
 public:
  /// `max_bytes` 0: what the host has.
  HostDevice(uint64_t max_bytes, std::shared_ptr<const HostMemory> host) : max_bytes_(max_bytes), host_(std::move(host)) {}
  const char* name() const override { return "cpu"; }
  DeviceMemory memory() const override;
  const Layout& layout() const override { return layout_; }
  bool is_host() const override { return true; }

  void* allocate(size_t bytes) override;
  void free(void* slot, size_t bytes) noexcept override;
  void* allocate_pinned(size_t bytes, bool& locked) override;
  void free_pinned(void* memory, size_t bytes) noexcept override;

  void upload(void* slot, const void* host, size_t bytes) override;
  Event transfer_mark() noexcept override { return 0; }
  void transfer_after(Event) override {}
  Event compute_mark() noexcept override { return 0; }
  void compute_after(Event) override {}
  bool done(Event) override { return true; }
  void wait(Event) override {}
  LinkUse link() const override { return {}; }

 private:
  const PanelLayout layout_;
  const uint64_t max_bytes_;
  const std::shared_ptr<const HostMemory> host_;
  std::atomic<uint64_t> used_{0};
};

}  // namespace guard::stream
