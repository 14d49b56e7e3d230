#pragma once
#include <functional>
#include <map>

#include "backend/batch.h"

namespace guard::backend {

/// Passes that were recorded, by the size of their batch: a small model's kernels are shorter than the time that the
/// host takes to launch them one by one.
class Graphs {
 public:
  explicit Graphs(CudaDevice& device) : device_(device) {}
  ~Graphs() { forget(); }
  Graphs(const Graphs&) = delete;
  /// Runs `steps` by the recording for `size`, which is made when there is none.
  void run(const BatchSize& size, const std::function<void()>& steps);
  /// Buffers moved: what was recorded points nowhere.
  void forget();
  size_t count() const { return graphs_.size(); }

 private:
  static constexpr size_t kMost = 64;
  CudaDevice& device_;
  std::map<BatchSize, guard_cuda_graph*> graphs_;
};

}  // namespace guard::backend
