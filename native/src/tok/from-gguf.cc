#include <cmath>

#include "base/fail.h"
#include "format/gguf.h"
#include "format/limits.h"
#include "tok/tokenizer.h"

namespace guard {
namespace {

int32_t optional_id(const Gguf& file, const char* key, size_t vocabulary) {
  if (file.find(key) == nullptr) return -1;
  return static_cast<int32_t>(file.u32(key, 0, static_cast<uint32_t>(vocabulary - 1)));
}

Vocab read_vocab(const Gguf& file, bool needs_scores) {
  Vocab vocab;
  const auto& words = file.texts("tokenizer.ggml.tokens");
  if (words.empty() || words.size() > limits::kVocabulary) reject("The vocabulary has %zu words; 1 to %llu are allowed.", words.size(), (unsigned long long)limits::kVocabulary);
  vocab.texts.assign(words.begin(), words.end());
  if (needs_scores || file.find("tokenizer.ggml.scores") != nullptr) vocab.scores = file.f32s("tokenizer.ggml.scores", words.size());
  vocab.types.assign(words.size(), TokenType::Normal);
  if (file.find("tokenizer.ggml.token_type") != nullptr) {
    const auto types = file.i32s("tokenizer.ggml.token_type", words.size());
    for (size_t i = 0; i < types.size(); i++) {
      if (types[i] < 1 || types[i] > 6) reject("Token %zu has the unknown type %d.", i, types[i]);
      vocab.types[i] = static_cast<TokenType>(types[i]);
    }
  }
  vocab.bos = optional_id(file, "tokenizer.ggml.bos_token_id", words.size());
  vocab.eos = optional_id(file, "tokenizer.ggml.eos_token_id", words.size());
  vocab.unknown = optional_id(file, "tokenizer.ggml.unknown_token_id", words.size());
  vocab.cls = optional_id(file, "tokenizer.ggml.cls_token_id", words.size());
  vocab.sep = optional_id(file, "tokenizer.ggml.seperator_token_id", words.size());
  return vocab;
}

std::vector<BpeMerge> read_merges(const Gguf& file) {
  std::vector<BpeMerge> merges;
  for (const std::string_view line : file.texts("tokenizer.ggml.merges")) {
    // The space that divides is never the first character: a word is not empty.
    const size_t space = line.find(' ', 1);
    BpeMerge merge;
    if (space == line.npos || !from_byte_alphabet(line.substr(0, space), merge.left) || !from_byte_alphabet(line.substr(space + 1), merge.right) || merge.right.empty())
      reject("Merge %zu is not two words: %s.", merges.size(), shown(line).c_str());
    merges.push_back(std::move(merge));
  }
  return merges;
}

Pretokenizer pretokenizer_of(std::string_view name) {
  if (name == "gpt-2") return Pretokenizer::Gpt2;
  if (name == "qwen2") return Pretokenizer::Qwen2;
  if (name == "llama-bpe" || name == "llama3") return Pretokenizer::Llama3;
  reject("The pre-tokenizer %s is not supported (gpt-2, qwen2 and llama-bpe are).", shown(name).c_str());
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_gguf(const Gguf& file) {
  const std::string_view model = file.text("tokenizer.ggml.model");
  if (model == "gpt2") {
    const Pretokenizer kind = pretokenizer_of(file.text("tokenizer.ggml.pre"));
    Vocab vocab = read_vocab(file, false);
    vocab.add_bos = file.bool_or("tokenizer.ggml.add_bos_token", kind == Pretokenizer::Llama3);
    return make_bpe(std::move(vocab), read_merges(file), kind);
  }
  if (model == "llama") {
    Vocab vocab = read_vocab(file, true);
    vocab.add_bos = file.bool_or("tokenizer.ggml.add_bos_token", true);
    if (vocab.unknown < 0 && vocab.types[0] == TokenType::Unknown) vocab.unknown = 0;
    return make_spm(std::move(vocab), file.bool_or("tokenizer.ggml.add_space_prefix", true));
  }
  if (model == "bert") {
    Vocab vocab = read_vocab(file, false);
    if (vocab.unknown < 0) vocab.unknown = 100;
    if (static_cast<size_t>(vocab.unknown) >= vocab.size()) reject("The unknown token's id lies beyond the vocabulary.");
    return make_wordpiece(std::move(vocab), {});
  }
  if (model == "t5") {
    Vocab vocab = read_vocab(file, true);
    if (vocab.unknown < 0)
      for (size_t i = 0; i < vocab.size() && vocab.unknown < 0; i++)
        if (vocab.types[i] == TokenType::Unknown) vocab.unknown = static_cast<int32_t>(i);
    UnigramOptions options;
    if (const GgufValue* map = file.find("tokenizer.ggml.precompiled_charsmap")) {
      if (map->type != GgufType::Array || (map->item != GgufType::U8 && map->item != GgufType::I8)) reject("tokenizer.ggml.precompiled_charsmap is no array of bytes.");
      options.charsmap.assign(reinterpret_cast<const char*>(map->items), map->count);
    }
    options.add_space_prefix = file.bool_or("tokenizer.ggml.add_space_prefix", true);
    options.remove_extra_spaces = file.bool_or("tokenizer.ggml.remove_extra_whitespaces", true);
    return make_unigram(std::move(vocab), std::move(options));
  }
  reject("The tokenizer model %s is not supported (gpt2, llama, bert and t5 are).", shown(model).c_str());
}

}  // namespace guard
