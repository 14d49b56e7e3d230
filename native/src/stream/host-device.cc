#include "stream/host-device.h"

#include <algorithm>
#include <cstring>

#include "stream/pages.h"

namespace guard::stream {

DeviceMemory HostDevice::memory() const {
  const uint64_t used = used_, available = host_->available().value_or(UINT64_MAX / 2);
  if (max_bytes_ == 0) return {available + used, available};
  return {max_bytes_, std::min(available, max_bytes_ > used ? max_bytes_ - used : 0)};
}

void* HostDevice::allocate(size_t bytes) {
  bool locked = false;
  void* slot = map_pages(bytes, locked);
  used_ += bytes;
  return slot;
}

void HostDevice::free(void* slot, size_t bytes) noexcept {
  unmap_pages(slot, bytes);
  used_ -= bytes;
}

void* HostDevice::allocate_pinned(size_t bytes, bool& locked) {
  locked = true;
  return map_pages(bytes, locked);
}

void HostDevice::free_pinned(void* memory, size_t bytes) noexcept { unmap_pages(memory, bytes); }

void HostDevice::upload(void* slot, const void* host, size_t bytes) { memcpy(slot, host, bytes); }

}  // namespace guard::stream
