// Padding and resampling: "pad_copy", "resample" and "resample_nearest" of cpu/image_args.h, whose
// tables are in device memory here. A thread for each element of the result.
#include "cpu/image_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads) pad_kernel(PadArgs a, T fill, int64_t all) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    int64_t rest = i, at = 0;
    bool inside = true;
    for (int d = a.ndim - 1; d >= 0; --d) {
      int64_t j = rest % a.out_size[d];
      rest /= a.out_size[d];
      if (a.map[d]) j = a.map[d][j];
      inside = inside && j >= 0;
      at += j * a.in_stride[d];
    }
    static_cast<T*>(a.out)[i] = inside ? static_cast<const T*>(a.in)[at] : fill;
  }
}

template <class T>
void pad_copy(const PadArgs& a) {
  const int64_t all = a.rows * a.out_size[a.ndim - 1];
  T fill;  // the host's
  __builtin_memcpy(&fill, a.fill, sizeof fill);
  if (all > 0) PT_LAUNCH((pad_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, fill, all);
}

// The place of element i of [planes, z, y, x], and the plane.
PT_DEVICE int64_t place_of(int64_t i, const int64_t* size, int64_t* at) {
  for (int d = 2; d >= 0; --d) {
    at[d] = i % size[d];
    i /= size[d];
  }
  return i;
}

template <class T>
__global__ void __launch_bounds__(kThreads, 2) resample_kernel(ResampleArgs a, int64_t all) {
  using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int64_t height = a.in_size[1], width = a.in_size[2];
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    int64_t at[3];
    const int64_t plane = place_of(i, a.out_size, at);
    const T* in = static_cast<const T*>(a.in) + plane * a.in_size[0] * height * width;
    const auto weight = [&](int d, int64_t k) {
      return static_cast<const W*>(a.taps[d].weight)[k];
    };
    const int64_t x0 = a.taps[2].offset[at[2]], x1 = a.taps[2].offset[at[2] + 1];
    W sum = 0;
    for (int64_t z = a.taps[0].offset[at[0]]; z < a.taps[0].offset[at[0] + 1]; ++z) {
      W slice = 0;
      for (int64_t y = a.taps[1].offset[at[1]]; y < a.taps[1].offset[at[1] + 1]; ++y) {
        const T* row = in + (a.taps[0].index[z] * height + a.taps[1].index[y]) * width;
        W line = 0;
        for (int64_t x = x0; x < x1; ++x)
          line += weight(2, x) * static_cast<W>(row[a.taps[2].index[x]]);
        slice += weight(1, y) * line;
      }
      sum += weight(0, z) * slice;
    }
    if constexpr (std::is_same_v<T, uint8_t>) {
      const W v = sum < W(0) ? W(0) : sum > W(255) ? W(255) : sum;
      static_cast<T*>(a.out)[i] = static_cast<T>(v + W(0.5));
    } else {
      put<T>(a.out, i, sum);
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) nearest_kernel(ResampleArgs a, int64_t all) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    int64_t at[3];
    int64_t from = place_of(i, a.out_size, at);
    for (int d = 0; d < 3; ++d) from = from * a.in_size[d] + a.taps[d].index[at[d]];
    static_cast<T*>(a.out)[i] = static_cast<const T*>(a.in)[from];
  }
}

template <class T>
void resample(const ResampleArgs& a) {
  const int64_t all = a.planes * a.out_size[0] * a.out_size[1] * a.out_size[2];
  if (all > 0) PT_LAUNCH((resample_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, all);
}
template <class T>
void resample_nearest(const ResampleArgs& a) {
  const int64_t all = a.planes * a.out_size[0] * a.out_size[1] * a.out_size[2];
  if (all > 0) PT_LAUNCH((nearest_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, all);
}

// By the element's size.
#define PT_SIZE_SLOTS(f)                                                 \
  nullptr, PT_DEVICE_FN(f<uint8_t>), nullptr, PT_DEVICE_FN(f<uint16_t>), \
      PT_DEVICE_FN(f<uint32_t>), PT_DEVICE_FN(f<uint64_t>)
const KernelEntry kEntries[] = {
    {"pad_copy", {PT_SIZE_SLOTS(pad_copy)}},
    {"resample_nearest", {PT_SIZE_SLOTS(resample_nearest)}},
    {"resample",
     {nullptr, PT_DEVICE_FN(resample<uint8_t>), nullptr, nullptr, nullptr, nullptr,
      PT_HALF_SLOTS(resample), PT_DEVICE_FN(resample<float>), PT_DEVICE_FN(resample<double>)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
