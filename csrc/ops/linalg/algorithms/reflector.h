// Householder reflectors H = I - tau v v^T with v[0] = 1, in LAPACK's convention: H maps
// (alpha, x) to (beta, 0) with beta = -sign(alpha) |(alpha, x)|, and is the identity if x is 0.
// Internal to the QR, SVD and eigenvalue routines.
#pragma once

#include "ops/linalg/algorithms/matrix.h"

namespace pt::linalg {

// sqrt(f * f + g * g) without avoidable overflow or underflow; faster than the library's hypot,
// which is exact to the last bit.
inline float length(float f, float g) {
  return static_cast<float>(std::sqrt(static_cast<double>(f) * f + static_cast<double>(g) * g));
}
inline double length(double f, double g) {
  const double square = f * f + g * g;
  return square > 1e-280 && square < 1e300 ? std::sqrt(square) : std::hypot(f, g);
}

// The Euclidean norm without avoidable overflow or underflow.
template <class T>
T norm2(int64_t n, const T* x, int64_t stride = 1) {
  double sums[4] = {0, 0, 0, 0};  // independent chains of additions
  int64_t next = 0;
  for (; next + 4 <= n; next += 4) {
    for (int64_t k = 0; k < 4; ++k) {
      const double v = x[(next + k) * stride];
      sums[k] += v * v;
    }
  }
  for (; next < n; ++next) {
    const double v = x[next * stride];
    sums[0] += v * v;
  }
  double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  if constexpr (sizeof(T) == sizeof(double)) {
    if (sum < 1e-280 || sum > 1e300) {
      double largest = 0;
      for (int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(double(x[i * stride])));
      if (largest == 0 || !std::isfinite(largest)) return T(std::sqrt(sum));
      sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double v = x[i * stride] / largest;
        sum += v * v;
      }
      return T(largest * std::sqrt(sum));
    }
  }
  return static_cast<T>(std::sqrt(sum));
}

// Overwrites alpha with beta and x (n - 1 values) with the tail of v; returns tau.
template <class T>
T make_reflector(int64_t n, T& alpha, T* x, int64_t stride = 1) {
  if (n <= 1) return 0;
  T norm = norm2(n - 1, x, stride);
  if (norm == 0) return 0;
  // Near the bottom of the range 1 / (alpha - beta) would overflow: work on scaled values.
  const T tiny = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
  T rescale = 1;
  while (std::max(std::abs(alpha), norm) < tiny) {
    alpha /= tiny;
    for (int64_t i = 0; i < n - 1; ++i) x[i * stride] /= tiny;
    norm = norm2(n - 1, x, stride);
    rescale *= tiny;
  }
  const T beta = -std::copysign(length(alpha, norm), alpha);
  const T tau = (beta - alpha) / beta;
  const T inverse = T(1) / (alpha - beta);
  for (int64_t i = 0; i < n - 1; ++i) x[i * stride] *= inverse;
  alpha = beta * rescale;
  return tau;
}

// C = H C, where v has c.rows entries with v[0] = 1 written out; `work` has c.cols entries.
template <class T>
void reflect_rows(const T* v, T tau, const Matrix<T>& c, T* work) {
  if (tau == 0 || c.cols == 0) return;
  const auto& p = primitives<T>();
  std::fill(work, work + c.cols, T(0));
  p.combine_rows(c.rows, c.cols, T(1), c.data, c.ld, v, 1, work);
  p.rank1(c.rows, c.cols, -tau, v, 1, work, c.data, c.ld);
}

// C = C H, where v has c.cols entries.
template <class T>
void reflect_columns(const T* v, T tau, const Matrix<T>& c) {
  if (tau == 0) return;
  const auto& p = primitives<T>();
  for (int64_t i = 0; i < c.rows; ++i) {
    p.axpy(c.cols, -tau * p.dot(c.cols, v, c.row(i)), v, c.row(i));
  }
}

}  // namespace pt::linalg
