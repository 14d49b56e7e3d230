#include "backend/cuda-device.h"

#include <algorithm>

#include "base/fail.h"

namespace guard::backend {

static constexpr uint64_t kHeldBack = 2ull << 30;

CudaDevice::CudaDevice(Library library, int ordinal, uint64_t max_bytes) : library_(library), max_bytes_(max_bytes) {
  check(library_->open(ordinal, &handle_));
  check(library_->facts(handle_, &facts_));
}

CudaDevice::~CudaDevice() { library_->close(handle_); }

stream::DeviceMemory CudaDevice::memory() const {
  stream::DeviceMemory out;
  check(library_->memory(handle_, &out.total, &out.free));
  // Not all of it is for layers: embeddings, keys and values, and the rows of a batch need room too.
  out.free -= std::min(out.free, std::min(out.total / 8, kHeldBack));
  if (max_bytes_ > 0 && max_bytes_ < out.total) {
    const uint64_t used = out.total - out.free;
    out.total = max_bytes_;
    out.free = max_bytes_ - std::min(used, max_bytes_);
  }
  return out;
}

void* CudaDevice::allocate(size_t bytes) {
  void* out = nullptr;
  check(library_->allocate(handle_, bytes, &out));
  return out;
}
void CudaDevice::free(void* slot, size_t) noexcept { library_->release(handle_, slot); }

void* CudaDevice::allocate_pinned(size_t bytes, bool& locked) {
  void* out = nullptr;
  check(library_->allocate_pinned(handle_, bytes, &out));
  locked = true;
  return out;
}
void CudaDevice::free_pinned(void* memory, size_t) noexcept { library_->release_pinned(handle_, memory); }

void CudaDevice::upload(void* slot, const void* host, size_t bytes) { check(library_->upload(handle_, slot, host, bytes)); }

// A queue that takes no mark is of a device that is lost: whoever waits for anything is told.
stream::Event CudaDevice::transfer_mark() noexcept {
  guard_cuda_event event = 0;
  (void)library_->copy_mark(handle_, &event);
  return event;
}
stream::Event CudaDevice::compute_mark() noexcept {
  guard_cuda_event event = 0;
  (void)library_->compute_mark(handle_, &event);
  return event;
}
void CudaDevice::transfer_after(stream::Event event) { check(library_->copy_after(handle_, event)); }
void CudaDevice::compute_after(stream::Event event) { check(library_->compute_after(handle_, event)); }

bool CudaDevice::done(stream::Event event) {
  int32_t done = 0;
  check(library_->done(handle_, event, &done));
  return done != 0;
}
void CudaDevice::wait(stream::Event event) { check(library_->wait(handle_, event)); }

stream::LinkUse CudaDevice::link() const {
  stream::LinkUse use;
  check(library_->link(handle_, &use.bytes, &use.seconds));
  return use;
}

}  // namespace guard::backend
