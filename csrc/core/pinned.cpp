// Page-locked memory as storages. See pinned.h.
#include "core/pinned.h"

#include "core/device_runtime.h"
#include "core/error.h"

namespace pt {

thread_local constinit bool NonBlocking::on_ = false;

void release_pinned_memory(void* data) { find_device_api()->release_pinned(data); }

Tensor empty_pinned(IntList sizes, IntList strides, DType dtype) {
  PT_CHECK(device_count() > 0,
           "pin_memory=True requires a CUDA or other accelerator backend; no "
           "pinned memory allocator is available on this system.");
  Tensor t = empty_strided_tensor(sizes, strides, dtype, Device());
  const size_t bytes = t->storage->bytes;
  const DeviceApi& api = device_api();
  void* data = api.allocate_pinned(bytes);
  PT_CHECK(data, "CUDA error: ", api.error_text(), " (", bytes, " bytes of pinned memory)");
  t->storage = Storage::wrap(data, bytes, {}, &release_pinned_memory, data);
  return t;
}

bool is_pinned(const Tensor& t) noexcept {
  if (!device_in_use || !t.device().is_cpu() || !t.defined()) return false;
  const Storage& s = *t->storage;
  return s.deleter == &release_pinned_memory ||
         (s.bytes > 0 && find_device_api()->is_pinned(s.data) != 0);
}

}  // namespace pt
