#include "sched/windows.h"

#include <algorithm>

#include "base/fail.h"

namespace guard {
namespace {

std::vector<int32_t> tokens_of(const Model& model, const Job::Text& segment) {
  std::vector<int32_t> out;
  if (segment.trusted)
    model.tokenizer->encode_trusted(segment.text, out);
  else
    model.tokenizer->encode(segment.text, out);
  return out;
}

/// Windows over `body` between fixed tokens; neighbours overlap by a quarter of the room, so that what a cut
/// would split stands whole in one of them.
void cut(const std::vector<int32_t>& head, const std::vector<int32_t>& body, const std::vector<int32_t>& tail, size_t context, Job& job) {
  const size_t fixed = head.size() + tail.size();
  if (fixed >= context || context - fixed < 4) fail(GUARD_TOO_LONG, "The segments before the last fill the model's context of %zu tokens.", context);
  const size_t room = context - fixed, step = room - room / 4;
  for (size_t at = 0;; at += step) {
    std::vector<int32_t> window = head;
    const size_t end = std::min(body.size(), at + room);
    window.insert(window.end(), body.begin() + static_cast<std::ptrdiff_t>(at), body.begin() + static_cast<std::ptrdiff_t>(end));
    window.insert(window.end(), tail.begin(), tail.end());
    job.windows.push_back(std::move(window));
    if (end == body.size()) return;
  }
}

void canary_windows(const Model& model, Job& job) {
  std::vector<int32_t> head{model.cls};
  for (size_t i = 0; i + 1 < job.segments.size(); i++) {
    head.push_back(model.roles[job.segments[i].role]);
    const auto ids = tokens_of(model, job.segments[i]);
    head.insert(head.end(), ids.begin(), ids.end());
    head.push_back(model.sep);
  }
  if (head.size() > model.context / 2) fail(GUARD_TOO_LONG, "The segments before the last have %zu tokens; at most half of the context of %u may be theirs.", head.size(), model.context);
  head.push_back(model.roles[job.segments.back().role]);
  cut(head, tokens_of(model, job.segments.back()), {model.sep}, model.context, job);
}

}  // namespace

void make_windows(const Model& model, Job& job) {
  if (!job.given.empty()) {
    job.windows.push_back(std::move(job.given));
  } else if (model.architecture == "canary-guard") {
    canary_windows(model, job);
  } else if (model.encoder) {
    std::vector<int32_t> body;
    for (const auto& segment : job.segments) {
      const auto ids = tokens_of(model, segment);
      body.insert(body.end(), ids.begin(), ids.end());
    }
    cut({model.cls}, body, {model.sep}, model.context, job);
  } else {
    std::vector<int32_t> ids;
    const Vocab& vocab = model.tokenizer->vocab();
    if (!job.prefix && vocab.add_bos && vocab.bos >= 0) ids.push_back(vocab.bos);
    for (const auto& segment : job.segments) {
      const auto more = tokens_of(model, segment);
      ids.insert(ids.end(), more.begin(), more.end());
    }
    // A template that writes its own beginning-of-text token does not get a second one.
    if (ids.size() > 1 && ids[0] == vocab.bos && ids[1] == vocab.bos) ids.erase(ids.begin());
    job.windows.push_back(std::move(ids));
  }
  const size_t before = job.prefix ? job.prefix->tokens.size() : 0;
  for (const auto& window : job.windows) {
    if (window.empty()) fail(GUARD_BAD_ARGUMENT, "The request has no tokens.");
    if (before + window.size() + job.max_tokens > model.context)
      fail(GUARD_TOO_LONG, "The request has %zu tokens with its prefix and answer; the model's context is %u.", before + window.size() + job.max_tokens, model.context);
    for (const int32_t id : window)
      if (id < 0 || static_cast<uint32_t>(id) >= model.vocabulary) fail(GUARD_BAD_ARGUMENT, "Token id %d lies beyond the vocabulary.", id);
  }
}

}  // namespace guard
