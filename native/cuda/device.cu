// The device behind guard_cuda.h: memory, queues, events, graphs.
#include "device.h"

#include <cstdio>
#include <cstring>
#include <new>

namespace guard_device {

static thread_local char failure[256];

const char* last_failure() { return failure; }

int told(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return GUARD_CUDA_OK;
  snprintf(failure, sizeof failure, "%s: %s.", what, cudaGetErrorString(error));
  cudaGetLastError();  // what was told is no later call's failure
  switch (error) {
    case cudaErrorMemoryAllocation: return GUARD_CUDA_NO_MEMORY;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
#ifndef GUARD_EMULATE
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorDevicesUnavailable:
#endif
      return GUARD_CUDA_NO_DEVICE;
    case cudaErrorInvalidValue: return GUARD_CUDA_BAD_CALL;
    default: return GUARD_CUDA_LOST;
  }
}

int bad_call(const char* what) {
  snprintf(failure, sizeof failure, "%s.", what);
  return GUARD_CUDA_BAD_CALL;
}

}  // namespace guard_device

cudaError_t Marks::make() {
  ring_.resize(kKept, nullptr);
  for (cudaEvent_t& event : ring_)
    if (const cudaError_t error = cudaEventCreateWithFlags(&event, cudaEventDisableTiming); error != cudaSuccess) return error;
  return cudaSuccess;
}
void Marks::destroy() {
  for (cudaEvent_t event : ring_)
    if (event != nullptr) cudaEventDestroy(event);
  ring_.clear();
}
cudaError_t Marks::mark(cudaStream_t queue, uint64_t& number) {
  cudaEvent_t event = ring_[(last_ + 1) % kKept];
  // Its last use must be over before it is used anew; so long ago, it is.
  if (last_ >= kKept)
    if (const cudaError_t error = cudaEventSynchronize(event); error != cudaSuccess) return error;
  const cudaError_t error = cudaEventRecord(event, queue);
  if (error == cudaSuccess) number = ++last_;
  return error;
}
cudaEvent_t Marks::event(uint64_t number) { return number == 0 || number + kKept <= last_ ? nullptr : ring_[number % kKept]; }

namespace {

using guard_device::bad_call;
using guard_device::told;

constexpr int kCompute = 0, kCopy = 1;

int use(guard_cuda_device* device) { return told(cudaSetDevice(device->ordinal), "The device could not be chosen"); }

void close(guard_cuda_device* device) {
  if (device == nullptr) return;
  cudaSetDevice(device->ordinal);
  for (cudaStream_t queue : {device->compute, device->copy})
    if (queue != nullptr) {
      cudaStreamSynchronize(queue);
      cudaStreamDestroy(queue);
    }
  for (Marks& marks : device->marks) marks.destroy();
  for (const auto& upload : device->flying) {
    cudaEventDestroy(upload.begin);
    cudaEventDestroy(upload.end);
  }
  for (cudaEvent_t event : device->spare) cudaEventDestroy(event);
  delete device;
}

int open(int32_t ordinal, guard_cuda_device** out) {
  *out = nullptr;
  int count = 0;
  if (const int status = told(cudaGetDeviceCount(&count), "No device can be used"); status != 0) return status == GUARD_CUDA_LOST ? GUARD_CUDA_NO_DEVICE : status;
  if (ordinal < 0 || ordinal >= count) return told(cudaErrorNoDevice, "There is no device of that number");
  auto* device = new (std::nothrow) guard_cuda_device;
  if (device == nullptr) return told(cudaErrorMemoryAllocation, "The host's memory is full");
  device->ordinal = ordinal;
  cudaDeviceProp properties;
  int status = use(device);
  if (status == 0) status = told(cudaGetDeviceProperties(&properties, ordinal), "The device does not say what it is");
  if (status == 0) status = guard_device::has_code();
  if (status == 0) status = told(cudaStreamCreateWithFlags(&device->compute, cudaStreamNonBlocking), "The device gives no queue");
  if (status == 0) status = told(cudaStreamCreateWithFlags(&device->copy, cudaStreamNonBlocking), "The device gives no queue");
  for (Marks& marks : device->marks)
    if (status == 0) status = told(marks.make(), "The device gives no events");
  if (status != 0) {
    close(device);
    return status;
  }
  guard_cuda_facts& facts = device->facts;
  snprintf(facts.name, sizeof facts.name, "%.127s", properties.name);
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  facts.driver = driver;
  facts.runtime = runtime;
  facts.capability = properties.major * 10 + properties.minor;
  facts.processors = properties.multiProcessorCount;
  facts.shared_bytes = properties.sharedMemPerBlockOptin;
#ifdef GUARD_EMULATE
  facts.emulated = 1;
#endif
  *out = device;
  return 0;
}

int facts(guard_cuda_device* device, guard_cuda_facts* out) {
  *out = device->facts;
  return 0;
}

int memory(guard_cuda_device* device, uint64_t* total, uint64_t* free) {
  if (const int status = use(device); status != 0) return status;
  size_t f = 0, t = 0;
  const int status = told(cudaMemGetInfo(&f, &t), "The device does not say how much memory it has");
  *free = f;
  *total = t;
  return status;
}

int allocate(guard_cuda_device* device, size_t bytes, void** out) {
  *out = nullptr;
  if (const int status = use(device); status != 0) return status;
  return told(cudaMalloc(out, bytes == 0 ? 256 : bytes), "The device's memory does not suffice");
}
void release(guard_cuda_device* device, void* at) {
  if (use(device) == 0) cudaFree(at);
}
int allocate_pinned(guard_cuda_device* device, size_t bytes, void** out) {
  *out = nullptr;
  if (const int status = use(device); status != 0) return status;
  return told(cudaHostAlloc(out, bytes == 0 ? 256 : bytes, cudaHostAllocDefault), "The host's memory could not be locked");
}
void release_pinned(guard_cuda_device* device, void* at) {
  if (use(device) == 0) cudaFreeHost(at);
}

cudaError_t event_for(guard_cuda_device* device, cudaEvent_t& event) {
  if (device->spare.empty()) return cudaEventCreateWithFlags(&event, cudaEventDefault);
  event = device->spare.back();
  device->spare.pop_back();
  return cudaSuccess;
}

/// Adds up the uploads that are over. Called with the lock held.
void settle(guard_cuda_device* device) {
  size_t over = 0;
  for (; over < device->flying.size(); over++) {
    const auto& upload = device->flying[over];
    if (cudaEventQuery(upload.end) != cudaSuccess) break;
    float ms = 0;
    if (cudaEventElapsedTime(&ms, upload.begin, upload.end) == cudaSuccess) {
      device->busy_seconds += static_cast<double>(ms) / 1000;
      device->moved += upload.bytes;
    }
    device->spare.push_back(upload.begin);
    device->spare.push_back(upload.end);
  }
  cudaGetLastError();
  device->flying.erase(device->flying.begin(), device->flying.begin() + static_cast<std::ptrdiff_t>(over));
}

int upload(guard_cuda_device* device, void* to, const void* host, size_t bytes) {
  if (const int status = use(device); status != 0) return status;
  std::lock_guard lock(device->mutex);
  settle(device);
  guard_cuda_device::Upload one{nullptr, nullptr, bytes};
  cudaError_t error = event_for(device, one.begin);
  if (error == cudaSuccess) error = event_for(device, one.end);
  if (error == cudaSuccess) error = cudaEventRecord(one.begin, device->copy);
  if (error == cudaSuccess) error = cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, device->copy);
  if (error == cudaSuccess) error = cudaEventRecord(one.end, device->copy);
  if (error == cudaSuccess) device->flying.push_back(one);
  return told(error, "The upload failed");
}

// A mark's lowest bit says which queue it is of.
int mark(guard_cuda_device* device, int which, guard_cuda_event* out) {
  if (const int status = use(device); status != 0) return status;
  std::lock_guard lock(device->mutex);
  uint64_t number = 0;
  const int status = told(device->marks[which].mark(which == kCompute ? device->compute : device->copy, number), "The queue could not be marked");
  *out = number * 2 + static_cast<uint64_t>(which);
  return status;
}
int after(guard_cuda_device* device, int which, guard_cuda_event event) {
  if (const int status = use(device); status != 0) return status;
  std::lock_guard lock(device->mutex);
  const cudaEvent_t of = device->marks[event % 2].event(event / 2);
  if (of == nullptr) return 0;
  return told(cudaStreamWaitEvent(which == kCompute ? device->compute : device->copy, of, 0), "A queue could not be made to wait");
}
int copy_mark(guard_cuda_device* d, guard_cuda_event* event) { return mark(d, kCopy, event); }
int copy_after(guard_cuda_device* d, guard_cuda_event event) { return after(d, kCopy, event); }
int compute_mark(guard_cuda_device* d, guard_cuda_event* event) { return mark(d, kCompute, event); }
int compute_after(guard_cuda_device* d, guard_cuda_event event) { return after(d, kCompute, event); }

int done(guard_cuda_device* device, guard_cuda_event event, int32_t* out) {
  *out = 0;
  if (const int status = use(device); status != 0) return status;
  std::lock_guard lock(device->mutex);
  const cudaEvent_t of = device->marks[event % 2].event(event / 2);
  const cudaError_t error = of == nullptr ? cudaSuccess : cudaEventQuery(of);
  *out = error == cudaSuccess;
  return error == cudaErrorNotReady ? 0 : told(error, "The device has failed");
}
int wait(guard_cuda_device* device, guard_cuda_event event) {
  if (const int status = use(device); status != 0) return status;
  cudaEvent_t of;
  {
    // Not held while waiting. An event that is used anew meanwhile is of a later mark: waiting for that is too long, not too short.
    std::lock_guard lock(device->mutex);
    of = device->marks[event % 2].event(event / 2);
  }
  return of == nullptr ? 0 : told(cudaEventSynchronize(of), "The device has failed");
}
int link(guard_cuda_device* device, uint64_t* bytes, double* seconds) {
  if (const int status = use(device); status != 0) return status;
  std::lock_guard lock(device->mutex);
  settle(device);
  *bytes = device->moved;
  *seconds = device->busy_seconds;
  return 0;
}

int give(guard_cuda_device* device, void* to, const void* pinned, size_t bytes) {
  if (const int status = use(device); status != 0) return status;
  return told(cudaMemcpyAsync(to, pinned, bytes, cudaMemcpyHostToDevice, device->compute), "The upload failed");
}
int take(guard_cuda_device* device, void* pinned, const void* from, size_t bytes) {
  if (const int status = use(device); status != 0) return status;
  return told(cudaMemcpyAsync(pinned, from, bytes, cudaMemcpyDeviceToHost, device->compute), "The download failed");
}
int clear(guard_cuda_device* device, void* at, size_t bytes) {
  if (const int status = use(device); status != 0) return status;
  return told(cudaMemsetAsync(at, 0, bytes, device->compute), "The memory could not be cleared");
}

int record(guard_cuda_device* device) {
  if (const int status = use(device); status != 0) return status;
  return told(cudaStreamBeginCapture(device->compute, cudaStreamCaptureModeThreadLocal), "Recording could not begin");
}
int recorded(guard_cuda_device* device, guard_cuda_graph** out) {
  *out = nullptr;
  if (const int status = use(device); status != 0) return status;
  cudaGraph_t graph = nullptr;
  if (const int status = told(cudaStreamEndCapture(device->compute, &graph), "The recording failed"); status != 0) return status;
  cudaGraphExec_t ready = nullptr;
  const int status = told(cudaGraphInstantiate(&ready, graph, 0), "The recording could not be made ready");
  cudaGraphDestroy(graph);
  if (status == 0) *out = new guard_cuda_graph{ready};
  return status;
}
int replay(guard_cuda_device* device, guard_cuda_graph* graph) {
  if (const int status = use(device); status != 0) return status;
  return told(cudaGraphLaunch(graph->ready, device->compute), "The recording could not be run");
}
void forget(guard_cuda_device* device, guard_cuda_graph* graph) {
  if (graph == nullptr) return;
  if (use(device) == 0) cudaGraphExecDestroy(graph->ready);
  delete graph;
}

/// A step, on the thread's right device.
template <class Step, int (*run)(guard_cuda_device*, const Step*)>
int step(guard_cuda_device* device, const Step* what) {
  if (device == nullptr || what == nullptr) return bad_call("A step has no device");
  if (const int status = use(device); status != 0) return status;
  return run(device, what);
}

constexpr guard_cuda_api kApi = {
    GUARD_CUDA_ABI, guard_device::last_failure, open, close, facts, memory, allocate, release, allocate_pinned, release_pinned,
    upload, copy_mark, copy_after, compute_mark, compute_after, done, wait, link, give, take, clear,
    record, recorded, replay, forget,
    step<guard_cuda_embed, guard_device::embed>, step<guard_cuda_norm, guard_device::norm>, step<guard_cuda_linear, guard_device::linear>,
    step<guard_cuda_rotate, guard_device::rotate>, step<guard_cuda_attend, guard_device::attend>, step<guard_cuda_activate, guard_device::activate>,
    step<guard_cuda_pool, guard_device::pool>,
};

}  // namespace

extern "C" const guard_cuda_api* guard_cuda(uint32_t abi) { return abi == GUARD_CUDA_ABI ? &kApi : nullptr; }
