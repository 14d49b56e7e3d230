#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "guard.h"

namespace guard::stream {

/// Where a layer lies between passes.
enum class Tier : uint8_t {
  Device,  // in the device's memory, always
  Pinned,  // packed in host memory; uploaded for each pass
  Disk,    // in the model file; read, packed and uploaded for each pass
};

struct Placement {
  std::vector<Tier> tiers;  // of each layer
  size_t slots = 0;         // of the ring that streamed layers pass through; 0 where all are on the device
  size_t slot_bytes = 0;
  size_t streamed() const {
    size_t n = 0;
    for (const Tier tier : tiers) n += tier != Tier::Device;
    return n;
  }
};

struct PlacementRequest {
  std::vector<size_t> layer_bytes;
  uint64_t device_bytes = 0;  // for layers and the ring
  uint64_t pinned_bytes = 0;  // host memory for packed layers
  guard_streaming mode = GUARD_STREAMING_AUTO;
  size_t slots = 0;           // 0: as fits, 2 to 4
  bool device_is_host = false;  // then a pinned layer would be a second copy in the same memory
};

/// Decides for each layer; throws Fail(GUARD_NO_MEMORY) with what is needed where it cannot be done.
Placement place(const PlacementRequest& request);

}  // namespace guard::stream
