#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "tok/tokenizer.h"
#include "tok/unicode.h"
#include "tok/utf8.h"

namespace guard {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

/// SentencePiece's precompiled normalizer: a double-array trie (Darts) of byte strings, each with the offset of
/// its NUL-terminated replacement. The blob comes from the file, so every index is checked.
class Charsmap {
 public:
  explicit Charsmap(std::string blob) : blob_(std::move(blob)) {
    if (blob_.empty()) return;
    uint32_t bytes = 0;
    if (blob_.size() < 4) reject("The precompiled normalizer is cut short.");
    memcpy(&bytes, blob_.data(), 4);
    if (bytes % 4 != 0 || bytes > blob_.size() - 4) reject("The precompiled normalizer's trie is larger than its data.");
    units_.resize(bytes / 4);
    if (bytes > 0) memcpy(units_.data(), blob_.data() + 4, bytes);
    texts_ = std::string_view(blob_).substr(4 + bytes);
    if (!texts_.empty() && texts_.back() != '\0') reject("The precompiled normalizer's texts have no end.");
  }
  Charsmap(const Charsmap&) = delete;

  /// The longest prefix at `at` that is replaced: its bytes, and what takes its place. 0 where there is none.
  size_t match(std::string_view text, size_t at, std::string_view& replacement) const {
    if (units_.empty()) return 0;
    size_t longest = 0;
    uint32_t node = 0;
    uint32_t unit = units_[0];
    node ^= offset(unit);
    for (size_t i = at; i < text.size(); i++) {
      const auto byte = static_cast<uint8_t>(text[i]);
      if (byte == 0) break;
      node ^= byte;
      if (node >= units_.size()) break;
      unit = units_[node];
      if ((unit & (1u << 31 | 0xFF)) != byte) break;
      node ^= offset(unit);
      if (unit >> 8 & 1) {
        if (node >= units_.size()) break;
        const uint32_t value = units_[node] & 0x7FFFFFFF;
        if (value >= texts_.size()) break;
        longest = i + 1 - at;
        replacement = texts_.substr(value, strlen(texts_.data() + value));
      }
    }
    return longest;
  }

 private:
  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
  std::string blob_;
  std::vector<uint32_t> units_;
  std::string_view texts_;
};

/// Unigram language model (Kudo 2018): the split with the highest sum of scores, by Viterbi over a byte trie.
class Unigram final : public Tokenizer {
 public:
  Unigram(Vocab vocab, UnigramOptions options) : Tokenizer(std::move(vocab)), options_(options), charsmap_(options.charsmap) {
    if (vocab_.unknown < 0) reject("A unigram vocabulary needs an unknown token.");
    float lowest = 0;
    for (size_t i = 0; i < vocab_.size(); i++) {
      const TokenType type = vocab_.types[i];
      if (type != TokenType::Normal && type != TokenType::UserDefined && type != TokenType::Unused) continue;
      insert(vocab_.texts[i], static_cast<int32_t>(i));
      if (type == TokenType::Normal) lowest = std::min(lowest, vocab_.scores[i]);
    }
    unknown_score_ = lowest - 10;
  }

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    const std::string clean = normalized(text);
    if (clean.empty()) return;
    struct Step {
      double score = -1e300;
      uint32_t from = 0;
      int32_t id = -1;
    };
    std::vector<Step> steps(clean.size() + 1);
    steps[0].score = 0;
    for (size_t at = 0; at < clean.size();) {
      const size_t bytes = std::min<size_t>(utf8_read(clean, at).bytes, clean.size() - at);
      bool single = false;
      uint32_t node = 0;
      for (size_t i = at; i < clean.size(); i++) {
        const auto it = edges_.find(uint64_t(node) << 8 | static_cast<uint8_t>(clean[i]));
        if (it == edges_.end()) break;
        node = it->second;
        const int32_t id = values_[node];
        if (id < 0) continue;
        if (i + 1 - at == bytes) single = true;
        const double score = steps[at].score + (vocab_.types[id] == TokenType::UserDefined ? 0.0 : double(vocab_.scores[id]));
        if (score > steps[i + 1].score) steps[i + 1] = {score, static_cast<uint32_t>(at), id};
      }
      if (!single) {
        const double score = steps[at].score + unknown_score_;
        if (score > steps[at + bytes].score) steps[at + bytes] = {score, static_cast<uint32_t>(at), vocab_.unknown};
      }
      at += bytes;
    }
    const size_t before = out.size();
    for (size_t at = clean.size(); at > 0; at = steps[at].from) {
      // Neighbouring unknown characters are one unknown token.
      if (steps[at].id == vocab_.unknown && out.size() > before && out.back() == vocab_.unknown) continue;
      out.push_back(steps[at].id);
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
  }

  std::string decode(int32_t id) const override {
    if (vocab_.types[id] == TokenType::Control) return "";
    std::string out;
    for (size_t at = 0; at < vocab_.texts[id].size();) {
      const bool space = vocab_.texts[id].compare(at, kSpace.size(), kSpace) == 0;
      out += space ? ' ' : vocab_.texts[id][at];
      at += space ? kSpace.size() : 1;
    }
    return out;
  }
  const char* name() const override { return "unigram"; }

 private:
  void insert(const std::string& word, int32_t id) {
    uint32_t node = 0;
    for (const char c : word) {
      const uint64_t key = uint64_t(node) << 8 | static_cast<uint8_t>(c);
      const auto [it, made] = edges_.emplace(key, static_cast<uint32_t>(values_.size()));
      if (made) values_.push_back(-1);
      node = it->second;
    }
    values_[node] = id;
  }

  std::string normalized(std::string_view text) const {
    std::string mapped;
    for (size_t at = 0; at < text.size();) {
      std::string_view replacement;
      if (const size_t n = charsmap_.match(text, at, replacement)) {
        mapped += replacement;
        at += n;
        continue;
      }
      const Utf8 read = utf8_read(text, at);
      utf8_append(mapped, read.code);
      at += read.bytes;
    }
    if (options_.strip_left || options_.strip_right) strip(mapped);
    std::string out;
    bool pending = options_.add_space_prefix, started = false;
    for (const char c : mapped) {
      if (c == ' ') {
        if (options_.remove_extra_spaces) {
          pending = pending || started;
        } else {
          if (pending) out += kSpace;
          pending = false;
          out += kSpace;
          started = true;
        }
        continue;
      }
      if (pending) out += kSpace;
      pending = false;
      started = true;
      out += c;
    }
    return out;
  }

  void strip(std::string& text) const {
    size_t end = text.size(), begin = 0;
    while (options_.strip_left && begin < end) {
      const Utf8 read = utf8_read(text, begin);
      if (!is_space(read.code)) break;
      begin += read.bytes;
    }
    while (options_.strip_right && end > begin) {
      size_t last = end - 1;
      while (last > begin && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) last--;
      if (!is_space(utf8_read(text, last).code)) break;
      end = last;
    }
    text = text.substr(begin, end - begin);
  }

  UnigramOptions options_;
  Charsmap charsmap_;
  std::unordered_map<uint64_t, uint32_t> edges_;
  std::vector<int32_t> values_{-1};
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> make_unigram(Vocab vocab, UnigramOptions options) {
  return std::make_unique<Unigram>(std::move(vocab), std::move(options));
}

}  // namespace guard
