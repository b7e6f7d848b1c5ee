// Everything after the sums: alpha, beta, scale, bias, residual, limits, conversion and the layout
// of C.
#pragma once

#include "cpu/gemm/problem.h"

namespace pt::PT_ISA::gemm {

// What a product becomes, row by row: clamp(scale[i] * c + bias[i] + residual[i, j], least, most).
// A null scale is 1, the others are 0. NaN stays NaN.
template <class T>
struct RowFinish {
  const T* scale = nullptr;
  const T* bias = nullptr;
  const T* residual = nullptr;
  T least = -__builtin_inf(), most = __builtin_inf();

  bool any() const {
    return scale || bias || residual || least > -__builtin_inf() || most < __builtin_inf();
  }
  PT_GEMM_INLINE Vec<T> limit(Vec<T> v) const {
    const Vec<T> low = broadcast<T>(least), high = broadcast<T>(most);
    v = v < low ? low : v;
    return v > high ? high : v;
  }
};

// Finishes rows of `n` elements that were just written; scale and bias are those of row `row`, the
// residual is `residual`, or none.
template <class T>
void finish_rows(const RowFinish<T>& f, int64_t row, T* c, int64_t pitch, int rows, int64_t n,
                 const T* residual, int64_t residual_pitch) {
  constexpr int kL = kLanes<T>;
  for (int i = 0; i < rows; i++, c += pitch) {
    const Vec<T> scale = broadcast<T>(f.scale ? f.scale[row + i] : T(1));
    const Vec<T> bias = broadcast<T>(f.bias ? f.bias[row + i] : T(0));
    int64_t j = 0;
    for (; j + kL <= n; j += kL) {
      Vec<T> v = load(c + j) * scale + bias;
      if (residual) v += load(residual + j);
      store(c + j, f.limit(v));
    }
    if (j < n) {
      const int count = static_cast<int>(n - j);
      Vec<T> v = load_n(c + j, count) * scale + bias;
      if (residual) v += load_n(residual + j, count);
      store_n(c + j, f.limit(v), count);
    }
    if (residual) residual += residual_pitch;
  }
}

// v[j] = f(v[j], from[j * step]) for a row of scales, biases or residuals.
template <class S, class T, class F>
PT_GEMM_INLINE void with_row(S* v, const T* from, int64_t step, int64_t n, F f) {
  if (step == 1) {
    for (int64_t j = 0; j < n; j++) v[j] = f(v[j], static_cast<S>(from[j]));
  } else if (step == 0) {
    const S x = static_cast<S>(*from);
    for (int64_t j = 0; j < n; j++) v[j] = f(v[j], x);
  } else {
    for (int64_t j = 0; j < n; j++) v[j] = f(v[j], static_cast<S>(from[j * step]));
  }
}

// C as GemmArgs says, from sums of which row i is at i * pitch, for the whole of `p`. `beta` and
// `last` replace p's own where the depth is cut: what follows the sums comes last.
template <class T>
__attribute__((noinline)) void finish(const Problem<T>& p, const AccumulatorOf<T>* sums,
                                      int64_t pitch, AccumulatorOf<T> beta, bool last) {
  using S = AccumulatorOf<T>;
  constexpr int64_t kChunk = 64;
  S v[kChunk];
  const auto plus = [](S a, S b) { return a + b; };
  for (int64_t i = 0; i < p.m; i++) {
    for (int64_t j0 = 0; j0 < p.n; j0 += kChunk) {
      const int64_t n = p.n - j0 < kChunk ? p.n - j0 : kChunk;
      const S* from = sums + i * pitch + j0;
      const int64_t at = i * p.c_row + j0 * p.c_col;
      const int64_t bias_at = i * p.bias_row + j0 * p.bias_col;
      T* c = p.c + at;
      for (int64_t j = 0; j < n; j++) v[j] = p.alpha * from[j];
      if (beta != S(0)) with_row(v, c, p.c_col, n, [&](S a, S b) { return a + beta * b; });
      if (last) {
        if (p.scale) {
          with_row(v, p.scale + bias_at, p.bias_col, n, [](S a, S b) { return a * b; });
        }
        if (p.bias) with_row(v, p.bias + bias_at, p.bias_col, n, plus);
        if (p.residual) with_row(v, p.residual + at, p.c_col, n, plus);
        for (int64_t j = 0; j < n; j++) v[j] = v[j] < p.least ? p.least : v[j];  // keeps NaN
        for (int64_t j = 0; j < n; j++) v[j] = v[j] > p.most ? p.most : v[j];
      }
      if (p.c_col == 1) {
        constexpr int kL = kLanes<S>;
        int64_t j = 0;
        for (; j + kL <= n; j += kL) store(c + j, load(v + j));
        if (j < n) store_n(c + j, load_n(v + j, static_cast<int>(n - j)), static_cast<int>(n - j));
      } else {
        for (int64_t j = 0; j < n; j++) c[j * p.c_col] = static_cast<T>(v[j]);
      }
    }
  }
}

// Sums that are ready one by one (dot products): the same for one element.
template <class T>
PT_GEMM_INLINE void finish_one(const Problem<T>& p, int64_t i, int64_t j, AccumulatorOf<T> sum) {
  using S = AccumulatorOf<T>;
  const int64_t at = i * p.c_row + j * p.c_col, bias_at = i * p.bias_row + j * p.bias_col;
  T* c = p.c + at;
  S v = p.alpha * sum;
  if (p.beta != S(0)) v += p.beta * static_cast<S>(*c);
  if (p.scale) v *= static_cast<S>(p.scale[bias_at]);
  if (p.bias) v += static_cast<S>(p.bias[bias_at]);
  if (p.residual) v += static_cast<S>(p.residual[at]);
  if (v < p.least) v = p.least;
  if (v > p.most) v = p.most;
  *c = static_cast<T>(v);
}

}  // namespace pt::PT_ISA::gemm
