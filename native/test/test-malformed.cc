// One test for each class of fault that loaders of model files had (the CVE stands in its name).
#include <cmath>
#include <cstring>
#include <limits>

#include "check.h"
#include "gguf-doc.h"

namespace {

GgufDoc good() { return GgufDoc::read(read_text(golden_folder() + "/llama-q4_0.gguf")); }

guard_status open_bytes(const std::string& bytes, std::string& sentence, guard_engine** out = nullptr) {
  const std::string path = temporary_file("malformed.gguf", bytes);
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = 1;
  guard_engine* engine = nullptr;
  guard_error error{};
  const guard_status status = guard_open(&options, &engine, &error);
  sentence = error.sentence;
  if (out != nullptr && status == GUARD_OK)
    *out = engine;
  else
    guard_close(engine);
  return status;
}

void refused(const std::string& bytes, const char* because) {
  std::string sentence;
  CHECK_THAT(open_bytes(bytes, sentence) == GUARD_MODEL_REJECTED, std::string("not refused, though ") + because + " (" + sentence + ")");
  CHECK_THAT(sentence.find(because) != std::string::npos, "refused for another reason than \"" + std::string(because) + "\": " + sentence);
}
void refused(const GgufDoc& doc, const char* because) { refused(doc.bytes(), because); }

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

std::vector<float> logits_of(guard_engine* engine) {
  const int32_t tokens[] = {1, 5, 9}, labels[] = {3, 7};
  guard_request request{};
  request.tokens = tokens;
  request.n_tokens = 3;
  request.labels = labels;
  request.n_labels = 2;
  request.risk_label = -1;
  guard_result result{};
  CHECK(guard_score(engine, nullptr, &request, &result, nullptr) == GUARD_OK);
  return {result.logits, result.logits + 2};
}

}  // namespace

TEST("CVE-2024-21802, 21825, 21836, 23496, 23605: a count that the file has no room for is refused before anything is sized by it") {
  for (const uint64_t count : {kMost, kMost / 2, uint64_t{1} << 32, uint64_t{1} << 31, uint64_t{16385}}) {
    GgufDoc doc = good();
    doc.says_tensors = count;
    refused(doc, "at most 16384 are allowed");
    doc = good();
    doc.says_keys = count;
    refused(doc, "at most 4096 are allowed");
    doc = good();
    doc.key("tokenizer.ggml.tokens").payload = array_of(8, count < 100000 ? kMost / 8 : count, "");
    refused(doc, "has no room for them");
    doc = good();
    doc.key("tokenizer.ggml.model").payload = le64(count * 65);
    refused(doc, "bytes");
  }
  GgufDoc doc = good();
  doc.says_tensors = doc.tensors.size() + 7;
  std::string sentence;
  CHECK(open_bytes(doc.bytes(), sentence) == GUARD_MODEL_REJECTED);
  // 43 bytes that promise 2^63 items.
  refused("GGUF" + le32(3) + le64(0) + le64(1) + counted("a") + le32(9) + array_of(0, uint64_t{1} << 63, ""), "no room");
}

TEST("CVE-2024-41130: files that end anywhere in their header are refused, and nothing is read behind them") {
  const std::string whole = good().bytes();
  std::string sentence;
  for (size_t n = 0; n < whole.size(); n += n < 2000 ? 1 : 997) CHECK_THAT(open_bytes(whole.substr(0, n), sentence) == GUARD_MODEL_REJECTED, "a file of " + std::to_string(n) + " bytes");
}

TEST("CVE-2024-34359: a chat template of the file is never executed, and changes nothing") {
  GgufDoc doc = good();
  guard_engine *plain = nullptr, *hostile = nullptr;
  std::string sentence;
  CHECK(open_bytes(doc.bytes(), sentence, &plain) == GUARD_OK);
  doc.keys.push_back({"tokenizer.chat_template", 8, counted("{% for x in ().__class__.__base__.__subclasses__() %}{{ x('touch /tmp/pwned') }}{% endfor %}")});
  CHECK_THAT(open_bytes(doc.bytes(), sentence, &hostile) == GUARD_OK, sentence);
  CHECK(logits_of(plain) == logits_of(hostile));
  guard_close(plain);
  guard_close(hostile);
}

TEST("CVE-2025-49847: a word of the vocabulary that is longer than any is refused") {
  for (const size_t length : {size_t{1025}, size_t{70000}, (size_t{1} << 20) + 1}) {
    GgufDoc doc = good();
    std::string& words = doc.key("tokenizer.ggml.tokens").payload;
    uint64_t first = 0;
    memcpy(&first, words.data() + 12, 8);
    words = words.substr(0, 12) + counted(std::string(length, 'a')) + words.substr(20 + first);
    refused(doc, "bytes");
  }
}

TEST("CVE-2025-52566: a text whose length no int holds is refused before a byte of it is read") {
  const std::string path = golden_folder() + "/llama-q4_0.gguf";
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = 1;
  guard_engine* engine = nullptr;
  CHECK(guard_open(&options, &engine, nullptr) == GUARD_OK);
  int32_t id = 0;
  size_t needed = 0;
  guard_prefix* prefix = nullptr;
  for (const size_t bytes : {(size_t{8} << 20) + 1, size_t{1} << 31, (size_t{1} << 32) + 1, std::numeric_limits<size_t>::max()}) {
    CHECK(guard_tokenize(engine, "a", bytes, 0, &id, 1, &needed, nullptr) == GUARD_TOO_LONG);
    CHECK(guard_prefix_create(engine, nullptr, "a", bytes, &prefix, nullptr, nullptr) == GUARD_TOO_LONG);
    const guard_segment segment{GUARD_ROLE_RESULT, "a", bytes, 0};
    guard_request request{};
    request.segments = &segment;
    request.n_segments = 1;
    request.labels = &id;
    request.n_labels = 1;
    request.risk_label = -1;
    guard_result result{};
    CHECK(guard_score(engine, nullptr, &request, &result, nullptr) == GUARD_TOO_LONG);
  }
  guard_close(engine);
}

TEST("CVE-2025-53630, CVE-2026-27940: sizes of tensors that wrap when they are added are refused") {
  for (const uint64_t offset : {kMost, kMost - 31, uint64_t{1} << 63, uint64_t{1} << 40}) {
    GgufDoc doc = good();
    doc.tensors[1].offset = offset;
    refused(doc, "was expected");
    doc = good();
    doc.tensors[0].offset = offset;
    refused(doc, "was expected");
  }
}

TEST("CVE-2026-33298: a tensor whose bytes wrap 64 bits is refused") {
  const uint64_t most = uint64_t{1} << 31;
  for (const auto& dims : {std::vector<uint64_t>{most, most, most, most}, {most, most, 4}, {most, most, most, 32}, {most, most, 2, 4}}) {
    GgufDoc doc = good();
    doc.tensors[0].dims = dims;
    std::string sentence;
    CHECK(open_bytes(doc.bytes(), sentence) == GUARD_MODEL_REJECTED);
    CHECK_THAT(sentence.find("larger than any file") != std::string::npos || sentence.find("ends beyond the file") != std::string::npos, sentence);
  }
}

TEST("CVE-2026-7482: a tensor that ends beyond the file is refused: no byte of memory can be scored or told") {
  GgufDoc doc = good();
  doc.data.resize(doc.data.size() - 64);
  refused(doc, "ends beyond the file");
  doc.data.clear();
  refused(doc, "ends beyond the file");
  doc = good();
  doc.tensors.back().dims.back() *= 1000;
  refused(doc, "ends beyond the file");
}

TEST("CVE-2026-21869: numbers of a request that make no sense are refused") {
  const std::string path = golden_folder() + "/llama-q4_0.gguf";
  guard_open_options options{};
  options.model = path.c_str();
  options.threads = -1;
  guard_engine* engine = nullptr;
  CHECK(guard_open(&options, &engine, nullptr) == GUARD_BAD_ARGUMENT);
  options.threads = 1;
  CHECK(guard_open(&options, &engine, nullptr) == GUARD_OK);
  const int32_t token = 1;
  const auto status = [&](auto change) {
    guard_request request{};
    request.tokens = &token;
    request.n_tokens = 1;
    request.labels = &token;
    request.n_labels = 1;
    request.risk_label = -1;
    change(request);
    guard_result result{};
    return guard_score(engine, nullptr, &request, &result, nullptr);
  };
  CHECK(status([](guard_request&) {}) == GUARD_OK);
  const int32_t negative = -1;
  CHECK(status([&](guard_request& r) { r.tokens = &negative; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([&](guard_request& r) { r.labels = &negative; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([](guard_request& r) { r.risk_label = -2; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([](guard_request& r) { r.risk_label = 1; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([](guard_request& r) { r.n_labels = 65; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([](guard_request& r) { r.n_tokens = size_t{1} << 40; }) == GUARD_BAD_ARGUMENT);
  CHECK(status([](guard_request& r) { r.max_tokens = 257; }) == GUARD_BAD_ARGUMENT);
  for (const double deadline : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK(status([&](guard_request& r) { r.deadline_ms = deadline; }) == GUARD_BAD_ARGUMENT);
  guard_close(engine);
}

TEST("an alignment that is no small power of two, or has another type, is refused") {
  for (const uint32_t alignment : {0u, 3u, 48u, 131072u, 0x80000000u, 0xFFFFFFFCu}) {
    GgufDoc doc = good();
    std::erase_if(doc.keys, [](const auto& key) { return key.name == "general.alignment"; });
    doc.keys.push_back({"general.alignment", 4, le32(alignment)});
    refused(doc, "general.alignment");
    doc.keys.back() = {"general.alignment", 10, le64(32)};
    refused(doc, "general.alignment");
  }
}

TEST("dimensions of none, layers without end, arrays of arrays, and what stands twice are refused") {
  GgufDoc doc = good();
  doc.tensors[0].dims[0] = 0;
  refused(doc, "has a dimension of 0");
  doc = good();
  doc.tensors[0].dims = {};
  refused(doc, "0 dimensions");
  doc = good();
  doc.key("llama.block_count").payload = le32(513);
  refused(doc, "llama.block_count");
  doc = good();
  doc.keys.push_back({"x", 9, array_of(9, 1, array_of(0, 0, ""))});
  refused(doc, "array of arrays");
  doc = good();
  doc.keys.push_back(doc.keys[0]);
  refused(doc, "stands twice");
  doc = good();
  GgufDoc::Tensor again = doc.tensors.back();
  again.offset = (doc.data.size() + 31) / 32 * 32;
  again.dims = {32};
  again.type = 0;
  doc.data.resize(again.offset + 128);
  doc.tensors.push_back(again);
  std::string sentence;
  CHECK(open_bytes(doc.bytes(), sentence) == GUARD_MODEL_REJECTED);
}

TEST("a tensor too few, too many, or of another shape or type is refused by name") {
  GgufDoc doc = good();
  doc.tensor("output_norm.weight").name = "output_norm.bias";
  refused(doc, "output_norm");
  doc = good();
  std::swap(doc.tensor("blk.0.ffn_gate.weight").dims[0], doc.tensor("blk.0.ffn_gate.weight").dims[1]);
  std::string sentence;
  CHECK(open_bytes(doc.bytes(), sentence) == GUARD_MODEL_REJECTED);
  doc = good();
  doc.tensor("output_norm.weight").type = 16;
  refused(doc, "which this engine does not read");
}

TEST("a scale that is no number is refused: NaN would make every comparison with a threshold false") {
  for (const uint16_t half : {0x7C00, 0x7E00, 0xFC00}) {
    GgufDoc doc = good();
    const uint64_t at = doc.tensor("blk.0.attn_q.weight").offset;
    memcpy(doc.data.data() + at, &half, 2);
    refused(doc, "not finite");
  }
}

TEST("found by the fuzzer: a precompiled normalizer without a trie is one that changes nothing") {
  const std::string path = golden_folder() + "/../fuzz/corpus/unigram.gguf";
  guard_open_options options{};
  options.model = path.c_str();
  options.tokenizer_only = 1;
  guard_engine* engine = nullptr;
  CHECK(guard_open(&options, &engine, nullptr) == GUARD_OK);
  int32_t ids[8];
  size_t n = 0;
  CHECK(guard_tokenize(engine, "the 12", 6, 0, ids, 8, &n, nullptr) == GUARD_OK);
  CHECK(n > 0);
  guard_close(engine);
}
