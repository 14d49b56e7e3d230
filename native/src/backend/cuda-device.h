#pragma once
#include <string>

#include "backend/library.h"
#include "stream/device.h"
#include "stream/panel-layout.h"

namespace guard::backend {

/// A CUDA device, as the feed of layers sees it, and the handle that the steps of a pass are put on. Its kernels read
/// the CPU's panels, so layers are packed once, the same for both.
class CudaDevice final : public stream::Device {
 public:
  /// `max_bytes`: what the engine may take of the device's memory; 0: what is free. Throws Fail where there is no device.
  CudaDevice(Library library, int ordinal, uint64_t max_bytes);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;

  const char* name() const override { return facts_.name; }
  stream::DeviceMemory memory() const override;
  const stream::Layout& layout() const override { return layout_; }
  void* allocate(size_t bytes) override;
  void free(void* slot, size_t bytes) noexcept override;
  void* allocate_pinned(size_t bytes, bool& locked) override;
  void free_pinned(void* memory, size_t bytes) noexcept override;
  void upload(void* slot, const void* host, size_t bytes) override;
  stream::Event transfer_mark() noexcept override;
  void transfer_after(stream::Event event) override;
  stream::Event compute_mark() noexcept override;
  void compute_after(stream::Event event) override;
  bool done(stream::Event event) override;
  void wait(stream::Event event) override;
  stream::LinkUse link() const override;

  const guard_cuda_facts& facts() const { return facts_; }
  const Library& api() const { return library_; }
  guard_cuda_device* handle() const { return handle_; }
  void check(int answer) const { library_.check(answer); }

 private:
  const Library library_;
  const uint64_t max_bytes_;
  guard_cuda_device* handle_ = nullptr;
  guard_cuda_facts facts_{};
  const stream::PanelLayout layout_;
};

/// Bytes that a device gave, given back when they go.
template <void* (*Take)(CudaDevice&, size_t), void (*Give)(CudaDevice&, void*, size_t)>
class OwnedBytes {
 public:
  OwnedBytes() = default;
  OwnedBytes(CudaDevice& device, size_t bytes) : device_(&device), bytes_(bytes), data_(Take(device, bytes)) {}
  OwnedBytes(OwnedBytes&& other) noexcept { swap(other); }
  OwnedBytes& operator=(OwnedBytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~OwnedBytes() {
    if (data_ != nullptr) Give(*device_, data_, bytes_);
  }
  size_t size() const { return bytes_; }
  template <class T>
  T* as(size_t byte = 0) const {
    return reinterpret_cast<T*>(static_cast<uint8_t*>(data_) + byte);
  }

 private:
  void swap(OwnedBytes& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
  }
  CudaDevice* device_ = nullptr;
  size_t bytes_ = 0;
  void* data_ = nullptr;
};

inline void* take_device(CudaDevice& device, size_t bytes) { return device.allocate(bytes); }
inline void give_device(CudaDevice& device, void* data, size_t bytes) { device.free(data, bytes); }
inline void* take_pinned(CudaDevice& device, size_t bytes) {
  bool locked = false;
  return device.allocate_pinned(bytes, locked);
}
inline void give_pinned(CudaDevice& device, void* data, size_t bytes) { device.free_pinned(data, bytes); }

/// Memory of the device.
using DeviceBytes = OwnedBytes<take_device, give_device>;
/// Locked memory of the host.
using PinnedBytes = OwnedBytes<take_pinned, give_pinned>;

}  // namespace guard::backend
