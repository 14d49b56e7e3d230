// Puts matrix products on the compute queue: matrices of one kind together, in one launch.
#include "linear.h"

namespace guard_device {

static int multiply_as(Pack pack, guard_cuda_device* device, const Product& product, unsigned rows, unsigned times, bool exactly) {
  switch (pack) {
    case Pack::F32: return multiply<Pack::F32>(device, product, rows, times, exactly);
    case Pack::F16: return multiply<Pack::F16>(device, product, rows, times, exactly);
    case Pack::BF16: return multiply<Pack::BF16>(device, product, rows, times, exactly);
    case Pack::Q8: return multiply<Pack::Q8>(device, product, rows, times, exactly);
    case Pack::Q4: return multiply<Pack::Q4>(device, product, rows, times, exactly);
    case Pack::Q4M: return multiply<Pack::Q4M>(device, product, rows, times, exactly);
    case Pack::Q6: return multiply<Pack::Q6>(device, product, rows, times, exactly);
  }
  return bad_call("A matrix has an unknown type");
}

int linear(guard_cuda_device* device, const guard_cuda_linear* a) {
  if (a->rows.most == 0) return 0;
  if (a->matrices < 1 || a->matrices > 3) return bad_call("A product has one to three matrices");
  bool taken[3] = {};
  for (uint32_t i = 0; i < a->matrices; i++) {
    if (taken[i]) continue;
    const auto pack = static_cast<Pack>(a->matrix[i].pack);
    const bool integer = guard::cpu::is_integer(pack);
    if (a->matrix[i].k != a->matrix[0].k || (integer ? a->int8.q == nullptr || a->matrix[i].k % 32 != 0 || a->times > 1 : a->x == nullptr)) return bad_call("A matrix does not fit its rows");
    Product product{};
    uint32_t count = 0, panels = 0;
    for (uint32_t j = i; j < a->matrices; j++) {
      if (taken[j] || a->matrix[j].pack != a->matrix[i].pack) continue;
      taken[j] = true;
      product.weights[count] = static_cast<const unsigned char*>(a->matrix[j].data);
      product.y[count] = a->y[j];
      product.bias[count] = a->bias[j];
      product.ldy[count] = a->ldy[j];
      product.n[count] = a->matrix[j].n;
      product.end[count++] = panels += (a->matrix[j].n + 15) / 16;
    }
    for (; count < 3; count++) product.end[count] = panels;
    product.k = a->matrix[i].k;
    product.panel_bytes = static_cast<uint64_t>(integer ? product.k / 32 : product.k) * guard::cpu::unit_bytes(pack);
    product.int8 = a->int8;
    product.x = a->x;
    product.ldx = a->ldx;
    product.adds = a->adds;
    product.x_apart = a->x_apart;
    product.weights_apart = a->matrix_apart;
    product.y_apart = a->y_apart;
    product.rows = a->rows.here;
    if (const int status = multiply_as(pack, device, product, a->rows.most, a->times > 0 ? a->times : 1, a->exact != 0); status != 0) return status;
  }
  return 0;
}

}  // namespace guard_device
