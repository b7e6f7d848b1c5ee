// LU with partial pivoting, and what follows from it: solve, inverse, determinant.
// Recursive by columns (Toledo 1997), so that nearly all work is in GEMM; panels of at most
// kPanel columns are eliminated row by row.
#include <utility>

#include "ops/linalg/algorithms/linalg.h"

namespace pt::linalg {
namespace {

constexpr int64_t kPanel = 16;

template <class T>
void swap_rows(const Matrix<T>& a, const int32_t* pivots, int64_t count, bool forward) {
  for (int64_t step = 0; step < count; ++step) {
    const int64_t i = forward ? step : count - 1 - step;
    const int64_t p = pivots[i] - 1;
    if (p != i) std::swap_ranges(a.row(i), a.row(i) + a.cols, a.row(p));
  }
}

template <class T>
int64_t factor_panel(const Matrix<T>& a, int32_t* pivots) {
  int64_t info = 0;
  for (int64_t j = 0; j < std::min(a.rows, a.cols); ++j) {
    int64_t p = j;
    T best = std::abs(a(j, j));
    for (int64_t i = j + 1; i < a.rows; ++i) {
      const T v = std::abs(a(i, j));
      if (v > best) best = v, p = i;
    }
    pivots[j] = static_cast<int32_t>(p + 1);
    if (a(p, j) == 0) {
      if (info == 0) info = j + 1;
      continue;
    }
    if (p != j) std::swap_ranges(a.row(j), a.row(j) + a.cols, a.row(p));
    const T pivot = a(j, j);
    const T* top = a.row(j);
    for (int64_t i = j + 1; i < a.rows; ++i) {
      T* row = a.row(i);
      const T factor = row[j] /= pivot;
      for (int64_t k = j + 1; k < a.cols; ++k) row[k] -= factor * top[k];
    }
  }
  return info;
}

template <class T>
int64_t factor(const Matrix<T>& a, int32_t* pivots) {
  if (a.cols <= kPanel) return factor_panel(a, pivots);
  const int64_t k = std::min(a.rows, a.cols);
  const int64_t left = k < a.cols && k <= kPanel ? k : std::max(kPanel, k / 2 / kPanel * kPanel);
  const int64_t right = a.cols - left;
  const int64_t info = factor(a.block(0, 0, a.rows, left), pivots);
  const Matrix<T> a12 = a.block(0, left, left, right);
  const Matrix<T> a22 = a.block(left, left, a.rows - left, right);
  swap_rows(a.block(0, left, a.rows, right), pivots, left, true);
  solve_triangular_left<T>(a.block(0, 0, left, left), {.unit = true}, a12);
  if (a22.rows == 0) return info;
  product<T>(a22, T(-1), a.block(left, 0, a22.rows, left), a12, T(1));
  const int64_t info2 = factor(a22, pivots + left);
  swap_rows(a.block(left, 0, a22.rows, left), pivots + left, k - left, true);
  for (int64_t i = left; i < k; ++i) pivots[i] += static_cast<int32_t>(left);
  return info != 0 ? info : (info2 != 0 ? info2 + left : 0);
}

}  // namespace

template <class T>
int64_t lu_factor(const Matrix<T>& a, int32_t* pivots) {
  if (a.rows == 0 || a.cols == 0) return 0;
  return factor(a, pivots);
}

void pivots_to_permutation(const int32_t* pivots, int64_t count, int64_t rows, int64_t* perm) {
  for (int64_t i = 0; i < rows; ++i) perm[i] = i;
  for (int64_t i = 0; i < count; ++i) std::swap(perm[i], perm[pivots[i] - 1]);
}

template <class T>
void lu_solve(const In<T>& lu, const int32_t* pivots, bool transposed, const Matrix<T>& b) {
  if (!transposed) {
    swap_rows(b, pivots, lu.rows, true);
    solve_triangular_left<T>(lu, {.unit = true}, b);
    solve_triangular_left<T>(lu, {.upper = true}, b);
  } else {
    solve_triangular_left<T>(lu, {.upper = true, .transposed = true}, b);
    solve_triangular_left<T>(lu, {.transposed = true, .unit = true}, b);
    swap_rows(b, pivots, lu.rows, false);
  }
}

template <class T>
T lu_det(const In<T>& lu, const int32_t* pivots) {
  T det = 1;
  for (int64_t i = 0; i < lu.rows; ++i) det *= pivots[i] - 1 == i ? lu(i, i) : -lu(i, i);
  return det;
}

template <class T>
void lu_slogdet(const In<T>& lu, const int32_t* pivots, T* sign, T* log_abs) {
  T sum = 0, product_of_signs = 1;
  for (int64_t i = 0; i < lu.rows; ++i) {
    const T u = lu(i, i);
    const T s = static_cast<T>((u > 0) - (u < 0));  // 0 for NaN as well, as in torch
    product_of_signs *= pivots[i] - 1 == i ? s : -s;
    sum += std::log(std::abs(u));
  }
  *sign = product_of_signs;
  *log_abs = sum;
}

#define PT_INSTANTIATE(T)                                                          \
  template int64_t lu_factor<T>(const Matrix<T>&, int32_t*);                       \
  template void lu_solve<T>(const In<T>&, const int32_t*, bool, const Matrix<T>&); \
  template T lu_det<T>(const In<T>&, const int32_t*);                              \
  template void lu_slogdet<T>(const In<T>&, const int32_t*, T*, T*);
PT_INSTANTIATE(float)
PT_INSTANTIATE(double)
#undef PT_INSTANTIATE

}  // namespace pt::linalg
