#pragma once
#include <cstdarg>
#include <exception>
#include <string>

#include "guard.h"

namespace guard {

/// The one exception of the engine: a status of guard.h and a sentence that says what is wrong. It is thrown
/// inside only; api.cc turns it into a status and a guard_error.
class Fail : public std::exception {
 public:
  Fail(guard_status status, std::string sentence) : status_(status), sentence_(std::move(sentence)) {}
  const char* what() const noexcept override { return sentence_.c_str(); }
  guard_status status() const { return status_; }

 private:
  guard_status status_;
  std::string sentence_;
};

[[noreturn]] void fail(guard_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));

/// A refused model file: the commonest failure, so it has a short name.
[[noreturn]] void reject(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Text of a hostile file, made safe to show: cut, and with everything but printable ASCII replaced.
std::string shown(std::string_view text);

}  // namespace guard
