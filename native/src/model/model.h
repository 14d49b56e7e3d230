#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/runner.h"
#include "cpu/matrix.h"
#include "guard.h"
#include "model/kv.h"
#include "stream/streaming.h"
#include "tok/tokenizer.h"

namespace guard {

/// One sequence's part of a forward pass.
struct Pass {
  const int32_t* tokens = nullptr;
  size_t n = 0;
  size_t position = 0;            // of tokens[0], prefix included
  const Kv* prefix = nullptr;     // decoders
  Kv* kv = nullptr;               // decoders: where the tokens' keys and values are appended; null: kept for one layer only
  bool wants_output = true;       // of the last token
  std::vector<float> output;      // decoders: the normed hidden state of the last token; encoders: logits
  bool dropped = false;           // cancelled on the way
  std::function<bool()> cancelled;  // asked at each layer border
};

class Model {
 public:
  virtual ~Model() = default;
  /// One pass of all sequences through all layers. A sequence's numbers do not depend on the others.
  virtual void forward(std::vector<Pass>& passes) = 0;
  /// Decoders: logits of the given ids for a hidden state; `ids` empty: of the whole vocabulary.
  virtual std::vector<float> logits(const std::vector<float>& hidden, const std::vector<int32_t>& ids) = 0;
  virtual std::unique_ptr<Kv> make_kv(size_t tokens) const = 0;
  virtual size_t kv_bytes(size_t tokens) const = 0;

  std::string architecture;
  std::unique_ptr<Tokenizer> tokenizer;
  bool encoder = false, sigmoid = false;
  uint32_t context = 0, width = 0, layers = 0, vocabulary = 0;
  uint64_t weight_bytes = 0;
  std::string device;                        // that computes its layers
  std::string fallback;                      // why no CUDA device does
  int32_t cuda_driver = 0;
  stream::DeviceMemory device_memory;        // when the model was loaded
  std::unique_ptr<stream::LayerFeed> feed;   // its layers, wherever they lie
  std::unique_ptr<backend::Runner> runner;   // computes them on a device; null: the CPU does
  std::vector<std::string> labels;
  std::vector<float> temperature, bias;
  int32_t cls = -1, sep = -1, roles[3] = {-1, -1, -1};
};

/// Opens, checks the pin, parses, checks and packs. Throws Fail.
std::unique_ptr<Model> load_model(const guard_open_options& options, std::shared_ptr<cpu::Cpu> cpu);
/// The tokenizer alone.
std::unique_ptr<Tokenizer> load_tokenizer(const guard_open_options& options);

}  // namespace guard
