// The check of elements against an interval (args/check_args.h).
#include "cuda/args/check_args.h"
#include "cuda/index/bounds.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    interval_kernel(DeviceInterval a, DType dtype, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const auto v = static_cast<double>(get<T>(a.in, i, dtype));
    if (!(v >= a.low && v <= a.high)) report_number(report, a.what);
  }
}
template <class T>
void interval(const DeviceInterval& a) {
  if (a.n == 0) return;
  PT_LAUNCH((interval_kernel<Stored<T>>), blocks_for(a.n, kThreads), kThreads, 0, a, dtype_of<T>,
            bounds_report());
}

const KernelEntry kEntries[] = {{"device_interval", {PT_ALL_SLOTS(interval)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
