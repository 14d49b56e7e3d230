#pragma once
#include <functional>
#include <utility>

#include "model/model.h"
#include "model/weights.h"

namespace guard {

class Gguf;
struct Json;

std::unique_ptr<Model> make_canary(const Gguf& file, std::unique_ptr<Tokenizer> tokenizer, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming);
/// DeBERTa-v2 and v3 with a sequence-classification head.
std::unique_ptr<Model> make_deberta(const Json& config, const TensorSource& source, std::unique_ptr<Tokenizer> tokenizer, std::shared_ptr<cpu::Cpu> cpu, stream::Streaming& streaming);

/// The sequences of one encoder pass, their rows one after the other, without padding.
struct EncoderBatch {
  struct Part {
    Pass* pass;
    size_t row, rows;
  };
  explicit EncoderBatch(std::vector<Pass>& passes);
  size_t rows() const;
  /// The layer border: cancelled sequences leave, and the rows of the listed buffers (data, row length) move up.
  size_t drop_cancelled(const std::vector<std::pair<std::vector<float>*, size_t>>& buffers);
  std::vector<Part> parts;
};

struct EncoderAttention {
  const float *q, *k, *v;  // (rows, ld), heads side by side
  size_t ld, heads, width;
  float scale;
  size_t reach;  // 0: every token sees every token
  float* out;    // (rows, ldo)
  size_t ldo;
  /// Adds to the scores of query rows [first, first + n) of a part's head, or empty. Row length: padded16(rows) + 32.
  std::function<void(size_t part, size_t head, size_t first, size_t n, float* extra, size_t ld)> extra;
};
void encoder_attention(cpu::Cpu& cpu, const EncoderBatch& batch, const EncoderAttention& job);

}  // namespace guard
