#include "linear.h"

template int guard_device::multiply<guard::cpu::Pack::F16>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
