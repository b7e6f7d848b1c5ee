// Opening and calling the device's library. See device_runtime.h.
#include "core/device_runtime.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/device_graph.h"
#include "core/error.h"
#include "core/pinned.h"

namespace pt {

bool device_in_use = false;
thread_local constinit CallPlace call_place;
thread_local constinit bool call_on_device = false;
namespace {
thread_local constinit Device device_of_new_tensors{};
}
Device default_device() { return device_of_new_tensors; }
void set_default_device(Device d) {
  device_of_new_tensors = d.is_cpu() ? Device() : resolve_device(d);
}

namespace {

constexpr const char* kLibrary = "libpytensor_cuda.so";
constexpr const char* kEntry = "pytensor_device_api";
constexpr const char* kDriver = "libcuda.so.1";
#ifdef PT_CUDA_EMULATED  // the library of this build plays the device
constexpr bool kNeedsDriver = false;
#else
constexpr bool kNeedsDriver = true;
#endif

// Stands for a library that is installed but of no use for want of a driver: opening the real one
// would take milliseconds, which programs that only ask should not pay.
constexpr DeviceApi make_without_driver() {
  DeviceApi api{};
  api.device_count = [] { return 0; };
  return api;
}
constexpr DeviceApi kWithoutDriver = make_without_driver();

// Beside libpytensor, or where PYTENSOR_CUDA_LIBRARY says.
std::string library_path(const char* chosen) {
  if (chosen) return chosen;
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&find_device_api), &info) || !info.dli_fname) return {};
  const std::string own = info.dli_fname;
  return own.substr(0, own.rfind('/') + 1) + kLibrary;
}

const DeviceApi* open_library() noexcept {
  const char* chosen = std::getenv("PYTENSOR_CUDA_LIBRARY");
  const std::string path = library_path(chosen);
  if (path.empty() || access(path.c_str(), R_OK) != 0) return nullptr;
  if (kNeedsDriver && !chosen && !dlopen(kDriver, RTLD_LAZY | RTLD_LOCAL)) return &kWithoutDriver;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return nullptr;
  auto* entry = reinterpret_cast<const DeviceApi* (*)()>(dlsym(library, kEntry));
  const DeviceApi* api = entry ? entry() : nullptr;
  if (!api || api->version != DeviceApi::kVersion || api->size != sizeof(DeviceApi)) {
    dlclose(library);
    return nullptr;
  }
  return api;
}

std::string size_text(size_t bytes) {
  char text[64];
  const double b = static_cast<double>(bytes);
  if (bytes >= size_t{1} << 30) {
    std::snprintf(text, sizeof text, "%.2f GiB", b / (1 << 30));
  } else if (bytes >= size_t{1} << 20) {
    std::snprintf(text, sizeof text, "%.2f MiB", b / (1 << 20));
  } else {
    std::snprintf(text, sizeof text, "%zu bytes", bytes);
  }
  return text;
}

[[noreturn]] void raise_out_of_memory(size_t bytes, Device device) {
  DeviceMemory m{};
  find_device_api()->memory(device.index, &m);
  const auto size = [](int64_t n) { return size_text(static_cast<size_t>(n)); };
  const int64_t held = m.allocated[0].current, reserved = m.reserved[0].current;
  const std::string limit =
      m.limit ? size_text(m.limit) + " allowed by set_per_process_memory_fraction; " : "";
  raise(ErrorKind::kOutOfMemory, "CUDA out of memory. Tried to allocate ", size_text(bytes),
        ". GPU ", static_cast<int>(device.index), " has a total capacity of ",
        size_text(m.total_on_device), " of which ", size_text(m.free_on_device), " is free. ",
        limit, "tensors hold ", size(held), ", and ", size(reserved - held),
        " is reserved but holds no tensor. cuda.memory_summary() shows more; cuda.empty_cache() "
        "gives reserved memory back, and smaller batches need less.");
}

}  // namespace

const DeviceApi* find_device_api() noexcept {
  static const DeviceApi* api = open_library();
  return api;
}

int device_count() noexcept {
  static const int count = [] {
    const DeviceApi* api = find_device_api();
    return api ? api->device_count() : 0;
  }();
  return count;
}

const DeviceApi& device_api() {
  const DeviceApi* api = find_device_api();
  PT_CHECK_KIND(ErrorKind::kAssertion, api, "Torch not compiled with CUDA enabled");
  PT_CHECK(api != &kWithoutDriver,
           "Found no NVIDIA driver on your system: tensors can be on the cpu only. Check that the "
           "machine has an NVIDIA GPU and that its driver is installed (",
           kDriver, " was not found)");
  PT_CHECK(device_count() > 0, "No CUDA GPUs are available");
  device_in_use = true;
  return *api;
}

Device resolve_device(Device d) {
  if (d.is_cpu()) return {};
  const DeviceApi& api = device_api();
  if (d.index < 0) d.index = static_cast<int8_t>(api.current_device());
  PT_CHECK(d.index < device_count(), "CUDA error: invalid device ordinal");
  return d;
}

int current_device_index() { return device_api().current_device(); }

void set_current_device(int index) {
  const DeviceApi& api = device_api();
  PT_CHECK(index >= 0 && index < device_count(), "CUDA error: invalid device ordinal");
  check_device(api.set_device(index), "set_device");
}

void check_device(int status, const char* what) {
  if (status == 0) [[likely]]
    return;
  if (status == kDeviceIndexError || status == kDeviceRangeError)
    raise(status == kDeviceIndexError ? ErrorKind::kIndex : ErrorKind::kRuntime,
          find_device_api()->error_text());
  raise(ErrorKind::kRuntime, "CUDA error: ", find_device_api()->error_text(), " (in ", what, ")");
}

void check_launches(const char* op) { check_device(find_device_api()->take_error(), op); }

void CallDeviceGuard::enter(Device device) {
  if (!device.is_cpu()) {
    const DeviceApi& api = device_api();
    const int now = api.current_device();  // known without the driver
    if (now != device.index) {
      check_device(api.set_device(device.index), "set_device");
      index_before_ = now;
    }
  }
  call_place.device = device;
  call_on_device = !device.is_cpu();
}

void CallDeviceGuard::leave() noexcept {
  call_on_device = !before_.device.is_cpu();
  if (index_before_ >= 0) find_device_api()->set_device(index_before_);
}

namespace {

// What a graph would do with the host's memory long after the call.
void check_captured_copy(const void* host, bool to_host, bool wait) {
  PT_CHECK(!to_host || !wait, "CUDA error: operation not permitted when stream is capturing: ",
           call_place.op ? call_place.op : "this call",
           " reads a value of the device, which is not computed before the graph is replayed");
  PT_CHECK(device_api().is_pinned(host),
           "Cannot copy between CPU and CUDA tensors during CUDA graph capture unless the CPU "
           "tensor is pinned. Please use tensor.pin_memory() or allocate the tensor with "
           "pin_memory=True.");
}

}  // namespace

void copy_memory(void* dst, Device to, const void* src, Device from, size_t bytes, bool wait) {
  if (bytes == 0) return;
  const DeviceApi& api = device_api();
  if (!to.is_cpu() && !from.is_cpu() && to.index != from.index) {
    const CallDeviceGuard guard(from);
    check_device(api.copy_peer(dst, to.index, src, from.index, bytes), "copy");
    return;
  }
  const DeviceCopy direction = to.is_cpu()     ? DeviceCopy::kToHost
                               : from.is_cpu() ? DeviceCopy::kToDevice
                                               : DeviceCopy::kOnDevice;
  const CallDeviceGuard guard(to.is_cpu() ? from : to);
  // Pageable memory that a device writes is waited for anyway; what it reads is staged.
  if (NonBlocking::on() && (from.is_cpu() || api.is_pinned(dst))) wait = false;
  if (direction != DeviceCopy::kOnDevice && stream_is_capturing()) [[unlikely]] {
    check_captured_copy(to.is_cpu() ? dst : src, to.is_cpu(), wait);
    wait = false;
  }
  check_device(api.copy(dst, src, bytes, direction, wait), "copy");
}

void store_memory(void* dst, const void* bytes, size_t count) {
  check_device(device_api().store(dst, bytes, count), "store");
}

void fill_memory(void* dst, Device device, int value, size_t bytes) {
  if (bytes == 0) return;
  const CallDeviceGuard guard(device);
  check_device(device_api().fill_bytes(dst, value, bytes), "fill");
}

void* device_allocate(size_t bytes, Device device) {
  if (bytes == 0) return nullptr;
  const DeviceApi& api = device_api();
  const CallDeviceGuard guard(device);
  void* p = api.allocate(bytes);
  if (!p) {
    raise_out_of_memory(bytes, device);
  }
  return p;
}

void device_release(void* p) noexcept {
  if (p) find_device_api()->release(p);
}

}  // namespace pt
