#include "linear.h"

template int guard_device::multiply<guard::cpu::Pack::Q6>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
