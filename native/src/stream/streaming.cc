#include "stream/streaming.h"

#include <algorithm>

#include "base/fail.h"
#include "stream/host-device.h"
#include "stream/host-memory.h"
#include "stream/ring-feed.h"
#include "stream/simulated-device.h"

namespace guard::stream {
namespace {

constexpr uint64_t kUnlimited = UINT64_MAX / 2;
constexpr uint64_t kSimulatedLink = 1000000000;

std::unique_ptr<Device> open_device(const StreamOptions& o, const std::shared_ptr<const HostMemory>& host, std::unique_ptr<backend::CudaDevice> cuda) {
  if (cuda != nullptr) return cuda;
  switch (o.backend) {
    case GUARD_BACKEND_AUTO: case GUARD_BACKEND_CPU: return std::make_unique<HostDevice>(o.max_device_bytes, host);
    case GUARD_BACKEND_SIMULATED:
      return std::make_unique<SimulatedDevice>(SimulatedOptions{o.max_device_bytes, o.simulated_link_bytes_per_second ? o.simulated_link_bytes_per_second : kSimulatedLink}, host);
    case GUARD_BACKEND_CUDA: break;
  }
  fail(GUARD_UNSUPPORTED, "No CUDA device was opened.");
}

/// Host memory for layers: not the last of it, because texts, keys and values, and other programs need some too.
uint64_t spare_of(const HostMemory& host) {
  const auto available = host.available();
  if (!available) return kUnlimited;
  return *available - *available / 16 - std::min<uint64_t>(*available / 4, 256 << 20);
}

}  // namespace

Streaming::Streaming(StreamOptions options, std::shared_ptr<const File> file, std::unique_ptr<backend::CudaDevice> cuda)
    : options_(options), file_(std::move(file)), host_(std::make_shared<HostMemory>()), cuda_(cuda.get()), device_(open_device(options, host_, std::move(cuda))), name_(device_->name()) {
  if (device_->is_host() && options_.mode == GUARD_STREAMING_PINNED)
    fail(GUARD_UNSUPPORTED, "The CPU has no memory of its own that pinned layers could be uploaded to: let layers be resident, or streamed from disk.");
}

uint64_t Streaming::device_budget(uint64_t largest) const {
  if (options_.max_device_bytes != 0) return options_.max_device_bytes;
  // Asked to stream and given no bound: what is least.
  if (options_.mode == GUARD_STREAMING_PINNED || options_.mode == GUARD_STREAMING_DISK) return std::max<size_t>(options_.slots, 2) * largest;
  if (options_.mode == GUARD_STREAMING_RESIDENT) return kUnlimited;
  const uint64_t free = device_->memory().free;
  return cuda_ != nullptr ? free : std::min(free, spare_of(*host_));
}

uint64_t Streaming::pinned_budget(uint64_t device_bytes) const {
  if (options_.max_pinned_bytes != 0) return options_.max_pinned_bytes;
  const uint64_t spare = spare_of(*host_);
  if (cuda_ != nullptr) return spare;
  // The simulated device's memory is the host's.
  return spare > device_bytes ? spare - device_bytes : 0;
}

std::unique_ptr<LayerFeed> Streaming::feed(std::vector<LayerPlan> plans) {
  PlacementRequest request;
  request.mode = options_.mode;
  request.slots = options_.slots;
  request.device_is_host = device_->is_host();
  uint64_t largest = 0;
  for (const LayerPlan& plan : plans) {
    request.layer_bytes.push_back(plan.bytes);
    largest = std::max<uint64_t>(largest, plan.bytes);
  }
  request.device_bytes = device_budget(largest);
  request.pinned_bytes = pinned_budget(request.device_bytes);
  FeedOptions options;
  options.placement = place(request);
  if (options_.mode == GUARD_STREAMING_AUTO) {
    const auto within = [host = host_](uint64_t most, uint64_t used) { return std::min(spare_of(*host), most > used ? most - used : 0); };
    options.spare_device_bytes = [within, most = options_.max_device_bytes, device = device_.get()](uint64_t used) {
      return std::min(within(most == 0 ? kUnlimited : most, used), device->memory().free);
    };
    options.spare_host_bytes = [within, most = options_.max_pinned_bytes](uint64_t used) { return within(most == 0 ? kUnlimited : most, used); };
  }
  auto source = std::make_unique<LayerSource>(file_, std::move(plans), device_->layout());
  return std::make_unique<RingFeed>(std::move(device_), std::move(source), std::move(options));
}

}  // namespace guard::stream
