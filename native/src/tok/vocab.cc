#include "tok/vocab.h"

#include "base/fail.h"
#include "format/limits.h"

namespace guard {

void Vocab::index() {
  if (texts.empty() || texts.size() > limits::kVocabulary) reject("The vocabulary has %zu words; 1 to %llu are allowed.", texts.size(), (unsigned long long)limits::kVocabulary);
  ids.reserve(texts.size());
  for (size_t i = 0; i < texts.size(); i++) {
    if (texts[i].size() > limits::kTokenBytes) reject("Token %zu has %zu bytes; at most %llu are allowed.", i, texts[i].size(), (unsigned long long)limits::kTokenBytes);
    if (!ids.emplace(texts[i], static_cast<int32_t>(i)).second) reject("Token %zu (%s) stands twice in the vocabulary.", i, shown(texts[i]).c_str());
  }
}

}  // namespace guard
