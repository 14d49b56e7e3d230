// Puts the steps that go row by row on the compute queue.
#include "device.h"
#include "kernels/rows.h"

namespace guard_device {

static bool nothing(const guard_cuda_count& rows) { return rows.most == 0; }

int embed(guard_cuda_device* device, const guard_cuda_embed* a) {
  if (nothing(a->rows)) return 0;
  const lanes::Shape shape{a->rows.most, 1, 1, kRowThreads, 0};
  const auto run = [&](auto kernel) { return told(lanes::launch(kernel, shape, device->compute, *a), "The embeddings failed"); };
  switch (static_cast<Pack>(a->table.pack)) {
    case Pack::F32: return run(embed_rows<Pack::F32>);
    case Pack::F16: return run(embed_rows<Pack::F16>);
    case Pack::BF16: return run(embed_rows<Pack::BF16>);
    case Pack::Q8: return run(embed_rows<Pack::Q8>);
    case Pack::Q4: return run(embed_rows<Pack::Q4>);
    case Pack::Q4M: return run(embed_rows<Pack::Q4M>);
    case Pack::Q6: return run(embed_rows<Pack::Q6>);
  }
  return bad_call("The embeddings have an unknown type");
}

int norm(guard_cuda_device* device, const guard_cuda_norm* a) {
  if (nothing(a->rows)) return 0;
  return told(lanes::launch(norm_rows, {a->rows.most, 1, 1, kRowThreads, (a->n + 2) * sizeof(float)}, device->compute, *a), "A norm failed");
}

int activate(guard_cuda_device* device, const guard_cuda_activate* a) {
  if (nothing(a->rows)) return 0;
  const unsigned blocks = (a->n + 31) / 32, warps = kRowThreads / 32;
  return told(lanes::launch(activate_rows, {a->rows.most, (blocks + warps - 1) / warps, 1, kRowThreads, 0}, device->compute, *a), "An activation failed");
}

int rotate(guard_cuda_device* device, const guard_cuda_rotate* a) {
  if (nothing(a->rows)) return 0;
  return told(lanes::launch(rotate_rows, {a->rows.most, 1, 1, kRowThreads, kRowThreads / 32 * a->width * sizeof(float)}, device->compute, *a), "The rotary positions failed");
}

int pool(guard_cuda_device* device, const guard_cuda_pool* a) {
  if (nothing(a->n_parts)) return 0;
  return told(lanes::launch(pool_rows, {a->n_parts.most, 1, 1, kRowThreads, 0}, device->compute, *a), "Pooling failed");
}

}  // namespace guard_device
