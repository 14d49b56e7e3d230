#pragma once
#include "cpu/kernels.h"
#include "guard.h"

namespace guard::cpu {
/// The kernels of that instruction set. Throws Fail(GUARD_UNSUPPORTED) where this machine does not have it.
const Kernels& kernels_for(guard_isa isa);
}  // namespace guard::cpu
