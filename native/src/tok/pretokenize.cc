#include "tok/tokenizer.h"
#include "tok/unicode.h"
#include "tok/utf8.h"

// The three regular expressions, written out by hand: one look at each character, no backtracking.
//   gpt-2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//   llama-3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//   qwen2    as llama-3, with \p{N} in place of \p{N}{1,3}

namespace guard {
namespace {

struct Char {
  uint32_t code;
  uint32_t end;  // byte offset behind it
  enum Kind : uint8_t { Letter, Number, Space, Other } kind;
};

std::vector<Char> classify(std::string_view text) {
  std::vector<Char> out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8 read = utf8_read(text, at);
    at += read.bytes;
    const auto kind = is_letter(read.code) ? Char::Letter : is_number(read.code) ? Char::Number : is_space(read.code) ? Char::Space : Char::Other;
    out.push_back({read.code, static_cast<uint32_t>(at), kind});
  }
  return out;
}

/// Characters of 's 't 're 've 'm 'll 'd at `i`, or 0.
size_t contraction(const std::vector<Char>& c, size_t i, bool any_case) {
  if (c[i].code != '\'' || i + 1 >= c.size()) return 0;
  const auto fold = [&](uint32_t x) { return any_case && x >= 'A' && x <= 'Z' ? x + 32 : x; };
  const uint32_t a = fold(c[i + 1].code);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (i + 2 >= c.size()) return 0;
  const uint32_t b = fold(c[i + 2].code);
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

bool is_break(const Char& c) { return c.code == '\r' || c.code == '\n'; }

size_t run(const std::vector<Char>& c, size_t i, Char::Kind kind) {
  while (i < c.size() && c[i].kind == kind) i++;
  return i;
}

/// \s+(?!\S)|\s+ : white space gives its last character to the word that follows it.
size_t spaces(const std::vector<Char>& c, size_t i) {
  const size_t end = run(c, i, Char::Space);
  return end < c.size() && end - i > 1 ? end - 1 : end;
}

size_t next_gpt2(const std::vector<Char>& c, size_t i) {
  if (const size_t n = contraction(c, i, false)) return i + n;
  const size_t start = c[i].code == ' ' && i + 1 < c.size() ? i + 1 : i;
  if (c[start].kind != Char::Space) return run(c, start, c[start].kind);
  return spaces(c, i);
}

size_t next_llama3(const std::vector<Char>& c, size_t i, size_t most_digits) {
  if (const size_t n = contraction(c, i, true)) return i + n;
  if (c[i].kind == Char::Letter) return run(c, i, Char::Letter);
  if (!is_break(c[i]) && c[i].kind != Char::Number && i + 1 < c.size() && c[i + 1].kind == Char::Letter) return run(c, i + 1, Char::Letter);
  if (c[i].kind == Char::Number) {
    size_t end = i;
    while (end < c.size() && end - i < most_digits && c[end].kind == Char::Number) end++;
    return end;
  }
  const size_t start = c[i].code == ' ' && i + 1 < c.size() ? i + 1 : i;
  if (c[start].kind == Char::Other) {
    size_t end = run(c, start, Char::Other);
    while (end < c.size() && is_break(c[end])) end++;
    return end;
  }
  // \s*[\r\n]+ : up to the last line break of the white space.
  const size_t end = run(c, i, Char::Space);
  for (size_t back = end; back > i; back--)
    if (is_break(c[back - 1])) return back;
  return spaces(c, i);
}

}  // namespace

void pretokenize(Pretokenizer kind, std::string_view text, std::vector<uint32_t>& ends) {
  const std::vector<Char> c = classify(text);
  ends.clear();
  for (size_t i = 0; i < c.size();) {
    i = kind == Pretokenizer::Gpt2 ? next_gpt2(c, i) : next_llama3(c, i, kind == Pretokenizer::Qwen2 ? 1 : 3);
    ends.push_back(c[i - 1].end);
  }
}

}  // namespace guard
