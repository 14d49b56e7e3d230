#include <algorithm>
#include <queue>

#include "base/fail.h"
#include "tok/tokenizer.h"
#include "tok/utf8.h"

namespace guard {

/// The byte of "<0xHH>" (strictly two upper- or lower-case hex digits), or -1.
static int byte_of(std::string_view word) {
  if (word.size() != 6 || word.substr(0, 3) != "<0x" || word[5] != '>') return -1;
  int value = 0;
  for (char c : word.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

/// SentencePiece's BPE (Kudo and Richardson 2018): the pair whose union has the highest score is merged first,
/// the leftmost of equals; characters without a token become bytes.
class Spm final : public Tokenizer {
 public:
  Spm(Vocab vocab, bool add_space_prefix) : Tokenizer(std::move(vocab)), add_space_prefix_(add_space_prefix) {
    std::fill(std::begin(bytes_), std::end(bytes_), -1);
    for (size_t i = 0; i < vocab_.size(); i++) {
      if (vocab_.types[i] == TokenType::Byte) {
        const int byte = byte_of(vocab_.texts[i]);
        if (byte < 0) reject("Token %zu (%s) is marked as a byte but is none.", i, shown(vocab_.texts[i]).c_str());
        bytes_[byte] = static_cast<int32_t>(i);
      } else if (vocab_.types[i] == TokenType::Normal || vocab_.types[i] == TokenType::UserDefined) {
        // Control tokens stay out of this table, so that no text can be merged into one.
        pieces_.emplace(vocab_.texts[i], static_cast<int32_t>(i));
        longest_ = std::max(longest_, vocab_.texts[i].size());
      }
    }
    for (int b = 0; b < 256; b++)
      if (bytes_[b] < 0) {
        if (vocab_.unknown < 0) reject("The vocabulary has neither a token for byte %d nor an unknown token.", b);
        bytes_[b] = vocab_.unknown;
      }
  }

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    if (text.empty()) return;
    std::string clean;
    if (add_space_prefix_) clean += kSpace;
    for (size_t at = 0; at < text.size();) {
      const Utf8 read = utf8_read(text, at);
      if (read.code == ' ')
        clean += kSpace;
      else
        utf8_append(clean, read.code);
      at += read.bytes;
    }
    merge(clean, out);
  }

  std::string decode(int32_t id) const override {
    const TokenType type = vocab_.types[id];
    if (type == TokenType::Byte) return std::string(1, static_cast<char>(byte_of(vocab_.texts[id])));
    if (type == TokenType::Control || type == TokenType::Unknown || type == TokenType::Unused) return "";
    std::string out;
    for (size_t at = 0; at < vocab_.texts[id].size();) {
      if (vocab_.texts[id].compare(at, kSpace.size(), kSpace) == 0) {
        out += ' ';
        at += kSpace.size();
      } else {
        out += vocab_.texts[id][at++];
      }
    }
    return out;
  }
  const char* name() const override { return "spm"; }

 private:
  struct Symbol {
    uint32_t begin, bytes;
    int32_t previous, next;
  };
  struct Candidate {
    float score;
    int32_t left, right;
    uint32_t bytes;
    bool operator<(const Candidate& other) const { return score != other.score ? score < other.score : left > other.left; }
  };

  void merge(const std::string& text, std::vector<int32_t>& out) const {
    std::vector<Symbol> symbols;
    for (uint32_t at = 0; at < text.size();) {
      const uint32_t bytes = utf8_read(text, at).bytes;
      const auto i = static_cast<int32_t>(symbols.size());
      symbols.push_back({at, bytes, i - 1, i + 1});
      at += bytes;
    }
    symbols.back().next = -1;
    std::priority_queue<Candidate> heap;
    const std::string_view view(text);
    const auto offer = [&](int32_t left) {
      if (left < 0 || symbols[left].next < 0) return;
      const int32_t right = symbols[left].next;
      const uint32_t bytes = symbols[left].bytes + symbols[right].bytes;
      // The cap keeps hashing linear in the text: no word is longer.
      if (bytes > longest_) return;
      const auto it = pieces_.find(std::string(view.substr(symbols[left].begin, bytes)));
      if (it != pieces_.end()) heap.push({vocab_.scores[it->second], left, right, bytes});
    };
    for (int32_t i = 0; i + 1 < static_cast<int32_t>(symbols.size()); i++) offer(i);
    while (!heap.empty()) {
      const Candidate best = heap.top();
      heap.pop();
      Symbol& left = symbols[best.left];
      Symbol& right = symbols[best.right];
      if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
      left.bytes += right.bytes;
      right.bytes = 0;
      left.next = right.next;
      if (left.next >= 0) symbols[left.next].previous = best.left;
      offer(left.previous);
      offer(best.left);
    }
    for (int32_t i = 0; i >= 0; i = symbols[i].next) {
      const std::string piece(view.substr(symbols[i].begin, symbols[i].bytes));
      if (const auto it = pieces_.find(piece); it != pieces_.end())
        out.push_back(it->second);
      else
        for (const char c : piece) out.push_back(bytes_[static_cast<uint8_t>(c)]);
    }
  }

  bool add_space_prefix_;
  std::unordered_map<std::string, int32_t> pieces_;
  size_t longest_ = 0;
  int32_t bytes_[256];
};

}  // namespace

std::unique_ptr<Tokenizer> make_spm(Vocab vocab, bool add_space_prefix) {
  return std::make_unique<Spm>(std::move(vocab), add_space_prefix);
}

}  // namespace guard
