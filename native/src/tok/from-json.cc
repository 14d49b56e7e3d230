#include <algorithm>
#include <functional>
#include <cmath>

#include "base/fail.h"
#include "base/json.h"
#include "format/limits.h"
#include "tok/tokenizer.h"
#include "tok/utf8.h"

namespace guard {
namespace {

const Json& need(const Json& from, const char* name, Json::Kind kind) {
  const Json* value = from.find(name);
  if (value == nullptr || value->kind != kind) reject("tokenizer.json: %s is missing, or of another kind.", name);
  return *value;
}

std::string base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int n = 0;
  for (const char c : text) {
    const int v = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
    if (c == '=') break;
    if (v < 0) reject("tokenizer.json: the precompiled normalizer is no base64.");
    bits = bits << 6 | static_cast<uint32_t>(v);
    if ((n += 6) >= 8) out += static_cast<char>(bits >> (n -= 8) & 255);
  }
  return out;
}

/// A node of a normalizer or pre-tokenizer and, for sequences, the nodes inside it.
void each_node(const Json* node, const char* list, const std::function<void(const std::string&, const Json&)>& visit) {
  if (node == nullptr || node->kind == Json::Null) return;
  const std::string type = node->get_string_or("type", "");
  if (type != "Sequence") return visit(type, *node);
  for (const Json& inner : need(*node, list, Json::Array).items) each_node(&inner, list, visit);
}

/// "vocab": {word: id} with dense ids, plus the added tokens.
Vocab dense_vocab(const Json& root, const std::vector<std::pair<std::string, int64_t>>& words, const std::vector<float>& scores) {
  int64_t size = 0;
  const Json* added = root.find("added_tokens");
  for (const auto& [word, id] : words) size = std::max(size, id + 1);
  if (added != nullptr)
    for (const Json& token : added->items) size = std::max(size, token.get_integer("id", 0, static_cast<int64_t>(limits::kVocabulary)) + 1);
  if (size > static_cast<int64_t>(limits::kVocabulary) || size > static_cast<int64_t>(words.size()) + 4096) reject("tokenizer.json: ids are not dense.");
  Vocab vocab;
  vocab.texts.resize(static_cast<size_t>(size));
  vocab.scores.assign(static_cast<size_t>(size), 0.0f);
  vocab.types.assign(static_cast<size_t>(size), TokenType::Unused);
  std::vector<bool> filled(static_cast<size_t>(size));
  for (size_t i = 0; i < words.size(); i++) {
    const auto id = static_cast<size_t>(words[i].second);
    if (filled[id]) reject("tokenizer.json: id %zu stands twice.", id);
    filled[id] = true;
    vocab.texts[id] = words[i].first;
    vocab.types[id] = TokenType::Normal;
    if (!scores.empty()) vocab.scores[id] = scores[i];
  }
  if (added != nullptr)
    for (const Json& token : added->items) {
      const auto id = static_cast<size_t>(token.get_integer("id", 0, size - 1));
      vocab.texts[id] = need(token, "content", Json::String).string;
      vocab.types[id] = token.get_bool_or("special", false) ? TokenType::Control : TokenType::UserDefined;
      filled[id] = true;
    }
  for (size_t i = 0; i < filled.size(); i++)
    if (!filled[i]) vocab.texts[i] = "[unused-id-" + std::to_string(i) + "]";
  const auto named = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      for (size_t i = 0; i < vocab.texts.size(); i++)
        if (vocab.texts[i] == name) return static_cast<int32_t>(i);
    return -1;
  };
  vocab.cls = named({"[CLS]"});
  vocab.sep = named({"[SEP]"});
  vocab.bos = named({"<|begin_of_text|>", "<s>"});
  vocab.eos = named({"<|end_of_text|>", "<|im_end|>", "</s>"});
  vocab.unknown = named({"[UNK]", "<unk>"});
  vocab.add_bos = vocab.bos >= 0;
  return vocab;
}

std::vector<std::pair<std::string, int64_t>> words_of(const Json& model) {
  std::vector<std::pair<std::string, int64_t>> words;
  for (const auto& [word, id] : need(model, "vocab", Json::Object).members) {
    if (!id.is_integer || id.integer < 0 || id.integer >= static_cast<int64_t>(limits::kVocabulary)) reject("tokenizer.json: %s has no id.", shown(word).c_str());
    words.emplace_back(word, id.integer);
  }
  return words;
}

std::unique_ptr<Tokenizer> bpe(const Json& root, const Json& model) {
  Pretokenizer kind{};
  bool known = false;
  each_node(root.find("pre_tokenizer"), "pretokenizers", [&](const std::string& type, const Json& node) {
    if (type == "ByteLevel") {
      if (node.get_bool_or("add_prefix_space", false)) reject("tokenizer.json: byte-level BPE with a leading space is not supported.");
      if (!known && node.get_bool_or("use_regex", true)) kind = Pretokenizer::Gpt2, known = true;
    } else if (type == "Split") {
      const std::string regex = need(need(node, "pattern", Json::Object), "Regex", Json::String).string;
      if (regex.find("\\p{N}{1,3}") != regex.npos)
        kind = Pretokenizer::Llama3;
      else if (regex.find("|\\p{N}| ?") != regex.npos && regex.find("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+") != regex.npos)
        kind = Pretokenizer::Qwen2;
      else
        reject("tokenizer.json: the pre-tokenizer's pattern is none of gpt-2, qwen2 and llama-3.");
      known = true;
    } else {
      reject("tokenizer.json: the pre-tokenizer %s is not supported with BPE.", shown(type).c_str());
    }
  });
  if (!known) reject("tokenizer.json: BPE has no byte-level pre-tokenizer.");
  each_node(root.find("normalizer"), "normalizers", [&](const std::string& type, const Json&) {
    // Qwen normalizes to NFC; guards see the text as it is sent, so only composed text is promised to match.
    if (type != "NFC") reject("tokenizer.json: the normalizer %s is not supported with BPE.", shown(type).c_str());
  });
  Vocab vocab = dense_vocab(root, words_of(model), {});
  std::vector<BpeMerge> merges;
  for (const Json& item : need(model, "merges", Json::Array).items) {
    std::string left, right;
    if (item.kind == Json::Array && item.items.size() == 2) {
      left = item.items[0].string;
      right = item.items[1].string;
    } else if (const size_t space = item.string.find(' ', 1); space != std::string::npos) {
      left = item.string.substr(0, space);
      right = item.string.substr(space + 1);
    }
    BpeMerge merge;
    if (left.empty() || right.empty() || !from_byte_alphabet(left, merge.left) || !from_byte_alphabet(right, merge.right)) reject("tokenizer.json: merge %zu is not two words.", merges.size());
    merges.push_back(std::move(merge));
  }
  return make_bpe(std::move(vocab), merges, kind);
}

std::unique_ptr<Tokenizer> unigram(const Json& root, const Json& model) {
  std::vector<std::pair<std::string, int64_t>> words;
  std::vector<float> scores;
  for (const Json& item : need(model, "vocab", Json::Array).items) {
    if (item.kind != Json::Array || item.items.size() != 2 || item.items[0].kind != Json::String || item.items[1].kind != Json::Number || !std::isfinite(item.items[1].number))
      reject("tokenizer.json: a unigram word has no score.");
    words.emplace_back(item.items[0].string, static_cast<int64_t>(words.size()));
    scores.push_back(static_cast<float>(item.items[1].number));
  }
  UnigramOptions options;
  options.remove_extra_spaces = false;
  options.add_space_prefix = false;
  each_node(root.find("normalizer"), "normalizers", [&](const std::string& type, const Json& node) {
    if (type == "Precompiled") {
      options.charsmap = base64(need(node, "precompiled_charsmap", Json::String).string);
    } else if (type == "Replace") {
      options.remove_extra_spaces = true;  // " {2,}" to one space is the only replacement that public files have
      const Json& pattern = need(node, "pattern", Json::Object);
      if (pattern.get_string_or("Regex", "") != " {2,}") reject("tokenizer.json: this replacement is not supported.");
    } else if (type == "Strip") {
      options.strip_left = node.get_bool_or("strip_left", true);
      options.strip_right = node.get_bool_or("strip_right", true);
    } else if (type != "NFC" && type != "NFKC") {
      reject("tokenizer.json: the normalizer %s is not supported with unigram.", shown(type).c_str());
    }
  });
  each_node(root.find("pre_tokenizer"), "pretokenizers", [&](const std::string& type, const Json& node) {
    if (type != "Metaspace") reject("tokenizer.json: the pre-tokenizer %s is not supported with unigram.", shown(type).c_str());
    options.add_space_prefix = node.get_string_or("prepend_scheme", "always") != "never";
  });
  Vocab vocab = dense_vocab(root, words, scores);
  if (model.find("unk_id") != nullptr) vocab.unknown = static_cast<int32_t>(model.get_integer("unk_id", 0, static_cast<int64_t>(words.size()) - 1));
  return make_unigram(std::move(vocab), std::move(options));
}

std::unique_ptr<Tokenizer> wordpiece(const Json& root, const Json& model) {
  auto words = words_of(model);
  WordPieceOptions options;
  each_node(root.find("normalizer"), "normalizers", [&](const std::string& type, const Json& node) {
    if (type != "BertNormalizer") reject("tokenizer.json: the normalizer %s is not supported with WordPiece.", shown(type).c_str());
    options.lowercase = node.get_bool_or("lowercase", true);
    options.strip_accents = node.get_bool_or("strip_accents", options.lowercase);
  });
  // "##x" continues a word, "x" begins one: turned into GGUF's convention, which marks the beginning.
  for (auto& [word, id] : words) word = word.starts_with("##") ? word.substr(2) : "\xE2\x96\x81" + word;
  return make_wordpiece(dense_vocab(root, words, {}), options);
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& root) {
  const Json& model = need(root, "model", Json::Object);
  std::string type = model.get_string_or("type", "");
  if (type == "BPE") return bpe(root, model);
  if (type == "Unigram") return unigram(root, model);
  if (type == "WordPiece") return wordpiece(root, model);
  reject("tokenizer.json: the model %s is not supported (BPE, Unigram and WordPiece are).", shown(type).c_str());
}

}  // namespace guard
