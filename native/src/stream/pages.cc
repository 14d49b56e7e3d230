#include "stream/pages.h"

#include <sys/mman.h>

#include "base/fail.h"

namespace guard::stream {

void* map_pages(size_t bytes, bool& locked) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail(GUARD_NO_MEMORY, "%zu bytes of memory cannot be had for a layer.", bytes);
#ifdef MADV_HUGEPAGE
  // Fewer page faults, and fewer misses while a layer is read once from end to end. Only a wish.
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  locked = locked && mlock(memory, bytes) == 0;
  return memory;
}

void unmap_pages(void* memory, size_t bytes) noexcept {
  if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace guard::stream
