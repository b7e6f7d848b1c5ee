// The emulator's runtime library: memory, streams, events and errors.
//
// Device memory lies in one range of addresses. Fresh memory is filled with NaN, and while no
// kernel or copy runs the range is inaccessible, so that host code which touches it crashes.
// Streams run at once, or as late as the interface allows (PYTENSOR_EMU_LAZY).
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "cuda/emu/streams.h"

namespace pt::emu {

using checks::kChecked;

std::recursive_mutex mutex;
Stream default_stream;

namespace {

// Checked builds never use an address twice, and have 25 bytes of notes for each byte.
constexpr size_t kHeapBytes = size_t{kChecked ? 4 : 16} << 30;

std::string message;  // of the pending error
cudaError_t pending = cudaSuccess;
thread_local cudaError_t returned = cudaSuccess;  // by a function: the thread's last error
thread_local int device_of_thread = 0;
std::vector<Stream*> streams{&default_stream};
char* heap;
size_t heap_used;
std::map<char*, size_t> allocations;
std::map<char*, size_t> released;  // checked builds: what was there before
std::multimap<size_t, char*> free_blocks;
std::map<char*, size_t> pinned;
size_t live_bytes;
struct sigaction handler_before;
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

// From now on the host and what it queues come after everything in this stream.
void host_follows([[maybe_unused]] const Stream* s) {
  if constexpr (kChecked) checks::host_follows(checks::clock_of(s->id));
}

void run_first(Stream* s) {
  const auto work = std::move(s->work.front());
  s->work.pop_front();
  work();
}
void drain(Stream* s) {
  while (!s->work.empty()) run_first(s);
  host_follows(s);
}
void synchronize_device() {
  for (Stream* s : streams) drain(s);
}

bool inside_allocation(const void* p, size_t bytes) {
  auto* c = static_cast<char*>(const_cast<void*>(p));
  auto it = allocations.upper_bound(c);
  if (it == allocations.begin()) return false;
  --it;
  return c + bytes <= it->first + it->second;
}

// Host code that touches device memory ends here, with a text before the crash.
void explain_crash(int signal, siginfo_t* info, void*) {
  auto* p = static_cast<char*>(info->si_addr);
  if (p >= heap && p < heap + kHeapBytes) {
    char text[160];
    const int n = std::snprintf(text, sizeof text,
                                "pytensor emulator: the host touched device memory at %p\n",
                                static_cast<void*>(p));
    [[maybe_unused]] const auto written = write(2, text, static_cast<size_t>(n));
  }
  sigaction(signal, &handler_before, nullptr);  // the instruction is tried again, and ends it
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

cudaError_t failed(cudaError_t e) { return returned = e; }

bool is_device_pointer(const void* p) {
  const std::lock_guard lock(mutex);
  return inside_allocation(p, 0);
}

namespace checks {
const char* describe(const void* p) {
  static char text[120];
  auto* c = static_cast<char*>(const_cast<void*>(p));
  if (c < heap || c >= heap + kHeapBytes) return "an address of the host";
  // The nearest start below, of what lives or of what is gone.
  const auto below = [&](std::map<char*, size_t>& all) {
    const auto after = all.upper_bound(c);
    return after == all.begin() ? all.end() : std::prev(after);
  };
  const auto live = below(allocations), gone = below(released);
  const bool is_gone =
      gone != released.end() && (live == allocations.end() || gone->first > live->first);
  if (!is_gone && live == allocations.end()) return "in no allocation";
  const auto& [start, bytes] = is_gone ? *gone : *live;
  std::snprintf(text, sizeof text, "%sbyte %td of %s allocation of %zu bytes",
                c >= start + bytes ? "beyond the end: " : "", c - start, is_gone ? "a freed" : "an",
                bytes);
  return text;
}
}  // namespace checks

void drain_until(const Mark& m) {
  while (!m.done && !m.stream->work.empty()) run_first(m.stream);
}

std::shared_ptr<Mark> put_mark(Stream* s) {
  auto m = std::make_shared<Mark>(Mark{s, {}, false, {}});
  if constexpr (kChecked) m->clock = checks::clock_of(s->id);
  enqueue(s, [m] {
    m->done = true;
    m->time = std::chrono::steady_clock::now();
  });
  return m;
}
void wait_for(const std::shared_ptr<Mark>& m, Stream* s) {
  if constexpr (kChecked) checks::stream_follows(s->id, m->clock);
  enqueue(s, [m] { drain_until(*m); });
}

void enqueue(Stream* s, std::function<void()> work) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s)) {
    capture_work(s, std::move(work));
    return;
  }
  if constexpr (kChecked) {
    work = [number = checks::enqueued(s->id), work = std::move(work)] {
      checks::running(number);
      work();
    };
  }
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
  if (e == cudaErrorStreamCaptureUnsupported)
    return "operation not permitted when stream is capturing";
  if (e == cudaErrorStreamCaptureInvalidated)
    return "operation failed due to a previous error during capture";
  if (e == cudaErrorStreamCaptureUnmatched) return "capture was not initiated in this stream";
  if (e == cudaErrorStreamCaptureUnjoined) return "capturing stream has unjoined work";
  if (e == cudaErrorStreamCaptureIsolation)
    return "dependency created on uncaptured work in another stream";
  if (e == cudaErrorCapturedEvent)
    return "operation not permitted on an event last recorded in a capturing stream";
  if (e == cudaErrorNotReady) return "device not ready";
  return message.c_str();
}
cudaError_t cudaGetLastError() {
  const std::lock_guard lock(mutex);
  const cudaError_t mine = std::exchange(returned, cudaSuccess);
  const cudaError_t of_work = std::exchange(pending, cudaSuccess);
  return of_work ? of_work : mine;
}
cudaError_t cudaPeekAtLastError() { return pending; }
cudaError_t cudaGetDeviceCount(int* n) { return *n = settings().devices, cudaSuccess; }
cudaError_t cudaGetDevice(int* index) { return *index = device_of_thread, cudaSuccess; }
cudaError_t cudaSetDevice(int index) {
  if (index < 0 || index >= settings().devices) return failed(cudaErrorInvalidDevice);
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
  if (const cudaError_t e = forbid_while_capturing()) return e;
  synchronize_device();
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** p, size_t bytes) {
  const std::lock_guard lock(mutex);
  if (const cudaError_t e = forbid_while_capturing()) return e;
  const size_t size = rounded(bytes);
  auto it = kChecked && size < kHeapBytes - heap_used ? free_blocks.end() : free_blocks.find(size);
  char* c;
  if (it != free_blocks.end()) {
    c = it->second;
    free_blocks.erase(it);
  } else {
    if (!heap) {
      void* range =
          mmap(nullptr, kHeapBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (range == MAP_FAILED) return failed(cudaErrorMemoryAllocation);
      heap = static_cast<char*>(range);
      if constexpr (kChecked) checks::heap_made(heap, kHeapBytes);
      struct sigaction action{};
      action.sa_sigaction = explain_crash;
      action.sa_flags = SA_SIGINFO;
      sigaction(SIGSEGV, &action, &handler_before);
    }
    if (size > kHeapBytes - heap_used) return failed(cudaErrorMemoryAllocation);
    c = heap + heap_used;
    heap_used += (size + 4095) & ~size_t{4095};
    mprotect(c, (size + 4095) & ~size_t{4095},
             settings().protect && !open_doors ? PROT_NONE : PROT_READ | PROT_WRITE);
  }
  allocations[c] = bytes;
  released.erase(c);
  live_bytes += bytes;
  const Door door;
  std::memset(c, 0xff, bytes);
  if constexpr (kChecked) checks::allocated(c, bytes);
  *p = c;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  const std::lock_guard lock(mutex);
  if (!p) return cudaSuccess;
  const auto it = allocations.find(static_cast<char*>(p));
  if (it == allocations.end()) return failed(cudaErrorInvalidValue);
  if (const cudaError_t e = forbid_while_capturing()) return e;
  synchronize_device();
  const Door door;
  if constexpr (kChecked) checks::guard_behind(it->first, it->second);
  std::memset(p, 0xff, it->second);
  if constexpr (kChecked) {
    checks::freed(it->first, it->second);
    released[it->first] = it->second;
  }
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
  if (const cudaError_t e = forbid_while_capturing()) return e;
  *p = std::aligned_alloc(256, (bytes + 255) & ~size_t{255});
  pinned[static_cast<char*>(*p)] = bytes;
  return *p ? cudaSuccess : failed(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* p) {
  const std::lock_guard lock(mutex);
  if (const cudaError_t e = forbid_while_capturing()) return e;
  synchronize_device();
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
    return failed(cudaErrorInvalidValue);
  cudaPointerAttributes a;
  cudaPointerGetAttributes(&a, kind == cudaMemcpyHostToDevice ? from : to);
  // A graph would read or write pageable memory long after the call.
  if (kind != cudaMemcpyDeviceToDevice && a.type != cudaMemoryTypeHost && capturing(stream_of(s)))
    return forbid(stream_of(s));
  if (kind == cudaMemcpyHostToDevice && a.type != cudaMemoryTypeHost) {
    // Pageable memory is staged before the call returns.
    std::vector<char> staged(static_cast<const char*>(from),
                             static_cast<const char*>(from) + bytes);
    enqueue(s, [to, staged = std::move(staged)] {
      if constexpr (kChecked) checks::filled(to, staged.size());
      std::memcpy(to, staged.data(), staged.size());
    });
    return cudaSuccess;
  }
  enqueue(s, [=] {
    if constexpr (kChecked) {
      if (kind == cudaMemcpyHostToDevice) checks::filled(to, bytes);
      if (kind == cudaMemcpyDeviceToHost) checks::copied_out(from, bytes);
      if (kind == cudaMemcpyDeviceToDevice) checks::copied(to, from, bytes);
    }
    std::memmove(to, from, bytes);
  });
  if (kind == cudaMemcpyDeviceToHost && a.type != cudaMemoryTypeHost) drain(stream_of(s));
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t s) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, s);
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t s) {
  const std::lock_guard lock(mutex);
  if (!inside_allocation(p, bytes)) return failed(cudaErrorInvalidValue);
  enqueue(s, [=] {
    if constexpr (kChecked) checks::filled(p, bytes);
    std::memset(p, value, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned, int) {
  const std::lock_guard lock(mutex);
  static int created = 0;
  streams.push_back(*s = new Stream);
  (*s)->id = ++created;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  const std::lock_guard lock(mutex);
  if (capturing(s)) return forbid(s);
  drain(s);
  std::erase(streams, s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s)) return forbid(s);
  drain(s);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s)) return forbid(s);
  if (!s->work.empty()) return failed(cudaErrorNotReady);
  host_follows(s);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s) || e->capture) return capture_wait(e, s);
  if (e->mark) wait_for(e->mark, s);
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  const std::lock_guard lock(mutex);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s)) return capture_record(e, s);
  e->capture = 0;
  e->mark = put_mark(s);
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  const std::lock_guard lock(mutex);
  if (e->capture) return failed(cudaErrorCapturedEvent);
  if (const cudaError_t error = forbid_while_capturing()) return error;
  if (!e->mark) return cudaSuccess;
  drain_until(*e->mark);
  if constexpr (kChecked) checks::host_follows(e->mark->clock);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  const std::lock_guard lock(mutex);
  if (e->capture) return failed(cudaErrorCapturedEvent);
  if (const cudaError_t error = forbid_while_capturing()) return error;
  if (!e->done()) return failed(cudaErrorNotReady);
  if constexpr (kChecked)
    if (e->mark) checks::host_follows(e->mark->clock);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  if (start->capture || end->capture) return failed(cudaErrorCapturedEvent);
  if (!start->mark || !end->mark) return failed(cudaErrorInvalidValue);
  if (!start->mark->done || !end->mark->done) return failed(cudaErrorNotReady);
  *ms = std::chrono::duration<float, std::milli>(end->mark->time - start->mark->time).count();
  return cudaSuccess;
}
