#pragma once
#include <cstddef>
#include <cstdint>

namespace guard::stream {

/// Since the model was opened; the first six say how things are now.
struct StreamStats {
  size_t on_device = 0, pinned = 0, on_disk = 0;  // layers
  size_t slots = 0;
  uint64_t device_bytes = 0;       // of layers and the ring
  uint64_t locked_bytes = 0;       // of pinned layers, what the system may not put aside
  uint64_t streamed = 0;           // layers that a pass took out of the ring
  uint64_t hits = 0;               // layers that were on the device when a pass asked, kept or prefetched
  uint64_t promotions = 0;         // layers that moved to a faster tier
  uint64_t pinned_bytes = 0, disk_bytes = 0;  // uploaded, by where they came from
  uint64_t read_bytes = 0;         // of the file
  double read_seconds = 0;         // reading and packing
  double link_seconds = 0;         // the transfer queue was busy
  uint64_t link_bytes = 0;
  double compute_seconds = 0;      // between taking a layer and giving it back
  double stall_seconds = 0;        // passes waited for a layer

  /// The part of the time of reading and uploading (the longer of the two, which overlap) that no pass waited for.
  double overlap() const {
    const double busy = read_seconds > link_seconds ? read_seconds : link_seconds;
    if (busy <= 0) return 0;
    return stall_seconds >= busy ? 0 : 1 - stall_seconds / busy;
  }
};

}  // namespace guard::stream
