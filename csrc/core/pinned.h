// Tensors of the cpu in page-locked memory, from and to which a device copies without the host's
// waiting. Used by pin_memory() and by copies that need not be waited for.
#pragma once

#include "core/tensor.h"

namespace pt {

// RuntimeError when the machine has no device.
Tensor empty_pinned(IntList sizes, IntList strides, DType dtype);
bool is_pinned(const Tensor& t) noexcept;
// How Storage knows its pinned memory: its deleter.
void release_pinned_memory(void* data);

// Within the scope, copies of this thread between pinned memory and a device are not waited for,
// and those to the cpu get pinned memory: non_blocking=True.
class NonBlocking {
 public:
  explicit NonBlocking(bool on) : before_(on_) { on_ = on; }
  ~NonBlocking() { on_ = before_; }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;
  static bool on() { return on_; }

 private:
  static thread_local constinit bool on_;
  bool before_;
};

}  // namespace pt
