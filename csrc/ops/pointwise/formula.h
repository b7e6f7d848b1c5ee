// What the pointwise families share: running a kernel in one operand's dtype, and pieces of
// gradient formulas. Included by the .cpp files of this folder only.
#pragma once

#include "op/copy.h"
#include "op/define.h"

namespace pt {

inline constexpr double kPi = 3.14159265358979323846;
inline constexpr double kLn2 = 0.69314718055994530942;
inline constexpr double kLn10 = 2.30258509299404568402;
inline constexpr double kSqrtPi = 1.77245385090551602730;
inline constexpr double kSqrt2Pi = 2.50662827463100050242;
inline constexpr double kSqrtHalf = 0.70710678118654752440;

// The gradient of a piecewise constant function.
inline Tensor zeros_of(const Tensor& t) { return zeros_tensor(t.sizes(), t.dtype(), t.device()); }

// kernel(self, others...) in self's dtype: numbers are converted to it and do not promote.
template <class... A>
Tensor run_in_own_dtype(const Out& out, const PointwiseKernel& kernel, const Tensor& self,
                        const A&... others) {
  const Value v[] = {Value::of(self), Value::of(others)...};
  return run_pointwise_as(out, kernel.entry(), self.dtype(), self.dtype(), v, 1 + sizeof...(A));
}

// Raises for bool tensors, as PyTorch does for functions that make no sense of truth values.
inline void refuse_bool(const Tensor& t, const char* op) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, t.dtype() != DType::kBool, "\"", op,
                "\" not implemented for 'Bool'");
}

inline void refuse_integers(const Tensor& t, const char* op) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(t.dtype()), "\"", op,
                "\" not implemented for '", dtype_name(t.dtype()), "'");
}

}  // namespace pt
