#include "cpu/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/fail.h"

namespace guard::cpu {

#if defined(__x86_64__)
static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
static bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
/// The processor has tiles, the system keeps their state (XCR0 bits 17 and 18), and it lets this process use them.
static bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!has_avx512() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25, kStates = 3u << 17;
  if ((d & kTile) == 0 || (d & kInt8) == 0) return false;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kStates) == kStates && amx_allowed();
}
#endif

const Kernels& kernels_for(guard_isa isa) {
  if (isa == GUARD_ISA_SCALAR) return kScalar;
#if defined(__x86_64__)
  if (isa == GUARD_ISA_AMX || (isa == GUARD_ISA_AUTO && has_amx())) {
    if (!has_amx()) fail(GUARD_UNSUPPORTED, "This machine has no AMX with int8 tiles, or keeps it from this process.");
    return amx_kernels();
  }
  if (isa == GUARD_ISA_AVX512 || (isa == GUARD_ISA_AUTO && has_avx512())) {
    if (!has_avx512()) fail(GUARD_UNSUPPORTED, "This machine has no AVX-512 with VNNI.");
    return kAvx512;
  }
  if (isa == GUARD_ISA_AVX2 || (isa == GUARD_ISA_AUTO && has_avx2())) {
    if (!has_avx2()) fail(GUARD_UNSUPPORTED, "This machine has no AVX2 with FMA and F16C.");
    return kAvx2;
  }
#endif
  if (isa != GUARD_ISA_AUTO) fail(GUARD_UNSUPPORTED, "This instruction set is not one of this machine's.");
  return kScalar;
}

}  // namespace guard::cpu
