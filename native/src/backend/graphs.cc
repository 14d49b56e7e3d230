#include "backend/graphs.h"

namespace guard::backend {

void Graphs::run(const BatchSize& size, const std::function<void()>& steps) {
  auto found = graphs_.find(size);
  if (found == graphs_.end()) {
    // Sizes are few in practice; where they are not, beginning anew is cheaper than to keep account of use.
    if (graphs_.size() >= kMost) forget();
    device_.check(device_.api()->record(device_.handle()));
    guard_cuda_graph* graph = nullptr;
    try {
      steps();
    } catch (...) {
      if (device_.api()->recorded(device_.handle(), &graph) == GUARD_CUDA_OK) device_.api()->forget(device_.handle(), graph);
      throw;
    }
    device_.check(device_.api()->recorded(device_.handle(), &graph));
    found = graphs_.emplace(size, graph).first;
  }
  device_.check(device_.api()->replay(device_.handle(), found->second));
}

void Graphs::forget() {
  for (const auto& [size, graph] : graphs_) device_.api()->forget(device_.handle(), graph);
  graphs_.clear();
}

}  // namespace guard::backend
