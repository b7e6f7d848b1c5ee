// Storage: the bytes that one or more tensors view, with the version counter that in-place
// operations advance. Up to 64 bytes live inside the object itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/device.h"
#include "core/ref.h"

namespace pt {

struct Storage {
  static constexpr size_t kInlineBytes = 64;
  using Deleter = void (*)(void* context);

  std::atomic<int32_t> refs{1};
  uint32_t version = 0;
  char* data = nullptr;
  size_t bytes = 0;
  size_t capacity = 0;        // allocated bytes; 0 for inline and foreign memory
  Deleter deleter = nullptr;  // foreign memory: called with `context` at the end
  void* context = nullptr;
  Device device{};
  bool resizable = true;   // false once its memory is shared with numpy or DLPack
  bool read_only = false;  // memory of a non-writable numpy array, a mapped file...
  alignas(64) char inline_data[kInlineBytes];

  static Ref<Storage> allocate(size_t bytes, Device device);
  // Memory owned by somebody else; `deleter` may be null.
  static Ref<Storage> wrap(void* data, size_t bytes, Device device, Deleter deleter, void* context);
  // Grows or shrinks in place, keeping contents; only memory of our own can grow.
  void resize(size_t new_bytes);
  static void destroy(Storage* s);
};

// Number of storages alive, for leak tests.
int64_t live_storages();

}  // namespace pt
