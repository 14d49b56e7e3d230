// Opens changed model files, one after the other, under the address and undefined behaviour sanitizers. What must
// hold: each is refused with a sentence, or opens and then scores or refuses a text; nothing is read or written out of
// place, nothing leaks, no allocation is large, none hangs. The same seed makes the same files.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <sanitizer/common_interface_defs.h>

#include "guard.h"
#include "random.h"

namespace fs = std::filesystem;

/// Files here have a quarter of a megabyte: whatever asks for more than this was told a size by the file.
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=64:hard_rss_limit_mb=2048:detect_leaks=1"; }

namespace {

constexpr unsigned kHangSeconds = 120;
uint64_t seed = 1, number = 0;
std::string folder;

void tell() { fprintf(stderr, "BROKEN: input %llu of seed %llu; its file is left in %s\n", (unsigned long long)number, (unsigned long long)seed, folder.c_str()); }
[[noreturn]] void broken(const std::string& what) {
  fprintf(stderr, "%s\n", what.c_str());
  tell();
  _exit(1);
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
void write_file(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// What inputs are made of: a GGUF file, or the three files of a folder.
struct Seed {
  std::string gguf, config, tokenizer, safetensors;
};

std::string make_input(const Seed& from, Chance& chance) {
  if (!from.gguf.empty()) {
    const std::string path = folder + "/model.gguf";
    std::string bytes = from.gguf;
    if (chance.one_in(8))
      mutate_bytes(bytes, chance);
    else
      bytes = mutated_gguf(bytes, chance);
    write_file(path, bytes);
    return path;
  }
  std::string config = from.config, tokenizer = from.tokenizer, safetensors = from.safetensors;
  switch (chance.below(3)) {
    case 0: mutate_json(config, chance); break;
    case 1: mutate_json(tokenizer, chance); break;
    case 2: safetensors = mutated_safetensors(safetensors, chance); break;
  }
  write_file(folder + "/config.json", config);
  write_file(folder + "/tokenizer.json", tokenizer);
  write_file(folder + "/model.safetensors", safetensors);
  return folder;
}

struct Counts {
  uint64_t refused = 0, loaded = 0, scored = 0;
};

void use(guard_engine* engine, bool tokenizer_only, Counts& counts) {
  static const std::string text = "a\xE2\x96\x81 <|eot_id|> 12 [SEP]\xFF the \xC3\xA9";
  int32_t ids[256];
  size_t n = 0;
  guard_error error{};
  guard_tokenize(engine, text.data(), text.size(), 0, ids, 256, &n, &error);
  if (tokenizer_only) return;
  const guard_segment segment{GUARD_ROLE_RESULT, text.data(), text.size(), 0};
  const int32_t labels[] = {0, 1};
  guard_request request{};
  request.segments = &segment;
  request.n_segments = 1;
  request.labels = labels;
  request.n_labels = 2;
  request.risk_label = -1;
  guard_result result{};
  const guard_status status = guard_score(engine, nullptr, &request, &result, &error);
  if (status == GUARD_OK)
    counts.scored++;
  else if (strlen(error.sentence) < 10)
    broken(std::string("a scoring was refused without a reason: ") + guard_status_name(status));
}

void try_one(const std::string& model, bool tokenizer_only, Counts& counts) {
  guard_open_options options{};
  options.model = model.c_str();
  options.threads = 1;
  options.tokenizer_only = tokenizer_only;
  options.max_kv_bytes = 16 << 20;
  guard_engine* engine = nullptr;
  guard_error error{};
  alarm(kHangSeconds);
  const guard_status status = guard_open(&options, &engine, &error);
  if (status == GUARD_OK) {
    counts.loaded++;
    use(engine, tokenizer_only, counts);
  } else {
    counts.refused++;
    if (engine != nullptr) broken("a refused file gave an engine");
    if (strlen(error.sentence) < 10) broken(std::string("refused without a reason: ") + guard_status_name(status));
    if (status != GUARD_MODEL_REJECTED && status != GUARD_UNSUPPORTED && status != GUARD_BAD_ARGUMENT) broken(std::string("refused as ") + guard_status_name(status) + ": " + error.sentence);
  }
  guard_close(engine);
  alarm(0);
}

std::vector<Seed> read_corpus(int n, char** places) {
  std::vector<Seed> corpus;
  for (int i = 0; i < n; i++) {
    const fs::path place = places[i];
    if (fs::is_regular_file(place)) {
      corpus.push_back({read_file(place), "", "", ""});
    } else {
      corpus.push_back({"", read_file(place / "config.json"), read_file(place / "tokenizer.json"), read_file(place / "model.safetensors")});
    }
  }
  return corpus;
}

}  // namespace

/// guard-fuzz SEED INPUTS SECONDS PLACE...: as many inputs, or as long, as the one that is not 0 says.
int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: guard-fuzz SEED INPUTS SECONDS (FILE.gguf | FOLDER)...\n");
    return 2;
  }
  seed = strtoull(argv[1], nullptr, 10);
  const uint64_t inputs = strtoull(argv[2], nullptr, 10);
  const double seconds = strtod(argv[3], nullptr);
  const std::vector<Seed> corpus = read_corpus(argc - 4, argv + 4);
  char pattern[] = "/tmp/guard-fuzz-XXXXXX";
  folder = mkdtemp(pattern);
  __sanitizer_set_death_callback(tell);
  Counts counts;
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  // First the corpus as it is: a seed that does not open would make every input alike.
  for (const Seed& one : corpus) {
    if (!one.gguf.empty()) write_file(folder + "/model.gguf", one.gguf);
    else {
      write_file(folder + "/config.json", one.config);
      write_file(folder + "/tokenizer.json", one.tokenizer);
      write_file(folder + "/model.safetensors", one.safetensors);
    }
    try_one(one.gguf.empty() ? folder : folder + "/model.gguf", true, counts);
    if (counts.loaded != static_cast<uint64_t>(&one - corpus.data()) + 1) broken("a file of the corpus does not open");
  }
  counts = {};
  while (inputs > 0 ? number < inputs : std::chrono::steady_clock::now() < until) {
    // Each input has a seed of its own, so that one can be made again without the others.
    Chance chance(seed * 1'000'003 + number);
    const Seed& from = corpus[chance.below(corpus.size())];
    try_one(make_input(from, chance), chance.one_in(4), counts);
    number++;
  }
  printf("seed %llu: %llu inputs, %llu refused, %llu loaded, %llu scored\n", (unsigned long long)seed, (unsigned long long)number, (unsigned long long)counts.refused, (unsigned long long)counts.loaded, (unsigned long long)counts.scored);
  fs::remove_all(folder);
  return 0;
}
