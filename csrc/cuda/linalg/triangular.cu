// Cholesky's factors and triangular systems of matrices that fit shared memory, a block to each
// (and to 32 columns of the right sides). What is larger is made of these (args/linalg_args.h).
#include "cuda/linalg/matrix.h"

namespace pt::cuda {
namespace {

constexpr int kColumns = 32;  // right sides of a block

template <class T>
__global__ void __launch_bounds__(kLinalgThreads) cholesky_kernel(DeviceCholesky given, int lanes) {
  PT_DYNAMIC_SHARED(T, s);
  const int n = static_cast<int>(given.a.rows), ld = n | 1;
  const Places place(lanes);
  for (int64_t b = blockIdx.x; b < given.count; b += gridDim.x) {
    if (given.first > 0 && given.info[b] != 0) continue;  // all threads
    T* a = matrix_of<T>(given.a, b);
    each_element(given.a, n, n, [&](int i, int j) {
      s[i * ld + j] = j <= i ? a[i * given.a.row + j * given.a.column] : T(0);
    });
    __syncthreads();
    int bad = 0;
    PT_UNROLL_BY(1)
    for (int j = 0; j < n; ++j) {
      const T pivot = s[j * ld + j];
      if (!(pivot > 0)) {
        bad = j + 1;
        break;
      }
      const T diagonal = sqrt_of(pivot);
      __syncthreads();
      PT_UNROLL_BY(1)
      for (int i = j + static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x))
        s[i * ld + j] = i == j ? diagonal : s[i * ld + j] / diagonal;
      __syncthreads();
      PT_UNROLL_BY(1)
      for (int i = j + 1 + place.row; i < n; i += place.rows) {
        const T factor = s[i * ld + j];
        PT_UNROLL_BY(1)
        for (int k = j + 1 + place.lane; k <= i; k += place.lanes)
          s[i * ld + k] -= factor * s[k * ld + j];
      }
      __syncthreads();
    }
    each_element(given.a, n, n,
                 [&](int i, int j) { a[i * given.a.row + j * given.a.column] = s[i * ld + j]; });
    if (threadIdx.x == 0) given.info[b] = bad ? static_cast<int>(given.first) + bad : 0;
    __syncthreads();
  }
}

template <class T>
void cholesky(const DeviceCholesky& given) {
  const int64_t n = given.a.rows;
  if (given.count == 0 || n == 0) return;
  const int threads = linalg_threads(n);
  PT_LAUNCH((cholesky_kernel<T>), blocks_for(given.count * threads, threads), threads,
            static_cast<size_t>(n * (n | 1)) * sizeof(T), given, power_of_two(n, 32));
}

// Rows of the right sides are cleared of one unknown after the other. A thread row is a row of x.
template <class T>
__global__ void __launch_bounds__(kLinalgThreads)
    triangular_kernel(DeviceTriangular given, int columns, int ld) {
  PT_DYNAMIC_SHARED(T, s);
  const int n = static_cast<int>(given.a.rows);
  T* x = s + n * ld;
  const Places place(columns);
  const int64_t pieces = (given.x.columns + columns - 1) / columns;
  for (int64_t unit = blockIdx.x; unit < given.count * pieces; unit += gridDim.x) {
    const int64_t b = unit / pieces, first = unit % pieces * columns;
    const int wide =
        static_cast<int>(given.x.columns - first < columns ? given.x.columns - first : columns);
    const T* a = matrix_of<T>(given.a, b);
    T* out = matrix_of<T>(given.x, b) + first * given.x.column;
    each_element(given.a, n, n, [&](int i, int j) {
      if (j < i || (j == i && !given.unit)) s[i * ld + j] = a[i * given.a.row + j * given.a.column];
    });
    each_element(given.x, n, wide, [&](int i, int j) {
      x[i * columns + j] = out[i * given.x.row + j * given.x.column];
    });
    __syncthreads();
    PT_UNROLL_BY(1)
    for (int i = 0; i < n; ++i) {
      if (place.lane < wide) {
        T found = x[i * columns + place.lane];
        if (!given.unit) found /= s[i * ld + i];
        PT_UNROLL_BY(2)
        for (int r = i + 1 + place.row; r < n; r += place.rows)
          x[r * columns + place.lane] -= s[r * ld + i] * found;
      }
      __syncthreads();
    }
    each_element(given.x, n, wide, [&](int i, int j) {
      T found = x[i * columns + j];
      if (!given.unit) found /= s[i * ld + i];
      out[i * given.x.row + j * given.x.column] = found;
    });
    __syncthreads();
  }
}

template <class T>
void triangular(const DeviceTriangular& given) {
  const int64_t n = given.a.rows, k = given.x.columns;
  if (given.count == 0 || n == 0 || k == 0) return;
  const int columns = power_of_two(k, kColumns);
  // Lanes of one column read one element of a; those of several rows want different banks.
  const int64_t ld = columns == kColumns ? n : n | 1;
  const int threads = linalg_threads(n);
  const int64_t pieces = (k + columns - 1) / columns;
  PT_LAUNCH((triangular_kernel<T>), blocks_for(given.count * pieces * threads, threads), threads,
            static_cast<size_t>(n * (ld + columns)) * sizeof(T), given, columns,
            static_cast<int>(ld));
}

const KernelEntry kEntries[] = {
    {"device_cholesky", {PT_REAL_SLOTS(cholesky)}},
    {"device_triangular", {PT_REAL_SLOTS(triangular)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
