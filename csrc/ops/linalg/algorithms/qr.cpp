// Householder QR. Panels of kPanel columns are reduced with single reflectors; the rest of the
// matrix sees a panel as one block reflector I - V T V^T (Schreiber and Van Loan 1989), applied
// by GEMM. Below kBlockFrom columns everything is done reflector by reflector.
#include <numeric>
#include <utility>

#include "ops/linalg/algorithms/linalg.h"
#include "ops/linalg/algorithms/reflector.h"

namespace pt::linalg {
namespace {

constexpr int64_t kPanel = 32;
constexpr int64_t kBlockFrom = 64;

// v = (1, tail of the reflector stored in column j below row j)
template <class T>
void load_reflector(const In<T>& a, int64_t j, T* v) {
  v[0] = 1;
  for (int64_t i = j + 1; i < a.rows; ++i) v[i - j] = a(i, j);
}

template <class T>
void factor_panel(const Matrix<T>& a, T* tau, T* v, T* work) {
  for (int64_t j = 0; j < std::min(a.rows, a.cols); ++j) {
    T* below = j + 1 < a.rows ? a.row(j + 1) + j : nullptr;
    tau[j] = make_reflector(a.rows - j, a(j, j), below, a.ld);
    if (j + 1 == a.cols) break;
    load_reflector<T>(a, j, v);
    reflect_rows(v, tau[j], a.block(j, j + 1, a.rows - j, a.cols - j - 1), work);
  }
}

// A panel's reflectors as I - V T V^T.
template <class T>
class BlockReflector {
 public:
  BlockReflector(const In<T>& panel, const T* tau)
      : rows_(panel.rows), count_(panel.cols), v_(rows_, count_), t_(count_, count_) {
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t j = 0; j < count_; ++j) {
        v_.view()(i, j) = i > j ? panel(i, j) : T(i == j);
      }
    }
    Scratch<T> gram(count_, count_);
    product<T>(count_, count_, rows_, T(1), v_.get(), 1, count_, v_.get(), count_, 1, T(0),
               gram.get(), count_);
    const Matrix<T>& t = t_.view();
    fill(t, 0);
    for (int64_t j = 0; j < count_; ++j) {
      for (int64_t i = 0; i < j; ++i) {
        T sum = 0;
        for (int64_t k = i; k < j; ++k) sum += t(i, k) * gram.view()(k, j);
        t(i, j) = -tau[j] * sum;
      }
      t(j, j) = tau[j];
    }
  }

  void apply_left(bool transposed, const Matrix<T>& c) const {
    if (c.cols == 0) return;
    Scratch<T> w(count_, c.cols), tw(count_, c.cols);
    product<T>(count_, c.cols, rows_, T(1), v_.get(), 1, count_, c.data, c.ld, 1, T(0), w.get(),
               c.cols);
    product<T>(count_, c.cols, count_, T(1), t_.get(), transposed ? 1 : count_,
               transposed ? count_ : 1, w.get(), c.cols, 1, T(0), tw.get(), c.cols);
    product<T>(c, T(-1), v_.view(), tw.view(), T(1));
  }

  void apply_right(bool transposed, const Matrix<T>& c) const {
    if (c.rows == 0) return;
    Scratch<T> w(c.rows, count_), wt(c.rows, count_);
    product<T>(w.view(), T(1), c, v_.view(), T(0));
    product<T>(c.rows, count_, count_, T(1), w.get(), count_, 1, t_.get(), transposed ? 1 : count_,
               transposed ? count_ : 1, T(0), wt.get(), count_);
    product<T>(c.rows, rows_, count_, T(-1), wt.get(), count_, 1, v_.get(), 1, count_, T(1), c.data,
               c.ld);
  }

 private:
  int64_t rows_, count_;
  Scratch<T> v_, t_;
};

}  // namespace

template <class T>
void qr_factor(const Matrix<T>& a, T* tau) {
  const int64_t k = std::min(a.rows, a.cols);
  Scratch<T> v(a.rows), work(a.cols);
  if (a.cols < kBlockFrom) return factor_panel(a, tau, v.get(), work.get());
  for (int64_t j = 0; j < k; j += kPanel) {
    const int64_t width = std::min(kPanel, k - j);
    const Matrix<T> panel = a.block(j, j, a.rows - j, width);
    factor_panel(panel, tau + j, v.get(), work.get());
    const int64_t rest = a.cols - j - width;
    if (rest == 0) break;
    BlockReflector<T>(panel, tau + j).apply_left(true, a.block(j, j + width, a.rows - j, rest));
  }
}

template <class T>
void qr_factor_pivoted(const Matrix<T>& a, T* tau, int64_t* perm) {
  std::iota(perm, perm + a.cols, int64_t{0});
  // Norms of the remaining columns are downdated and recomputed once cancellation makes them
  // unreliable (Drmac and Bujanovic 2008).
  Scratch<T> v(a.rows), work(a.cols), norms(a.cols), exact(a.cols);
  for (int64_t j = 0; j < a.cols; ++j) norms[j] = exact[j] = norm2(a.rows, a.data + j, a.ld);
  const T unreliable = std::sqrt(std::numeric_limits<T>::epsilon());
  for (int64_t j = 0; j < std::min(a.rows, a.cols); ++j) {
    const int64_t p = std::max_element(norms.get() + j, norms.get() + a.cols) - norms.get();
    if (p != j) {
      for (int64_t i = 0; i < a.rows; ++i) std::swap(a(i, j), a(i, p));
      std::swap(perm[j], perm[p]);
      norms[p] = norms[j], exact[p] = exact[j];
    }
    T* below = j + 1 < a.rows ? a.row(j + 1) + j : nullptr;
    tau[j] = make_reflector(a.rows - j, a(j, j), below, a.ld);
    load_reflector<T>(a, j, v.get());
    reflect_rows(v.get(), tau[j], a.block(j, j + 1, a.rows - j, a.cols - j - 1), work.get());
    for (int64_t k = j + 1; k < a.cols; ++k) {
      if (norms[k] == 0) continue;
      const T ratio = a(j, k) / norms[k];
      const T left = std::max(T(0), (1 + ratio) * (1 - ratio));
      const T trust = norms[k] / exact[k];
      if (left * trust * trust <= unreliable) {
        norms[k] = exact[k] = j + 1 < a.rows ? norm2(a.rows - j - 1, a.row(j + 1) + k, a.ld) : T(0);
      } else {
        norms[k] *= std::sqrt(left);
      }
    }
  }
}

template <class T>
void qr_form_q(const In<T>& a, const T* tau, int64_t k, const Matrix<T>& q) {
  set_identity(q);
  if (k == 0) return;
  // Backwards, so that H_j meets only rows and columns from j on.
  if (q.cols < kBlockFrom) {
    Scratch<T> v(a.rows), work(q.cols);
    for (int64_t j = k - 1; j >= 0; --j) {
      load_reflector<T>(a, j, v.get());
      reflect_rows(v.get(), tau[j], q.block(j, j, q.rows - j, q.cols - j), work.get());
    }
    return;
  }
  for (int64_t j = (k - 1) / kPanel * kPanel; j >= 0; j -= kPanel) {
    const int64_t width = std::min(kPanel, k - j);
    BlockReflector<T>(a.block(j, j, a.rows - j, width), tau + j)
        .apply_left(false, q.block(j, j, q.rows - j, q.cols - j));
  }
}

template <class T>
void qr_multiply_q(const In<T>& a, const T* tau, int64_t k, bool left, bool transposed,
                   const Matrix<T>& c) {
  if (k == 0 || c.rows == 0 || c.cols == 0) return;
  // Q^T C and C Q meet H_1 first, Q C and C Q^T meet H_k first.
  const bool ascending = left == transposed;
  const int64_t panel = k < kBlockFrom && (left ? c.cols : c.rows) < kBlockFrom ? 1 : kPanel;
  const int64_t panels = (k + panel - 1) / panel;
  Scratch<T> v(a.rows), work(c.cols);
  for (int64_t step = 0; step < panels; ++step) {
    const int64_t j = (ascending ? step : panels - 1 - step) * panel;
    const int64_t width = std::min(panel, k - j);
    const Matrix<T> part =
        left ? c.block(j, 0, c.rows - j, c.cols) : c.block(0, j, c.rows, c.cols - j);
    if (panel == 1) {
      load_reflector<T>(a, j, v.get());
      if (left) {
        reflect_rows(v.get(), tau[j], part, work.get());
      } else {
        reflect_columns(v.get(), tau[j], part);
      }
      continue;
    }
    const BlockReflector<T> block(a.block(j, j, a.rows - j, width), tau + j);
    if (left) {
      block.apply_left(transposed, part);
    } else {
      block.apply_right(transposed, part);
    }
  }
}

#define PT_INSTANTIATE(T)                                                        \
  template void qr_factor<T>(const Matrix<T>&, T*);                              \
  template void qr_factor_pivoted<T>(const Matrix<T>&, T*, int64_t*);            \
  template void qr_form_q<T>(const In<T>&, const T*, int64_t, const Matrix<T>&); \
  template void qr_multiply_q<T>(const In<T>&, const T*, int64_t, bool, bool, const Matrix<T>&);
PT_INSTANTIATE(float)
PT_INSTANTIATE(double)
#undef PT_INSTANTIATE

}  // namespace pt::linalg
