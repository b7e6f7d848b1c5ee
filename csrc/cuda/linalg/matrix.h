// What the kernels of linear algebra share: how the threads of a block divide a matrix.
#pragma once

#include "cuda/args/linalg_args.h"
#include "cuda/elementary.h"
#include "cuda/pt_cuda.h"
#include "cuda/registry.h"

namespace pt::cuda {

inline constexpr int kLinalgThreads = 256;

// Threads for matrices of n rows: small ones have nothing to do for many.
inline int linalg_threads(int64_t n) { return n <= 16 ? 32 : n <= 32 ? 128 : kLinalgThreads; }
inline int power_of_two(int64_t n, int most) {
  int p = 1;
  while (p < n && p < most) p *= 2;
  return p;
}

// Threads in rows of `lanes` (a power of two): neighbours are in one row. What the rows and lanes
// of threads are to a matrix is the kernel's choice.
struct Places {
  int lane, row, lanes, rows;
  PT_DEVICE explicit Places(int width) : lanes(width) {
    lane = static_cast<int>(threadIdx.x) & (lanes - 1);
    row = static_cast<int>(threadIdx.x) / lanes;
    rows = static_cast<int>(blockDim.x) / lanes;
  }
};

// f(i, j) for the elements of a matrix, by all threads of the block. Neighbouring threads take
// neighbours in memory: within rows unless columns lie closer.
template <class F>
PT_DEVICE void each_element(const DeviceMatrices& a, int rows, int columns, F f) {
  const bool along_columns = a.column != 1 && a.column != -1;
  const int inner = along_columns ? rows : columns, total = rows * columns;
  PT_UNROLL_BY(1)
  for (int t = static_cast<int>(threadIdx.x); t < total; t += static_cast<int>(blockDim.x)) {
    const int outer = t / inner, rest = t - outer * inner;
    f(along_columns ? rest : outer, along_columns ? outer : rest);
  }
}

template <class T>
PT_DEVICE T* matrix_of(const DeviceMatrices& a, int64_t index) {
  return static_cast<T*>(a.data) + index * a.batch;
}

}  // namespace pt::cuda
