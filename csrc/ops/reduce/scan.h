// Running sums, products and extremes along a dimension.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"> cumsum;
inline constexpr Op<"cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"> cumprod;
inline constexpr Op<"cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)"> cummax;
inline constexpr Op<"cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)"> cummin;
inline constexpr Op<"logcumsumexp(Tensor self, int dim) -> Tensor"> logcumsumexp;

// The sum of each element and all after it.
inline constexpr Op<"_reverse_cumsum(Tensor self, int dim) -> Tensor"> reverse_cumsum;
// The solution y of y[k] = terms[k] + factors[k] * y[k - 1], or in reverse of
// y[k] = terms[k] + factors[k + 1] * y[k + 1], along dim; y is zero before its start. Gradients of
// scans are such recurrences, and gradients of recurrences are recurrences.
inline constexpr Op<
    "_linear_recurrence(Tensor factors, Tensor terms, int dim, bool reverse) -> "
    "Tensor">
    linear_recurrence;

// `t` moved by one place along dim: the last element falls off, `fill` comes in.
Tensor shifted(const Tensor& t, int64_t dim, double fill);

}  // namespace pt
