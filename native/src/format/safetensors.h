#pragma once
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "format/tensor-source.h"

namespace guard {

/// A safetensors file (huggingface/safetensors format): u64 header length, JSON header, data. Every range is
/// checked, and together the ranges must fill the data part without hole or overlap. Throws Fail.
TensorSource read_safetensors(const File& file);
/// A JSON file of bounded size.
Json read_json_file(const std::string& path, const char* what);

}  // namespace guard
