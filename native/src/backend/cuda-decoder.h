#pragma once
#include "backend/cuda-device.h"
#include "backend/runner.h"
#include "model/decoder.h"
#include "stream/layer-feed.h"

namespace guard::backend {

/// A decoder's layers on a device. `embedding` is copied to it; the feed must have been made for that device.
std::unique_ptr<Runner> run_decoder(CudaDevice& device, stream::LayerFeed& feed, const DecoderConfig& config, const cpu::MatrixView& embedding,
                                    const std::vector<float>& output_norm);

}  // namespace guard::backend
