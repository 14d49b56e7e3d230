#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tok/vocab.h"

namespace guard {

class Gguf;
struct Json;

/// Text to token ids, exactly as the model was trained. Time is linear, or linear times a logarithm, in the
/// text's length, whatever the text: it is the attacker's.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Appends the ids of a text in which nothing is special: the words of control tokens are plain characters.
  virtual void encode(std::string_view text, std::vector<int32_t>& out) const = 0;
  /// The bytes that an id stands for; empty for control tokens.
  virtual std::string decode(int32_t id) const = 0;
  virtual const char* name() const = 0;

  /// A text of ours: control tokens written in it are honoured, longest first.
  void encode_trusted(std::string_view text, std::vector<int32_t>& out) const;
  const Vocab& vocab() const { return vocab_; }

 protected:
  explicit Tokenizer(Vocab vocab);
  Vocab vocab_;

 private:
  std::vector<int32_t> special_;  // control and user-defined ids, longest text first
};

/// How text is cut before byte-level BPE merges inside the pieces.
enum class Pretokenizer { Gpt2, Qwen2, Llama3 };
/// Calls `piece(begin, end)` for consecutive byte ranges of a valid UTF-8 text.
void pretokenize(Pretokenizer kind, std::string_view text, std::vector<uint32_t>& ends);

struct BpeMerge {
  std::string left, right;  // raw bytes
};

std::unique_ptr<Tokenizer> make_bpe(Vocab vocab, const std::vector<BpeMerge>& merges, Pretokenizer kind);
std::unique_ptr<Tokenizer> make_spm(Vocab vocab, bool add_space_prefix);

struct UnigramOptions {
  std::string charsmap;  // SentencePiece's precompiled normalizer, or empty
  bool add_space_prefix = true;
  bool remove_extra_spaces = true;
  bool strip_left = false, strip_right = false;
};
std::unique_ptr<Tokenizer> make_unigram(Vocab vocab, UnigramOptions options);

struct WordPieceOptions {
  bool lowercase = true;
  bool strip_accents = true;
};
/// Words that begin a word carry U+2581 in front, continuations are bare (GGUF's convention).
std::unique_ptr<Tokenizer> make_wordpiece(Vocab vocab, WordPieceOptions options);

/// From the metadata of a GGUF file.
std::unique_ptr<Tokenizer> tokenizer_from_gguf(const Gguf& file);
/// From a parsed tokenizer.json.
std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& root);

/// Text with every bad UTF-8 byte replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);
/// GPT-2's printable alphabet for bytes, undone. False where a character is not of that alphabet.
bool from_byte_alphabet(std::string_view word, std::string& raw);

}  // namespace guard
