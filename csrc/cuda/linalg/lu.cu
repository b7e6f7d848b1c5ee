// LU with partial pivoting: panels, exchanges of rows, products of diagonals. A block takes a
// panel and copies it column by column, so that neighbouring threads have neighbouring rows: to
// shared memory if it fits there, else to scratch memory, which a processor's cache may hold.
#include "cuda/linalg/matrix.h"
#include "cuda/scratch.h"

namespace pt::cuda {
namespace {

constexpr int kNone = 0x7fffffff;
constexpr int kPanelThreads = 1024;  // of tall panels
constexpr int64_t kTall = 512;       // rows

// The row from `first` on with the largest magnitude in a column, the first of equals; NaN counts
// in the first row alone. All threads get it. Ends with a barrier.
template <class T>
PT_DEVICE int pivot_row(const T* column, int first, int rows) {
  PT_SHARED(T, values, [32]);
  PT_SHARED(int, places, [32]);
  const int t = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const T own = column[first];
  T best = -1;
  int at = kNone;
  PT_UNROLL_BY(1)
  for (int i = first + t; i < rows; i += threads) {
    const T v = abs_of(column[i]);
    if (v > best) {
      best = v;
      at = i;
    }
  }
  const auto reduce = [&] {
    PT_UNROLL_BY(1)
    for (int step = 16; step > 0; step >>= 1) {
      const T other = __shfl_xor_sync(kFullWarp, best, step);
      const int place = __shfl_xor_sync(kFullWarp, at, step);
      if (other > best || (other == best && place < at)) {
        best = other;
        at = place;
      }
    }
  };
  reduce();
  if ((t & 31) == 0) {
    values[t >> 5] = best;
    places[t >> 5] = at;
  }
  __syncthreads();
  const bool filled = (t & 31) < threads >> 5;
  best = filled ? values[t & 31] : T(-1);
  at = filled ? places[t & 31] : kNone;
  reduce();
  __syncthreads();
  return own != own || at == kNone ? first : at;
}

// Columns of `ld` in place, by all threads of the block, `lanes` of them to a column; returns info.
// Ends with a barrier.
template <class T>
PT_DEVICE int eliminate(T* a, int64_t ld, int rows, int columns, int lanes, int first,
                        int32_t* pivots) {
  const int t = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const Places place(lanes);
  const int steps = rows < columns ? rows : columns;
  int info = 0;
  PT_UNROLL_BY(1)
  for (int j = 0; j < steps; ++j) {
    T* column = a + j * ld;
    const int p = pivot_row(column, j, rows);
    const T pivot = column[p];
    if (t == 0) pivots[j] = first + p + 1;
    if (pivot == 0) {  // in all threads
      if (info == 0) info = j + 1;
      continue;
    }
    __syncthreads();
    if (p != j) {
      PT_UNROLL_BY(1)
      for (int k = t; k < columns; k += threads) {
        const T other = a[k * ld + p];
        a[k * ld + p] = a[k * ld + j];
        a[k * ld + j] = other;
      }
      __syncthreads();
    }
    PT_UNROLL_BY(1)
    for (int i = j + 1 + t; i < rows; i += threads) column[i] /= pivot;
    __syncthreads();
    PT_UNROLL_BY(1)
    for (int i = j + 1 + place.lane; i < rows; i += lanes) {
      const T factor = column[i];
      PT_UNROLL_BY(2)
      for (int k = j + 1 + place.row; k < columns; k += place.rows)
        a[k * ld + i] -= factor * a[k * ld + j];
    }
    __syncthreads();
  }
  return info;
}

// f(element, its place in a copy by columns) for a panel whose rows are contiguous.
template <class T, class F>
PT_DEVICE void each_of_panel(T* a, int64_t row, int rows, int columns, int lanes, int64_t ld, F f) {
  const Places place(lanes);
  PT_UNROLL_BY(2)
  for (int i = place.row; i < rows; i += place.rows) PT_UNROLL_BY(1)
  for (int j = place.lane; j < columns; j += lanes) f(a[i * row + j], j * ld + i);
}

// `scratch` has place for a copy for each block, or is null: the copy is in shared memory. Lanes
// are threads to a column, and across columns.
template <class T>
__global__ void __launch_bounds__(kPanelThreads, 1)
    lu_panel_kernel(DeviceLuPanel given, int lanes, int across, T* scratch, int64_t ld) {
  PT_DYNAMIC_SHARED(T, shared);
  const int rows = static_cast<int>(given.a.rows), columns = static_cast<int>(given.a.columns);
  const int first = static_cast<int>(given.first);
  T* s = scratch ? scratch + blockIdx.x * (columns * ld) : shared;
  for (int64_t b = blockIdx.x; b < given.count; b += gridDim.x) {
    T* a = matrix_of<T>(given.a, b);
    each_of_panel(a, given.a.row, rows, columns, across, ld,
                  [&](T& element, int64_t at) { s[at] = element; });
    __syncthreads();
    const int info =
        eliminate(s, ld, rows, columns, lanes, first, given.pivots + b * given.pivots_batch);
    each_of_panel(a, given.a.row, rows, columns, across, ld,
                  [&](T& element, int64_t at) { element = s[at]; });
    __syncthreads();
    if (threadIdx.x == 0 && (first == 0 || (info != 0 && given.info[b] == 0)))
      given.info[b] = info ? first + info : 0;
  }
}

template <class T>
void lu_panel(const DeviceLuPanel& given) {
  const int64_t rows = given.a.rows, columns = given.a.columns;
  if (given.count == 0 || rows == 0 || columns == 0) return;
  const int64_t ld = rows | 1, bytes = columns * ld * static_cast<int64_t>(sizeof(T));
  const bool fits = bytes <= kLinalgShared;
  const int threads =
      rows > kTall ? kPanelThreads : linalg_threads(rows > columns ? rows : columns);
  const unsigned blocks = blocks_for(given.count * threads, threads);
  const Scratch scratch(fits ? 0 : blocks * static_cast<size_t>(bytes));
  if (!fits && !scratch) return;
  PT_LAUNCH((lu_panel_kernel<T>), blocks, threads, fits ? static_cast<size_t>(bytes) : 0, given,
            power_of_two(rows, threads), power_of_two(columns, 32), scratch.as<T>(), ld);
}

// A thread walks a column.
template <class T>
__global__ void __launch_bounds__(kLinalgThreads) exchange_kernel(DeviceExchange given) {
  const int64_t wide = given.a.columns - given.skipped;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t t = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; t < given.count * wide;
       t += step) {
    const int64_t b = t / wide, c = t % wide;
    T* a = matrix_of<T>(given.a, b) + (c < given.from ? c : c + given.skipped) * given.a.column;
    const int32_t* pivots = given.pivots + b * given.pivots_batch;
    PT_UNROLL_BY(1)
    for (int64_t i = given.from; i < given.to; ++i) {
      const int64_t p = pivots[i] - 1;
      if (p == i) continue;
      const T other = a[p * given.a.row];
      a[p * given.a.row] = a[i * given.a.row];
      a[i * given.a.row] = other;
    }
  }
}

template <class T>
void exchange(const DeviceExchange& given) {
  const int64_t work = given.count * (given.a.columns - given.skipped);
  if (work == 0 || given.to <= given.from) return;
  PT_LAUNCH((exchange_kernel<T>), blocks_for(work, kLinalgThreads), kLinalgThreads, 0, given);
}

// A warp takes a matrix.
template <class T>
__global__ void __launch_bounds__(kLinalgThreads) lu_product_kernel(DeviceLuProduct given) {
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int64_t step = int64_t{gridDim.x} * blockDim.x / 32;
  PT_UNROLL_BY(1)
  for (int64_t b = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32; b < given.count;
       b += step) {
    const T* a = matrix_of<T>(given.a, b);
    const int32_t* pivots = given.pivots + b * given.pivots_batch;
    T product = 1, logs = 0;
    PT_UNROLL_BY(1)
    for (int64_t i = lane; i < given.a.rows; i += 32) {
      T u = a[i * (given.a.row + given.a.column)];
      if (!given.det) {
        logs += log_of(abs_of(u));
        u = static_cast<T>((u > 0) - (u < 0));  // 0 for NaN, too
      }
      product *= pivots[i] - 1 == i ? u : -u;
    }
    product = warp_reduce(product, [](T x, T y) { return x * y; });
    logs = warp_reduce(logs, [](T x, T y) { return x + y; });
    if (lane != 0) continue;
    static_cast<T*>(given.det ? given.det : given.sign)[b] = product;
    if (!given.det) static_cast<T*>(given.log)[b] = logs;
  }
}

template <class T>
void lu_product(const DeviceLuProduct& given) {
  if (given.count == 0) return;
  PT_LAUNCH((lu_product_kernel<T>), blocks_for(given.count * 32, kLinalgThreads), kLinalgThreads, 0,
            given);
}

const KernelEntry kEntries[] = {
    {"device_lu_panel", {PT_REAL_SLOTS(lu_panel)}},
    {"device_exchange", {PT_REAL_SLOTS(exchange)}},
    {"device_lu_product", {PT_REAL_SLOTS(lu_product)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
