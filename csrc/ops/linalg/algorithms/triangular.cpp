// Triangular solves: recursion onto blocks of kBase rows with GEMM between them. A right-hand
// solve X op(A) = B is the left-hand solve op(A)^T X^T = B^T on tiles of B copied transposed.
#include "ops/linalg/algorithms/linalg.h"

namespace pt::linalg {
namespace {

constexpr int64_t kBase = 16;

// op(A) as the solver sees it: element (i, j) is data[i * row + j * col].
template <class T>
struct TriangularView {
  const T* data;
  int64_t row, col;
  bool lower, unit;

  const T* at(int64_t i, int64_t j) const { return data + i * row + j * col; }
  TriangularView from(int64_t i) const { return {at(i, i), row, col, lower, unit}; }
};

template <class T>
void solve_vector(const TriangularView<T>& a, int64_t n, T* x) {
  const auto& p = primitives<T>();
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = a.lower ? step : n - 1 - step;
    const int64_t first = a.lower ? 0 : i + 1;  // unknowns already found
    const int64_t rest = a.lower ? i + 1 : 0;   // unknowns still open
    const int64_t rest_count = n - 1 - step;
    if (a.col == 1) x[i] -= p.dot(step, a.at(i, first), x + first);
    if (!a.unit) x[i] /= *a.at(i, i);
    if (a.col != 1 && rest_count > 0) {
      if (a.row == 1) {
        p.axpy(rest_count, -x[i], a.at(rest, i), x + rest);
      } else {
        for (int64_t j = 0; j < rest_count; ++j) x[rest + j] -= x[i] * *a.at(rest + j, i);
      }
    }
  }
}

template <class T>
void solve_base(const TriangularView<T>& a, int64_t n, const Matrix<T>& b) {
  const auto& p = primitives<T>();
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = a.lower ? step : n - 1 - step;
    const int64_t first = a.lower ? 0 : i + 1;
    T* out = b.row(i);
    p.combine_rows(step, b.cols, T(-1), b.row(first), b.ld, a.at(i, first), a.col, out);
    if (a.unit) continue;
    const T diagonal = *a.at(i, i);
    for (int64_t j = 0; j < b.cols; ++j) out[j] /= diagonal;
  }
}

template <class T>
void solve_wide(const TriangularView<T>& a, int64_t n, const Matrix<T>& b) {
  if (n <= kBase) return solve_base(a, n, b);
  const int64_t top = std::max(kBase, n / 2 / kBase * kBase), bottom = n - top;
  const Matrix<T> b1 = b.block(0, 0, top, b.cols), b2 = b.block(top, 0, bottom, b.cols);
  if (a.lower) {
    solve_wide(a, top, b1);
    product<T>(bottom, b.cols, top, T(-1), a.at(top, 0), a.row, a.col, b1.data, b.ld, 1, T(1),
               b2.data, b.ld);
    solve_wide(a.from(top), bottom, b2);
  } else {
    solve_wide(a.from(top), bottom, b2);
    product<T>(top, b.cols, bottom, T(-1), a.at(0, top), a.row, a.col, b2.data, b.ld, 1, T(1),
               b1.data, b.ld);
    solve_wide(a, top, b1);
  }
}

template <class T>
void solve_left(const TriangularView<T>& a, int64_t n, const Matrix<T>& b) {
  constexpr int64_t kNarrow = 3, kColumnsPerTask = 256;
  if (n == 0 || b.cols == 0) return;
  if (b.cols == 1 && b.ld == 1) return solve_vector(a, n, b.data);
  if (b.cols <= kNarrow) {
    Scratch<T> x(n);
    for (int64_t j = 0; j < b.cols; ++j) {
      for (int64_t i = 0; i < n; ++i) x[i] = b(i, j);
      solve_vector(a, n, x.get());
      for (int64_t i = 0; i < n; ++i) b(i, j) = x[i];
    }
    return;
  }
  const int64_t grain = n * kColumnsPerTask < (1 << 14) ? b.cols : kColumnsPerTask;
  parallel_for(0, b.cols, grain, [&](int64_t begin, int64_t end) {
    solve_wide(a, n, b.block(0, begin, n, end - begin));
  });
}

template <class T>
TriangularView<T> view_of(const In<T>& a, Triangle shape) {
  const bool lower = shape.upper == shape.transposed;
  return shape.transposed ? TriangularView<T>{a.data, 1, a.ld, lower, shape.unit}
                          : TriangularView<T>{a.data, a.ld, 1, lower, shape.unit};
}

}  // namespace

template <class T>
void solve_triangular_left(const In<T>& a, Triangle shape, const Matrix<T>& b) {
  solve_left(view_of<T>(a, shape), a.rows, b);
}

template <class T>
void solve_triangular_right(const In<T>& a, Triangle shape, const Matrix<T>& b) {
  constexpr int64_t kRowsPerTask = 64;
  shape.transposed = !shape.transposed;
  const TriangularView<T> view = view_of<T>(a, shape);
  const int64_t n = a.rows;
  if (n == 0) return;
  parallel_for(0, b.rows, kRowsPerTask, [&](int64_t begin, int64_t end) {
    const Matrix<T> rows = b.block(begin, 0, end - begin, n);
    Scratch<T> tile(n, rows.rows);
    copy_transposed<T>(rows, tile.view());
    solve_left(view, n, tile.view());
    copy_transposed<T>(tile.view(), rows);
  });
}

#define PT_INSTANTIATE(T)                                                           \
  template void solve_triangular_left<T>(const In<T>&, Triangle, const Matrix<T>&); \
  template void solve_triangular_right<T>(const In<T>&, Triangle, const Matrix<T>&);
PT_INSTANTIATE(float)
PT_INSTANTIATE(double)
#undef PT_INSTANTIATE

}  // namespace pt::linalg
