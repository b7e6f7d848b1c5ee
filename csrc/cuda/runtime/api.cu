// The library's only exported function: the table of core/device_api.h.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>

#ifdef PT_CUDA_EMULATION
#include "cuda/emu/coverage.h"
#endif
#include "cuda/index/bounds.h"
#include "cuda/registry.h"
#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

constexpr int kMaxDevices = 64;
KernelList* kernels = nullptr;
std::atomic<int> pending{0};  // the first failure since take_error()
thread_local std::string last_text;
thread_local StreamHandle streams[kMaxDevices] = {};
thread_local int device_of_thread = -1;  // as far as set_device() knows: asking the driver costs
int processors[kMaxDevices] = {};

// Streams are handed out in turn and never destroyed: memory remembers those that have used it.
constexpr int kStreamsOfDevice = 32, kPriorities = 2;
struct StreamPool {
  cudaStream_t streams[kStreamsOfDevice] = {};
  unsigned next = 0;
};
StreamPool stream_pools[kMaxDevices][kPriorities];
std::mutex stream_mutex;

cudaStream_t stream(StreamHandle s) { return static_cast<cudaStream_t>(s); }
cudaEvent_t event(EventHandle e) { return static_cast<cudaEvent_t>(e); }

// 1 for done, 0 for not yet, a negative status for failures.
int done(cudaError_t e) {
  if (e == cudaErrorNotReady) ignore(e);
  return e == cudaSuccess ? 1 : e == cudaErrorNotReady ? 0 : -status_of(e);
}

int device_count() {
#ifndef PT_CUDA_EMULATION
  // Without a driver the runtime library need not be asked, which would take milliseconds.
  if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) return 0;
#endif
  int n = 0;
  if (cudaGetDeviceCount(&n) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return n < kMaxDevices ? n : kMaxDevices;
}

int properties(int index, DeviceProperties* out) {
  cudaDeviceProp p;
  if (const int status = status_of(cudaGetDeviceProperties(&p, index))) return status;
  *out = {};
  std::snprintf(out->name, sizeof out->name, "%s", p.name);
  out->major = p.major;
  out->minor = p.minor;
  out->multi_processor_count = p.multiProcessorCount;
  out->max_threads_per_multi_processor = p.maxThreadsPerMultiProcessor;
  out->max_threads_per_block = p.maxThreadsPerBlock;
  out->warp_size = p.warpSize;
  out->regs_per_multiprocessor = p.regsPerMultiprocessor;
  out->integrated = p.integrated;
  out->is_multi_gpu_board = p.isMultiGpuBoard;
  out->total_memory = p.totalGlobalMem;
  out->shared_memory_per_block = p.sharedMemPerBlock;
  out->shared_memory_per_block_optin = p.sharedMemPerBlockOptin;
  out->shared_memory_per_multiprocessor = p.sharedMemPerMultiprocessor;
  out->l2_cache_size = static_cast<size_t>(p.l2CacheSize);
  std::memcpy(out->uuid, &p.uuid, sizeof out->uuid);
#ifdef PT_CUDA_EMULATION
  out->emulated = 1;
#endif
  return 0;
}

BoundsReport* report = nullptr;

// What the cpu says of such a number.
const char* text_of(OutOfBounds what) {
  switch (what) {
    case OutOfBounds::kProbability:
      return "Expected p_in >= 0 && p_in <= 1 to be true, but got false.";
    case OutOfBounds::kInput:
      return "all elements of input should be between 0 and 1";
    case OutOfBounds::kTarget:
      return "all elements of target should be between 0 and 1";
    case OutOfBounds::kClass:
      return "target out of range";
    case OutOfBounds::kLabels:
      return "argument #2 'target' is out of range";
    case OutOfBounds::kRate:
      return "invalid Poisson rate, expected rate to be non-negative";
    case OutOfBounds::kWeights:
      return "probability tensor contains either `inf`, `nan` or element < 0";
    case OutOfBounds::kWeightSum:
      return "invalid multinomial distribution (sum of probabilities <= 0)";
    default:
      return "index out of bounds";
  }
}

// What kernels that have run by now have reported; `status` unless it is 0.
int or_bounds(int status) {
  if (status != 0 || !report || !report->raised) return status;
  if (report->what == OutOfBounds::kIndex) {
    last_text = "index " + std::to_string(report->index) + " is out of bounds for dimension " +
                std::to_string(report->dim) + " with size " + std::to_string(report->size);
  } else {
    last_text = text_of(report->what);
  }
  report->raised = 0;
  return report->runtime_error ? kDeviceRangeError : kDeviceIndexError;
}

int copy(void* to, const void* from, size_t bytes, DeviceCopy direction, int wait) {
  static constexpr cudaMemcpyKind kKinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost,
                                              cudaMemcpyDeviceToDevice};
  const cudaStream_t s = current_stream();
  const int status =
      status_of(cudaMemcpyAsync(to, from, bytes, kKinds[static_cast<int>(direction)], s));
  if (status != 0 || direction == DeviceCopy::kOnDevice) return status;
  if (!wait) {
    pinned_in_use(direction == DeviceCopy::kToHost ? to : from, s);
    return 0;
  }
  return or_bounds(status_of(cudaStreamSynchronize(s)));
}

int set_device(int index) {
  if (index == device_of_thread) return 0;
  const int status = status_of(cudaSetDevice(index));
  if (status == 0) device_of_thread = index;
  return status;
}

// Priorities: 0 or less is normal, smaller numbers are higher. CUDA has at least one above normal.
int stream_create(StreamHandle* out, int priority) {
  const std::lock_guard lock(stream_mutex);
  StreamPool& pool = stream_pools[current_device()][priority < 0 ? 1 : 0];
  cudaStream_t& s = pool.streams[pool.next++ % kStreamsOfDevice];
  *out = nullptr;
  if (!s) {
    const Uncaptured scope;
    const int status =
        status_of(cudaStreamCreateWithPriority(&s, cudaStreamNonBlocking, priority < 0 ? -1 : 0));
    if (status != 0) return status;
  }
  *out = s;
  return 0;
}

int take_error() {
  note(cudaGetLastError());
  return or_bounds(pending.exchange(0));
}

const DeviceApi table = {
    .version = DeviceApi::kVersion,
    .size = sizeof(DeviceApi),
    .kernels = nullptr,
    .device_count = &device_count,
    .current_device = &current_device,
    .set_device = &set_device,
    .properties = &properties,
    .synchronize = [] { return or_bounds(status_of(cudaDeviceSynchronize())); },
    .can_access_peer =
        [](int a, int b) {
          int can = 0;
          return cudaDeviceCanAccessPeer(&can, a, b) == cudaSuccess && can ? 1 : 0;
        },
    .allocate = &allocate,
    .release = &release,
    .record_stream = &record_stream,
    .memory = &memory,
    .reset_stats = &reset_stats,
    .set_limit = &set_limit,
    .empty_cache = &empty_cache,
    .allocate_pinned = &allocate_pinned,
    .release_pinned = &release_pinned,
    .is_pinned = &is_pinned,
    .copy = &copy,
    .copy_peer =
        [](void* to, int to_device, const void* from, int from_device, size_t bytes) {
          const cudaStream_t s = current_stream();
          const int status =
              status_of(cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, s));
          return status ? status : status_of(cudaStreamSynchronize(s));
        },
    .fill_bytes =
        [](void* p, int value, size_t bytes) {
          return status_of(cudaMemsetAsync(p, value, bytes, current_stream()));
        },
    .store =
        [](void* to, const void* from, size_t bytes) {
          store(to, from, bytes);
          return 0;
        },
    .stream_create = &stream_create,
    .stream_synchronize =
        [](StreamHandle s) { return or_bounds(status_of(cudaStreamSynchronize(stream(s)))); },
    .stream_query = [](StreamHandle s) { return done(cudaStreamQuery(stream(s))); },
    .stream_wait =
        [](StreamHandle s, EventHandle e) {
          return status_of(cudaStreamWaitEvent(stream(s), event(e), 0));
        },
    .current_stream = &stream_of,
    .set_stream = &set_stream,
    .event_create =
        [](EventHandle* out, int timing) {
          cudaEvent_t e = nullptr;
          const int status =
              status_of(cudaEventCreateWithFlags(&e, timing ? 0 : cudaEventDisableTiming));
          *out = e;
          return status;
        },
    .event_destroy = [](EventHandle e) { return status_of(cudaEventDestroy(event(e))); },
    .event_record = [](EventHandle e,
                       StreamHandle s) { return status_of(cudaEventRecord(event(e), stream(s))); },
    .event_synchronize = [](EventHandle e) { return status_of(cudaEventSynchronize(event(e))); },
    .event_query = [](EventHandle e) { return done(cudaEventQuery(event(e))); },
    .event_elapsed =
        [](EventHandle a, EventHandle b, float* ms) {
          return status_of(cudaEventElapsedTime(ms, event(a), event(b)));
        },
    .capture_begin = &capture_begin,
    .capture_end = &capture_end,
    .capture_status = &capture_status,
    .graph_launch = &graph_launch,
    .graph_destroy = &graph_destroy,
    .pool_release = &pool_release,
    .library_version = &library_version,
    .prefer_libraries = &prefer_libraries,
    .take_error = &take_error,
    .error_text = [] { return last_text.c_str(); },
#ifdef PT_CUDA_EMULATION
    .architectures = [] { return "emulated"; },
#else
    .architectures = [] { return PT_CUDA_ARCHITECTURES; },
#endif
};

}  // namespace

Bounds bounds_report() {
  static BoundsReport* memory = [] {
    const Uncaptured scope;
    void* p = nullptr;
    if (cudaMallocHost(&p, sizeof(BoundsReport)) != cudaSuccess) return report;
    report = static_cast<BoundsReport*>(p);
    *report = {};
    return report;
  }();
  return {memory};
}

void register_kernels(KernelList* list) {
  list->next = kernels;
  kernels = list;
}

int current_device() {
  if (device_of_thread >= 0) return device_of_thread;
  if (const cudaError_t e = cudaGetDevice(&device_of_thread)) {
    ignore(e);
    device_of_thread = 0;
  }
  return device_of_thread;
}

int status_of(cudaError_t e) {
  if (e == cudaSuccess) return 0;
  last_text = cudaGetErrorString(e);
  // The runtime keeps it, too: the next call, which may be sound, would raise it again.
  const cudaError_t kept = cudaGetLastError();
  if (kept != e && kept != cudaSuccess)
    last_text += std::string("; and before it: ") + cudaGetErrorString(kept);
  return static_cast<int>(e);
}

void ignore(cudaError_t e) {
  if (const cudaError_t kept = cudaGetLastError(); kept != e) note(kept);
}

void note(cudaError_t e) {
  int none = 0;  // the text is the first failure's, too
  if (e != cudaSuccess && pending.compare_exchange_strong(none, static_cast<int>(e)))
    last_text = cudaGetErrorString(e);
}

void note_failure(cudaError_t e, const std::string& what) {
  const bool first = pending.load() == 0;
  note(e);
  if (first) last_text += ": " + what;
}

void note_launch(cudaError_t e, const char* kernel, dim3 blocks, dim3 threads, size_t shared) {
  if (e == cudaSuccess) return;
  note_failure(e, "launch of " + std::string(kernel) + ", " + std::to_string(blocks.x) +
                      " blocks of " + std::to_string(threads.x) + " threads with " +
                      std::to_string(shared) + " bytes of shared memory");
}

StreamHandle stream_of(int index) { return streams[index]; }
int set_stream(int index, StreamHandle s) {
  streams[index] = s;
  return 0;
}
cudaStream_t current_stream() { return stream(streams[current_device()]); }

unsigned blocks_for(int64_t work, int threads) {
  const int device = current_device();
  if (processors[device] == 0) {
    cudaDeviceProp p;
    processors[device] =
        cudaGetDeviceProperties(&p, device) == cudaSuccess ? p.multiProcessorCount : 64;
  }
  const int64_t most = int64_t{processors[device]} * (2048 / threads) * 4;
  const int64_t needed = (work + threads - 1) / threads;
  return static_cast<unsigned>(needed < 1 ? 1 : needed < most ? needed : most);
}

}  // namespace pt::cuda

extern "C" __attribute__((visibility("default"))) const pt::DeviceApi* pytensor_device_api() {
  static const pt::DeviceApi api = [] {
    pt::DeviceApi filled = pt::cuda::table;
#ifdef PT_CUDA_EMULATION
    filled.kernels = pt::emu::counted(pt::cuda::kernels);
#else
    filled.kernels = pt::cuda::kernels;
#endif
    return filled;
  }();
  return &api;
}
