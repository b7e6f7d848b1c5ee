// Images as columns of blocks and back: "image_to_columns" and "columns_to_image" of
// cpu/columns_args.h. A thread for each element of the result.
#include "cpu/columns_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads) unfold_kernel(ColumnsArgs a, int64_t all) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    int64_t rest = i;
    const int64_t b1 = rest % a.blocks[1];
    rest /= a.blocks[1];
    const int64_t b0 = rest % a.blocks[0];
    rest /= a.blocks[0];
    const int64_t k1 = rest % a.kernel[1];
    rest /= a.kernel[1];
    const int64_t k0 = rest % a.kernel[0], plane = rest / a.kernel[0];
    const int64_t y = b0 * a.stride[0] - a.padding[0] + k0 * a.dilation[0];
    const int64_t x = b1 * a.stride[1] - a.padding[1] + k1 * a.dilation[1];
    const bool inside = y >= 0 && y < a.size[0] && x >= 0 && x < a.size[1];
    const T* image = static_cast<const T*>(a.image) + plane * a.size[0] * a.size[1];
    static_cast<T*>(a.columns)[i] = inside ? image[y * a.size[1] + x] : T(0);
  }
}

// The block whose element under tap k lies at `at`, or -1.
PT_DEVICE int64_t block_at(const ColumnsArgs& a, int d, int64_t at, int64_t k) {
  const int64_t v = at + a.padding[d] - k * a.dilation[d];
  if (v < 0 || v % a.stride[d] != 0) return -1;
  const int64_t b = v / a.stride[d];
  return b < a.blocks[d] ? b : -1;
}

template <class T>
__global__ void __launch_bounds__(kThreads, 2) fold_kernel(ColumnsArgs a, int64_t all) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, blocks = a.blocks[0] * a.blocks[1];
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    const int64_t x = i % a.size[1], y = i / a.size[1] % a.size[0];
    const int64_t plane = i / a.size[1] / a.size[0];
    const T* column = static_cast<const T*>(a.columns) + plane * a.kernel[0] * a.kernel[1] * blocks;
    T sum = T(0);  // rounded at each step, as on the cpu
    for (int64_t k0 = 0; k0 < a.kernel[0]; ++k0) {
      const int64_t b0 = block_at(a, 0, y, k0);
      for (int64_t k1 = 0; k1 < a.kernel[1]; ++k1, column += blocks) {
        const int64_t b1 = b0 < 0 ? -1 : block_at(a, 1, x, k1);
        if (b1 < 0) continue;
        const auto v = static_cast<Compute<T>>(column[b0 * a.blocks[1] + b1]);
        if constexpr (std::is_same_v<T, bool>) {
          sum = sum || v;
        } else {
          sum = static_cast<T>(static_cast<Compute<T>>(sum) + v);
        }
      }
    }
    static_cast<T*>(a.image)[i] = sum;
  }
}

template <class T>
void image_to_columns(const ColumnsArgs& a) {
  const int64_t all = a.planes * a.kernel[0] * a.kernel[1] * a.blocks[0] * a.blocks[1];
  if (all > 0) PT_LAUNCH((unfold_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, all);
}
template <class T>
void columns_to_image(const ColumnsArgs& a) {
  const int64_t all = a.planes * a.size[0] * a.size[1];
  if (all > 0) PT_LAUNCH((fold_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, all);
}

#define PT_COLUMNS_SLOTS(f)                                                             \
  PT_DEVICE_FN(f<bool>), nullptr, nullptr, nullptr, nullptr, nullptr, PT_HALF_SLOTS(f), \
      PT_DEVICE_FN(f<float>), PT_DEVICE_FN(f<double>)
const KernelEntry kEntries[] = {
    {"image_to_columns", {PT_COLUMNS_SLOTS(image_to_columns)}},
    {"columns_to_image", {PT_COLUMNS_SLOTS(columns_to_image)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
