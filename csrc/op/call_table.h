// Tables that the host makes for a kernel: where the running call's kernels can read them.
#pragma once

#include <vector>

#include "core/device_runtime.h"
#include "core/on_device.h"
#include "core/tensor.h"

namespace pt {

// The vectors' memory on the cpu, and copies that live as long as this on a device. The copies are
// queued, nothing waits for them.
class CallTables {
 public:
  template <class T>
  const T* of(const std::vector<T>& table) {
    if (!call_on_device) return table.data();
    if (table.empty()) return nullptr;
    const size_t bytes = table.size() * sizeof(T);
    kept_.push_back(empty_tensor(Dims{static_cast<int64_t>(bytes)}, DType::kUInt8));
    void* to = kept_.back().raw();
    store_memory(to, table.data(), bytes);
    return static_cast<const T*>(to);
  }

 private:
  std::vector<Tensor> kept_;
};

}  // namespace pt
