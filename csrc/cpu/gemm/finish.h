// Everything after the sums: alpha, beta, bias, activation, conversion and the layout of C.
#pragma once

#include "cpu/gemm/problem.h"

namespace pt::PT_ISA::gemm {

// C = act(alpha * sums + beta * C + bias) for the whole of `p`; sums row i is at i * pitch.
// `beta` and `last` replace p's own where the depth is cut: bias and activation come last.
template <class T>
__attribute__((noinline)) void finish(const Problem<T>& p, const AccumulatorOf<T>* sums,
                                      int64_t pitch, AccumulatorOf<T> beta, bool last) {
  using S = AccumulatorOf<T>;
  constexpr int64_t kChunk = 64;
  S v[kChunk];
  for (int64_t i = 0; i < p.m; i++) {
    for (int64_t j0 = 0; j0 < p.n; j0 += kChunk) {
      const int64_t n = p.n - j0 < kChunk ? p.n - j0 : kChunk;
      const S* from = sums + i * pitch + j0;
      T* c = p.c + i * p.c_row + j0 * p.c_col;
      for (int64_t j = 0; j < n; j++) v[j] = p.alpha * from[j];
      if (beta != S(0)) {
        if (p.c_col == 1) {
          for (int64_t j = 0; j < n; j++) v[j] += beta * static_cast<S>(c[j]);
        } else {
          for (int64_t j = 0; j < n; j++) v[j] += beta * static_cast<S>(c[j * p.c_col]);
        }
      }
      if (last && p.bias) {
        const T* bias = p.bias + i * p.bias_row + j0 * p.bias_col;
        if (p.bias_col == 1) {
          for (int64_t j = 0; j < n; j++) v[j] += static_cast<S>(bias[j]);
        } else {
          for (int64_t j = 0; j < n; j++) v[j] += static_cast<S>(bias[j * p.bias_col]);
        }
      }
      if (last && p.relu) {
        for (int64_t j = 0; j < n; j++) v[j] = v[j] < S(0) ? S(0) : v[j];  // keeps NaN
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
  T* c = p.c + i * p.c_row + j * p.c_col;
  S v = p.alpha * sum;
  if (p.beta != S(0)) v += p.beta * static_cast<S>(*c);
  if (p.bias) v += static_cast<S>(p.bias[i * p.bias_row + j * p.bias_col]);
  if (p.relu && v < S(0)) v = S(0);
  *c = static_cast<T>(v);
}

}  // namespace pt::PT_ISA::gemm
