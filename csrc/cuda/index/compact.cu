// Elements that a condition picks, packed in order: nonzero, masked_select, masked_scatter. Each
// tile is counted, the counts are added up, and then every element knows its rank.
#include "cuda/args/index_args.h"
#include "cuda/registry.h"
#include "cuda/scan/block_scan.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kEach = kCompactTile / kThreads;  // consecutive elements of a thread

template <class T>
struct IsNonzero {
  const T* source;
  PT_DEVICE bool operator()(int64_t i) const {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      return (source[i].bits & 0x7fff) != 0;
    } else {
      return source[i] != T(0);
    }
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    count_kernel(IsNonzero<T> test, int64_t n, int64_t* before) {
  const int64_t tiles = (n + kCompactTile - 1) / kCompactTile;
  PT_UNROLL_BY(1)
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    int count = 0;
    for (int k = 0; k < kEach; ++k) {
      const int64_t i = tile * kCompactTile + k * kThreads + static_cast<int>(threadIdx.x);
      count += i < n && test(i);
    }
    count = block_reduce(count, 0, [](int a, int b) { return a + b; });
    if (threadIdx.x == 0) before[tile] = count;
  }
}

// One block: counts become what is before them, and the total comes last.
__global__ void __launch_bounds__(kThreads) add_up_kernel(int64_t* before, int64_t tiles) {
  int64_t carry = 0;
  for (int64_t first = 0; first < tiles; first += kThreads) {
    const int64_t i = first + static_cast<int>(threadIdx.x);
    int64_t total;
    const int64_t own = i < tiles ? before[i] : 0;
    const int64_t rank = block_exclusive_sum<int64_t, kThreads>(own, &total);
    if (i < tiles) before[i] = carry + rank;
    carry += total;
  }
  if (threadIdx.x == 0) before[tiles] = carry;
}

template <class T>
void count(const DeviceNonzero& a) {
  const int64_t tiles = (a.n + kCompactTile - 1) / kCompactTile;
  const IsNonzero<T> test{static_cast<const T*>(a.source)};
  if (tiles > 0) {
    PT_LAUNCH((count_kernel<T>), blocks_for(tiles * kThreads, kThreads), kThreads, 0, test, a.n,
              a.before);
  }
  PT_LAUNCH(add_up_kernel, 1, kThreads, 0, a.before, tiles);
}

// act(i, rank) for the elements that pass the test.
template <class Test, class Act>
__global__ void __launch_bounds__(kThreads)
    compact_kernel(Test test, Act act, int64_t n, const int64_t* before) {
  const int64_t tiles = (n + kCompactTile - 1) / kCompactTile;
  PT_UNROLL_BY(1)
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int64_t first = tile * kCompactTile + static_cast<int64_t>(threadIdx.x) * kEach;
    int count = 0;
    bool picked[kEach];
    PT_UNROLL
    for (int k = 0; k < kEach; ++k) {
      picked[k] = first + k < n && test(first + k);
      count += picked[k];
    }
    int total;
    int64_t rank = before[tile] + block_exclusive_sum<int, kThreads>(count, &total);
    PT_UNROLL
    for (int k = 0; k < kEach; ++k)
      if (picked[k]) act(first + k, rank++);
  }
}

template <class Test, class Act>
void compact(Test test, Act act, int64_t n, const int64_t* before) {
  if (n == 0) return;
  const int64_t tiles = (n + kCompactTile - 1) / kCompactTile;
  PT_LAUNCH((compact_kernel<Test, Act>), blocks_for(tiles * kThreads, kThreads), kThreads, 0, test,
            act, n, before);
}

struct WriteCoordinates {
  DeviceNonzero a;
  PT_DEVICE void operator()(int64_t i, int64_t rank) const {
    for (int d = a.ndim - 1; d >= 0; --d) {
      a.out[d * a.stride + rank] = i % a.sizes[d];
      i /= a.sizes[d];
    }
  }
};
template <class T>
void nonzero(const DeviceNonzero& a) {
  compact(IsNonzero<T>{static_cast<const T*>(a.source)}, WriteCoordinates{a}, a.n, a.before);
}

template <class T>
struct Pack1 {
  const T* in;
  T* out;
  PT_DEVICE void operator()(int64_t i, int64_t rank) const { out[rank] = in[i]; }
};
template <class T>
struct Spread1 {
  const T* in;
  T* out;
  PT_DEVICE void operator()(int64_t i, int64_t rank) const { out[i] = in[rank]; }
};
template <class T>
void pack(const DeviceMasked& a) {
  compact(IsNonzero<uint8_t>{a.mask}, Pack1<T>{static_cast<const T*>(a.in), static_cast<T*>(a.out)},
          a.n, a.before);
}
template <class T>
void spread(const DeviceMasked& a) {
  compact(IsNonzero<uint8_t>{a.mask},
          Spread1<T>{static_cast<const T*>(a.in), static_cast<T*>(a.out)}, a.n, a.before);
}

#define PT_SIZE_SLOTS(f)                                                          \
  nullptr, PT_FN(&f<uint8_t>), nullptr, PT_FN(&f<uint16_t>), PT_FN(&f<uint32_t>), \
      PT_FN(&f<uint64_t>)
const KernelEntry kEntries[] = {
    {"device_count_nonzero", {PT_ALL_SLOTS(count)}},
    {"device_nonzero", {PT_ALL_SLOTS(nonzero)}},
    {"device_pack", {PT_SIZE_SLOTS(pack)}},
    {"device_spread", {PT_SIZE_SLOTS(spread)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
