// Eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to a tridiagonal
// matrix, then implicit QL with Wilkinson's shift (Bowdler, Martin, Reinsch, Wilkinson 1968).
// Eigenvectors are kept as rows while they are rotated, so that every rotation is contiguous.
#include <numeric>

#include "ops/linalg/algorithms/linalg.h"
#include "ops/linalg/algorithms/reflector.h"

namespace pt::linalg {
namespace {

constexpr int kSweepsPerValue = 60;

// Q^T A Q is tridiagonal: diagonal d[n], e[i] between i and i + 1. Row i of A keeps reflector i,
// which acts on indices 0..i-1: its tail (all but the entry at i - 1, which is one) and tau[i].
template <class T>
void reduce(const Matrix<T>& a, T* d, T* e, T* tau) {
  const auto& p = primitives<T>();
  Scratch<T> w(a.rows);
  for (int64_t i = a.rows - 1; i >= 1; --i) {
    T* row = a.row(i);
    tau[i] = make_reflector(i, row[i - 1], row);
    e[i - 1] = row[i - 1];
    row[i - 1] = 1;
    if (tau[i] != 0) {
      p.symv_lower(i, a.data, a.ld, row, w.get());
      for (int64_t k = 0; k < i; ++k) w[k] *= tau[i];
      p.axpy(i, T(-0.5) * tau[i] * p.dot(i, w.get(), row), row, w.get());
      p.rank2_lower(i, row, w.get(), a.data, a.ld);
    }
  }
  for (int64_t i = 0; i < a.rows; ++i) d[i] = a(i, i);
}

template <class T>
void form_q_transposed(const In<T>& a, const T* tau, const Matrix<T>& qt) {
  set_identity(qt);
  for (int64_t i = 1; i < a.rows; ++i) reflect_columns(a.row(i), tau[i], qt.block(0, 0, i, i));
}

// Rotations in parallel over column strips of fixed width once there is enough work.
template <class T>
void rotate(int64_t count, const T* c, const T* s, const Matrix<T>& z, bool backward) {
  constexpr int64_t kStrip = 128, kParallelFrom = 1 << 16;
  const int64_t grain = count * z.cols < kParallelFrom ? z.cols : kStrip;
  parallel_for(0, z.cols, grain, [&](int64_t begin, int64_t end) {
    primitives<T>().rotate_rows(count, end - begin, c, s, z.data + begin, z.ld, backward);
  });
}

// Diagonalises (d, e) in place and applies the rotations to the rows of `zt` if it is not null.
template <class T>
int64_t implicit_ql(int64_t n, T* d, T* e, const Matrix<T>* zt) {
  const T eps = std::numeric_limits<T>::epsilon();
  Scratch<T> cosines(n), sines(n);
  T norm = 0;
  for (int64_t i = 0; i < n; ++i) norm = std::max({norm, std::abs(d[i]), std::abs(e[i])});
  // Below this an off-diagonal is noise even beside tiny diagonals, and iterating on would end in
  // subnormal numbers, whose rotations are not orthogonal.
  const T negligible = eps * eps * norm;
  int64_t left = kSweepsPerValue * n;
  for (int64_t l = 0; l < n; ++l) {
    for (;;) {
      int64_t m = l;
      for (; m < n - 1; ++m) {
        const T scale = std::sqrt(std::abs(d[m])) * std::sqrt(std::abs(d[m + 1]));
        if (std::abs(e[m]) <= eps * scale || std::abs(e[m]) <= negligible) {
          e[m] = 0;
          break;
        }
      }
      if (m == l) break;
      if (left-- == 0) {
        int64_t open = 0;
        for (int64_t i = 0; i < n - 1; ++i) open += e[i] != 0;
        return std::max<int64_t>(open, 1);
      }
      const T half_gap = (d[l + 1] - d[l]) / (2 * e[l]);
      const T radius = length(half_gap, T(1));
      T g = d[m] - d[l] + e[l] / (half_gap + std::copysign(radius, half_gap));
      T c = 1, s = 1, shift = 0;
      int64_t i = m - 1;
      for (; i >= l; --i) {
        const T f = s * e[i], b = c * e[i];
        const T r = length(f, g);
        e[i + 1] = r;
        if (r == 0) {  // the matrix splits here; the rest of the sweep is unnecessary
          d[i + 1] -= shift;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - shift;
        const T t = (d[i] - g) * s + 2 * c * b;
        shift = s * t;
        d[i + 1] = g + shift;
        g = c * t - b;
        cosines[i] = c;
        sines[i] = -s;
      }
      const int64_t first = i + 1;
      if (zt) {
        rotate(m - first, cosines.get() + first, sines.get() + first,
               zt->block(first, 0, m - first + 1, n), true);
      }
      if (i >= l) continue;
      d[l] -= shift;
      e[l] = g;
      e[m] = 0;
    }
  }
  return 0;
}

}  // namespace

template <class T>
int64_t symmetric_eigen(const Matrix<T>& a, T* w, const Matrix<T>* vectors) {
  const int64_t n = a.rows;
  if (n == 0) return 0;
  T largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T m = max_abs<T>(a.block(i, 0, 1, i + 1));
    largest = m <= largest ? largest : m;
    if (!std::isfinite(m)) {
      std::fill(w, w + n, std::numeric_limits<T>::quiet_NaN());
      if (vectors) fill(*vectors, std::numeric_limits<T>::quiet_NaN());
      return 1;
    }
  }
  const T factor = safe_scale(largest);
  if (factor != 1) scale(a, factor);

  Scratch<T> d(n), e(n), tau(n), zt(vectors ? n : 0, n);
  reduce(a, d.get(), e.get(), tau.get());
  e[n - 1] = 0;
  if (vectors) form_q_transposed<T>(a, tau.get(), zt.view());
  const int64_t info = implicit_ql(n, d.get(), e.get(), vectors ? &zt.view() : nullptr);

  Scratch<int64_t> order(n);
  std::iota(order.get(), order.get() + n, int64_t{0});
  std::stable_sort(order.get(), order.get() + n, [&](int64_t x, int64_t y) { return d[x] < d[y]; });
  for (int64_t i = 0; i < n; ++i) {
    w[i] = d[order[i]] / factor;
    if (!vectors) continue;
    const T* from = zt.view().row(order[i]);
    for (int64_t k = 0; k < n; ++k) (*vectors)(k, i) = from[k];
  }
  return info;
}

template int64_t symmetric_eigen<float>(const Matrix<float>&, float*, const Matrix<float>*);
template int64_t symmetric_eigen<double>(const Matrix<double>&, double*, const Matrix<double>*);

}  // namespace pt::linalg
