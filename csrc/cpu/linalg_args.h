// The vector primitives that the dense factorisations are built on, compiled once per ISA.
//
// Everything is row-major; `ld` is the distance between rows in elements. The portable algorithms
// in ops/linalg/algorithms fetch one table per element type and call through it; the large matrix
// products go to "gemm" instead.
#pragma once

#include <cstdint>

namespace pt {

template <class T>
struct LinalgPrimitives {
  // sum x[i] * y[i]
  T (*dot)(int64_t n, const T* x, const T* y);
  // y += alpha * x
  void (*axpy)(int64_t n, T alpha, const T* x, T* y);
  // A[i, :] += alpha * x[i * x_stride] * y
  void (*rank1)(int64_t m, int64_t n, T alpha, const T* x, int64_t x_stride, const T* y, T* a,
                int64_t ld);
  // y += alpha * sum_i x[i * x_stride] * A[i, :]
  void (*combine_rows)(int64_t m, int64_t n, T alpha, const T* a, int64_t ld, const T* x,
                       int64_t x_stride, T* y);
  // y = A x for symmetric A of which only the lower triangle is read
  void (*symv_lower)(int64_t n, const T* a, int64_t ld, const T* x, T* y);
  // A[i, j] -= x[i] * y[j] + y[i] * x[j] for j <= i
  void (*rank2_lower)(int64_t n, const T* x, const T* y, T* a, int64_t ld);
  // For each i < count (descending if `backward`), rows p = Z[i], q = Z[i + 1]:
  //   p, q = c[i] * p + s[i] * q, c[i] * q - s[i] * p
  void (*rotate_rows)(int64_t count, int64_t cols, const T* c, const T* s, T* z, int64_t ld,
                      bool backward);
};

using LinalgPrimitivesFn = const void*();  // kernel table name: "linalg_primitives"

}  // namespace pt
