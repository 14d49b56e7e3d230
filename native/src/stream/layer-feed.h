#pragma once
#include <cstddef>
#include <memory>

#include "stream/device.h"
#include "stream/layer-plan.h"
#include "stream/placement.h"
#include "stream/stream-stats.h"

namespace guard::stream {

/// What a forward pass takes its layers from, one after the other, wherever they lie:
///
///     feed.begin();
///     for (size_t layer = 0; layer < n; layer++) {
///       const uint8_t* blob = feed.acquire(layer);   // device address; plan(layer) says what lies where
///       ... put the layer's computations on the compute queue ...
///       feed.release(layer);
///     }
///
/// A pass may end after any layer, also between acquire and release (an exception): the next begin() tidies up.
/// acquire throws Fail where the layer could not be read: the pass is lost, the next one tries again.
class LayerFeed {
 public:
  virtual ~LayerFeed() = default;
  virtual const LayerPlan& plan(size_t layer) const = 0;
  virtual void begin() = 0;
  /// The compute queue goes on only when the layer is there.
  virtual const uint8_t* acquire(size_t layer) = 0;
  /// Marks the compute queue: the layer's slot is filled anew after that.
  virtual void release(size_t layer) noexcept = 0;
  virtual StreamStats stats() const = 0;
};

/// A layer that is held while this lives: given back also where a pass ends in its middle.
class HeldLayer {
 public:
  HeldLayer(LayerFeed& feed, size_t layer) : feed_(feed), layer_(layer), blob_(feed.acquire(layer)) {}
  ~HeldLayer() { feed_.release(layer_); }
  HeldLayer(const HeldLayer&) = delete;
  const LayerPlan& plan() const { return feed_.plan(layer_); }
  const uint8_t* blob() const { return blob_; }

 private:
  LayerFeed& feed_;
  size_t layer_;
  const uint8_t* blob_;
};

}  // namespace guard::stream
