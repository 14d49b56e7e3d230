#pragma once
#include <cstdint>

/// Caps on everything that a model file can count, together so that they can be read at a glance.
namespace guard::limits {
inline constexpr uint64_t kHeaderBytes = 64ull << 20;
inline constexpr uint64_t kKeys = 4096;
inline constexpr uint64_t kTensors = 16384;
inline constexpr uint64_t kKeyBytes = 256;
inline constexpr uint64_t kTensorNameBytes = 63;
inline constexpr uint64_t kStringBytes = 1ull << 20;
inline constexpr uint64_t kArrayItems = 4ull << 20;
inline constexpr uint64_t kDimension = 1ull << 31;
inline constexpr uint64_t kVocabulary = 1'000'000;
inline constexpr uint64_t kTokenBytes = 1024;
inline constexpr uint32_t kLayers = 512;
inline constexpr uint32_t kWidth = 65536;
inline constexpr uint32_t kHeads = 1024;
inline constexpr uint32_t kHeadWidth = 1024;
inline constexpr uint32_t kContext = 1u << 20;
/// Text of one request, before it is tokenized (CVE-2025-52566 counted tokens in an int).
inline constexpr uint64_t kTextBytes = 8ull << 20;
/// config.json and tokenizer.json; the largest public tokenizer.json has 34 MB.
inline constexpr uint64_t kJsonBytes = 64ull << 20;
}  // namespace guard::limits
