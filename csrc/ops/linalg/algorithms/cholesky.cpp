// Cholesky factorisation, lower form, recursive: the diagonal blocks of at most kBase rows row by
// row, everything else by triangular solves and GEMM.
#include "ops/linalg/algorithms/linalg.h"

namespace pt::linalg {
namespace {

constexpr int64_t kBase = 16;
constexpr int64_t kUpdateBase = 96;

template <class T>
int64_t factor_block(const Matrix<T>& a) {
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      T sum = a(i, j);
      for (int64_t k = 0; k < j; ++k) sum -= a(i, k) * a(j, k);
      a(i, j) = sum / a(j, j);
    }
    T pivot = a(i, i);
    for (int64_t k = 0; k < i; ++k) pivot -= a(i, k) * a(i, k);
    if (!(pivot > 0)) {
      a(i, i) = pivot;
      return i + 1;
    }
    a(i, i) = std::sqrt(pivot);
  }
  return 0;
}

// C -= B B^T, of which only the lower triangle matters.
template <class T>
void update_lower(const Matrix<T>& c, const Matrix<T>& b) {
  const int64_t n = c.rows;
  if (n <= kUpdateBase) {
    return product<T>(n, n, b.cols, T(-1), b.data, b.ld, 1, b.data, 1, b.ld, T(1), c.data, c.ld);
  }
  const int64_t top = n / 2 / kBase * kBase, bottom = n - top;
  const Matrix<T> b1 = b.block(0, 0, top, b.cols), b2 = b.block(top, 0, bottom, b.cols);
  update_lower(c.block(0, 0, top, top), b1);
  product<T>(bottom, top, b.cols, T(-1), b2.data, b.ld, 1, b1.data, 1, b.ld, T(1), c.row(top),
             c.ld);
  update_lower(c.block(top, top, bottom, bottom), b2);
}

template <class T>
int64_t factor(const Matrix<T>& a) {
  const int64_t n = a.rows;
  if (n <= kBase) return factor_block(a);
  const int64_t top = std::max(kBase, n / 2 / kBase * kBase), bottom = n - top;
  const Matrix<T> a11 = a.block(0, 0, top, top), a21 = a.block(top, 0, bottom, top);
  const Matrix<T> a22 = a.block(top, top, bottom, bottom);
  if (const int64_t info = factor(a11)) return info;
  solve_triangular_right<T>(a11, {.transposed = true}, a21);
  update_lower(a22, a21);
  const int64_t info = factor(a22);
  return info != 0 ? info + top : 0;
}

}  // namespace

template <class T>
int64_t cholesky(const Matrix<T>& a) {
  const int64_t info = factor(a);
  for (int64_t i = 0; i < a.rows; ++i) std::fill(a.row(i) + i + 1, a.row(i) + a.cols, T(0));
  return info;
}

template int64_t cholesky<float>(const Matrix<float>&);
template int64_t cholesky<double>(const Matrix<double>&);

}  // namespace pt::linalg
