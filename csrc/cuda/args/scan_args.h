// Scans that only devices have kernels for. Row-major [outer, n, inner] arrays in device memory.
#pragma once

#include <cstdint>

namespace pt {

// out[k] = terms[k] + factors[k] * out[k - 1] along n, or, `reverse`, terms[k] + factors[k + 1] *
// out[k + 1]. Name "device_recurrence", floating slots.
struct DeviceRecurrence {
  const void* factors = nullptr;
  const void* terms = nullptr;
  void* out = nullptr;
  int64_t outer = 1, n = 0, inner = 1;
  bool reverse = false;
};
using DeviceRecurrenceFn = void(const DeviceRecurrence&);

}  // namespace pt
