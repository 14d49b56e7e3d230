// The run-time library of the emulator. Its device has a gigabyte, keeps account of it, and refuses what is not there.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "emulate/queue.h"

struct CUgraph_st {
  std::vector<std::function<cudaError_t()>> steps;
};
struct CUgraphExec_st {
  std::vector<std::function<cudaError_t()>> steps;
};
struct CUstream_st {
  std::unique_ptr<CUgraph_st> recording;
};
struct CUevent_st {};

namespace {

constexpr size_t kTotal = size_t{1} << 30;

struct Memory {
  std::mutex mutex;
  std::map<void*, size_t> blocks;
  size_t used = 0;
};
Memory& memory() {
  static Memory one;
  return one;
}
std::atomic<unsigned> launches{0};

}  // namespace

namespace lanes::emulated {

cudaError_t enqueue(cudaStream_t queue, std::function<cudaError_t()> work) {
  if (queue->recording == nullptr) return work();
  queue->recording->steps.push_back(std::move(work));
  return cudaSuccess;
}
bool order_is_reversed() { return launches++ % 2 == 1; }

}  // namespace lanes::emulated

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNotReady: return "device not ready";
  }
  return "unknown error";
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  strcpy(p->name, "emulated device");
  p->major = 8;
  p->multiProcessorCount = 2;
  p->sharedMemPerBlockOptin = lanes::emulated::kShared;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  std::lock_guard lock(memory().mutex);
  *total = kTotal;
  *free = kTotal - memory().used;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** to, size_t bytes) {
  std::lock_guard lock(memory().mutex);
  if (bytes > kTotal - memory().used) return cudaErrorMemoryAllocation;
  *to = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*to == nullptr) return cudaErrorMemoryAllocation;
  memset(*to, 0xff, bytes);
  memory().blocks[*to] = bytes;
  memory().used += bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* at) {
  if (at == nullptr) return cudaSuccess;
  std::lock_guard lock(memory().mutex);
  const auto it = memory().blocks.find(at);
  if (it == memory().blocks.end()) return cudaErrorInvalidValue;
  memory().used -= it->second;
  memory().blocks.erase(it);
  free(at);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** to, size_t bytes, unsigned) {
  *to = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return *to == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* at) {
  free(at);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t queue) {
  return lanes::emulated::enqueue(queue, [=] {
    memcpy(to, from, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMemsetAsync(void* at, int value, size_t bytes, cudaStream_t queue) {
  return lanes::emulated::enqueue(queue, [=] {
    memset(at, value, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* queue, unsigned) {
  *queue = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t queue) {
  delete queue;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t queue, cudaStreamCaptureMode) {
  if (queue->recording != nullptr) return cudaErrorInvalidValue;
  queue->recording = std::make_unique<CUgraph_st>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t queue, cudaGraph_t* graph) {
  *graph = queue->recording.release();
  return *graph == nullptr ? cudaErrorInvalidValue : cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph, unsigned long long) {
  *ready = new CUgraphExec_st{graph->steps};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t ready) {
  delete ready;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t ready, cudaStream_t) {
  for (const auto& step : ready->steps)
    if (const cudaError_t error = step(); error != cudaSuccess) return error;
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t) {
  *ms = 0;
  return cudaSuccess;
}
