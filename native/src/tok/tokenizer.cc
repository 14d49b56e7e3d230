#include "tok/tokenizer.h"

#include <algorithm>

#include "tok/utf8.h"

namespace guard {

Tokenizer::Tokenizer(Vocab vocab) : vocab_(std::move(vocab)) {
  vocab_.index();
  for (size_t i = 0; i < vocab_.size(); i++)
    if ((vocab_.types[i] == TokenType::Control || vocab_.types[i] == TokenType::UserDefined) && !vocab_.texts[i].empty())
      special_.push_back(static_cast<int32_t>(i));
  std::stable_sort(special_.begin(), special_.end(), [&](int32_t a, int32_t b) { return vocab_.texts[a].size() > vocab_.texts[b].size(); });
}

void Tokenizer::encode_trusted(std::string_view text, std::vector<int32_t>& out) const {
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    int32_t found = -1;
    for (const int32_t id : special_)
      if (text.compare(at, vocab_.texts[id].size(), vocab_.texts[id]) == 0) {
        found = id;
        break;
      }
    if (found < 0) {
      at++;
      continue;
    }
    if (at > plain) encode(text.substr(plain, at - plain), out);
    out.push_back(found);
    at += vocab_.texts[found].size();
    plain = at;
  }
  if (plain < text.size()) encode(text.substr(plain), out);
}

std::string repaired_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8 read = utf8_read(text, at);
    if (read.valid)
      out.append(text.substr(at, read.bytes));
    else
      out += "\xEF\xBF\xBD";
    at += read.bytes;
  }
  return out;
}

/// Bytes that GPT-2's alphabet shows as themselves; the other 68 follow in order from U+0100.
static bool shows_itself(uint32_t byte) { return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174; }

bool from_byte_alphabet(std::string_view word, std::string& raw) {
  static const std::vector<uint8_t> shifted = [] {
    std::vector<uint8_t> list;
    for (uint32_t b = 0; b < 256; b++)
      if (!shows_itself(b)) list.push_back(static_cast<uint8_t>(b));
    return list;
  }();
  raw.clear();
  for (size_t at = 0; at < word.size();) {
    const Utf8 read = utf8_read(word, at);
    if (!read.valid) return false;
    at += read.bytes;
    if (read.code < 256 && shows_itself(read.code))
      raw += static_cast<char>(read.code);
    else if (read.code >= 256 && read.code < 256 + shifted.size())
      raw += static_cast<char>(shifted[read.code - 256]);
    else
      return false;
  }
  return true;
}

}  // namespace guard
