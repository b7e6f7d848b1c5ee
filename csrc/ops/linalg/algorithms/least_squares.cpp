// Linear least squares with the drivers of LAPACK's names: QR for full rank, and where the rank is
// in doubt the minimum-norm solution from the SVD.
#include "ops/linalg/algorithms/linalg.h"

namespace pt::linalg {
namespace {

// |R(i, i)| of A's QR factors, and the solution by them. Returns info: a zero on the diagonal.
template <class T>
int64_t solve_full_rank(const Matrix<T>& qr, const T* tau, const int64_t* perm, const Matrix<T>& b,
                        const Matrix<T>& x) {
  const int64_t n = qr.cols;
  for (int64_t i = 0; i < n; ++i) {
    if (qr(i, i) == 0) return i + 1;
  }
  qr_multiply_q<T>(qr, tau, n, true, true, b);
  const Matrix<T> top = b.block(0, 0, n, b.cols);
  solve_triangular_left<T>(qr.block(0, 0, n, n), {.upper = true}, top);
  for (int64_t i = 0; i < n; ++i) {
    std::copy(top.row(i), top.row(i) + top.cols, x.row(perm ? perm[i] : i));
  }
  return 0;
}

// Minimum-norm solution of a wide system from the QR factors of A^T: x = Q R^-T b.
template <class T>
int64_t solve_wide(const Matrix<T>& qr, const T* tau, const int64_t* perm, const Matrix<T>& b,
                   const Matrix<T>& x) {
  const int64_t m = qr.cols;
  for (int64_t i = 0; i < m; ++i) {
    if (qr(i, i) == 0) return i + 1;
  }
  fill(x, 0);
  for (int64_t i = 0; i < m; ++i) {
    const T* from = b.row(perm ? perm[i] : i);
    std::copy(from, from + b.cols, x.row(i));
  }
  solve_triangular_left<T>(qr.block(0, 0, m, m), {.upper = true, .transposed = true},
                           x.block(0, 0, m, x.cols));
  qr_multiply_q<T>(qr, tau, m, true, false, x);
  return 0;
}

template <class T>
int64_t solve_by_svd(const Matrix<T>& a, const Matrix<T>& b, T rcond, const Matrix<T>& x,
                     int64_t* rank, T* s) {
  const int64_t k = std::min(a.rows, a.cols);
  Scratch<T> u(a.rows, k), vt(k, a.cols), c(k, b.cols);
  const int64_t info = svd(a, s, &u.view(), &vt.view());
  *rank = 0;
  for (int64_t i = 0; i < k; ++i) *rank += s[i] > rcond * s[0];
  product<T>(*rank, b.cols, a.rows, T(1), u.get(), 1, k, b.data, b.ld, 1, T(0), c.get(), b.cols);
  for (int64_t i = 0; i < *rank; ++i) {
    for (int64_t j = 0; j < b.cols; ++j) c.view()(i, j) /= s[i];
  }
  product<T>(a.cols, b.cols, *rank, T(1), vt.get(), 1, a.cols, c.get(), b.cols, 1, T(0), x.data,
             x.ld);
  return info;
}

}  // namespace

template <class T>
int64_t least_squares(LstsqMethod method, const Matrix<T>& a, const Matrix<T>& b, T rcond,
                      const Matrix<T>& x, int64_t* rank, T* singular_values) {
  const int64_t k = std::min(a.rows, a.cols);
  const bool wide = a.rows < a.cols;
  if (k == 0) {
    *rank = 0;
    fill(x, 0);
    return 0;
  }
  if (method == LstsqMethod::kSvd) {
    return solve_by_svd(a, b, rcond, x, rank, singular_values);
  }
  Scratch<T> qr(wide ? a.cols : a.rows, k), tau(k), s(k);
  if (wide) {
    copy_transposed<T>(a, qr.view());
  } else {
    copy<T>(a, qr.view());
  }
  *rank = k;
  if (method == LstsqMethod::kQr) {
    qr_factor(qr.view(), tau.get());
    return wide ? solve_wide<T>(qr.view(), tau.get(), nullptr, b, x)
                : solve_full_rank<T>(qr.view(), tau.get(), nullptr, b, x);
  }
  Scratch<int64_t> perm(k);
  qr_factor_pivoted(qr.view(), tau.get(), perm.get());
  // The diagonal of a pivoted R falls off like the singular values but for a modest factor: far
  // from the cut the rank is clear, near it only the SVD tells.
  const T first = std::abs(qr.view()(0, 0)), last = std::abs(qr.view()(k - 1, k - 1));
  const T margin = static_cast<T>(10 * k);
  if (last > margin * std::max(rcond, std::numeric_limits<T>::epsilon()) * first) {
    return wide ? solve_wide<T>(qr.view(), tau.get(), perm.get(), b, x)
                : solve_full_rank<T>(qr.view(), tau.get(), perm.get(), b, x);
  }
  return solve_by_svd(a, b, rcond, x, rank, s.get());
}

template int64_t least_squares<float>(LstsqMethod, const Matrix<float>&, const Matrix<float>&,
                                      float, const Matrix<float>&, int64_t*, float*);
template int64_t least_squares<double>(LstsqMethod, const Matrix<double>&, const Matrix<double>&,
                                       double, const Matrix<double>&, int64_t*, double*);

}  // namespace pt::linalg
