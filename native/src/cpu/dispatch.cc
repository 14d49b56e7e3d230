#include "cpu/dispatch.h"

#include "base/fail.h"

namespace guard::cpu {

#if defined(__x86_64__)
static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
static bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
#endif

const Kernels& kernels_for(guard_isa isa) {
  if (isa == GUARD_ISA_SCALAR) return kScalar;
#if defined(__x86_64__)
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
