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

static void golden(const std::string& name) {
  const guard::Json file = guard::Json::parse(read_text(golden_folder() + "/" + name + ".json"), "the golden file");
  const std::string path = golden_folder() + "/" + file.find("model")->string;
  const double tolerance = file.find("tolerance")->number;
  double worst = 0, spread = 0;
  std::vector<std::vector<float>> first;
  for (const guard_isa isa : {GUARD_ISA_SCALAR, GUARD_ISA_AVX2, GUARD_ISA_AVX512}) {
    guard_open_options options{};
    options.model = path.c_str();
    options.isa = isa;
    options.threads = 2;
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
  printf("    %s: largest difference %.2g of logits up to %.2g (allowed %.2g)\n", name.c_str(), worst, spread, tolerance);
  CHECK(worst <= tolerance);
}

TEST("Llama gives PyTorch's logits (F32)") { golden("llama-f32"); }
TEST("Llama with scaled rotary positions and tied embeddings gives PyTorch's logits (F16)") { golden("llama-rope-tied-f16"); }
TEST("Qwen2.5 gives PyTorch's logits (BF16)") { golden("qwen2-bf16"); }
TEST("Qwen3 gives PyTorch's logits (F32)") { golden("qwen3-f32"); }
TEST("Qwen3 gives PyTorch's logits (Q8_0)") { golden("qwen3-q8_0"); }
TEST("Llama gives PyTorch's logits (Q4_0)") { golden("llama-q4_0"); }
TEST("Llama gives PyTorch's logits (Q4_K)") { golden("llama-q4_k"); }
TEST("Llama gives PyTorch's logits (Q6_K)") { golden("llama-q6_k"); }
TEST("canary-guard gives ModernBERT's logits (F32)") { golden("canary-f32"); }
TEST("canary-guard gives ModernBERT's logits (Q8_0)") { golden("canary-q8_0"); }
TEST("DeBERTa-v3 gives PyTorch's logits and its tokenizer's ids") { golden("deberta-v3"); }
