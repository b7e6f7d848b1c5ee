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

// Of the caching allocator, in bytes and blocks.
struct DeviceMemory {
  struct Stat {
    int64_t current, peak, allocated, freed;
  };
  Stat allocated, reserved, active_blocks, segments;
  int64_t allocations, frees_of_segments, retries, out_of_memory;
  size_t free_on_device, total_on_device;
};

// Status of work whose kernels met an index out of bounds: an IndexError, or a RuntimeError where
// the cpu raises that. Reported by the first function after it that waits, or by take_error().
inline constexpr int kDeviceIndexError = 1 << 20, kDeviceRangeError = kDeviceIndexError + 1;

enum class DeviceCopy : int { kToDevice, kToHost, kOnDevice };
using StreamHandle = void*;  // null: the default stream
using EventHandle = void*;

struct DeviceApi {
  static constexpr uint32_t kVersion = 1;
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
  void (*reset_peak)(int index);
  void (*empty_cache)();
  void* (*allocate_pinned)(size_t bytes);  // of the host, page-locked
  void (*release_pinned)(void* p);
  int (*is_pinned)(const void* p);

  // --- data; the host's memory may be reused once the function has returned, unless it is pinned
  // and `wait` is 0
  int (*copy)(void* dst, const void* src, size_t bytes, DeviceCopy direction, int wait);
  int (*copy_peer)(void* dst, int dst_device, const void* src, int src_device, size_t bytes);
  int (*fill_bytes)(void* dst, int value, size_t bytes);

  // --- streams and events
  int (*stream_create)(StreamHandle* out, int priority);
  int (*stream_destroy)(StreamHandle s);
  int (*stream_synchronize)(StreamHandle s);
  int (*stream_query)(StreamHandle s);  // 1 when its work is done
  int (*stream_wait)(StreamHandle s, EventHandle e);
  StreamHandle (*current_stream)(int index);
  int (*set_stream)(int index, StreamHandle s);
  int (*event_create)(EventHandle* out, int timing);
  int (*event_destroy)(EventHandle e);
  int (*event_record)(EventHandle e, StreamHandle s);
  int (*event_synchronize)(EventHandle e);
  int (*event_query)(EventHandle e);  // 1 when it has happened
  int (*event_elapsed)(EventHandle start, EventHandle end, float* milliseconds);

  // --- errors: of launches, too, and of kernels that have failed since the last call
  int (*take_error)();
  const char* (*error_text)();
  const char* (*architectures)();  // "sm_80 sm_90 ..."
};

}  // namespace pt
