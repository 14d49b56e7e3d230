#pragma once
// What kernels are written against: threads, lanes of a warp, shared memory, and the tensor core's instructions. A
// device compiles this file; the emulator compiles emulate/lanes.h, which computes the same on any machine.
#ifdef GUARD_EMULATE
#include "emulate/lanes.h"
#else
#include <cuda_runtime.h>

#include <cstdint>

#define GUARD_KERNEL(threads) __global__ void __launch_bounds__(threads)
#define GUARD_INLINE __device__ __forceinline__

namespace lanes {

GUARD_INLINE unsigned thread() { return threadIdx.x; }
GUARD_INLINE unsigned threads() { return blockDim.x; }
GUARD_INLINE unsigned block_x() { return blockIdx.x; }
GUARD_INLINE unsigned block_y() { return blockIdx.y; }
GUARD_INLINE unsigned block_z() { return blockIdx.z; }
/// The block's shared memory, aligned to 128 bytes.
GUARD_INLINE unsigned char* shared() {
  extern __shared__ __align__(128) unsigned char guard_shared_memory[];
  return guard_shared_memory;
}
GUARD_INLINE void sync() { __syncthreads(); }
GUARD_INLINE void sync_warp() { __syncwarp(); }
GUARD_INLINE float across(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
GUARD_INLINE int across(int v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }

GUARD_INLINE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
GUARD_INLINE float root(float a) { return __fsqrt_rn(a); }
GUARD_INLINE float as_float(int32_t v) { return __int_as_float(v); }
GUARD_INLINE int32_t as_int(float v) { return __float_as_int(v); }

template <class T>
GUARD_INLINE T load(const void* p) {  // sizeof(T) aligned
  return *static_cast<const T*>(p);
}
template <class T>
GUARD_INLINE void store(void* p, T v) {
  *static_cast<T*>(p) = v;
}

/// Sixteen bytes from global to shared memory, behind the thread's back; zeros where `there` is false.
GUARD_INLINE void copy16(void* to, const void* from, bool there) {
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(at), "l"(from), "r"(there ? 16 : 0) : "memory");
}
GUARD_INLINE void copies_sent() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
/// Until all but the latest N groups of this thread are there.
template <int N>
GUARD_INLINE void copies_there() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
}

/// Four 8 x 8 tiles of 16-bit values: lane l gives the address of row l % 8 of tile l / 8.
GUARD_INLINE void tiles(uint32_t (&r)[4], const void* row) {
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

/// c += a (16, 32) of int8 times b (32, 8) of uint8.
GUARD_INLINE void mma32(int32_t (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
/// The same with half the depth: a (16, 16), b (16, 8).
GUARD_INLINE void mma16(int32_t (&c)[4], uint32_t a0, uint32_t a1, uint32_t b0) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.s32.s8.u8.s32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};\n"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a0), "r"(a1), "r"(b0));
}
/// c += a (16, 16) times b (16, 8) of bfloat16, summed in float32.
GUARD_INLINE void mma_bf16(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

struct Shape {
  unsigned x, y, z, threads;
  size_t shared;
};
template <class Step>
cudaError_t launch(void (*kernel)(const Step), const Shape& s, cudaStream_t queue, const Step& step) {
  Step copy = step;
  void* arguments[] = {&copy};
  if (s.shared > 48 * 1024) {
    const cudaError_t fits = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(s.shared));
    if (fits != cudaSuccess) return fits;
  }
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(s.x, s.y, s.z), dim3(s.threads), arguments, s.shared, queue);
}

}  // namespace lanes
#endif
