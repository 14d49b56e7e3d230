#pragma once
// lanes.h on any machine: blocks one after the other, the threads of a block as fibers that meet at every barrier and
// every instruction of a warp. Shared memory begins as garbage; copies arrive no sooner than they are waited for;
// threads run in an order that a seed turns about, so that what depends on the order shows.
#include <cstdint>
#include <cstring>
#include <functional>

#include "emulate/cuda_runtime.h"

#define GUARD_KERNEL(threads) inline void
#define GUARD_INLINE inline
struct alignas(8) uint2 { uint32_t x, y; };
struct alignas(16) uint4 { uint32_t x, y, z, w; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) int4 { int32_t x, y, z, w; };

namespace lanes {

struct Shape {
  unsigned x, y, z, threads;
  size_t shared;
};

namespace emulated {
struct Place {
  unsigned thread, threads, block[3];
  unsigned char* shared;
};
const Place& place();
void barrier();
/// All 32 lanes come here with an operand each; the last one's arrival performs.
void together(void (*perform)(void* const operands[32]), void* operand);
void copy_begin(void* to, const void* from, bool there);
void copy_group();
void copy_wait(int groups);
[[noreturn]] void broken(const char* what);
cudaError_t run(const Shape& shape, cudaStream_t queue, std::function<void()> body);
}  // namespace emulated

inline unsigned thread() { return emulated::place().thread; }
inline unsigned threads() { return emulated::place().threads; }
inline unsigned block_x() { return emulated::place().block[0]; }
inline unsigned block_y() { return emulated::place().block[1]; }
inline unsigned block_z() { return emulated::place().block[2]; }
inline unsigned char* shared() { return emulated::place().shared; }
inline void sync() { emulated::barrier(); }
inline void sync_warp() {
  emulated::together([](void* const*) {}, nullptr);
}

template <class T>
struct Across {
  T mine, theirs;
  int mask;
};
template <class T>
T across_of(T v, int mask) {
  Across<T> a{v, v, mask};
  emulated::together(
      [](void* const o[32]) {
        for (int i = 0; i < 32; i++) {
          auto* one = static_cast<Across<T>*>(o[i]);
          one->theirs = static_cast<Across<T>*>(o[i ^ one->mask])->mine;
        }
      },
      &a);
  return a.theirs;
}
inline float across(float v, int mask) { return across_of(v, mask); }
inline int across(int v, int mask) { return across_of(v, mask); }

inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float root(float a) { return __builtin_sqrtf(a); }
inline float as_float(int32_t v) { float f; memcpy(&f, &v, 4); return f; }
inline int32_t as_int(float v) { int32_t i; memcpy(&i, &v, 4); return i; }

template <class T>
T load(const void* p) {
  if (reinterpret_cast<uintptr_t>(p) % sizeof(T) != 0) emulated::broken("a load is not aligned");
  T v;
  memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store(void* p, T v) {
  if (reinterpret_cast<uintptr_t>(p) % sizeof(T) != 0) emulated::broken("a store is not aligned");
  memcpy(p, &v, sizeof v);
}

inline void copy16(void* to, const void* from, bool there) {
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || (there && reinterpret_cast<uintptr_t>(from) % 16 != 0)) emulated::broken("a copy is not aligned");
  emulated::copy_begin(to, from, there);
}
inline void copies_sent() { emulated::copy_group(); }
template <int N>
void copies_there() {
  emulated::copy_wait(N);
}

void tiles(uint32_t (&r)[4], const void* row);
void mma32(int32_t (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);
void mma16(int32_t (&c)[4], uint32_t a0, uint32_t a1, uint32_t b0);
void mma_bf16(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

template <class Step>
cudaError_t launch(void (*kernel)(const Step), const Shape& s, cudaStream_t queue, const Step& step) {
  return emulated::run(s, queue, [kernel, step] { kernel(step); });
}

}  // namespace lanes
