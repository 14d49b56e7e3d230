#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace guard {

/// GGUF's token types.
enum class TokenType : int32_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

/// The words of a tokenizer, checked: distinct, bounded, ids dense from 0.
struct Vocab {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<TokenType> types;
  std::unordered_map<std::string_view, int32_t> ids;  // views into `texts`

  int32_t bos = -1, eos = -1, unknown = -1, cls = -1, sep = -1;
  bool add_bos = false;

  size_t size() const { return texts.size(); }
  int32_t find(std::string_view text) const {
    const auto it = ids.find(text);
    return it == ids.end() ? -1 : it->second;
  }
  /// Fills `ids`, and refuses a word that stands twice, is too long, or is empty.
  void index();
};

}  // namespace guard
