// The table of functions by which a device's library (libpytensor_cuda) serves the core. Plain C
// types only: the library is opened at run time and shares nothing else with libpytensor.
//
// Functions that return int give 0 for success; the text of the last failure is error_text()'s.
// Work is queued on the calling thread's current stream of its current device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt {

struct KernelList;  // cpu/kernel_table.h

struct DeviceProperties {
  char name[256];
  int major, minor;
  int multi_processor_count;
  int max_threads_per_multi_processor;
  int max_threads_per_block;
  int warp_size;
  int regs_per_multiprocessor;
  int integrated, is_multi_gpu_board;
  int emulated;  // the host plays the device: for tests
  size_t total_memory;
  size_t shared_memory_per_block, shared_memory_per_block_optin, shared_memory_per_multiprocessor;
  size_t l2_cache_size;
  unsigned char uuid[16];
};

// Of the caching allocator, in bytes and blocks: of all, of small and of large blocks.
struct DeviceMemory {
  struct Stat {
    int64_t current, peak, allocated, freed;
  };
  using Stats = Stat[3];
  Stats allocated, requested, reserved, blocks, segments;  // the first three in bytes
  int64_t retries, out_of_memory;
  size_t limit;  // of what may be reserved; 0: none
  size_t free_on_device, total_on_device;
};

// Status of work whose kernels met an index out of bounds: an IndexError, or a RuntimeError where
// the cpu raises that. Reported by the first function after it that waits, or by take_error().
inline constexpr int kDeviceIndexError = 1 << 20, kDeviceRangeError = kDeviceIndexError + 1;

enum class DeviceCopy : int { kToDevice, kToHost, kOnDevice };
using StreamHandle = void*;  // null: the default stream
using EventHandle = void*;
using GraphHandle = void*;
enum class CaptureMode : int { kGlobal, kThreadLocal, kRelaxed };
enum class CaptureStatus : int { kNone, kActive, kBroken };

struct DeviceApi {
  static constexpr uint32_t kVersion = 2;
  uint32_t version;
  uint32_t size;              // of this struct
  const KernelList* kernels;  // same names and arguments as on the cpu, device pointers

  // --- devices; 0 without a driver, quickly and silently
  int (*device_count)();
  int (*current_device)();
  int (*set_device)(int index);
  int (*properties)(int index, DeviceProperties* out);
  int (*synchronize)();  // the current device
  int (*can_access_peer)(int index, int other);

  // --- memory of the current device, cached; null when it is exhausted
  void* (*allocate)(size_t bytes);
  void (*release)(void* p);                             // any thread, any current device
  void (*record_stream)(void* p, StreamHandle stream);  // p is used there, too
  int (*memory)(int index, DeviceMemory* out);
  void (*reset_stats)(int index, int peaks);  // the peaks, or the sums
  void (*set_limit)(int index, size_t bytes);
  void (*empty_cache)();
  // Of the host, page-locked and cached. Memory that a copy still uses waits for it before it is
  // given out again.
  void* (*allocate_pinned)(size_t bytes);
  void (*release_pinned)(void* p);
  int (*is_pinned)(const void* p);

  // --- data; the host's memory may be reused once the function has returned, unless it is pinned
  // and `wait` is 0
  int (*copy)(void* dst, const void* src, size_t bytes, DeviceCopy direction, int wait);
  int (*copy_peer)(void* dst, int dst_device, const void* src, int src_device, size_t bytes);
  int (*fill_bytes)(void* dst, int value, size_t bytes);
  // Bytes that travel as arguments of launches: nothing waits, and a graph keeps them.
  int (*store)(void* dst, const void* bytes, size_t count);

  // --- streams and events
  int (*stream_create)(StreamHandle* out, int priority);  // one of a few, which last
  int (*stream_synchronize)(StreamHandle s);
  int (*stream_query)(StreamHandle s);  // 1 when its work is done; negative: an error
  int (*stream_wait)(StreamHandle s, EventHandle e);
  StreamHandle (*current_stream)(int index);
  int (*set_stream)(int index, StreamHandle s);
  int (*event_create)(EventHandle* out, int timing);
  int (*event_destroy)(EventHandle e);
  int (*event_record)(EventHandle e, StreamHandle s);
  int (*event_synchronize)(EventHandle e);
  int (*event_query)(EventHandle e);  // 1 when it has happened; negative: an error
  int (*event_elapsed)(EventHandle start, EventHandle end, float* milliseconds);

  // --- graphs: what the current stream is given between begin and end, queued again by one call.
  // Memory asked for meanwhile comes from the pool of that number, and is kept for the graph until
  // pool_release() has been called as often as capture_begin().
  int (*capture_begin)(int64_t pool, CaptureMode mode);
  int (*capture_end)(GraphHandle* out);  // null when it has failed
  CaptureStatus (*capture_status)();     // of the current stream
  int (*graph_launch)(GraphHandle g);
  int (*graph_destroy)(GraphHandle g);
  void (*pool_release)(int index, int64_t pool);

  // --- libraries of CUDA's makers, opened on first use: "cublasLt", "cudnn". 0 for none
  int64_t (*library_version)(const char* name);
  void (*prefer_libraries)(int on);

  // --- errors: of launches, too, and of kernels that have failed since the last call
  int (*take_error)();
  const char* (*error_text)();
  const char* (*architectures)();  // "sm_80 sm_90 ..."
};

}  // namespace pt
