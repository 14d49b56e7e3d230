#include "stream/placement.h"

#include <algorithm>
#include <numeric>

#include "base/fail.h"

namespace guard::stream {
namespace {

/// Beyond this, a ring only takes room from layers that could stay.
constexpr size_t kMostSlots = 4;

/// Which `streamed` of `n` layers: spread evenly, so that while the layers between them are computed, uploads go on.
std::vector<bool> spread(size_t n, size_t streamed) {
  std::vector<bool> out(n);
  for (size_t i = 0; i < n; i++) out[i] = (i + 1) * streamed / n > i * streamed / n;
  return out;
}

uint64_t resident_bytes(const std::vector<size_t>& bytes, const std::vector<bool>& streamed) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i++) sum += streamed[i] ? 0 : bytes[i];
  return sum;
}

/// How many of the streamed layers come from the file.
size_t disk_layers(const PlacementRequest& r, const std::vector<size_t>& sizes, uint64_t largest) {
  if (r.device_is_host || r.mode == GUARD_STREAMING_DISK) return sizes.size();
  if (resident_bytes(sizes, std::vector<bool>(sizes.size())) <= r.pinned_bytes) return 0;
  if (r.mode == GUARD_STREAMING_PINNED)
    fail(GUARD_NO_MEMORY, "%llu bytes of host memory do not hold the layers that the device has no room for.", (unsigned long long)r.pinned_bytes);
  // Layers out of the file are packed in two staging buffers.
  const uint64_t left = r.pinned_bytes > 2 * largest ? r.pinned_bytes - 2 * largest : 0;
  size_t disk = 1;
  while (disk < sizes.size() && resident_bytes(sizes, spread(sizes.size(), disk)) > left) disk++;
  return disk;
}

}  // namespace

Placement place(const PlacementRequest& r) {
  const size_t n = r.layer_bytes.size();
  const uint64_t all = std::accumulate(r.layer_bytes.begin(), r.layer_bytes.end(), uint64_t{0});
  const uint64_t largest = *std::max_element(r.layer_bytes.begin(), r.layer_bytes.end());
  Placement out;
  out.tiers.assign(n, Tier::Device);
  // A ring makes sense only where it takes less than the layers that pass through it.
  if (all <= r.device_bytes) return out;
  if (r.mode == GUARD_STREAMING_RESIDENT)
    fail(GUARD_NO_MEMORY, "The layers take %llu bytes, and the device has %llu for them: allow more, or let them be streamed.", (unsigned long long)all, (unsigned long long)r.device_bytes);
  const size_t least_slots = std::max<size_t>(r.slots, 2);
  if (r.device_bytes < least_slots * largest)
    fail(GUARD_NO_MEMORY, "Streaming needs room for %zu layers of %llu bytes on the device, and there are %llu bytes.", least_slots, (unsigned long long)largest, (unsigned long long)r.device_bytes);
  out.slot_bytes = largest;
  out.slots = r.slots != 0 ? r.slots : std::clamp<size_t>(r.device_bytes / largest / 4, 2, kMostSlots);
  size_t streamed = 1;
  std::vector<bool> streams = spread(n, streamed);
  while (streamed < n && resident_bytes(r.layer_bytes, streams) + out.slots * largest > r.device_bytes) streams = spread(n, ++streamed);
  out.slots = std::min(out.slots, std::max<size_t>(streamed, 2));

  std::vector<size_t> order;  // of the streamed layers
  std::vector<size_t> sizes;
  for (size_t i = 0; i < n; i++)
    if (streams[i]) {
      order.push_back(i);
      sizes.push_back(r.layer_bytes[i]);
    }
  const size_t from_disk = disk_layers(r, sizes, largest);
  const std::vector<bool> disk = spread(order.size(), from_disk);
  for (size_t i = 0; i < order.size(); i++) out.tiers[order[i]] = disk[i] ? Tier::Disk : Tier::Pinned;
  return out;
}

}  // namespace guard::stream
