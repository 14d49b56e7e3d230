#pragma once
#include <cstdint>
#include <string>

/// SplitMix64: the same seed gives the same inputs on every machine.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  /// A number at which loaders have broken, or any.
  uint64_t number();

 private:
  uint64_t state_;
};

/// Flips, cuts, repeats or inserts bytes anywhere.
void mutate_bytes(std::string& bytes, Chance& chance);
/// Changes one to four places of a GGUF file by its structure: counts, lengths, types, names, shapes, offsets, values.
std::string mutated_gguf(const std::string& bytes, Chance& chance);
/// Changes values, names and nesting of a JSON text.
void mutate_json(std::string& text, Chance& chance);
/// Changes the header of a safetensors file, its length, or its data.
std::string mutated_safetensors(const std::string& bytes, Chance& chance);
