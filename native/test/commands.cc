#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>

#include "base/json.h"
#include "base/fail.h"
#include "check.h"
#include "gpu/commands.h"

/// Opens each file and scores "abc" where it opens; prints one line of JSON for each: status, sentence, time.
static int open_files(int n, char** files) {
  for (int i = 0; i < n; i++) {
    const auto begun = std::chrono::steady_clock::now();
    guard_open_options options{};
    options.model = files[i];
    options.threads = 1;
    guard_engine* engine = nullptr;
    guard_error error{};
    guard_status status = guard_open(&options, &engine, &error);
    if (status == GUARD_OK) {
      const guard_segment segment{GUARD_ROLE_RESULT, "abc", 3, 0};
      const int32_t labels[] = {0, 1};
      guard_request request{};
      request.segments = &segment;
      request.n_segments = 1;
      request.labels = labels;
      request.n_labels = 2;
      request.risk_label = -1;
      guard_result result{};
      status = guard_score(engine, nullptr, &request, &result, &error);
    }
    guard_close(engine);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    std::string sentence;
    for (const char* c = error.sentence; *c != 0; c++) sentence += *c == '"' || *c == '\\' ? '\'' : *c;
    printf("{\"status\":\"%s\",\"sentence\":\"%s\",\"ms\":%.3f,\"peakKilobytes\":%ld}\n", guard_status_name(status), sentence.c_str(), took, usage.ru_maxrss);
  }
  return 0;
}

/// Tokenizes every case of a vector file; prints the ids of those that differ, and the totals.
static int tokenize_vectors(const char* model, const char* vectors) {
  guard_open_options options{};
  options.model = model;
  options.tokenizer_only = 1;
  guard_engine* engine = nullptr;
  guard_error error{};
  if (guard_open(&options, &engine, &error) != GUARD_OK) {
    printf("%s\n", error.sentence);
    return 2;
  }
  const guard::Json file = guard::Json::parse(read_text(vectors), "the vectors");
  int passed = 0, total = 0;
  for (const guard::Json& one : file.find("cases")->items) {
    total++;
    const std::string& text = one.find("text")->string;
    const auto& wanted = one.find("ids")->items;
    std::vector<int32_t> ids(text.size() * 4 + 16);
    size_t n = 0;
    const guard_status status = guard_tokenize(engine, text.data(), text.size(), 0, ids.data(), ids.size(), &n, &error);
    bool same = status == GUARD_OK && n == wanted.size();
    for (size_t i = 0; same && i < n; i++) same = ids[i] == wanted[i].integer;
    if (same) {
      passed++;
      continue;
    }
    printf("  %s:", one.find("id")->string.c_str());
    for (size_t i = 0; i < n && i < 24; i++) printf(" %d", ids[i]);
    printf("\n");
  }
  printf("%d/%d\n", passed, total);
  guard_close(engine);
  return passed == total ? 0 : 1;
}

int run_leak(size_t count);
int run_plant(const char* what);

int run_command(int argc, char** argv) {
  if (argc > 2 && strcmp(argv[1], "open") == 0) return open_files(argc - 2, argv + 2);
  if (argc == 4 && strcmp(argv[1], "tokenize") == 0) return tokenize_vectors(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "leak") == 0) return run_leak(strtoul(argv[2], nullptr, 10));
  if (argc == 3 && strcmp(argv[1], "plant") == 0) return run_plant(argv[2]);
  if (argc == 4 && strcmp(argv[1], "make-model") == 0) return make_model(argv[2], argv[3]);
  if (argc >= 4 && strcmp(argv[1], "measure") == 0) return measure_device(argv[2], argv[3], argc > 4 && strcmp(argv[4], "--dry") == 0);
  fprintf(stderr, "usage: guard-test [--only WORD | open FILE... | tokenize MODEL VECTORS | leak COUNT | plant WHAT | make-model SHAPE FILE | measure SHAPE FILE [--dry]]\n");
  return 2;
}
