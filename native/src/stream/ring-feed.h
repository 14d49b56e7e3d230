#pragma once
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "stream/layer-feed.h"
#include "stream/layer-source.h"

namespace guard::stream {

struct FeedOptions {
  Placement placement;
  /// Bytes that may be taken right now for one more layer, of the device and of the host, beside what layers have of it
  /// already; null: nothing moves up.
  std::function<uint64_t(uint64_t used)> spare_device_bytes, spare_host_bytes;
  double promote_every_seconds = 1;
};

/// The feed: layers that stay on the device are handed out at once; the others pass through a ring of slots, which a
/// thread of its own keeps filling, round after round, so that the first layers of the next pass are there before it
/// begins. Positions count streamed layers since the beginning; position p uses slot p % slots and holds streamed
/// layer p % (number of streamed layers). A slot is filled anew once the computations on it are over.
class RingFeed final : public LayerFeed {
 public:
  /// Packs every layer once, so that a malformed one is refused here. Throws Fail.
  RingFeed(std::unique_ptr<Device> device, std::unique_ptr<LayerSource> source, FeedOptions options);
  ~RingFeed() override;

  const LayerPlan& plan(size_t layer) const override { return source_->plan(layer); }
  void begin() override;
  const uint8_t* acquire(size_t layer) override;
  void release(size_t layer) noexcept override;
  StreamStats stats() const override;
  const Device& device() const { return *device_; }
  const char* reads_by() const { return source_->reads_by(); }

 private:
  /// Memory of the device or of the host that goes with its owner.
  struct Place {
    void* at = nullptr;
    size_t bytes = 0;
    bool locked = false;
  };
  struct Home {
    Tier tier = Tier::Device;
    Place device, pinned;
    size_t index = 0;  // among streamed layers
  };
  struct Slot {
    Place place;
    uint64_t holds = kNothing;  // position
    Event there = 0, free = 0;  // of transfers, of computations
  };
  struct Staging {
    Place place;
    Event free = 0;
  };
  static constexpr uint64_t kNothing = UINT64_MAX;
  static constexpr size_t kNobody = SIZE_MAX;

  void open();
  Place settle_on_device(size_t layer);
  uint64_t device_used() const;
  uint64_t pinned_used() const;
  void list_streamed();
  void work();
  Event fill(uint64_t position);
  Event fill_from_disk(size_t layer, size_t then, const Slot& slot);
  size_t next_from_disk(uint64_t position) const;
  bool may_promote();
  void promote_to_pinned(size_t layer, const void* blob);
  void promote_to_device(std::unique_lock<std::mutex>& lock);
  Place pinned_place(size_t bytes);
  Place device_place(size_t bytes);
  void drop(Place& place, bool pinned) noexcept;
  void free_all() noexcept;

  const std::unique_ptr<Device> device_;
  const std::unique_ptr<LayerSource> source_;
  const FeedOptions options_;
  std::vector<Home> homes_;        // of each layer; tiers change under the lock
  std::vector<size_t> streamed_;   // layers, in order
  std::vector<Slot> slots_;
  std::vector<Staging> staging_;
  size_t next_staging_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable turned_;  // anything below changed
  uint64_t next_ = 0;               // position to be filled next
  uint64_t taken_ = 0;              // positions below are given back, or passed over
  uint64_t base_ = 0;               // position of the running pass's first streamed layer
  size_t held_ = kNobody;          // layer that the pass holds
  bool filling_ = false, paused_ = false;
  std::exception_ptr fault_;
  uint64_t fault_at_ = kNothing;
  std::atomic<bool> stop_{false};
  StreamStats stats_;
  double held_since_ = 0, promoted_at_ = 0;
  bool promotes_ = true;
  std::thread thread_;
};

}  // namespace guard::stream
