// tril and triu: copies of matrices with zeros on one side of a diagonal.
#include "cuda/args/index_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/registry.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads) triangle_kernel(DeviceTriangle a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const int64_t above = i % a.columns - i / a.columns % a.rows - a.diagonal;
    const bool kept = a.lower ? above <= 0 : above >= 0;
    static_cast<T*>(a.out)[i] = kept ? static_cast<const T*>(a.in)[i] : T(0);
  }
}
template <class T>
void triangle(const DeviceTriangle& a) {
  if (a.n == 0) return;
  PT_LAUNCH((triangle_kernel<T>), blocks_for(a.n, kThreads), kThreads, 0, a);
}

const KernelEntry kEntries[] = {
    {"device_triangle",
     {nullptr, PT_FN(&triangle<uint8_t>), nullptr, PT_FN(&triangle<uint16_t>),
      PT_FN(&triangle<uint32_t>), PT_FN(&triangle<uint64_t>)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
