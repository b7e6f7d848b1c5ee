// The buffers behind Scratch. See cpu/scratch.h.
#include "cpu/scratch.h"

#include <cstdlib>
#include <memory>
#include <new>

namespace pt {

namespace {

struct Buffers {
  struct Buffer {
    void* data = nullptr;
    size_t bytes = 0;
  };
  Buffer of[static_cast<int>(ScratchUse::kCount)];
  ~Buffers() {
    for (const Buffer& b : of) std::free(b.data);
  }
};
thread_local std::unique_ptr<Buffers> buffers;

__attribute__((noinline)) void grow(Buffers::Buffer& b, size_t bytes) {
  std::free(b.data);
  b.bytes = 0;
  b.data = std::aligned_alloc(4096, bytes);
  if (!b.data) throw std::bad_alloc();
  b.bytes = bytes;
}

}  // namespace

void* scratch_memory(ScratchUse use, size_t bytes) {
  if (!buffers) [[unlikely]]
    buffers = std::make_unique<Buffers>();
  Buffers::Buffer& b = buffers->of[static_cast<int>(use)];
  bytes = (bytes + 4095) / 4096 * 4096;
  if (bytes > b.bytes) [[unlikely]]
    grow(b, bytes);
  return b.data;
}

}  // namespace pt
