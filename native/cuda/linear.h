#pragma once
#include "device.h"
#include "kernels/linear.h"

namespace guard_device {

/// One launch: matrices of one kind, multiplied by the same rows. One file for each kind, so that they compile side by side.
template <Pack P>
int multiply(guard_cuda_device* device, const Product& product, unsigned rows, unsigned times, bool exactly);
extern template int multiply<Pack::F32>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::F16>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::BF16>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::Q8>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::Q4>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::Q4M>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);
extern template int multiply<Pack::Q6>(guard_cuda_device*, const Product&, unsigned, unsigned, bool);

template <Pack P, class T>
int multiply_tiled(guard_cuda_device* device, const Product& a, unsigned rows, unsigned times) {
  const lanes::Shape shape{(a.end[2] + T::panels - 1) / T::panels, (rows + T::rows - 1) / T::rows, times, T::threads,
                           static_cast<size_t>(guard::cpu::is_integer(P) ? T::Stages : 2) * stage_bytes<P, T>()};
  if constexpr (guard::cpu::is_integer(P)) {
    return told(lanes::launch(multiply_int8<P, T>, shape, device->compute, a), "A product failed");
  } else {
    return told(lanes::launch(multiply_float<P, T>, shape, device->compute, a), "A product failed");
  }
}

template <Pack P>
int multiply(guard_cuda_device* device, const Product& a, unsigned rows, unsigned times, bool exactly) {
  if constexpr (!guard::cpu::is_integer(P))
    if (exactly) return told(lanes::launch(multiply_exactly<P>, {(a.end[2] * 16 + kRowThreads - 1) / kRowThreads, rows, 1, kRowThreads, 0}, device->compute, a), "A product failed");
  // The largest tile that still gives every processor one; all of them compute the same bits.
  const auto tiles = [&](unsigned by_rows, unsigned by_panels) { return (rows + by_rows - 1) / by_rows * ((a.end[2] + by_panels - 1) / by_panels) * times; };
  const auto processors = static_cast<unsigned>(device->facts.processors);
  if (rows > Medium::rows && tiles(Large::rows, Large::panels) >= processors) return multiply_tiled<P, Large>(device, a, rows, times);
  if (rows > Small::rows && tiles(Medium::rows, Medium::panels) >= processors) return multiply_tiled<P, Medium>(device, a, rows, times);
  return multiply_tiled<P, Small>(device, a, rows, times);
}

}  // namespace guard_device
