#include <chrono>

#include "check.h"

/// Time of one tokenization in milliseconds.
static double took(guard_engine* engine, const std::string& text) {
  // A byte that is no UTF-8 becomes U+FFFD: three bytes, at most three tokens.
  std::vector<int32_t> ids(3 * text.size() + 64);
  size_t n = 0;
  const auto begun = std::chrono::steady_clock::now();
  CHECK(guard_tokenize(engine, text.data(), text.size(), 0, ids.data(), ids.size(), &n, nullptr) == GUARD_OK);
  CHECK(n > 0);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

static std::string repeated(const std::string& unit, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += unit;
  return out;
}

TEST("hostile text is tokenized whole, and in time that grows with its length") {
  for (const char* model : {"canary-f32.gguf", "deberta-v3"}) {
    const std::string path = golden_folder() + "/" + model;
    guard_open_options options{};
    options.model = path.c_str();
    options.tokenizer_only = 1;
    guard_engine* engine = nullptr;
    guard_error error{};
    CHECK_THAT(guard_open(&options, &engine, &error) == GUARD_OK, error.sentence);
    for (const std::string unit : {"a", "the", "  ", "\n \n", "\xF0\x9F\x98\x80", "\xFF", "'s", "1", "\xE2\x96\x81", "[SEP]"}) {
      // No limit of time is asserted (machines differ), but a quadratic tokenizer would need hours for this.
      const double ms = took(engine, repeated(unit, 1u << 20) + "x");
      if (ms > 5000) printf("    %s: 1 MiB took %.0f ms\n", model, ms);
    }
    guard_close(engine);
  }
}

TEST("bytes that are no UTF-8 become the replacement character, one for each") {
  const std::string path = golden_folder() + "/canary-f32.gguf";
  guard_open_options options{};
  options.model = path.c_str();
  options.tokenizer_only = 1;
  guard_engine* engine = nullptr;
  CHECK(guard_open(&options, &engine, nullptr) == GUARD_OK);
  const std::string text = "a\xC0\x80\xED\xA0\x80z\xF4\x90\x80\x80";
  int32_t ids[128];
  size_t n = 0, bytes = 0;
  CHECK(guard_tokenize(engine, text.data(), text.size(), 0, ids, 128, &n, nullptr) == GUARD_OK);
  char back[128];
  CHECK(guard_detokenize(engine, ids, n, back, sizeof back, &bytes, nullptr) == GUARD_OK);
  std::string wanted = "a";
  for (int i = 0; i < 5; i++) wanted += "\xEF\xBF\xBD";
  wanted += "z";
  for (int i = 0; i < 4; i++) wanted += "\xEF\xBF\xBD";
  CHECK(std::string(back, bytes) == wanted);
  guard_close(engine);
}
