#pragma once
#include <memory>
#include <string>
#include <vector>

#include "backend/choose.h"
#include "base/file.h"
#include "stream/host-memory.h"
#include "stream/layer-feed.h"

namespace guard::stream {

struct StreamOptions {
  guard_backend backend = GUARD_BACKEND_AUTO;
  guard_streaming mode = GUARD_STREAMING_AUTO;
  uint64_t max_device_bytes = 0;  // layers and the ring; 0: what the device has
  uint64_t max_pinned_bytes = 0;  // packed layers in host memory; 0: what the host can spare
  size_t slots = 0;               // of the ring; 0: as fits
  uint64_t simulated_link_bytes_per_second = 0;  // 0: 1 GB/s
};

/// What a model's layers go through: the device, decided before the model is read, and a feed once its layers are known.
class Streaming {
 public:
  /// `cuda`: the device, where one was chosen; null: what the options say.
  Streaming(StreamOptions options, std::shared_ptr<const File> file, std::unique_ptr<backend::CudaDevice> cuda);
  const Layout& layout() const { return device_->layout(); }
  const std::string& device_name() const { return name_; }
  /// The device that layers lie on, as long as the feed lives; null where the CPU computes.
  backend::CudaDevice* cuda() const { return cuda_; }
  /// Places the layers and reads them. Once.
  std::unique_ptr<LayerFeed> feed(std::vector<LayerPlan> plans);

 private:
  uint64_t device_budget(uint64_t largest) const;
  uint64_t pinned_budget(uint64_t device_bytes) const;

  const StreamOptions options_;
  const std::shared_ptr<const File> file_;
  const std::shared_ptr<const HostMemory> host_;
  backend::CudaDevice* const cuda_;
  std::unique_ptr<Device> device_;  // until the feed has it
  const std::string name_;
};

}  // namespace guard::stream
