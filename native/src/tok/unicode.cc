#include "tok/unicode.h"

#include <algorithm>
#include <iterator>

namespace guard {
namespace {

struct Range {
  uint32_t first, last;
};
struct Pair {
  uint32_t from, to;
};
#include "tok/unicode-tables.inc"

template <size_t N>
bool within(const Range (&table)[N], uint32_t code) {
  const Range* it = std::upper_bound(std::begin(table), std::end(table), code, [](uint32_t c, const Range& r) { return c < r.first; });
  return it != std::begin(table) && code <= std::prev(it)->last;
}

template <size_t N>
uint32_t mapped(const Pair (&table)[N], uint32_t code) {
  const Pair* it = std::lower_bound(std::begin(table), std::end(table), code, [](const Pair& p, uint32_t c) { return p.from < c; });
  return it != std::end(table) && it->from == code ? it->to : code;
}

}  // namespace

bool is_letter(uint32_t c) {
  if (c < 128) return (c | 32) >= 'a' && (c | 32) <= 'z';
  return within(kLetters, c);
}
bool is_number(uint32_t c) {
  if (c < 128) return c >= '0' && c <= '9';
  return within(kNumbers, c);
}
bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || c == 32 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
bool is_mark(uint32_t c) { return c >= 0x300 && within(kMarks, c); }
bool is_punctuation(uint32_t c) { return within(kPunctuation, c); }
uint32_t to_lower(uint32_t c) {
  if (c < 128) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return mapped(kLower, c);
}
uint32_t without_accent(uint32_t c) { return c < 128 ? c : mapped(kBase, c); }

}  // namespace guard
