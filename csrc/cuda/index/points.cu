// Reading and writing elements at index points: indexing, index_select and its kin, take, put.
//
// Writes that may meet at one place are ordered: the points are sorted by place, and one thread
// combines all values of an element in the order of the points. Two runs give the same bits.
#include "cuda/index/bounds.h"
#include "cuda/index/places.h"
#include "cuda/index/points.h"
#include "cuda/sort/sort.h"

namespace pt::cuda {
namespace {

__global__ void __launch_bounds__(kIndexThreads)
    offsets_kernel(DeviceIndexOffsets a, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    int64_t offset = a.add ? a.offsets[i] : 0;
    for (int k = 0; k < a.count; ++k) {
      const DeviceIndexOffsets::Column& c = a.columns[k];
      const int64_t given = c.index[i], index = given < 0 ? given + c.wrap : given;
      const bool inside = index >= 0 && index < c.size;
      if (!inside) report_bounds(report, given, c.size, c.dim, a.runtime_error);
      offset = inside && offset != kNowhere ? offset + index * c.stride : kNowhere;
    }
    a.offsets[i] = offset;
  }
}

void offsets(const DeviceIndexOffsets& a) {
  PT_LAUNCH(offsets_kernel, blocks_for(a.n, kIndexThreads), kIndexThreads, 0, a, bounds_report());
}

template <class T>
__global__ void __launch_bounds__(kIndexThreads) read_kernel(DevicePoints p, T* out) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int64_t width = p.rows.count, count = p.before.count * p.n * width;
  const T* data = static_cast<const T*>(p.data);
  PT_UNROLL_BY(1)
  for (int64_t e = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count; e += step) {
    const int64_t point = e / width, at = p.offsets[point % p.n];
    out[e] = at == kNowhere
                 ? T(0)
                 : data[at + offset_in(p.before, point / p.n) + offset_in(p.rows, e % width)];
  }
}

template <class T>
void read(const DeviceIndexRead& a) {
  const int64_t count = a.points.before.count * a.points.n * a.points.rows.count;
  if (count == 0) return;
  PT_LAUNCH((read_kernel<T>), blocks_for(count, kIndexThreads), kIndexThreads, 0, a.points,
            static_cast<T*>(a.out));
}

template <class T>
PT_DEVICE T value_at(const DeviceIndexWrite& a, int64_t e) {
  if (a.values) return static_cast<const T*>(a.values)[a.one ? 0 : e];
  return *reinterpret_cast<const T*>(a.number);
}

// The same value everywhere: the order of writes does not matter.
template <class T>
__global__ void __launch_bounds__(kIndexThreads) fill_kernel(DeviceIndexWrite a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const DevicePoints& p = a.points;
  const int64_t width = p.rows.count, count = p.before.count * p.n * width;
  PT_UNROLL_BY(1)
  for (int64_t e = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count; e += step) {
    const int64_t point = e / width, at = p.offsets[point % p.n];
    if (at == kNowhere) continue;
    static_cast<T*>(p.data)[at + offset_in(p.before, point / p.n) + offset_in(p.rows, e % width)] =
        value_at<T>(a, e);
  }
}

// `places` are the sorted offsets of the points `order`. Of the points of one place the last
// assigns.
template <class T>
__global__ void __launch_bounds__(kIndexThreads)
    assign_kernel(DeviceIndexWrite a, const int64_t* places, const int64_t* order) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const DevicePoints& p = a.points;
  const int64_t width = p.rows.count, count = p.before.count * p.n * width;
  PT_UNROLL_BY(1)
  for (int64_t e = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count; e += step) {
    const int64_t row = e % width, point = e / width, b = point / p.n, k = point - b * p.n;
    const int64_t place = places[k];
    if (place == kNowhere || (k + 1 < p.n && places[k + 1] == place)) continue;
    T* to = static_cast<T*>(p.data) + place + offset_in(p.before, b) + offset_in(p.rows, row);
    *to = static_cast<const T*>(a.values)[(b * p.n + order[k]) * width + row];
  }
}

// The thread of the first point of a place takes the values of all its points, in their order.
template <class T>
__global__ void __launch_bounds__(kIndexThreads)
    combine_kernel(DeviceIndexWrite a, const int64_t* places, const int64_t* order) {
  using V = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const DevicePoints& p = a.points;
  const int64_t width = p.rows.count, count = p.before.count * p.n * width;
  PT_UNROLL_BY(1)
  for (int64_t e = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count; e += step) {
    const int64_t row = e % width, point = e / width, b = point / p.n;
    int64_t k = point - b * p.n;
    const int64_t place = places[k];
    if (place == kNowhere || (k > 0 && places[k - 1] == place)) continue;
    T* to = static_cast<T*>(p.data) + place + offset_in(p.before, b) + offset_in(p.rows, row);
    const T* from =
        a.values ? static_cast<const T*>(a.values) : reinterpret_cast<const T*>(a.number);
    const bool one = a.one || !a.values;
    if (!one) from += b * p.n * width + row;
    V total = static_cast<V>(*to);
    for (; k < p.n && places[k] == place; ++k)
      total = combined(a.op, total, static_cast<V>(from[one ? 0 : order[k] * width]));
    put<T>(to, 0, total);
  }
}

template <class T>
void write(const DeviceIndexWrite& a) {
  const DevicePoints& p = a.points;
  const int64_t count = p.before.count * p.n * p.rows.count;
  if (count == 0) return;
  const unsigned blocks = blocks_for(count, kIndexThreads);
  if (a.op == PlaceOp::kAssign && (a.one || !a.values || p.n == 1)) {
    PT_LAUNCH((fill_kernel<BitsOf<T>>), blocks, kIndexThreads, 0, a);
    return;
  }
  const Scratch sorted(static_cast<size_t>(p.n) * 16);
  if (!sorted) return;
  int64_t *places = sorted.as<int64_t>(), *order = places + p.n;
  sort_places(p.offsets, p.n, places, order);
  if (a.op == PlaceOp::kAssign) {
    PT_LAUNCH((assign_kernel<BitsOf<T>>), blocks, kIndexThreads, 0, a, places, order);
  } else {
    PT_LAUNCH((combine_kernel<T>), blocks, kIndexThreads, 0, a, places, order);
  }
}

const KernelEntry kEntries[] = {
    {"device_index_offsets", {nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&offsets)}},
    {"device_index_read",
     {nullptr, PT_FN(&read<uint8_t>), nullptr, PT_FN(&read<uint16_t>), PT_FN(&read<uint32_t>),
      PT_FN(&read<uint64_t>)}},
    {"device_index_write", {PT_ALL_SLOTS(write)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace

template <class T>
void write_points(const DeviceIndexWrite& a) {
  write<T>(a);
}
#define PT_INSTANCE(T) template void write_points<T>(const DeviceIndexWrite&);
PT_INSTANCE(bool)
PT_INSTANCE(uint8_t)
PT_INSTANCE(int8_t)
PT_INSTANCE(int16_t)
PT_INSTANCE(int32_t)
PT_INSTANCE(int64_t)
PT_INSTANCE(Half)
PT_INSTANCE(BFloat16)
PT_INSTANCE(float)
PT_INSTANCE(double)
#undef PT_INSTANCE

}  // namespace pt::cuda
