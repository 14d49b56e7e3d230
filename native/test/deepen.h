#pragma once
#include <cstddef>
#include <string>

/// A copy of a golden model with more layers, in the temporary folder: each added layer is one of the model's own with its rows
/// turned, so that no two are the same. `model`: a .gguf file or a folder of native/test/golden.
std::string deepen(const std::string& model, size_t layers);
