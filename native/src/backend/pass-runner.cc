#include "backend/pass-runner.h"

#include <algorithm>

#include "base/fail.h"

namespace guard::backend {

std::unique_ptr<Kv> PassRunner::make_kv(size_t) { fail(GUARD_UNSUPPORTED, "An encoder keeps no keys and values."); }

bool PassRunner::everybody_left() const {
  return std::all_of(passes_->begin(), passes_->end(), [](const Pass& pass) { return pass.dropped || (pass.cancelled && pass.cancelled()); });
}

bool PassRunner::fit_scratch(uint32_t heads, uint32_t width, const BatchSize& size) {
  if (scores_fit(device_, width, size.keys)) return false;
  const size_t bytes = static_cast<size_t>(heads) * size.tiles() * score_room(size.keys);
  if (scratch_.size() >= bytes) return false;
  scratch_ = DeviceBytes();
  scratch_ = DeviceBytes(device_, bytes);
  return true;
}

void PassRunner::forward(std::vector<Pass>& all) {
  // Who is cancelled before the pass does not join it. Who is cancelled on the way is computed to the end, unless all are.
  std::vector<Pass> passes;
  std::vector<size_t> places;
  for (size_t i = 0; i < all.size(); i++) {
    if (all[i].cancelled && all[i].cancelled()) {
      all[i].dropped = true;
      continue;
    }
    places.push_back(i);
    passes.push_back(std::move(all[i]));
  }
  if (passes.empty()) return;
  passes_ = &passes;
  batch_.fill(passes, mark_);
  bool moved = batch_.moved();
  moved |= fit(batch_.size());
  moved |= output_.fit(batch_.size().parts);
  if (moved) graphs_.forget();
  const size_t bytes = batch_.size().parts * output_width_ * sizeof(float);
  if (answers_.size() < bytes) answers_ = PinnedBytes(device_, bytes);

  bool complete = true;
  batch_.send();
  feed_.begin();
  try {
    const auto stats = feed_.stats();
    if (stats.pinned + stats.on_disk == 0 && batch_.size().rows <= kRecordedRows)
      graphs_.run(batch_.size(), [this] { compute(); });
    else
      compute();
    if (!batch_.answers().empty()) device_.check(device_.api()->take(device_.handle(), answers_.as<void>(), output(), batch_.answers().size() * output_width_ * sizeof(float)));
  } catch (const EverybodyLeft&) {
    complete = false;
  }
  device_.wait(device_.compute_mark());
  passes_ = nullptr;
  if (complete) {
    for (size_t i = 0; i < batch_.answers().size(); i++) batch_.answers()[i]->output = answer(answers_.as<float>() + i * output_width_);
    settle(passes);
  }
  for (size_t i = 0; i < passes.size(); i++) {
    if (passes[i].cancelled && passes[i].cancelled()) passes[i].dropped = true;
    all[places[i]] = std::move(passes[i]);
  }
}

}  // namespace guard::backend
