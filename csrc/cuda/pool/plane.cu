// Elements of planes moved by place: "plane_gather", "plane_put" and "plane_add" of
// cpu/pool_args.h. Elements that go to the same place do so in the order of the cpu, so that
// results are the same in every run.
#include <climits>

#include "cpu/pool_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

PT_DEVICE bool in_plane(const PlaneIndexArgs& a, int64_t place, int64_t size) {
  if (static_cast<uint64_t>(place) < static_cast<uint64_t>(size)) return true;
  if (a.bad_index) *a.bad_index = place;
  return false;
}

template <class T>
__global__ void __launch_bounds__(kThreads, 2) gather_kernel(PlaneIndexArgs a, int64_t all) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    const int64_t place = a.indices[i], plane = i / a.out_size;
    static_cast<T*>(a.out)[i] = in_plane(a, place, a.in_size)
                                    ? static_cast<const T*>(a.in)[plane * a.in_size + place]
                                    : T(0);
  }
}

// Of several elements for one place the last counts: `last` finds it. Planes of 2^31 elements and
// more go element by element.
__global__ void __launch_bounds__(kThreads, 2) fill_kernel(int* p, int64_t all, int value) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) p[i] = value;
}
__global__ void __launch_bounds__(kThreads, 2)
    find_last_kernel(PlaneIndexArgs a, int64_t all, int* last) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    const int64_t place = a.indices[i], plane = i / a.in_size;
    if (in_plane(a, place, a.out_size))
      atomicMax(last + plane * a.out_size + place, static_cast<int>(i - plane * a.in_size));
  }
}
template <class T>
__global__ void __launch_bounds__(kThreads, 2)
    put_kernel(PlaneIndexArgs a, int64_t all, const int* last) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    const int64_t plane = i / a.out_size;
    const int from = last[i];
    static_cast<T*>(a.out)[i] =
        from < 0 ? T(0) : static_cast<const T*>(a.in)[plane * a.in_size + from];
  }
}

// A block for each plane. In each round the first element left for every place is added to it;
// there are as many rounds as elements for one place.
template <class T>
__global__ void __launch_bounds__(kThreads, 2)
    add_kernel(PlaneIndexArgs a, Compute<T>* sums, int* next, int* done) {
  PT_UNROLL_BY(1)
  for (int64_t plane = blockIdx.x; plane < a.planes; plane += gridDim.x) {
    const int64_t base = plane * a.out_size;
    const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
    const int64_t* places = a.indices + plane * a.in_size;
    for (int64_t i = threadIdx.x; i < a.out_size; i += blockDim.x) {
      sums[base + i] = 0;
      next[base + i] = INT_MAX;
      done[base + i] = -1;
    }
    __syncthreads();
    bool left = true;
    while (left) {
      bool own = false;
      for (int64_t i = threadIdx.x; i < a.in_size; i += blockDim.x) {
        const int64_t place = places[i];
        if (!in_plane(a, place, a.out_size) || done[base + place] >= i) continue;
        atomicMin(next + base + place, static_cast<int>(i));
        own = true;
      }
      left = __syncthreads_or(own) != 0;
      if (!left) break;
      for (int64_t i = threadIdx.x; i < a.in_size; i += blockDim.x) {
        const int64_t place = places[i];
        if (!in_plane(a, place, a.out_size) || next[base + place] != i) continue;
        sums[base + place] += static_cast<Compute<T>>(in[i]);
        done[base + place] = static_cast<int>(i);
      }
      __syncthreads();
      for (int64_t i = threadIdx.x; i < a.out_size; i += blockDim.x) next[base + i] = INT_MAX;
      __syncthreads();
    }
    if (static_cast<void*>(sums) != a.out) {
      for (int64_t i = threadIdx.x; i < a.out_size; i += blockDim.x)
        put<T>(a.out, base + i, sums[base + i]);
    }
  }
}

// A thread for each plane.
template <class T, bool kAdd>
__global__ void __launch_bounds__(kThreads, 2) serial_kernel(PlaneIndexArgs a, Compute<T>* sums) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < a.planes; p += step) {
    const T* in = static_cast<const T*>(a.in) + p * a.in_size;
    Compute<T>* sum = sums + p * a.out_size;
    for (int64_t i = 0; i < a.out_size; ++i) sum[i] = 0;
    for (int64_t i = 0; i < a.in_size; ++i) {
      const int64_t place = a.indices[p * a.in_size + i];
      if (!in_plane(a, place, a.out_size)) continue;
      const auto v = static_cast<Compute<T>>(in[i]);
      sum[place] = kAdd ? sum[place] + v : v;
    }
    if (static_cast<void*>(sums) != a.out)
      for (int64_t i = 0; i < a.out_size; ++i) put<T>(a.out, p * a.out_size + i, sum[i]);
  }
}

// Half types add up in float, outside the result.
template <class T>
struct Sums {
  Scratch memory;
  explicit Sums(const PlaneIndexArgs& a)
      : memory(std::is_floating_point_v<T>
                   ? 0
                   : sizeof(float) * static_cast<size_t>(a.planes * a.out_size)),
        data(std::is_floating_point_v<T> ? static_cast<Compute<T>*>(a.out)
                                         : memory.as<Compute<T>>()) {}
  Compute<T>* data;
};

bool short_planes(const PlaneIndexArgs& a) { return a.in_size < INT_MAX && a.out_size < INT_MAX; }

template <class T>
void plane_gather(const PlaneIndexArgs& a) {
  const int64_t all = a.planes * a.out_size;
  PT_LAUNCH((gather_kernel<T>), blocks_for(all, kThreads), kThreads, 0, a, all);
}

template <class T>
void plane_put(const PlaneIndexArgs& a) {
  if (!short_planes(a)) {
    const Sums<T> sums(a);
    if (sums.data)
      PT_LAUNCH((serial_kernel<T, false>), blocks_for(a.planes, kThreads), kThreads, 0, a,
                sums.data);
    return;
  }
  const int64_t in = a.planes * a.in_size, out = a.planes * a.out_size;
  const Scratch last(sizeof(int) * static_cast<size_t>(out));
  if (!last) return;  // no memory: noted
  PT_LAUNCH(fill_kernel, blocks_for(out, kThreads), kThreads, 0, last.as<int>(), out, -1);
  if (in > 0)
    PT_LAUNCH(find_last_kernel, blocks_for(in, kThreads), kThreads, 0, a, in, last.as<int>());
  PT_LAUNCH((put_kernel<T>), blocks_for(out, kThreads), kThreads, 0, a, out, last.as<int>());
}

template <class T>
void plane_add(const PlaneIndexArgs& a) {
  const Sums<T> sums(a);
  if (!sums.data) return;
  if (!short_planes(a)) {
    PT_LAUNCH((serial_kernel<T, true>), blocks_for(a.planes, kThreads), kThreads, 0, a, sums.data);
    return;
  }
  const size_t out = static_cast<size_t>(a.planes * a.out_size);
  const Scratch places(sizeof(int) * 2 * out);
  if (!places) return;
  PT_LAUNCH((add_kernel<T>), blocks_for(a.planes * kThreads, kThreads), kThreads, 0, a, sums.data,
            places.as<int>(), places.as<int>() + out);
}

const KernelEntry kEntries[] = {
    {"plane_gather", {PT_FLOAT_SLOTS(plane_gather)}},
    {"plane_put", {PT_FLOAT_SLOTS(plane_put)}},
    {"plane_add", {PT_FLOAT_SLOTS(plane_add)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
