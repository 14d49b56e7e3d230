#pragma once
#include "backend/graphs.h"
#include "backend/runner.h"
#include "backend/steps.h"

namespace guard::backend {

/// What all models' passes have in common: cancelled sequences leave, the batch is brought over, the layers are computed,
/// by a recording where it pays, and the answers come back.
class PassRunner : public Runner {
 public:
  void forward(std::vector<Pass>& passes) final;
  std::unique_ptr<Kv> make_kv(size_t tokens) override;

 protected:
  PassRunner(CudaDevice& device, stream::LayerFeed& feed, size_t output_width)
      : device_(device), feed_(feed), steps_(device), batch_(device), output_width_(output_width), output_(device, output_width * sizeof(float)), graphs_(device) {}
  /// Makes room for a batch of that size; true where any buffer moved.
  virtual bool fit(const BatchSize& size) = 0;
  /// All steps; answers go to output(), a row for each of batch_.answers(), output_width apart.
  virtual void compute() = 0;
  /// After a pass that was computed: keys and values that were kept are valid.
  virtual void settle(std::vector<Pass>& passes) = 0;
  /// What `answers` becomes: the row of an answer, cut to size.
  virtual std::vector<float> answer(const float* row) const = 0;

  /// Of each sequence, for the batch; see Batch::marks.
  std::function<int32_t(const Pass&)> mark_;
  /// Whether nobody waits for the pass any more.
  bool everybody_left() const;
  float* output() const { return output_.as<float>(); }
  /// Scores that do not fit shared memory.
  float* scratch(uint32_t width) const { return scores_fit(device_, width, batch_.size().keys) ? nullptr : scratch_.as<float>(); }
  bool fit_scratch(uint32_t heads, uint32_t width, const BatchSize& size);

  CudaDevice& device_;
  stream::LayerFeed& feed_;
  const Steps steps_;
  Batch batch_;

 private:
  static constexpr uint32_t kRecordedRows = 2048;  // above, kernels are longer than their launches
  const size_t output_width_;
  RowBuffer output_;
  PinnedBytes answers_;
  DeviceBytes scratch_;
  Graphs graphs_;
  std::vector<Pass>* passes_ = nullptr;
};

/// Thrown where all sequences of a pass were cancelled.
struct EverybodyLeft {};

}  // namespace guard::backend
