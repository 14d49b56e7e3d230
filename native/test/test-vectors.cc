#include <cmath>

#include "base/json.h"
#include "check.h"

static guard_engine* open_tiny(guard_isa isa, int threads, uint32_t batch) {
  const std::string path = shared_folder() + "/vectors/tiny-llama/tiny-llama-f32.gguf";
  guard_open_options options{};
  options.model = path.c_str();
  options.sha256 = "ca2865335a008d94e5fbae46cadb94bd25e80d9f2ba45e674f9fac044f03fc49";
  options.isa = isa;
  options.threads = threads;
  options.max_batch_tokens = batch;
  guard_engine* engine = nullptr;
  guard_error error{};
  CHECK_THAT(guard_open(&options, &engine, &error) == GUARD_OK, error.sentence);
  return engine;
}

/// All 512 logits of a prompt, 64 labels at a time.
static std::vector<float> all_logits(guard_engine* engine, const std::string& prompt) {
  std::vector<float> out;
  for (int32_t first = 0; first < 512; first += 64) {
    int32_t labels[64];
    for (int i = 0; i < 64; i++) labels[i] = first + i;
    const guard_segment segment{GUARD_ROLE_RESULT, prompt.data(), prompt.size(), 0};
    guard_request request{};
    request.segments = &segment;
    request.n_segments = 1;
    request.labels = labels;
    request.n_labels = 64;
    request.risk_label = -1;
    guard_result result{};
    guard_error error{};
    CHECK_THAT(guard_score(engine, nullptr, &request, &result, &error) == GUARD_OK, error.sentence);
    out.insert(out.end(), result.logits, result.logits + 64);
  }
  return out;
}

TEST("the trained tiny Llama gives the reference logits and greedy ids") {
  if (shared_folder().empty()) return skip("no shared vectors (SALLYPORT_SHARED)");
  guard_engine* engine = open_tiny(GUARD_ISA_AUTO, 2, 0);
  if (engine == nullptr) return;
  const guard::Json file = guard::Json::parse(read_text(shared_folder() + "/vectors/tiny-llama/reference.json"), "the reference");
  double worst = 0;
  for (const guard::Json& one : file.find("cases")->items) {
    const std::string& prompt = one.find("prompt")->string;
    const std::vector<float> logits = all_logits(engine, prompt);
    for (size_t i = 0; i < 512; i++) worst = std::max(worst, std::fabs(static_cast<double>(logits[i]) - one.find("logits")->items[i].number));
    const guard_segment segment{GUARD_ROLE_RESULT, prompt.data(), prompt.size(), 0};
    const auto& greedy = one.find("greedyIds")->items;
    guard_request request{};
    request.segments = &segment;
    request.n_segments = 1;
    request.max_tokens = static_cast<uint32_t>(greedy.size());
    request.risk_label = -1;
    guard_result result{};
    guard_error error{};
    CHECK_THAT(guard_score(engine, nullptr, &request, &result, &error) == GUARD_OK, error.sentence);
    if (one.find("smallestMargin")->number <= 0.002) continue;
    CHECK(result.n_generated == greedy.size());
    for (size_t i = 0; i < result.n_generated && i < greedy.size(); i++) CHECK_THAT(result.generated[i] == greedy[i].integer, one.find("id")->string + " greedy id " + std::to_string(i));
  }
  printf("    largest difference of a logit: %.2g (allowed 1e-3)\n", worst);
  CHECK(worst <= 1e-3);
  guard_close(engine);
}

TEST("every instruction set, thread count and chunking gives the same bits") {
  if (shared_folder().empty()) return skip("no shared vectors (SALLYPORT_SHARED)");
  const std::string prompt = "An agent works for Ada. Every day it checks the release for Ben.";
  guard_engine* first = open_tiny(GUARD_ISA_SCALAR, 1, 0);
  if (first == nullptr) return;
  const std::vector<float> wanted = all_logits(first, prompt);
  guard_close(first);
  for (const guard_isa isa : {GUARD_ISA_SCALAR, GUARD_ISA_AVX2, GUARD_ISA_AVX512, GUARD_ISA_AMX})
    for (const auto& [threads, batch] : {std::pair<int, uint32_t>{1, 0}, {3, 0}, {2, 7}}) {
      guard_open_options options{};
      const std::string path = shared_folder() + "/vectors/tiny-llama/tiny-llama-f32.gguf";
      options.model = path.c_str();
      options.isa = isa;
      guard_engine* engine = nullptr;
      const guard_status status = guard_open(&options, &engine, nullptr);
      guard_close(engine);
      if (status == GUARD_UNSUPPORTED) continue;
      engine = open_tiny(isa, threads, batch);
      CHECK_THAT(all_logits(engine, prompt) == wanted, "isa " + std::to_string(isa) + ", threads " + std::to_string(threads) + ", batch " + std::to_string(batch));
      guard_close(engine);
    }
}
