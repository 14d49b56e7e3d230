#include "backend/steps.h"

namespace guard::backend {

DeviceBytes copied(CudaDevice& device, const void* bytes, size_t n) {
  DeviceBytes out(device, n);
  // Through a locked room of a few megabytes: the copy queue reads nothing else.
  constexpr size_t kRoom = 4u << 20;
  const PinnedBytes room(device, std::min(n, kRoom));
  for (size_t at = 0; at < n; at += kRoom) {
    const size_t some = std::min(kRoom, n - at);
    memcpy(room.as<uint8_t>(), static_cast<const uint8_t*>(bytes) + at, some);
    device.upload(out.as<uint8_t>(at), room.as<uint8_t>(), some);
    device.wait(device.transfer_mark());
  }
  return out;
}

static size_t lines(uint32_t width) { return GUARD_CUDA_QUERIES + (width <= 128 ? 64 : 32); }
static size_t pitch(uint32_t width) { return (width + 3) / 4 * 4 + 4; }

size_t score_room(uint32_t keys) { return static_cast<size_t>(GUARD_CUDA_QUERIES) * ((keys + 63) / 64 * 64 + 4) * sizeof(float); }

bool scores_fit(const CudaDevice& device, uint32_t width, uint32_t keys) {
  return lines(width) * pitch(width) * sizeof(float) + score_room(keys) <= device.facts().shared_bytes;
}

}  // namespace guard::backend
