#pragma once
#include <cstdint>

namespace guard {

bool is_letter(uint32_t code);       // \p{L}
bool is_number(uint32_t code);       // \p{N}
bool is_space(uint32_t code);        // \s of the pre-tokenizers' regular expressions (White_Space)
bool is_mark(uint32_t code);         // \p{Mn}
bool is_punctuation(uint32_t code);  // \p{P}
uint32_t to_lower(uint32_t code);
/// The starter of the canonical decomposition where that is one character; else the code itself.
uint32_t without_accent(uint32_t code);

}  // namespace guard
