// Places in sorted sequences, membership and counts: searchsorted, isin, bincount, histc. Counts
// are whole numbers, so that atomic additions give the same totals in any order.
#include "cpu/sort_args.h"
#include "cuda/args/search_args.h"
#include "cuda/reduce/frame.h"
#include "cuda/sort/keys.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

// Values compare as numbers, so that a NaN is greater than every boundary.
template <class T>
__global__ void __launch_bounds__(kThreads) search_kernel(SearchSortedArgs a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.rows * a.m; i += step) {
    const int64_t start = a.shared ? 0 : i / a.m * a.n;
    const auto* row = static_cast<const T*>(a.boundaries) + start;
    const auto value = static_cast<Compute<T>>(static_cast<const T*>(a.values)[i]);
    int64_t low = 0, high = a.n;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      const int64_t at = a.sorter ? a.sorter[start + middle] : middle;
      const auto boundary = static_cast<Compute<T>>(row[at]);
      const bool before = a.right ? !(boundary > value) : !(boundary >= value);
      if (before) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (a.out_int32) {
      static_cast<int32_t*>(a.out)[i] = static_cast<int32_t>(low);
    } else {
      static_cast<int64_t*>(a.out)[i] = low;
    }
  }
}
template <class T>
void search(const SearchSortedArgs& a) {
  if (a.rows * a.m == 0) return;
  PT_LAUNCH((search_kernel<T>), blocks_for(a.rows * a.m, kThreads), kThreads, 0, a);
}

template <class T>
__global__ void __launch_bounds__(kThreads) is_in_kernel(DeviceIsIn a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const T* tests = static_cast<const T*>(a.tests);
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const T v = static_cast<const T*>(a.elements)[i];
    const auto key = sort_key(v, false);
    int64_t low = 0, high = a.m;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (sort_key(tests[middle], false) < key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const auto number = static_cast<Compute<T>>(v);
    const bool found = low < a.m && number == static_cast<Compute<T>>(tests[low]);
    a.out[i] = found != a.invert;
  }
}
template <class T>
void is_in(const DeviceIsIn& a) {
  if (a.n == 0) return;
  PT_LAUNCH((is_in_kernel<T>), blocks_for(a.n, kThreads), kThreads, 0, a);
}

PT_DEVICE void count_one(int64_t* counts, int64_t bin) {
  atomicAdd(reinterpret_cast<unsigned long long*>(counts + bin), 1ull);
}

template <class T>
__global__ void __launch_bounds__(kThreads) bin_count_kernel(DeviceBins a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const auto bin = static_cast<int64_t>(static_cast<const T*>(a.source)[i]);
    if (bin >= 0 && bin < a.bins) count_one(a.counts, bin);
  }
}
template <class T>
void bin_count(const DeviceBins& a) {
  if (a.n == 0) return;
  PT_LAUNCH((bin_count_kernel<T>), blocks_for(a.n, kThreads), kThreads, 0, a);
}

// For two-byte types every step is rounded to the type, as it would be in its arithmetic.
template <class T>
__global__ void __launch_bounds__(kThreads) histogram_kernel(DeviceBins a) {
  using V = Compute<T>;
  const auto rounded = [](V v) {
    if constexpr (sizeof(T) == 2) return static_cast<V>(T(v));
    return v;
  };
  const V left = rounded(static_cast<V>(a.low)), right = rounded(static_cast<V>(a.high));
  const V width = rounded(right - left), count = rounded(static_cast<V>(a.bins));
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const V v = static_cast<V>(static_cast<const T*>(a.source)[i]);
    if (!(v >= left && v <= right)) continue;
    const V scaled = rounded(rounded(rounded(v - left) * count) / width);
    const auto bin = static_cast<int64_t>(scaled);
    count_one(a.counts, bin < a.bins ? bin : a.bins - 1);
  }
}
template <class T>
void histogram(const DeviceBins& a) {
  if (a.n == 0) return;
  PT_LAUNCH((histogram_kernel<T>), blocks_for(a.n, kThreads), kThreads, 0, a);
}

const KernelEntry kEntries[] = {
    {"search_sorted", {PT_NUMBER_SLOTS(search)}},
    {"device_is_in", {PT_NUMBER_SLOTS(is_in)}},
    {"device_bin_count", {nullptr, PT_INTEGER_SLOTS(bin_count)}},
    {"device_histogram", {PT_FLOAT_SLOTS(histogram)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
