#pragma once
#include <functional>

#include "backend/cuda-device.h"
#include "backend/runner.h"
#include "stream/layer-feed.h"

namespace guard::backend {

/// What canary-guard's pass needs beside its layers. Matrices and vectors are the host's; they are copied to the device.
struct CanaryParts {
  uint32_t width, ff, heads, layers, labels, window, global_every, context;
  float eps, base, local_base;
  enum class Pooling { Cls, Mean, Max } pooling;
  const cpu::MatrixView &embedding, &dense, &output;
  const std::vector<float>&embedding_norm, &output_norm, &head_norm;
  std::function<size_t(const Pass& pass)> judged_from;  // Max: the first token that the head reads
};
std::unique_ptr<Runner> run_canary(CudaDevice& device, stream::LayerFeed& feed, const CanaryParts& parts);

/// The same of DeBERTa. `positions`: the relative positions' embeddings, normed, (places, padded width).
struct DebertaParts {
  uint32_t width, ff, heads, layers, labels, places, context;
  float eps;
  bool by_query, by_key;  // c2p, p2c
  const cpu::MatrixView &embedding, &pooler, &classifier;
  const std::vector<float>&embedding_norm, &embedding_norm_bias, &pooler_bias, &classifier_bias, &positions;
  std::function<uint32_t(int64_t distance)> place;
};
std::unique_ptr<Runner> run_deberta(CudaDevice& device, stream::LayerFeed& feed, const DebertaParts& parts);

}  // namespace guard::backend
