// Copies, fills and conversions as ops.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor"> clone;
inline constexpr Op<"contiguous(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor">
    contiguous;
inline constexpr Op<"copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor"> copy;
inline constexpr InplaceOp<decltype(copy)> copy_;
inline constexpr Op<"fill(Tensor self, Scalar value) -> Tensor"> fill;
inline constexpr InplaceOp<decltype(fill)> fill_;
inline constexpr Op<"fill.Tensor(Tensor self, Tensor value) -> Tensor"> fill_tensor;
inline constexpr Op<"zero(Tensor self) -> Tensor"> zero;
inline constexpr InplaceOp<decltype(zero)> zero_;
inline constexpr Op<"_to_copy(Tensor self, ScalarType dtype) -> Tensor"> to_copy;

// Conversion to a dtype, differentiable; `t` itself when it has that dtype.
inline Tensor to_dtype(const Tensor& t, DType dtype) {
  return t.dtype() == dtype ? t : to_copy(t, dtype);
}

}  // namespace pt
