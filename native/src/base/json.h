#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guard {

/// A JSON value of a hostile file (RFC 8259, strict): depth and node count are bounded, duplicate members,
/// bad UTF-8, lone surrogates and trailing bytes are refused.
struct Json {
  enum Kind { Null, Bool, Number, String, Array, Object } kind = Null;
  bool boolean = false;
  double number = 0;
  /// Set where the number was written as an integer that fits: sizes and offsets must not pass through double.
  bool is_integer = false;
  int64_t integer = 0;
  std::string string;
  std::vector<Json> items;
  std::vector<std::pair<std::string, Json>> members;

  /// The member of that name, or nullptr.
  const Json* find(std::string_view name) const;
  /// `what` names the file in error sentences.
  static Json parse(std::string_view text, const char* what);

  // Typed getters for settings; the member must be there (or be absent, where a fallback is given).
  int64_t get_integer(const char* name, int64_t low, int64_t high) const;
  int64_t get_integer_or(const char* name, int64_t low, int64_t high, int64_t fallback) const;
  double get_number_or(const char* name, double fallback) const;
  bool get_bool_or(const char* name, bool fallback) const;
  std::string get_string_or(const char* name, const char* fallback) const;
};

}  // namespace guard
