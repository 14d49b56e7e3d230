#include <algorithm>

#include "base/fail.h"
#include "tok/tokenizer.h"
#include "tok/unicode.h"
#include "tok/utf8.h"

namespace guard {
namespace {

bool is_cjk(uint32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2EBEF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool stands_alone(uint32_t c) {
  // BERT's rule: every ASCII character that is neither letter, digit nor space counts as punctuation.
  if (c < 128) return c > 32 && c < 127 && !is_letter(c) && !is_number(c);
  return is_punctuation(c) || is_cjk(c);
}

/// WordPiece (BERT): words by white space and punctuation, then the longest known piece from the left. A word
/// with a part that no piece covers is one unknown token.
class WordPiece final : public Tokenizer {
 public:
  WordPiece(Vocab vocab, WordPieceOptions options) : Tokenizer(std::move(vocab)), options_(options) {
    if (vocab_.unknown < 0) reject("A WordPiece vocabulary needs an unknown token.");
    for (size_t i = 0; i < vocab_.size(); i++)
      if (vocab_.types[i] == TokenType::Normal || vocab_.types[i] == TokenType::UserDefined) {
        pieces_.emplace(vocab_.texts[i], static_cast<int32_t>(i));
        longest_ = std::max(longest_, vocab_.texts[i].size());
      }
  }

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    std::string word;
    const auto flush = [&] {
      if (!word.empty()) pieces(word, out);
      word.clear();
    };
    for (size_t at = 0; at < text.size();) {
      const Utf8 read = utf8_read(text, at);
      at += read.bytes;
      uint32_t c = read.code;
      if (is_space(c)) {
        flush();
        continue;
      }
      if (c == 0 || c == 0xFFFD || c < 32 || (c >= 127 && c < 160)) continue;
      if (options_.strip_accents) {
        if (is_mark(c)) continue;
        if (c >= 0xAC00 && c <= 0xD7A3) {  // Hangul decomposes by rule (Unicode 3.12)
          const uint32_t index = c - 0xAC00;
          utf8_append(word, 0x1100 + index / 588);
          utf8_append(word, 0x1161 + index % 588 / 28);
          if (index % 28 != 0) utf8_append(word, 0x11A7 + index % 28);
          continue;
        }
        c = without_accent(c);
      }
      if (options_.lowercase) c = to_lower(c);
      if (stands_alone(c)) {
        flush();
        utf8_append(word, c);
        flush();
      } else {
        utf8_append(word, c);
      }
    }
    flush();
  }

  std::string decode(int32_t id) const override {
    const std::string& text = vocab_.texts[id];
    if (vocab_.types[id] == TokenType::Control) return "";
    return text.starts_with("\xE2\x96\x81") ? " " + text.substr(3) : text;
  }
  const char* name() const override { return "wordpiece"; }

 private:
  void pieces(const std::string& word, std::vector<int32_t>& out) const {
    const std::string marked = "\xE2\x96\x81" + word;
    const size_t before = out.size();
    for (size_t at = 0; at < marked.size();) {
      size_t length = std::min(longest_, marked.size() - at);
      int32_t found = -1;
      for (; length > 0; length--)
        if (const auto it = pieces_.find(marked.substr(at, length)); it != pieces_.end()) {
          found = it->second;
          break;
        }
      if (found < 0) {
        out.resize(before);
        out.push_back(vocab_.unknown);
        return;
      }
      out.push_back(found);
      at += length;
    }
  }

  WordPieceOptions options_;
  std::unordered_map<std::string, int32_t> pieces_;
  size_t longest_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> make_wordpiece(Vocab vocab, WordPieceOptions options) {
  return std::make_unique<WordPiece>(std::move(vocab), options);
}

}  // namespace guard
