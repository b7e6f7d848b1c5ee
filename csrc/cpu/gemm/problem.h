// One matrix product with typed pointers, views of its parts, and per-thread scratch memory.
#pragma once

#include <type_traits>

#include "cpu/gemm/vec.h"
#include "cpu/gemm_args.h"
#include "cpu/scratch.h"

namespace pt::PT_ISA::gemm {

// The product of GemmArgs; T is the storage type, sums are AccumulatorOf<T>.
template <class T>
struct Problem {
  using S = AccumulatorOf<T>;
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t c_row, c_col;
  const T* bias;
  const T* scale;
  int64_t bias_row, bias_col;
  const T* residual;
  S alpha, beta;
  S least, most;

  explicit Problem(const GemmArgs& g)
      : m(g.m),
        n(g.n),
        k(g.k),
        a(static_cast<const T*>(g.a)),
        a_row(g.a_row),
        a_col(g.a_col),
        b(static_cast<const T*>(g.b)),
        b_row(g.b_row),
        b_col(g.b_col),
        c(static_cast<T*>(g.c)),
        c_row(g.c_row),
        c_col(g.c_col),
        bias(static_cast<const T*>(g.bias)),
        scale(static_cast<const T*>(g.scale)),
        bias_row(g.bias_row),
        bias_col(g.bias_col),
        residual(static_cast<const T*>(g.residual)),
        alpha(static_cast<S>(g.alpha)),
        beta(static_cast<S>(g.beta)),
        least(limit(g.least)),
        most(limit(g.most)) {}

  // Products of integers have no limits.
  static S limit(double x) {
    if constexpr (std::is_floating_point_v<S>) return static_cast<S>(x);
    return S(0);
  }

  // Whether anything happens to C after the product.
  bool finishes() const {
    return bias || scale || residual || least > -__builtin_inf() || most < __builtin_inf();
  }
  // Whether scale and bias are vectors of a number for each row.
  bool finishes_by_row() const { return !(bias || scale) || (bias_col == 0 && bias_row == 1); }

  // The bare product.
  Problem unfinished() const {
    Problem p = *this;
    p.bias = p.scale = p.residual = nullptr;
    p.least = limit(-__builtin_inf()), p.most = limit(__builtin_inf());
    return p;
  }

  // C^T = B^T A^T: the same numbers with rows and columns exchanged.
  Problem transposed() const {
    Problem p = *this;
    p.m = n, p.n = m;
    p.a = b, p.a_row = b_col, p.a_col = b_row;
    p.b = a, p.b_row = a_col, p.b_col = a_row;
    p.c_row = c_col, p.c_col = c_row;
    p.bias_row = bias_col, p.bias_col = bias_row;
    return p;
  }

  // The rows [i, i + rows) and columns [j, j + columns) of C.
  Problem tile(int64_t i, int64_t rows, int64_t j, int64_t columns) const {
    Problem p = *this;
    p.m = rows, p.n = columns;
    p.a += i * a_row;
    p.b += j * b_col;
    p.c += i * c_row + j * c_col;
    if (bias) p.bias += i * bias_row + j * bias_col;
    if (scale) p.scale += i * bias_row + j * bias_col;
    if (residual) p.residual += i * c_row + j * c_col;
    return p;
  }
};

inline constexpr Scratch scratch_a{ScratchUse::kProductA}, scratch_b{ScratchUse::kProductB},
    scratch_c{ScratchUse::kProductC}, scratch_partial{ScratchUse::kProductPartial};

}  // namespace pt::PT_ISA::gemm
