// What every linear algebra routine shares: the matrix view, scratch memory, the products and the
// loop over a batch. Used inside ops/linalg/algorithms and by the linalg ops; no tensor types.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "core/parallel.h"
#include "cpu/linalg_args.h"

namespace pt::linalg {

// A row-major matrix: element (i, j) is data[i * ld + j]. A view, owning nothing.
template <class T>
struct Matrix {
  T* data = nullptr;
  int64_t rows = 0, cols = 0, ld = 0;

  Matrix() = default;
  Matrix(T* p, int64_t r, int64_t c) : data(p), rows(r), cols(c), ld(c) {}
  Matrix(T* p, int64_t r, int64_t c, int64_t row_stride)
      : data(p), rows(r), cols(c), ld(row_stride) {}
  operator Matrix<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, cols, ld};
  }
  T* row(int64_t i) const { return data + i * ld; }
  T& operator()(int64_t i, int64_t j) const { return data[i * ld + j]; }
  Matrix block(int64_t i, int64_t j, int64_t r, int64_t c) const {
    return {data + i * ld + j, r, c, ld};
  }
};

template <class T>
using In = Matrix<const std::type_identity_t<T>>;  // does not take part in template deduction

// Uninitialised scratch memory of a matrix or a vector.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t n) : data_(new T[static_cast<size_t>(std::max<int64_t>(n, 1))]) {}
  Scratch(int64_t rows, int64_t cols) : Scratch(rows * cols) { view_ = {get(), rows, cols}; }
  T* get() const { return data_.get(); }
  T& operator[](int64_t i) const { return data_[i]; }
  const Matrix<T>& view() const { return view_; }

 private:
  std::unique_ptr<T[]> data_;
  Matrix<T> view_;
};

template <class T>
const LinalgPrimitives<T>& primitives();

// C = alpha * A @ B + beta * C, where A is m x k and B is k x n with any strides.
template <class T>
void product(int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t a_row, int64_t a_col,
             const T* b, int64_t b_row, int64_t b_col, T beta, T* c, int64_t c_row);

template <class T>
void product(const Matrix<T>& c, T alpha, const In<T>& a, const In<T>& b, T beta) {
  product<T>(a.rows, b.cols, a.cols, alpha, a.data, a.ld, 1, b.data, b.ld, 1, beta, c.data, c.ld);
}

template <class T>
void copy(const In<T>& from, const Matrix<T>& to) {
  for (int64_t i = 0; i < from.rows; ++i) {
    std::copy(from.row(i), from.row(i) + from.cols, to.row(i));
  }
}

template <class T>
void copy_transposed(const In<T>& from, const Matrix<T>& to) {
  constexpr int64_t kTile = 16;
  for (int64_t i0 = 0; i0 < from.rows; i0 += kTile) {
    const int64_t i1 = std::min(from.rows, i0 + kTile);
    for (int64_t j = 0; j < from.cols; ++j) {
      for (int64_t i = i0; i < i1; ++i) to(j, i) = from(i, j);
    }
  }
}

template <class T>
void fill(const Matrix<T>& a, std::type_identity_t<T> value) {
  for (int64_t i = 0; i < a.rows; ++i) std::fill(a.row(i), a.row(i) + a.cols, value);
}

template <class T>
void set_identity(const Matrix<T>& a) {
  fill(a, T(0));
  for (int64_t i = 0; i < std::min(a.rows, a.cols); ++i) a(i, i) = T(1);
}

// The largest absolute value, or NaN if any element is NaN.
template <class T>
T max_abs(const In<T>& a) {
  T m = 0;
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) {
      const T v = std::abs(a(i, j));
      if (!(v <= m)) m = v;
      if (std::isnan(m)) return m;
    }
  }
  return m;
}

template <class T>
void scale(const Matrix<T>& a, std::type_identity_t<T> factor) {
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) a(i, j) *= factor;
  }
}

// The power of two that brings values of this magnitude into the range where squares neither
// overflow nor vanish; 1 when they already are. Exact, so scaling costs no accuracy.
template <class T>
T safe_scale(T magnitude) {
  const int limit = std::numeric_limits<T>::max_exponent / 4;
  if (magnitude == 0 || !std::isfinite(magnitude)) return 1;
  const int e = std::ilogb(magnitude);
  if (e > -limit && e < limit) return 1;
  // Twice 2^(-e/2) would be needed for subnormals; staying inside the exponent range is enough.
  return std::ldexp(T(1), std::clamp(-e, -limit * 4 + 2, limit * 4 - 2));
}

// Calls fn(i) for each matrix of a batch, in parallel when there is enough work. `work` is the
// approximate number of operations for one matrix.
template <class F>
void for_each_matrix(int64_t batch, int64_t work, F&& fn) {
  constexpr int64_t kWorkPerChunk = 1 << 16;
  const int64_t grain = std::max<int64_t>(1, kWorkPerChunk / std::max<int64_t>(work, 1));
  parallel_for(0, batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) fn(i);
  });
}

}  // namespace pt::linalg
