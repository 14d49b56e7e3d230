#include "base/json.h"

#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "base/fail.h"
#include "tok/utf8.h"

namespace guard {
namespace {

constexpr int kMaxDepth = 32;
constexpr size_t kMaxNodes = 8'000'000;

class Parser {
 public:
  Parser(std::string_view text, const char* what) : text_(text), what_(what) {}

  Json document() {
    Json value = this->value(0);
    space();
    if (at_ != text_.size()) bad("has bytes after its end");
    return value;
  }

 private:
  [[noreturn]] void bad(const char* why) { reject("%s is no valid JSON at byte %zu: it %s.", what_, at_, why); }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      at_++;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    at_++;
    return true;
  }
  bool word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }

  Json value(int depth) {
    if (depth > kMaxDepth) bad("is nested too deep");
    if (++nodes_ > kMaxNodes) bad("has too many values");
    space();
    Json out;
    if (take('{')) return object(depth);
    if (take('[')) return array(depth);
    if (at_ < text_.size() && text_[at_] == '"') {
      out.kind = Json::String;
      out.string = string();
    } else if (word("true")) {
      out.kind = Json::Bool;
      out.boolean = true;
    } else if (word("false")) {
      out.kind = Json::Bool;
    } else if (!word("null")) {
      return number();
    }
    return out;
  }

  Json object(int depth) {
    Json out;
    out.kind = Json::Object;
    std::unordered_set<std::string> seen;
    space();
    if (take('}')) return out;
    do {
      space();
      std::string name = string();
      if (!seen.insert(name).second) bad("has a member twice");
      space();
      if (!take(':')) bad("lacks a colon");
      out.members.emplace_back(std::move(name), value(depth + 1));
      space();
    } while (take(','));
    if (!take('}')) bad("lacks a closing brace");
    return out;
  }

  Json array(int depth) {
    Json out;
    out.kind = Json::Array;
    space();
    if (take(']')) return out;
    do {
      out.items.push_back(value(depth + 1));
      space();
    } while (take(','));
    if (!take(']')) bad("lacks a closing bracket");
    return out;
  }

  Json number() {
    const size_t start = at_;
    take('-');
    bool integer = true;
    if (!take('0')) {
      if (!digits()) bad("has a value of no known form");
    }
    if (take('.')) {
      integer = false;
      if (!digits()) bad("has a number without digits after the point");
    }
    if (take('e') || take('E')) {
      integer = false;
      if (!take('+')) take('-');
      if (!digits()) bad("has a number without exponent");
    }
    const std::string text(text_.substr(start, at_ - start));
    Json out;
    out.kind = Json::Number;
    out.number = strtod(text.c_str(), nullptr);
    if (integer && text.size() <= 18) {
      out.is_integer = true;
      out.integer = strtoll(text.c_str(), nullptr, 10);
    }
    return out;
  }
  bool digits() {
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') at_++;
    return at_ > start;
  }

  uint32_t hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
      const char c = at_ < text_.size() ? text_[at_++] : '?';
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) bad("has a bad escape");
      code = code * 16 + uint32_t(digit);
    }
    return code;
  }

  std::string string() {
    if (!take('"')) bad("lacks a string");
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) bad("ends inside a string");
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        at_++;
        return out;
      }
      if (c < 0x20) bad("has a control character in a string");
      if (c == '\\') {
        at_++;
        escape(out);
        continue;
      }
      const Utf8 read = utf8_read(text_, at_);
      if (!read.valid) bad("is not UTF-8");
      out.append(text_.substr(at_, read.bytes));
      at_ += read.bytes;
    }
  }

  void escape(std::string& out) {
    const char c = at_ < text_.size() ? text_[at_++] : '?';
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t i = kFrom.find(c); i != kFrom.npos) {
      out += kTo[i];
      return;
    }
    if (c != 'u') bad("has a bad escape");
    uint32_t code = hex4();
    if (code >= 0xDC00 && code < 0xE000) bad("has a lone surrogate");
    if (code >= 0xD800 && code < 0xDC00) {
      if (!word("\\u")) bad("has a lone surrogate");
      const uint32_t low = hex4();
      if (low < 0xDC00 || low >= 0xE000) bad("has a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    utf8_append(out, code);
  }

  std::string_view text_;
  const char* what_;
  size_t at_ = 0;
  size_t nodes_ = 0;
};

}  // namespace

Json Json::parse(std::string_view text, const char* what) { return Parser(text, what).document(); }

const Json* Json::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

int64_t Json::get_integer(const char* name, int64_t low, int64_t high) const {
  const Json* value = find(name);
  if (value == nullptr || !value->is_integer) reject("The setting %s is missing, or is no integer.", name);
  if (value->integer < low || value->integer > high)
    reject("The setting %s is %lld; it must lie between %lld and %lld.", name, (long long)value->integer,
           (long long)low, (long long)high);
  return value->integer;
}
int64_t Json::get_integer_or(const char* name, int64_t low, int64_t high, int64_t fallback) const {
  const Json* value = find(name);
  return value == nullptr || value->kind == Null ? fallback : get_integer(name, low, high);
}
double Json::get_number_or(const char* name, double fallback) const {
  const Json* value = find(name);
  if (value == nullptr || value->kind == Null) return fallback;
  if (value->kind != Number || !std::isfinite(value->number)) reject("The setting %s is no finite number.", name);
  return value->number;
}
bool Json::get_bool_or(const char* name, bool fallback) const {
  const Json* value = find(name);
  if (value == nullptr || value->kind == Null) return fallback;
  if (value->kind != Bool) reject("The setting %s is neither true nor false.", name);
  return value->boolean;
}
std::string Json::get_string_or(const char* name, const char* fallback) const {
  const Json* value = find(name);
  if (value == nullptr || value->kind == Null) return fallback;
  if (value->kind != String) reject("The setting %s is no text.", name);
  return value->string;
}

}  // namespace guard
