// The emulator's runtime library: memory, streams, events and errors.
//
// Device memory lies in one range of addresses. Fresh memory is filled with NaN, and while no
// kernel or copy runs the range is inaccessible, so that host code which touches it crashes.
// Streams run at once, or as late as the interface allows (PYTENSOR_EMU_LAZY).
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/emu/emulator.h"

namespace pt::emu {

struct Stream {
  std::deque<std::function<void()>> work;
};
struct Event {
  bool done = true;
  Stream* stream = nullptr;
  std::chrono::steady_clock::time_point time;
};

namespace {

constexpr size_t kHeapBytes = size_t{16} << 30;

std::recursive_mutex mutex;
std::string message;  // of the pending error
cudaError_t pending = cudaSuccess;
thread_local int device_of_thread = 0;
Stream default_stream;
std::vector<Stream*> streams{&default_stream};
char* heap;
size_t heap_used;
std::map<char*, size_t> allocations;
std::multimap<size_t, char*> free_blocks;
std::map<char*, size_t> pinned;
size_t live_bytes;
int open_doors;  // kernels and copies that run now

size_t rounded(size_t bytes) { return (bytes + 4096 + 511) & ~size_t{511}; }

// Lets the holder's scope touch device memory.
struct Door {
  Door() {
    if (settings().protect && open_doors++ == 0 && heap_used)
      mprotect(heap, heap_used, PROT_READ | PROT_WRITE);
  }
  ~Door() {
    if (settings().protect && --open_doors == 0 && heap_used) mprotect(heap, heap_used, PROT_NONE);
  }
};

void run_first(Stream* s) {
  const auto work = std::move(s->work.front());
  s->work.pop_front();
  work();
}
void drain(Stream* s) {
  while (!s->work.empty()) run_first(s);
}
void drain_until(Event* e) {
  while (!e->done && !e->stream->work.empty()) run_first(e->stream);
}

bool inside_allocation(const void* p, size_t bytes) {
  auto* c = static_cast<char*>(const_cast<void*>(p));
  auto it = allocations.upper_bound(c);
  if (it == allocations.begin()) return false;
  --it;
  return c + bytes <= it->first + it->second;
}

const char* setting(const char* name) {
  const char* v = std::getenv(name);
  return v ? v : "";
}

}  // namespace

const Settings& settings() {
  static const Settings all = [] {
    Settings s;
    const std::string order = setting("PYTENSOR_EMU_ORDER");
    if (order == "reverse") s.order = Order::kReverse;
    if (order == "random") s.order = Order::kRandom;
    s.lazy = setting("PYTENSOR_EMU_LAZY")[0] == '1';
    s.protect = setting("PYTENSOR_EMU_PROTECT")[0] != '0';
    if (*setting("PYTENSOR_EMU_SEED"))
      s.seed = std::strtoull(setting("PYTENSOR_EMU_SEED"), nullptr, 10);
    if (*setting("PYTENSOR_EMU_DEVICES")) s.devices = std::atoi(setting("PYTENSOR_EMU_DEVICES"));
    return s;
  }();
  return all;
}

void report(const char* format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (!pending) {
    pending = cudaErrorLaunchFailure;
    message = std::string(text) + " (" + where() + ")";
  }
}

bool is_device_pointer(const void* p) {
  const std::lock_guard lock(mutex);
  return inside_allocation(p, 0);
}

void enqueue(Stream* s, std::function<void()> work) {
  const std::lock_guard lock(mutex);
  if (!s) s = &default_stream;
  if (settings().lazy) {
    s->work.push_back([work = std::move(work)] {
      const Door door;
      work();
    });
  } else {
    const Door door;
    work();
  }
}

}  // namespace pt::emu

using namespace pt::emu;  // NOLINT: the functions below are CUDA's

const char* cudaGetErrorString(cudaError_t e) {
  if (e == cudaErrorMemoryAllocation) return "out of memory";
  if (e == cudaErrorInvalidDevice) return "invalid device ordinal";
  if (e == cudaErrorInvalidValue) return "invalid argument";
  return message.c_str();
}
cudaError_t cudaGetLastError() {
  const std::lock_guard lock(mutex);
  return std::exchange(pending, cudaSuccess);
}
cudaError_t cudaPeekAtLastError() { return pending; }
cudaError_t cudaGetDeviceCount(int* n) { return *n = settings().devices, cudaSuccess; }
cudaError_t cudaGetDevice(int* index) { return *index = device_of_thread, cudaSuccess; }
cudaError_t cudaSetDevice(int index) {
  if (index < 0 || index >= settings().devices) return cudaErrorInvalidDevice;
  device_of_thread = index;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int index) {
  *p = {};
  std::snprintf(p->name, sizeof p->name, "pytensor emulated device");
  p->uuid.bytes[15] = static_cast<char>(index);
  p->totalGlobalMem = kHeapBytes;
  p->sharedMemPerBlock = 48 << 10;
  p->sharedMemPerBlockOptin = p->sharedMemPerMultiprocessor = 227 << 10;
  p->major = 8;
  p->multiProcessorCount = 4;  // few: each block costs the host time
  p->maxThreadsPerMultiProcessor = 2048;
  p->maxThreadsPerBlock = 1024;
  p->warpSize = 32;
  p->regsPerMultiprocessor = 65536;
  p->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) { return *can = 1, cudaSuccess; }
cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard lock(mutex);
  for (Stream* s : streams) drain(s);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** p, size_t bytes) {
  const std::lock_guard lock(mutex);
  const size_t size = rounded(bytes);
  auto it = free_blocks.find(size);
  char* c;
  if (it != free_blocks.end()) {
    c = it->second;
    free_blocks.erase(it);
  } else {
    if (!heap) {
      void* range =
          mmap(nullptr, kHeapBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (range == MAP_FAILED) return cudaErrorMemoryAllocation;
      heap = static_cast<char*>(range);
    }
    if (size > kHeapBytes - heap_used) return cudaErrorMemoryAllocation;
    c = heap + heap_used;
    heap_used += (size + 4095) & ~size_t{4095};
    mprotect(c, (size + 4095) & ~size_t{4095},
             settings().protect && !open_doors ? PROT_NONE : PROT_READ | PROT_WRITE);
  }
  allocations[c] = bytes;
  live_bytes += bytes;
  const Door door;
  std::memset(c, 0xff, bytes);
  *p = c;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  const std::lock_guard lock(mutex);
  if (!p) return cudaSuccess;
  const auto it = allocations.find(static_cast<char*>(p));
  if (it == allocations.end()) return cudaErrorInvalidValue;
  cudaDeviceSynchronize();
  const Door door;
  std::memset(p, 0xff, it->second);
  live_bytes -= it->second;
  free_blocks.emplace(rounded(it->second), static_cast<char*>(p));
  allocations.erase(it);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = kHeapBytes;
  *free = kHeapBytes - live_bytes;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) {
  const std::lock_guard lock(mutex);
  *p = std::aligned_alloc(256, (bytes + 255) & ~size_t{255});
  pinned[static_cast<char*>(*p)] = bytes;
  return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* p) {
  const std::lock_guard lock(mutex);
  cudaDeviceSynchronize();
  pinned.erase(static_cast<char*>(p));
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p) {
  const std::lock_guard lock(mutex);
  auto* c = static_cast<char*>(const_cast<void*>(p));
  auto it = pinned.upper_bound(c);
  const bool found = it != pinned.begin() && (--it, c < it->first + it->second);
  a->type = found ? cudaMemoryTypeHost : 0;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t s) {
  const std::lock_guard lock(mutex);
  if ((kind != cudaMemcpyDeviceToHost && !inside_allocation(to, bytes)) ||
      (kind != cudaMemcpyHostToDevice && !inside_allocation(from, bytes)))
    return cudaErrorInvalidValue;
  cudaPointerAttributes a;
  cudaPointerGetAttributes(&a, kind == cudaMemcpyHostToDevice ? from : to);
  if (kind == cudaMemcpyHostToDevice && a.type != cudaMemoryTypeHost) {
    // Pageable memory is staged before the call returns.
    std::vector<char> staged(static_cast<const char*>(from),
                             static_cast<const char*>(from) + bytes);
    enqueue(s, [to, staged = std::move(staged)] { std::memcpy(to, staged.data(), staged.size()); });
    return cudaSuccess;
  }
  enqueue(s, [=] { std::memmove(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && a.type != cudaMemoryTypeHost)
    drain(s ? s : &default_stream);
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t s) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, s);
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t s) {
  const std::lock_guard lock(mutex);
  if (!inside_allocation(p, bytes)) return cudaErrorInvalidValue;
  enqueue(s, [=] { std::memset(p, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned, int) {
  const std::lock_guard lock(mutex);
  streams.push_back(*s = new Stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  const std::lock_guard lock(mutex);
  drain(s);
  std::erase(streams, s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  const std::lock_guard lock(mutex);
  drain(s ? s : &default_stream);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  return (s ? s : &default_stream)->work.empty() ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  enqueue(s, [=] { drain_until(e); });
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  const std::lock_guard lock(mutex);
  drain_until(e);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  const std::lock_guard lock(mutex);
  e->done = false;
  e->stream = s ? s : &default_stream;
  enqueue(s, [=] {
    e->done = true;
    e->time = std::chrono::steady_clock::now();
  });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  const std::lock_guard lock(mutex);
  drain_until(e);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t e) { return e->done ? cudaSuccess : cudaErrorNotReady; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  if (!start->done || !end->done) return cudaErrorNotReady;
  *ms = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}
