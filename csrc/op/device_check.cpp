// See device_check.h.
#include "op/device_check.h"

#include "cpu/kernel_table.h"
#include "op/copy.h"

namespace pt {

void check_interval_later(const Tensor& t, double low, double high, OutOfBounds what) {
  static const Kernel<DeviceIntervalFn> kernel{"device_interval"};
  const CallDeviceGuard guard(t.device());
  const Tensor x = as_contiguous(t);
  kernel.get(x.dtype())({x.raw(), x.numel(), low, high, what});
}

}  // namespace pt
