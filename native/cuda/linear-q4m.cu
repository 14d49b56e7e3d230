#include "linear.h"

template int guard_device::multiply<guard::cpu::Pack::Q4M>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
