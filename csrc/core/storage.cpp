// Allocation and release of storages.
#include "core/storage.h"

#include <cstring>
#include <new>

#include "core/allocator.h"
#include "core/device_runtime.h"
#include "core/error.h"
#include "core/free_list.h"
#include "core/pinned.h"

namespace pt {

namespace {
std::atomic<int64_t> live{0};

void* allocate_bytes(size_t bytes) {
  try {
    return cpu_alloc(bytes);
  } catch (const std::bad_alloc&) {
    raise(ErrorKind::kRuntime, "DefaultCPUAllocator: not enough memory: you tried to allocate ",
          bytes, " bytes.");
  }
}

Storage* fresh(Device device) {
  auto* s = new (FreeList<Storage>::get()) Storage;
  s->device = device;
  live.fetch_add(1, std::memory_order_relaxed);
  return s;
}
}  // namespace

int64_t live_storages() { return live.load(std::memory_order_relaxed); }

Ref<Storage> Storage::allocate(size_t bytes, Device device) {
  if (!device.is_cpu()) [[unlikely]]
    device = resolve_device(device);
  auto s = Ref<Storage>::adopt(fresh(device));
  s->bytes = bytes;
  if (!device.is_cpu()) [[unlikely]] {
    s->data = static_cast<char*>(device_allocate(bytes, device));
    s->capacity = bytes;
  } else if (bytes <= kInlineBytes) {
    s->data = s->inline_data;
  } else {
    s->data = static_cast<char*>(allocate_bytes(bytes));
    s->capacity = bytes;
  }
  return s;
}

Ref<Storage> Storage::wrap(void* data, size_t bytes, Device device, Deleter deleter,
                           void* context) {
  auto s = Ref<Storage>::adopt(fresh(device));
  s->data = static_cast<char*>(data);
  s->bytes = bytes;
  s->deleter = deleter;
  s->context = context;
  return s;
}

void Storage::resize(size_t new_bytes) {
  const bool pinned = deleter == &release_pinned_memory;
  const bool own = data == inline_data || capacity > 0 || !device.is_cpu() || pinned;
  PT_CHECK(own && resizable, "Trying to resize storage that is not resizable");
  if (!device.is_cpu()) {
    if (new_bytes > capacity) {
      char* grown = static_cast<char*>(device_allocate(new_bytes, device));
      copy_memory(grown, device, data, device, bytes);
      device_release(data);
      data = grown;
      capacity = new_bytes;
    }
    bytes = new_bytes;
    return;
  }
  if (pinned) {
    if (new_bytes > bytes) {
      void* grown = device_api().allocate_pinned(new_bytes);
      PT_CHECK(grown, "CUDA error: ", device_api().error_text());
      std::memcpy(grown, data, bytes);
      release_pinned_memory(data);
      data = static_cast<char*>(context = grown);
    }
    bytes = new_bytes;
    return;
  }
  if (new_bytes > (data == inline_data ? kInlineBytes : capacity)) {
    char* grown = static_cast<char*>(allocate_bytes(new_bytes));
    std::memcpy(grown, data, bytes);
    if (capacity > 0) cpu_free(data, capacity);
    data = grown;
    capacity = new_bytes;
  }
  bytes = new_bytes;
}

void Storage::destroy(Storage* s) {
  if (s->capacity > 0) {
    if (s->device.is_cpu()) {
      cpu_free(s->data, s->capacity);
    } else {
      device_release(s->data);
    }
  } else if (s->deleter) {
    s->deleter(s->context);
  }
  live.fetch_sub(1, std::memory_order_relaxed);
  s->~Storage();
  FreeList<Storage>::put(s);
}

}  // namespace pt
