// Singular value decomposition: Householder reduction to an upper bidiagonal matrix, then implicit
// QR sweeps (Golub and Kahan 1965; the sweep without shift is Demmel and Kahan's, 1990). A tall
// matrix is reduced to its R first. U and V are kept as rows while they are rotated.
#include <numeric>

#include "ops/linalg/algorithms/linalg.h"
#include "ops/linalg/algorithms/reflector.h"

namespace pt::linalg {
namespace {

constexpr int kSweepsPerValue = 60;

template <class T>
struct Rotation {
  T c, s, r;
};
// c and s with c * f + s * g = r and c * g - s * f = 0.
template <class T>
Rotation<T> rotation_of(T f, T g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, 1, g};
  const T r = std::copysign(length(f, g), f);
  return {f / r, g / r, r};
}

// The smaller singular value of [[f, g], [0, h]].
template <class T>
T smaller_singular_value(T f, T g, T h) {
  f = std::abs(f), g = std::abs(g), h = std::abs(h);
  const T low = std::min(f, h), high = std::max(f, h);
  if (low == 0) return 0;
  const T as = 1 + low / high, at = (high - low) / high;
  if (g < high) {
    const T au = (g / high) * (g / high);
    return low * (2 / (std::sqrt(as * as + au) + std::sqrt(at * at + au)));
  }
  const T au = high / g;
  if (au == 0) return low * high / g;
  const T c = 1 / (std::sqrt(1 + as * au * as * au) + std::sqrt(1 + at * au * at * au));
  return 2 * (low * c) * au;
}

// A bidiagonal matrix under reduction to diagonal form, with the rows of U^T and V^T along.
template <class T>
class Bidiagonal {
 public:
  Bidiagonal(int64_t n, const Matrix<T>* ut, const Matrix<T>* vt)
      : d(n), e(n), n_(n), ut_(ut), vt_(vt), uc_(n), us_(n), vc_(n), vs_(n) {}

  Scratch<T> d, e;  // diagonal, superdiagonal

  // Returns the number of superdiagonals that did not converge.
  int64_t diagonalise() {
    const T eps = std::numeric_limits<T>::epsilon();
    T norm = 0;
    for (int64_t i = 0; i < n_; ++i) {
      norm = std::max(norm, std::abs(d[i]));
      if (i + 1 < n_) norm = std::max(norm, std::abs(e[i]));
    }
    const T negligible = eps * norm / 4;
    int64_t left = kSweepsPerValue * n_;
    for (int64_t hi = n_ - 1; hi > 0;) {
      int64_t lo = hi;
      bool singular = std::abs(d[hi]) <= negligible;
      for (; lo > 0; --lo) {
        T& off = e[lo - 1];
        if (std::abs(off) <= negligible ||
            std::abs(off) <= eps * (std::abs(d[lo - 1]) + std::abs(d[lo])) / 2) {
          off = 0;
          break;
        }
        singular = singular || std::abs(d[lo - 1]) <= negligible;
      }
      if (lo == hi) {
        --hi;
        continue;
      }
      if (left-- == 0) {
        int64_t open = 0;
        for (int64_t i = 0; i < n_ - 1; ++i) open += e[i] != 0;
        return open;
      }
      if (singular) {
        for (int64_t i = lo; i <= hi; ++i) {
          if (std::abs(d[i]) <= negligible) d[i] = 0;
        }
        sweep_without_shift(lo, hi);
      } else {
        sweep(lo, hi);
      }
      rotate(lo, hi, uc_, us_, ut_);
      rotate(lo, hi, vc_, vs_, vt_);
    }
    return 0;
  }

 private:
  void sweep(int64_t lo, int64_t hi) {
    const T shift = smaller_singular_value(d[hi - 1], e[hi - 1], d[hi]);
    T f = (std::abs(d[lo]) - shift) * (std::copysign(T(1), d[lo]) + shift / d[lo]);
    T g = e[lo];
    for (int64_t i = lo; i < hi; ++i) {
      const Rotation<T> right = rotation_of(f, g);
      vc_[i] = right.c, vs_[i] = right.s;
      if (i > lo) e[i - 1] = right.r;
      f = right.c * d[i] + right.s * e[i];
      e[i] = right.c * e[i] - right.s * d[i];
      g = right.s * d[i + 1];
      d[i + 1] *= right.c;
      const Rotation<T> left = rotation_of(f, g);
      uc_[i] = left.c, us_[i] = left.s;
      d[i] = left.r;
      f = left.c * e[i] + left.s * d[i + 1];
      d[i + 1] = left.c * d[i + 1] - left.s * e[i];
      if (i + 1 < hi) {
        g = left.s * e[i + 1];
        e[i + 1] *= left.c;
      }
    }
    e[hi - 1] = f;
  }

  // Deflates a zero on the diagonal in one sweep.
  void sweep_without_shift(int64_t lo, int64_t hi) {
    T c = 1;
    Rotation<T> left{1, 0, 0};
    for (int64_t i = lo; i < hi; ++i) {
      const Rotation<T> right = rotation_of(d[i] * c, e[i]);
      if (i > lo) e[i - 1] = left.s * right.r;
      left = rotation_of(left.c * right.r, d[i + 1] * right.s);
      d[i] = left.r;
      c = right.c;
      vc_[i] = right.c, vs_[i] = right.s;
      uc_[i] = left.c, us_[i] = left.s;
    }
    const T last = d[hi] * c;
    d[hi] = last * left.c;
    e[hi - 1] = last * left.s;
  }

  static void rotate(int64_t lo, int64_t hi, const Scratch<T>& c, const Scratch<T>& s,
                     const Matrix<T>* rows) {
    constexpr int64_t kStrip = 128, kParallelFrom = 1 << 16;
    if (!rows) return;
    const int64_t grain = (hi - lo) * rows->cols < kParallelFrom ? rows->cols : kStrip;
    parallel_for(0, rows->cols, grain, [&](int64_t begin, int64_t end) {
      primitives<T>().rotate_rows(hi - lo, end - begin, c.get() + lo, s.get() + lo,
                                  rows->row(lo) + begin, rows->ld, false);
    });
  }

  int64_t n_;
  const Matrix<T>* ut_;
  const Matrix<T>* vt_;
  Scratch<T> uc_, us_, vc_, vs_;
};

// A (m >= n) = U diag(s) V^T; ut is m x m or n x m, vt is n x n, both null or both given.
template <class T>
int64_t tall_svd(const Matrix<T>& a, T* s, const Matrix<T>* ut, const Matrix<T>* vt) {
  const int64_t m = a.rows, n = a.cols;
  Bidiagonal<T> b(n, ut, vt);
  Scratch<T> left_tau(n), right_tau(n), v(m), work(n);
  for (int64_t j = 0; j < n; ++j) {
    T* below = j + 1 < m ? a.row(j + 1) + j : nullptr;
    left_tau[j] = make_reflector(m - j, a(j, j), below, a.ld);
    b.d[j] = a(j, j);
    b.e[j] = 0;
    if (j + 1 == n) break;
    v[0] = 1;
    for (int64_t i = j + 1; i < m; ++i) v[i - j] = a(i, j);
    reflect_rows(v.get(), left_tau[j], a.block(j, j + 1, m - j, n - j - 1), work.get());
    T* right = a.row(j) + j + 1;
    right_tau[j] = make_reflector(n - j - 1, right[0], right + 1);
    b.e[j] = right[0];
    right[0] = 1;
    reflect_columns(right, right_tau[j], a.block(j + 1, j + 1, m - j - 1, n - j - 1));
  }
  if (ut) {
    set_identity(*ut);
    set_identity(*vt);
    for (int64_t j = n - 1; j >= 0; --j) {
      v[0] = 1;
      for (int64_t i = j + 1; i < m; ++i) v[i - j] = a(i, j);
      reflect_columns(v.get(), left_tau[j], ut->block(j, j, ut->rows - j, m - j));
      if (j + 1 == n) continue;
      reflect_columns(a.row(j) + j + 1, right_tau[j],
                      vt->block(j + 1, j + 1, n - j - 1, n - j - 1));
    }
  }
  const int64_t info = b.diagonalise();
  for (int64_t i = 0; i < n; ++i) {
    s[i] = b.d[i];
    if (!std::signbit(s[i])) continue;
    s[i] = -s[i];
    if (vt) scale(vt->block(i, 0, 1, n), T(-1));
  }
  return info;
}

// Rows of `from`, the first of them reordered, become rows or columns of `to`.
template <class T>
void place(const Matrix<T>& from, const int64_t* order, int64_t ordered, bool as_columns,
           const Matrix<T>& to) {
  for (int64_t i = 0; i < from.rows; ++i) {
    const T* row = from.row(i < ordered ? order[i] : i);
    if (as_columns) {
      for (int64_t k = 0; k < from.cols; ++k) to(k, i) = row[k];
    } else {
      std::copy(row, row + from.cols, to.row(i));
    }
  }
}

}  // namespace

template <class T>
int64_t svd(const Matrix<T>& a, T* s, const Matrix<T>* u, const Matrix<T>* vt) {
  const int64_t n = std::min(a.rows, a.cols), m = std::max(a.rows, a.cols);
  if (n == 0) {
    if (u) set_identity(*u);
    if (vt) set_identity(*vt);
    return 0;
  }
  const T largest = max_abs<T>(a);
  if (!std::isfinite(largest)) {
    const T nan = std::numeric_limits<T>::quiet_NaN();
    std::fill(s, s + n, nan);
    if (u) fill(*u, nan);
    if (vt) fill(*vt, nan);
    return -1;
  }
  const T factor = safe_scale(largest);
  if (factor != 1) scale(a, factor);

  const bool wide = a.rows < a.cols;
  const int64_t long_vectors = !u ? 0 : (wide ? vt->rows : u->cols);  // m when full, else n
  Scratch<T> turned(wide ? m : 0, n), values(n);
  if (wide) copy_transposed<T>(a, turned.view());
  const Matrix<T> tall = wide ? turned.view() : a;

  Scratch<T> long_rows(long_vectors, m), short_rows(u ? n : 0, n);
  int64_t info;
  if (2 * m > 3 * n && long_vectors != m) {
    Scratch<T> tau(n), r(n, n), q(u ? m : 0, n), ut(u ? n : 0, n);
    qr_factor(tall, tau.get());
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) r.view()(i, j) = j >= i ? tall(i, j) : T(0);
    }
    info = tall_svd(r.view(), values.get(), u ? &ut.view() : nullptr,
                    u ? &short_rows.view() : nullptr);
    if (u) {
      qr_form_q<T>(tall, tau.get(), n, q.view());
      product<T>(n, m, n, T(1), ut.get(), n, 1, q.get(), 1, n, T(0), long_rows.get(), m);
    }
  } else {
    info = tall_svd(tall, values.get(), u ? &long_rows.view() : nullptr,
                    u ? &short_rows.view() : nullptr);
  }

  Scratch<int64_t> order(n);
  std::iota(order.get(), order.get() + n, int64_t{0});
  std::stable_sort(order.get(), order.get() + n,
                   [&](int64_t x, int64_t y) { return values[x] > values[y]; });
  for (int64_t i = 0; i < n; ++i) s[i] = values[order[i]] / factor;
  if (u) {
    place(wide ? short_rows.view() : long_rows.view(), order.get(), n, true, *u);
    place(wide ? long_rows.view() : short_rows.view(), order.get(), n, false, *vt);
  }
  return info;
}

template int64_t svd<float>(const Matrix<float>&, float*, const Matrix<float>*,
                            const Matrix<float>*);
template int64_t svd<double>(const Matrix<double>&, double*, const Matrix<double>*,
                             const Matrix<double>*);

}  // namespace pt::linalg
