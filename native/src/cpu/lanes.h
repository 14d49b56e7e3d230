#pragma once
#include <cstdint>

// Sixteen lanes, as the kernels see them on every instruction set.
typedef float V __attribute__((vector_size(64), aligned(4)));
typedef int32_t VI __attribute__((vector_size(64), aligned(4)));
typedef int8_t VB __attribute__((vector_size(16), aligned(1)));
