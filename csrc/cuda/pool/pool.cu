// Maxima and averages of windows: "max_pool", "avg_pool" and "avg_pool_backward" of
// cpu/pool_args.h. A thread for each element of the result, which reads its windows in order.
#include "cuda/pool/windows.h"

namespace pt::cuda {
namespace {

template <class T>
PT_DEVICE constexpr T lowest() {
  if constexpr (std::is_floating_point_v<T>) {
    return -static_cast<T>(__builtin_huge_valf());
  } else if constexpr (std::is_unsigned_v<T>) {
    return 0;
  } else {
    return static_cast<T>(T(1) << (8 * sizeof(T) - 1));
  }
}

// An element of [planes, z, y, x].
template <class I>
struct Place {
  I plane, at[3];
};
template <class I>
PT_DEVICE Place<I> place_of(I i, const I* size) {
  Place<I> p;
  PT_UNROLL
  for (int d = 2; d >= 0; --d) {
    p.at[d] = i % size[d];
    i /= size[d];
  }
  p.plane = i;
  return p;
}

template <class T, class I>
__global__ void __launch_bounds__(kPoolThreads, sizeof(I) == 4 ? 2 : 1)
    max_kernel(Windows<I> w, I all) {
  using L = Compute<T>;
  const I step = static_cast<I>(gridDim.x) * static_cast<I>(blockDim.x);
  for (I i = static_cast<I>(blockIdx.x) * static_cast<I>(blockDim.x) + static_cast<I>(threadIdx.x);
       i < all; i += step) {
    const Place<I> p = place_of(i, w.out_size);
    const Window z = window_of(w, 0, p.at[0], p.plane), y = window_of(w, 1, p.at[1], p.plane);
    const Window x = window_of(w, 2, p.at[2], p.plane);
    const T* in = static_cast<const T*>(w.in) +
                  int64_t{p.plane} * (int64_t{w.in_size[0]} * w.in_size[1] * w.in_size[2]);
    L best = lowest<L>();
    int64_t place = (z.first * w.in_size[1] + y.first) * w.in_size[2] + x.first;
    for (I kz = 0; kz < z.count; ++kz) {
      for (I ky = 0; ky < y.count; ++ky) {
        I at = static_cast<I>(
            ((z.first + kz * w.dilation[0]) * w.in_size[1] + y.first + ky * w.dilation[1]) *
                w.in_size[2] +
            x.first);
        for (I kx = 0; kx < x.count; ++kx, at += w.dilation[2]) {
          const L v = static_cast<L>(in[at]);
          if (v > best || v != v) best = v, place = at;
        }
      }
    }
    put<T>(w.out, i, best);
    if (w.indices) w.indices[i] = place;
  }
}

// What a window's sum is divided by, never 0. In double: sizes with padding may be anything.
template <class L, class I>
PT_DEVICE L divisor_of(const Windows<I>& w, const Window& z, const Window& y, const Window& x) {
  const double size =
      static_cast<double>(z.size) * static_cast<double>(y.size) * static_cast<double>(x.size);
  const double d = w.divisor != 0 ? w.divisor : size;
  return static_cast<L>(d == 0 ? 1 : d < 9e18 ? d : 9e18);
}

template <class T, class I>
__global__ void __launch_bounds__(kPoolThreads, sizeof(I) == 4 ? 2 : 1)
    average_kernel(Windows<I> w, I all) {
  using L = Compute<T>;
  const I step = static_cast<I>(gridDim.x) * static_cast<I>(blockDim.x);
  for (I i = static_cast<I>(blockIdx.x) * static_cast<I>(blockDim.x) + static_cast<I>(threadIdx.x);
       i < all; i += step) {
    const Place<I> p = place_of(i, w.out_size);
    const Window z = window_of(w, 0, p.at[0], p.plane), y = window_of(w, 1, p.at[1], p.plane);
    const Window x = window_of(w, 2, p.at[2], p.plane);
    const T* in = static_cast<const T*>(w.in) +
                  int64_t{p.plane} * (int64_t{w.in_size[0]} * w.in_size[1] * w.in_size[2]);
    L sum = 0;
    for (I kz = 0; kz < z.count; ++kz) {
      for (I ky = 0; ky < y.count; ++ky) {
        const I row =
            static_cast<I>(((z.first + kz) * w.in_size[1] + y.first + ky) * w.in_size[2] + x.first);
        for (I kx = 0; kx < x.count; ++kx) sum += static_cast<L>(in[row + kx]);
      }
    }
    put<T>(w.out, i, static_cast<L>(sum / divisor_of<L>(w, z, y, x)));
  }
}

template <class T, class I>
__global__ void __launch_bounds__(kPoolThreads, sizeof(I) == 4 ? 2 : 1)
    average_backward_kernel(Windows<I> w, I all) {
  using L = Compute<T>;
  const I step = static_cast<I>(gridDim.x) * static_cast<I>(blockDim.x);
  for (I i = static_cast<I>(blockIdx.x) * static_cast<I>(blockDim.x) + static_cast<I>(threadIdx.x);
       i < all; i += step) {
    const Place<I> p = place_of(i, w.in_size);
    I first[3], last[3];
    PT_UNROLL
    for (int d = 0; d < 3; ++d) windows_over(w, d, p.at[d], &first[d], &last[d]);
    const T* grad = static_cast<const T*>(w.in) +
                    int64_t{p.plane} * (int64_t{w.out_size[0]} * w.out_size[1] * w.out_size[2]);
    L sum = 0;
    for (I jz = first[0]; jz <= last[0]; ++jz) {
      const Window z = window_of(w, 0, jz, p.plane);
      for (I jy = first[1]; jy <= last[1]; ++jy) {
        const Window y = window_of(w, 1, jy, p.plane);
        const I row = (jz * w.out_size[1] + jy) * w.out_size[2];
        for (I jx = first[2]; jx <= last[2]; ++jx)
          sum +=
              static_cast<L>(grad[row + jx]) / divisor_of<L>(w, z, y, window_of(w, 2, jx, p.plane));
      }
    }
    put<T>(w.out, i, sum);
  }
}

template <class Small, class Large>
void launch(const PoolArgs& a, const int64_t* size, Small small, Large large) {
  const int64_t all = a.planes * size[0] * size[1] * size[2];
  if (all == 0) return;
  const unsigned blocks = blocks_for(all, kPoolThreads);
  if (small_pool(a)) {
    PT_LAUNCH(small, blocks, kPoolThreads, 0, windows_from<int>(a), static_cast<int>(all));
  } else {
    PT_LAUNCH(large, blocks, kPoolThreads, 0, windows_from<int64_t>(a), all);
  }
}

// Starts of one's own come from tables, which the caller has put into device memory.
template <class T>
void max_pool(const PoolArgs& a) {
  if (!a.own_starts) return launch(a, a.out_size, max_kernel<T, int>, max_kernel<T, int64_t>);
  Windows<int64_t> w = windows_from<int64_t>(a);
  for (int d = 0; d < 3; ++d) w.starts[d] = a.start[d];
  const int64_t all = a.planes * a.out_size[0] * a.out_size[1] * a.out_size[2];
  if (all > 0)
    PT_LAUNCH((max_kernel<T, int64_t>), blocks_for(all, kPoolThreads), kPoolThreads, 0, w, all);
}
template <class T>
void avg_pool(const PoolArgs& a) {
  launch(a, a.out_size, average_kernel<T, int>, average_kernel<T, int64_t>);
}
template <class T>
void avg_pool_backward(const PoolArgs& a) {
  launch(a, a.in_size, average_backward_kernel<T, int>, average_backward_kernel<T, int64_t>);
}

#define PT_POOL_AVERAGE_SLOTS(f, whole)                                                         \
  nullptr, nullptr, nullptr, nullptr, nullptr, whole, PT_HALF_SLOTS(f), PT_DEVICE_FN(f<float>), \
      PT_DEVICE_FN(f<double>)
const KernelEntry kEntries[] = {
    {"max_pool", {PT_NUMBER_SLOTS(max_pool)}},
    {"avg_pool", {PT_POOL_AVERAGE_SLOTS(avg_pool, PT_DEVICE_FN(avg_pool<int64_t>))}},
    {"avg_pool_backward", {PT_POOL_AVERAGE_SLOTS(avg_pool_backward, nullptr)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
