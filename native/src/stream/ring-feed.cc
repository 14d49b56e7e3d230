#include "stream/ring-feed.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "base/fail.h"

namespace guard::stream {

static double now_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

RingFeed::RingFeed(std::unique_ptr<Device> device, std::unique_ptr<LayerSource> source, FeedOptions options)
    : device_(std::move(device)), source_(std::move(source)), options_(std::move(options)), homes_(source_->layers()) {
  try {
    open();
  } catch (...) {
    free_all();
    throw;
  }
}

RingFeed::~RingFeed() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  turned_.notify_all();
  if (thread_.joinable()) thread_.join();
  free_all();
}

RingFeed::Place RingFeed::pinned_place(size_t bytes) {
  bool locked = true;
  void* at = device_->allocate_pinned(bytes, locked);
  return {at, bytes, locked};
}

RingFeed::Place RingFeed::device_place(size_t bytes) { return {device_->allocate(bytes), bytes, false}; }

void RingFeed::drop(Place& place, bool pinned) noexcept {
  if (place.at != nullptr) pinned ? device_->free_pinned(place.at, place.bytes) : device_->free(place.at, place.bytes);
  place = {};
}

void RingFeed::free_all() noexcept {
  // What is on its way reads host memory and writes slots: both stay until it has arrived.
  try {
    device_->wait(device_->transfer_mark());
  } catch (const Fail&) {
    // A device that is lost copies nothing any more.
  }
  for (Home& home : homes_) {
    drop(home.device, false);
    drop(home.pinned, true);
  }
  for (Slot& slot : slots_) drop(slot.place, false);
  for (Staging& one : staging_) drop(one.place, true);
}

void RingFeed::open() {
  const Placement& placement = options_.placement;
  size_t largest = 0;
  bool disk = false;
  for (size_t i = 0; i < homes_.size(); i++) {
    homes_[i].tier = placement.tiers[i];
    disk |= placement.tiers[i] == Tier::Disk;
    largest = std::max(largest, plan(i).bytes);
  }
  slots_.resize(placement.streamed() > 0 ? placement.slots : 0);
  for (Slot& slot : slots_) slot.place = device_place(placement.slot_bytes);
  if (!device_->is_host()) {
    staging_.resize(2);
    for (Staging& one : staging_) one.place = pinned_place(largest);
  }
  // Before a process gives up opening anything, which it may do once the model is there.
  if (disk) source_->open_stream(stop_);
  for (size_t i = 0; i < homes_.size(); i++) {
    Home& home = homes_[i];
    if (home.tier == Tier::Device) home.device = settle_on_device(i);
    if (home.tier == Tier::Pinned) {
      home.pinned = pinned_place(plan(i).bytes);
      source_->pack(i, static_cast<uint8_t*>(home.pinned.at));
    }
    // Only to see that it is whole: what is malformed is refused now, and not in the middle of a call.
    if (home.tier == Tier::Disk) {
      device_->wait(device_->transfer_mark());
      source_->pack(i, static_cast<uint8_t*>(staging_.empty() ? slots_[0].place.at : staging_[0].place.at));
    }
  }
  device_->wait(device_->transfer_mark());
  if (!disk)
    for (Staging& one : staging_) drop(one.place, true);
  list_streamed();
  if (!streamed_.empty()) thread_ = std::thread([this] { work(); });
}

/// Puts a layer where it stays; it is there when the transfer queue has got so far. While the feed's thread fills nothing.
RingFeed::Place RingFeed::settle_on_device(size_t layer) {
  const Home& home = homes_[layer];
  const size_t bytes = plan(layer).bytes;
  Place place = device_place(bytes);
  try {
    if (home.pinned.at != nullptr) {
      device_->upload(place.at, home.pinned.at, bytes);
    } else if (device_->is_host()) {
      source_->pack(layer, static_cast<uint8_t*>(place.at));
    } else {
      Staging& staging = staging_[next_staging_++ % staging_.size()];
      device_->wait(staging.free);
      source_->pack(layer, static_cast<uint8_t*>(staging.place.at));
      device_->upload(place.at, staging.place.at, bytes);
      staging.free = device_->transfer_mark();
    }
  } catch (...) {
    drop(place, false);
    throw;
  }
  return place;
}

void RingFeed::list_streamed() {
  streamed_.clear();
  for (size_t i = 0; i < homes_.size(); i++) {
    if (homes_[i].tier == Tier::Device) continue;
    homes_[i].index = streamed_.size();
    streamed_.push_back(i);
  }
}

void RingFeed::begin() {
  if (held_ != kNobody) release(held_);
  std::unique_lock lock(mutex_);
  if (streamed_.empty()) return;
  if (options_.spare_device_bytes && may_promote()) promote_to_device(lock);
  if (streamed_.empty()) return;
  // What a pass that ended early did not take is passed over; what failed is tried again.
  taken_ = (taken_ + streamed_.size() - 1) / streamed_.size() * streamed_.size();
  base_ = taken_;
  fault_ = nullptr;
  lock.unlock();
  turned_.notify_all();
}

const uint8_t* RingFeed::acquire(size_t layer) {
  std::unique_lock lock(mutex_);
  const Home& home = homes_[layer];
  if (home.tier == Tier::Device) {
    stats_.hits++;
    held_ = layer;
    held_since_ = now_seconds();
    return static_cast<const uint8_t*>(home.device.at);
  }
  const uint64_t position = base_ + home.index;
  const Slot& slot = slots_[position % slots_.size()];
  if (slot.holds == position && device_->done(slot.there)) stats_.hits++;
  const double begun = now_seconds();
  turned_.wait(lock, [&] { return slot.holds == position || (fault_ && fault_at_ <= position); });
  if (slot.holds != position) std::rethrow_exception(fault_);
  const Event there = slot.there;
  lock.unlock();
  device_->compute_after(there);
  lock.lock();
  held_since_ = now_seconds();
  stats_.stall_seconds += held_since_ - begun;
  stats_.streamed++;
  held_ = layer;
  return static_cast<const uint8_t*>(slot.place.at);
}

void RingFeed::release(size_t layer) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (held_ != layer) return;
    held_ = kNobody;
    stats_.compute_seconds += now_seconds() - held_since_;
    const Home& home = homes_[layer];
    if (home.tier == Tier::Device) return;
    const uint64_t position = base_ + home.index;
    slots_[position % slots_.size()].free = device_->compute_mark();
    taken_ = position + 1;
  }
  turned_.notify_all();
}

void RingFeed::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    turned_.wait(lock, [&] { return stop_ || (!paused_ && !fault_ && !streamed_.empty() && std::max(next_, taken_) < taken_ + slots_.size()); });
    if (stop_) return;
    next_ = std::max(next_, taken_);
    const uint64_t position = next_;
    filling_ = true;
    lock.unlock();
    Event there = 0;
    std::exception_ptr fault;
    try {
      there = fill(position);
    } catch (const Fail&) {
      fault = std::current_exception();
    } catch (const std::bad_alloc&) {
      fault = std::make_exception_ptr(Fail(GUARD_NO_MEMORY, "There is not enough memory to read a layer."));
    }
    lock.lock();
    filling_ = false;
    if (fault && position >= taken_) {
      fault_ = fault;
      fault_at_ = position;
    }
    if (!fault) {
      Slot& slot = slots_[position % slots_.size()];
      slot.holds = position;
      slot.there = there;
      next_ = position + 1;
    }
    turned_.notify_all();
  }
}

Event RingFeed::fill(uint64_t position) {
  const size_t layer = streamed_[position % streamed_.size()];
  const Slot& slot = slots_[position % slots_.size()];
  const size_t bytes = plan(layer).bytes;
  const bool disk = homes_[layer].tier == Tier::Disk;
  device_->transfer_after(slot.free);
  Event there = 0;
  if (disk) {
    there = fill_from_disk(layer, next_from_disk(position), slot);
  } else {
    device_->upload(slot.place.at, homes_[layer].pinned.at, bytes);
    there = device_->transfer_mark();
  }
  std::lock_guard lock(mutex_);
  (disk ? stats_.disk_bytes : stats_.pinned_bytes) += bytes;
  return there;
}

Event RingFeed::fill_from_disk(size_t layer, size_t then, const Slot& slot) {
  if (device_->is_host()) {
    device_->wait(slot.free);
    source_->stream(layer, then, static_cast<uint8_t*>(slot.place.at));
    return 0;
  }
  Staging& staging = staging_[next_staging_++ % staging_.size()];
  device_->wait(staging.free);
  source_->stream(layer, then, static_cast<uint8_t*>(staging.place.at));
  device_->upload(slot.place.at, staging.place.at, plan(layer).bytes);
  staging.free = device_->transfer_mark();
  if (options_.spare_host_bytes) promote_to_pinned(layer, staging.place.at);
  return staging.free;
}

size_t RingFeed::next_from_disk(uint64_t position) const {
  for (size_t i = 1; i <= streamed_.size(); i++) {
    const size_t layer = streamed_[(position + i) % streamed_.size()];
    if (homes_[layer].tier == Tier::Disk) return layer;
  }
  return LayerSource::kNone;
}

/// Under the lock. One layer at a time, so that a pass is held up by one at most.
bool RingFeed::may_promote() {
  const double now = now_seconds();
  if (!promotes_ || now - promoted_at_ < options_.promote_every_seconds) return false;
  promoted_at_ = now;
  return true;
}

/// Keeps a copy of a layer that was just read.
void RingFeed::promote_to_pinned(size_t layer, const void* blob) {
  std::unique_lock lock(mutex_);
  const size_t bytes = plan(layer).bytes;
  if (!may_promote() || options_.spare_host_bytes(pinned_used()) < bytes) return;
  lock.unlock();
  Place place;
  try {
    place = pinned_place(bytes);
  } catch (const Fail&) {
    // It goes on as it was: memory that is short after all is not asked for again.
  }
  if (place.at != nullptr) memcpy(place.at, blob, bytes);
  lock.lock();
  promotes_ = place.at != nullptr;
  if (!promotes_) return;
  homes_[layer].pinned = place;
  homes_[layer].tier = Tier::Pinned;
  stats_.promotions++;
}

/// The slowest first. The ring is refilled afterwards, because positions mean other layers now.
void RingFeed::promote_to_device(std::unique_lock<std::mutex>& lock) {
  const auto from_disk = std::find_if(streamed_.begin(), streamed_.end(), [&](size_t l) { return homes_[l].tier == Tier::Disk; });
  const size_t layer = from_disk != streamed_.end() ? *from_disk : streamed_.front();
  if (options_.spare_device_bytes(device_used()) < plan(layer).bytes) return;
  paused_ = true;
  turned_.wait(lock, [&] { return !filling_; });
  lock.unlock();
  Place place;
  try {
    place = settle_on_device(layer);
    for (const Slot& slot : slots_) device_->wait(slot.free);
    device_->wait(device_->transfer_mark());
  } catch (const Fail&) {
    // It goes on as it was: what cannot be read is said by the pass that needs it, and memory that is short after all
    // is not asked for again.
    drop(place, false);
  }
  lock.lock();
  paused_ = false;
  promotes_ = place.at != nullptr;
  if (!promotes_) return;
  homes_[layer].device = place;
  homes_[layer].tier = Tier::Device;
  drop(homes_[layer].pinned, true);
  stats_.promotions++;
  list_streamed();
  next_ = taken_ = 0;
  for (Slot& slot : slots_) {
    slot.holds = kNothing;
    if (streamed_.empty()) drop(slot.place, false);
  }
}

uint64_t RingFeed::device_used() const {
  uint64_t sum = 0;
  for (const Home& home : homes_) sum += home.device.bytes;
  for (const Slot& slot : slots_) sum += slot.place.bytes;
  return sum;
}

uint64_t RingFeed::pinned_used() const {
  uint64_t sum = 0;
  for (const Home& home : homes_) sum += home.pinned.bytes;
  for (const Staging& one : staging_) sum += one.place.bytes;
  return sum;
}

StreamStats RingFeed::stats() const {
  std::lock_guard lock(mutex_);
  StreamStats out = stats_;
  for (const Home& home : homes_) {
    (home.tier == Tier::Device ? out.on_device : home.tier == Tier::Pinned ? out.pinned : out.on_disk)++;
    if (home.pinned.locked) out.locked_bytes += home.pinned.bytes;
  }
  out.device_bytes = device_used();
  out.slots = streamed_.empty() ? 0 : slots_.size();
  const ReadUse reads = source_->use();
  const LinkUse link = device_->link();
  out.read_bytes = reads.bytes;
  out.read_seconds = reads.seconds;
  out.link_bytes = link.bytes;
  out.link_seconds = link.seconds;
  return out;
}

}  // namespace guard::stream
