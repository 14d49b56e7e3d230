#include <algorithm>
#include <queue>

#include "base/fail.h"
#include "tok/tokenizer.h"

namespace guard {
namespace {

/// Byte-level BPE (Radford et al. 2019). Merges are found by id pair; a heap keyed by (rank, place) makes a
/// piece of n bytes cost n log n, where rescanning after each merge would be quadratic on hostile text.
class Bpe final : public Tokenizer {
 public:
  Bpe(Vocab vocab, const std::vector<BpeMerge>& merges, Pretokenizer kind) : Tokenizer(std::move(vocab)), kind_(kind) {
    raw_.resize(vocab_.size());
    for (size_t i = 0; i < vocab_.size(); i++) {
      if (vocab_.types[i] == TokenType::Control || vocab_.types[i] == TokenType::Unused || vocab_.types[i] == TokenType::Unknown) continue;
      // Words outside the byte alphabet (added tokens such as plain "  ") stand for themselves.
      if (vocab_.types[i] == TokenType::UserDefined || !from_byte_alphabet(vocab_.texts[i], raw_[i])) {
        raw_[i] = vocab_.texts[i];
        continue;
      }
      ids_.emplace(raw_[i], static_cast<int32_t>(i));
    }
    for (int b = 0; b < 256; b++) {
      const auto it = ids_.find(std::string(1, static_cast<char>(b)));
      if (it == ids_.end()) reject("The vocabulary has no token for byte %d.", b);
      bytes_[b] = it->second;
    }
    merges_.reserve(merges.size());
    for (size_t rank = 0; rank < merges.size(); rank++) {
      const auto left = ids_.find(merges[rank].left), right = ids_.find(merges[rank].right);
      const auto joined = ids_.find(merges[rank].left + merges[rank].right);
      if (left == ids_.end() || right == ids_.end() || joined == ids_.end()) reject("Merge %zu names a word that the vocabulary does not have.", rank);
      // The first of two equal merges counts: its rank is the lower one.
      merges_.emplace(pair_key(left->second, right->second), Merge{static_cast<int32_t>(rank), joined->second});
    }
  }

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    const std::string clean = repaired_utf8(text);
    std::vector<uint32_t> ends;
    pretokenize(kind_, clean, ends);
    uint32_t begin = 0;
    for (const uint32_t end : ends) {
      piece(std::string_view(clean).substr(begin, end - begin), out);
      begin = end;
    }
  }
  std::string decode(int32_t id) const override { return raw_[id]; }
  const char* name() const override { return kind_ == Pretokenizer::Gpt2 ? "gpt-2" : kind_ == Pretokenizer::Qwen2 ? "qwen2" : "llama-bpe"; }

 private:
  struct Merge {
    int32_t rank, id;
  };
  struct Symbol {
    int32_t id, previous, next;
  };
  struct Candidate {
    int32_t rank, place, left_id, right_id, id;
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : place > other.place; }
  };
  static uint64_t pair_key(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }

  void piece(std::string_view bytes, std::vector<int32_t>& out) const {
    // Llama 3 takes a whole piece that is a word of its vocabulary before any merge.
    if (kind_ == Pretokenizer::Llama3)
      if (const auto it = ids_.find(std::string(bytes)); it != ids_.end()) {
        out.push_back(it->second);
        return;
      }
    const auto n = static_cast<int32_t>(bytes.size());
    std::vector<Symbol> symbols(bytes.size());
    for (int32_t i = 0; i < n; i++) symbols[i] = {bytes_[static_cast<uint8_t>(bytes[i])], i - 1, i + 1 < n ? i + 1 : -1};
    std::priority_queue<Candidate> heap;
    const auto offer = [&](int32_t place) {
      if (place < 0 || symbols[place].next < 0) return;
      const int32_t left = symbols[place].id, right = symbols[symbols[place].next].id;
      if (const auto it = merges_.find(pair_key(left, right)); it != merges_.end()) heap.push({it->second.rank, place, left, right, it->second.id});
    };
    for (int32_t i = 0; i + 1 < n; i++) offer(i);
    while (!heap.empty()) {
      const Candidate best = heap.top();
      heap.pop();
      Symbol& left = symbols[best.place];
      // Stale: one of the two was merged away since it was offered.
      if (left.id != best.left_id || left.next < 0 || symbols[left.next].id != best.right_id) continue;
      Symbol& right = symbols[left.next];
      left.id = best.id;
      right.id = -1;
      left.next = right.next;
      if (left.next >= 0) symbols[left.next].previous = best.place;
      offer(left.previous);
      offer(best.place);
    }
    for (int32_t i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
  }

  Pretokenizer kind_;
  std::vector<std::string> raw_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<uint64_t, Merge> merges_;
  int32_t bytes_[256];
};

}  // namespace

std::unique_ptr<Tokenizer> make_bpe(Vocab vocab, const std::vector<BpeMerge>& merges, Pretokenizer kind) {
  return std::make_unique<Bpe>(std::move(vocab), merges, kind);
}

}  // namespace guard
