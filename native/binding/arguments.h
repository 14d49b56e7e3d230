#pragma once
#include <string>
#include <vector>

#include <napi.h>

#include "guard.h"

namespace binding {

/// A request as it came from JavaScript: `view` points into the rest, so that it must not be moved.
struct Request {
  std::vector<std::string> texts;
  std::vector<guard_segment> segments;
  std::vector<int32_t> tokens, labels;
  std::string tenant;
  guard_request view{};
};

// Each throws a TypeError that names the member; nothing is guessed or cut.
std::string text_of(const Napi::Value& value, const char* name);
bool flag_of(const Napi::Value& value, const char* name);
/// A whole number from 0 to `most`; undefined gives 0.
double count_of(const Napi::Value& value, const char* name, double most);
std::vector<int32_t> ids_of(const Napi::Value& value, const char* name, size_t most);
Napi::Object object_of(const Napi::Value& value, const char* name);
void read_request(const Napi::Object& from, Request& to);

}  // namespace binding
