#include <cmath>
#include <filesystem>

#include "base/json.h"
#include "check.h"

static guard_result score_ids(guard_engine* engine, const std::vector<int32_t>& ids, bool decoder) {
  int32_t labels[64];
  for (int i = 0; i < 64; i++) labels[i] = i;
  guard_request request{};
  request.tokens = ids.data();
  request.n_tokens = ids.size();
  request.labels = labels;
  request.n_labels = decoder ? 64 : 0;
  request.risk_label = -1;
  guard_result result{};
  guard_error error{};
  CHECK_THAT(guard_score(engine, nullptr, &request, &result, &error) == GUARD_OK, error.sentence);
  return result;
}

/// Of the largest logit: what int8 activations and, here, int8 weights as well may cost a tiny model of random weights.
static constexpr double kInt8Share = 0.08;

static void golden(const std::string& name, bool int8 = false) {
  const guard::Json file = guard::Json::parse(read_text(golden_folder() + "/" + name + ".json"), "the golden file");
  const std::string path = golden_folder() + "/" + file.find("model")->string;
  double worst = 0, spread = 0;
  std::vector<std::vector<float>> first;
  for (const guard_isa isa : {GUARD_ISA_SCALAR, GUARD_ISA_AVX2, GUARD_ISA_AVX512, GUARD_ISA_AMX}) {
    guard_open_options options{};
    options.model = path.c_str();
    options.isa = isa;
    options.threads = 2;
    options.int8 = int8;
    guard_engine* engine = nullptr;
    guard_error error{};
    const guard_status status = guard_open(&options, &engine, &error);
    if (status == GUARD_UNSUPPORTED) continue;
    CHECK_THAT(status == GUARD_OK, error.sentence);
    if (engine == nullptr) return;
    size_t c = 0;
    for (const guard::Json& one : file.find("cases")->items) {
      std::vector<int32_t> ids;
      for (const guard::Json& id : one.find("ids")->items) ids.push_back(static_cast<int32_t>(id.integer));
      const guard_result result = score_ids(engine, ids, file.find("kind")->string == "decoder");
      const auto& wanted = one.find("logits")->items;
      CHECK(result.n_labels == wanted.size());
      std::vector<float> got(result.logits, result.logits + result.n_labels);
      for (size_t i = 0; i < wanted.size() && i < got.size(); i++) {
        worst = std::max(worst, std::fabs(static_cast<double>(got[i]) - wanted[i].number));
        spread = std::max(spread, std::fabs(wanted[i].number));
      }
      if (const guard::Json* t = file.find("temperature"))
        for (size_t i = 0; i < got.size(); i++) {
          const double p = 1 / (1 + std::exp(-(static_cast<double>(got[i]) / t->items[i].number + file.find("bias")->items[i].number)));
          CHECK(std::fabs(p - result.probabilities[i]) < 1e-9);
        }
      if (first.size() == c)
        first.push_back(got);
      else
        CHECK_THAT(first[c] == got, "the instruction sets differ");
      c++;
    }
    if (const guard::Json* texts = file.find("texts"))
      for (const guard::Json& one : texts->items) {
        const std::string& text = one.find("text")->string;
        std::vector<int32_t> ids(4 * text.size() + 8);
        size_t n = 0;
        CHECK(guard_tokenize(engine, text.data(), text.size(), 0, ids.data(), ids.size(), &n, &error) == GUARD_OK);
        ids.resize(n);
        std::vector<int32_t> wanted;
        for (const guard::Json& id : one.find("ids")->items) wanted.push_back(static_cast<int32_t>(id.integer));
        CHECK_THAT(ids == wanted, "tokens of: " + text);
      }
    guard_close(engine);
  }
  const double tolerance = int8 ? kInt8Share * spread : file.find("tolerance")->number;
  printf("    %s%s: largest difference %.2g of logits up to %.2g (allowed %.2g)\n", name.c_str(), int8 ? " as int8" : "", worst, spread, tolerance);
  CHECK(worst <= tolerance);
}

TEST("Llama gives PyTorch's logits in every quantization") {
  for (const char* name : {"llama-f32", "llama-rope-tied-f16", "llama-bf16", "llama-q8_0", "llama-q4_0", "llama-q4_k", "llama-q6_k"}) golden(name);
}
TEST("Qwen2.5 gives PyTorch's logits in every quantization") {
  for (const char* name : {"qwen2-f32", "qwen2-f16", "qwen2-bf16", "qwen2-q8_0", "qwen2-q4_0", "qwen2-q4_k", "qwen2-q6_k"}) golden(name);
}
TEST("Qwen3 gives PyTorch's logits in every quantization") {
  for (const char* name : {"qwen3-f32", "qwen3-f16", "qwen3-bf16", "qwen3-q8_0", "qwen3-q4_0", "qwen3-q4_k", "qwen3-q6_k"}) golden(name);
}
TEST("canary-guard gives ModernBERT's logits in every quantization") {
  for (const char* name : {"canary-f32", "canary-f16", "canary-bf16", "canary-q8_0", "canary-q4_0", "canary-q4_k", "canary-q6_k", "canary-max-q8_0"}) golden(name);
}
TEST("DeBERTa-v3 gives PyTorch's logits in every float type, and its tokenizer's ids") {
  for (const char* name : {"deberta-v3", "deberta-v3-f16", "deberta-v3-bf16"}) golden(name);
}
TEST("floats that are rounded to int8 while they are read stay near PyTorch's logits") {
  for (const char* name : {"deberta-v3-f16", "deberta-v3-bf16", "canary-f16", "llama-f32", "qwen3-bf16"}) golden(name, true);
}
