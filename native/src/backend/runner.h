#pragma once
#include <memory>
#include <vector>

#include "model/kv.h"

namespace guard {
struct Pass;
}

namespace guard::backend {

/// The forward pass of a model whose layers lie on a device, in place of the CPU's.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual void forward(std::vector<Pass>& passes) = 0;
  /// Decoders: keys and values that are kept, and what they take.
  virtual std::unique_ptr<Kv> make_kv(size_t tokens) = 0;
  virtual size_t kv_bytes(size_t tokens) const = 0;
};

}  // namespace guard::backend
