// The core's side of devices other than the cpu: finds and opens the device's library on first use,
// keeps the current device, and moves bytes. Knows no CUDA header; see core/device_api.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/device.h"
#include "core/device_api.h"

namespace pt {

// The library has been opened: until then no tensor can be anywhere but on the cpu, and dispatch
// need not look.
extern bool device_in_use;

// The table, or null when the library is not installed.
const DeviceApi* find_device_api() noexcept;
// The same; AssertionError without the library, RuntimeError when the machine has no device.
const DeviceApi& device_api();
int device_count() noexcept;

// "cuda" with the current device's index; RuntimeError for an index that does not exist.
Device resolve_device(Device d);
int current_device_index();
void set_current_device(int index);

// Where this thread's new tensors go when neither the call nor a tensor says: the cpu unless set.
Device default_device();
void set_default_device(Device d);

// Raises what a device function reported. `what` names the work.
void check_device(int status, const char* what);
// After a call on a device: raises what its launches reported. `describe` makes a text about the
// call's arguments, for failures.
void check_launches(const char* op);
template <class F>
void check_launches(const char* op, F describe) {
  if (const int status = find_device_api()->take_error()) [[unlikely]]
    check_device(status, (op + describe()).c_str());
}

// Bytes between any two places, in the order of the current stream. Returns when the source may be
// changed and, for a copy to the cpu, when the destination may be read.
void copy_memory(void* dst, Device to, const void* src, Device from, size_t bytes,
                 bool wait = true);
// To the current device: the bytes travel with the launch, so that nothing is waited for.
void store_memory(void* dst, const void* bytes, size_t count);
void fill_memory(void* dst, Device device, int value, size_t bytes);

// Memory of a device, through its caching allocator. OutOfMemoryError (a RuntimeError).
void* device_allocate(size_t bytes, Device device);
void device_release(void* p) noexcept;

}  // namespace pt
