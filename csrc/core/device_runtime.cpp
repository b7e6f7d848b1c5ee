// Opening and calling the device's library. See device_runtime.h.
#include "core/device_runtime.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/error.h"

namespace pt {

bool device_in_use = false;
thread_local constinit CallPlace call_place;
thread_local constinit bool call_on_device = false;

namespace {

constexpr const char* kLibrary = "libpytensor_cuda.so";
constexpr const char* kEntry = "pytensor_device_api";

// Beside libpytensor, or where PYTENSOR_CUDA_LIBRARY says.
std::string library_path() {
  if (const char* path = std::getenv("PYTENSOR_CUDA_LIBRARY")) return path;
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&find_device_api), &info) || !info.dli_fname) return {};
  const std::string own = info.dli_fname;
  return own.substr(0, own.rfind('/') + 1) + kLibrary;
}

const DeviceApi* open_library() noexcept {
  const std::string path = library_path();
  if (path.empty()) return nullptr;
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
    const int now = api.current_device();
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
  check_device(api.copy(dst, src, bytes, direction, wait), "copy");
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
    DeviceMemory m{};
    api.memory(device.index, &m);
    raise(ErrorKind::kOutOfMemory, "CUDA out of memory. Tried to allocate ", size_text(bytes),
          ". GPU ", static_cast<int>(device.index), " has a total capacity of ",
          size_text(m.total_on_device), " of which ", size_text(m.free_on_device),
          " is free. Tensors hold ", size_text(static_cast<size_t>(m.allocated.current)),
          ", the cache reserves ", size_text(static_cast<size_t>(m.reserved.current)), ".");
  }
  return p;
}

void device_release(void* p) noexcept {
  if (p) find_device_api()->release(p);
}

}  // namespace pt
