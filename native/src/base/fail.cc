#include "base/fail.h"

#include <cstdio>
#include <string_view>

namespace guard {

static std::string vformat(const char* format, va_list args) {
  char buffer[512];
  vsnprintf(buffer, sizeof buffer, format, args);
  return buffer;
}

void fail(guard_status status, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string sentence = vformat(format, args);
  va_end(args);
  throw Fail(status, std::move(sentence));
}

void reject(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string sentence = vformat(format, args);
  va_end(args);
  throw Fail(GUARD_MODEL_REJECTED, std::move(sentence));
}

std::string shown(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 48)) out += (c >= 32 && c < 127) ? c : '?';
  if (text.size() > 48) out += "...";
  return out;
}

}  // namespace guard
