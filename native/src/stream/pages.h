#pragma once
#include <cstddef>

namespace guard::stream {

/// Whole zeroed pages outside the heap. `locked` asks that they be kept in memory, and says whether they are: a process
/// without the right to, or beyond RLIMIT_MEMLOCK, gets pages that the system may put aside.
void* map_pages(size_t bytes, bool& locked);
void unmap_pages(void* memory, size_t bytes) noexcept;

}  // namespace guard::stream
