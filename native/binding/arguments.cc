#include "arguments.h"

#include <cmath>

namespace binding {
namespace {

[[noreturn]] void refuse(Napi::Env env, const char* name, const char* what) {
  throw Napi::TypeError::New(env, std::string(name) + " must be " + what + ".");
}

constexpr size_t kTokens = 1u << 20;

}  // namespace

std::string text_of(const Napi::Value& value, const char* name) {
  if (!value.IsString()) refuse(value.Env(), name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

bool flag_of(const Napi::Value& value, const char* name) {
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) refuse(value.Env(), name, "true or false");
  return value.As<Napi::Boolean>().Value();
}

double count_of(const Napi::Value& value, const char* name, double most) {
  if (value.IsUndefined()) return 0;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= most) || std::floor(number) != number) refuse(value.Env(), name, "a whole number in range");
  return number;
}

std::vector<int32_t> ids_of(const Napi::Value& value, const char* name, size_t most) {
  if (value.IsUndefined()) return {};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) refuse(value.Env(), name, "an Int32Array");
  const auto array = value.As<Napi::Int32Array>();
  const size_t n = array.ElementLength();
  if (n > most) refuse(value.Env(), name, "shorter");
  return n == 0 ? std::vector<int32_t>() : std::vector<int32_t>(array.Data(), array.Data() + n);
}

Napi::Object object_of(const Napi::Value& value, const char* name) {
  if (!value.IsObject() || value.IsArray() || value.IsFunction()) refuse(value.Env(), name, "an object");
  return value.As<Napi::Object>();
}

void read_request(const Napi::Object& from, Request& to) {
  const Napi::Env env = from.Env();
  to.tokens = ids_of(from.Get("tokens"), "tokens", kTokens);
  to.labels = ids_of(from.Get("labels"), "labels", 64);
  const Napi::Value tenant = from.Get("tenant");
  if (!tenant.IsUndefined()) to.tenant = text_of(tenant, "tenant");
  const Napi::Value segments = from.Get("segments");
  if (!segments.IsUndefined()) {
    if (!segments.IsArray()) refuse(env, "segments", "an array");
    const auto array = segments.As<Napi::Array>();
    const uint32_t n = array.Length();
    if (n > 64) refuse(env, "segments", "at most 64 segments");
    // Two passes: a getter of the caller could run between them, so that no pointer is taken before all is copied.
    std::vector<std::pair<guard_role, int>> kinds;
    for (uint32_t i = 0; i < n; i++) {
      const auto one = object_of(array.Get(i), "a segment");
      to.texts.push_back(text_of(one.Get("text"), "segment.text"));
      kinds.emplace_back(static_cast<guard_role>(static_cast<int>(count_of(one.Get("role"), "segment.role", 2))), flag_of(one.Get("trusted"), "segment.trusted"));
    }
    for (uint32_t i = 0; i < n; i++) to.segments.push_back({kinds[i].first, to.texts[i].data(), to.texts[i].size(), kinds[i].second});
  }
  guard_request& r = to.view;
  r.max_tokens = static_cast<uint32_t>(count_of(from.Get("maxTokens"), "maxTokens", 256));
  r.deadline_ms = count_of(from.Get("deadlineMs"), "deadlineMs", 1e9);
  r.priority = static_cast<int32_t>(count_of(from.Get("priority"), "priority", 1000));
  const Napi::Value risk = from.Get("riskLabel");
  r.risk_label = risk.IsUndefined() ? -1 : static_cast<int32_t>(count_of(risk, "riskLabel", 63));
  r.segments = to.segments.data();
  r.n_segments = to.segments.size();
  r.tokens = to.tokens.data();
  r.n_tokens = to.tokens.size();
  r.labels = to.labels.data();
  r.n_labels = to.labels.size();
}

}  // namespace binding
