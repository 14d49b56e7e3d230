// Puts attention on the compute queue.
#include "device.h"
#include "kernels/attention.h"

namespace guard_device {

template <int Chunks>
static int attend_with(guard_cuda_device* device, const guard_cuda_attend& a) {
  const size_t pitch = head_pitch(a.width), lines = kQueries + kKeysOf<Chunks>;
  const size_t scores = static_cast<size_t>(kQueries) * score_pitch(a.most_keys) * sizeof(float);
  const size_t shared = lines * pitch * sizeof(float) + (a.scratch == nullptr ? scores : 0);
  if (shared > device->facts.shared_bytes) return bad_call("The scores of a tile fit no shared memory, and no scratch was given");
  return told(lanes::launch(attend_tile<Chunks>, {a.n_tiles.most, a.heads, 1, kAttentionThreads, shared}, device->compute, a), "Attention failed");
}

int attend(guard_cuda_device* device, const guard_cuda_attend* a) {
  if (a->n_tiles.most == 0) return 0;
  if (a->kv_heads == 0 || a->heads % a->kv_heads != 0 || a->width == 0 || a->width > 256) return bad_call("Attention has heads of a kind that no kernel takes");
  if (a->width <= 64) return attend_with<1>(device, *a);
  if (a->width <= 128) return attend_with<2>(device, *a);
  return attend_with<4>(device, *a);
}

}  // namespace guard_device
