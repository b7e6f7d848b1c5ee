// gather, and scatter with its reductions, along a dimension.
//
// One thread walks a line of the index from its start to its end, so that values which meet are
// combined in order. Where lines are few, the elements are sorted by place instead.
#include "cuda/index/bounds.h"
#include "cuda/index/places.h"
#include "cuda/index/points.h"

namespace pt::cuda {
namespace {

PT_DEVICE bool inside(const DeviceLines& a, int64_t index, Bounds report) {
  if (index >= 0 && index < a.size) return true;
  report_bounds(report, index, a.size, a.dim, true);
  return false;
}

template <class T>
__global__ void __launch_bounds__(kIndexThreads)
    gather_kernel(DeviceLines a, int64_t count, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < count; p += step) {
    const int64_t index = a.index[p];
    T v = T(0);
    if (inside(a, index, report))
      v = static_cast<const T*>(a.self)[offset_in(a.walk, p) + index * a.step];
    static_cast<T*>(a.other)[p] = v;
  }
}

template <class T>
void gather(const DeviceLines& a) {
  const int64_t count = a.walk.count;
  if (count == 0) return;
  PT_LAUNCH((gather_kernel<T>), blocks_for(count, kIndexThreads), kIndexThreads, 0, a, count,
            bounds_report());
}

template <class T>
__global__ void __launch_bounds__(kIndexThreads)
    scatter_kernel(DeviceLines a, int64_t lines, Bounds report) {
  using V = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t line = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; line < lines; line += step) {
    const int64_t first = line / a.inner * a.length * a.inner + line % a.inner;
    T* to = static_cast<T*>(a.self) + offset_in(a.walk, first);
    for (int64_t k = 0; k < a.length; ++k) {
      const int64_t p = first + k * a.inner, index = a.index[p];
      if (!inside(a, index, report)) continue;
      const T v = a.other ? static_cast<const T*>(a.other)[a.one ? 0 : p]
                          : *reinterpret_cast<const T*>(a.number);
      const int64_t at = index * a.step;
      if (a.op == PlaceOp::kAssign) {
        to[at] = v;
      } else {
        put<T>(to, at, combined(a.op, static_cast<V>(to[at]), static_cast<V>(v)));
      }
    }
  }
}

__global__ void __launch_bounds__(kIndexThreads)
    places_kernel(DeviceLines a, int64_t count, int64_t* places, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < count; p += step) {
    const int64_t index = a.index[p];
    places[p] = inside(a, index, report) ? offset_in(a.walk, p) + index * a.step : kNowhere;
  }
}

template <class T>
void scatter(const DeviceLines& a) {
  const int64_t count = a.walk.count;
  if (count == 0) return;
  const int64_t lines = count / a.length;
  if (lines >= 4096 || a.length <= 64) {
    PT_LAUNCH((scatter_kernel<T>), blocks_for(lines, kIndexThreads), kIndexThreads, 0, a, lines,
              bounds_report());
    return;
  }
  const Scratch places(static_cast<size_t>(count) * sizeof(int64_t));
  if (!places) return;
  PT_LAUNCH(places_kernel, blocks_for(count, kIndexThreads), kIndexThreads, 0, a, count,
            places.as<int64_t>(), bounds_report());
  DeviceIndexWrite w;
  w.points.data = a.self;
  w.points.n = count;
  w.points.offsets = places.as<int64_t>();
  w.values = a.other;
  w.one = a.one;
  for (int i = 0; i < 8; ++i) w.number[i] = a.number[i];
  w.op = a.op;
  write_points<T>(w);
}

const KernelEntry kEntries[] = {
    {"device_gather_lines",
     {nullptr, PT_FN(&gather<uint8_t>), nullptr, PT_FN(&gather<uint16_t>), PT_FN(&gather<uint32_t>),
      PT_FN(&gather<uint64_t>)}},
    {"device_scatter_lines", {PT_ALL_SLOTS(scatter)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
