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
inline constexpr Op<"fill_diagonal(Tensor self, Scalar fill_value, bool wrap=False) -> Tensor">
    fill_diagonal;
inline constexpr InplaceOp<decltype(fill_diagonal)> fill_diagonal_;

// These change the memory a tensor lies in, outside autograd.
inline constexpr Op<
    "resize(Tensor self, int[] size, *, MemoryFormat? memory_format=None) -> Tensor">
    resize;
inline constexpr Op<
    "resize_as(Tensor self, Tensor the_template, *, "
    "MemoryFormat? memory_format=None) -> Tensor">
    resize_as;
inline constexpr Op<"set(Tensor self) -> Tensor"> set_empty;
inline constexpr Op<"set.source_Tensor(Tensor self, Tensor source) -> Tensor"> set_source;
inline constexpr Op<
    "set.source_Tensor_storage_offset(Tensor self, Tensor source, "
    "int storage_offset, int[] size, int[] stride=[]) -> Tensor">
    set_source_offset;
// All bytes of the storage as a vector of uint8 that shares them.
inline constexpr Op<"_storage_bytes(Tensor self) -> Tensor"> storage_bytes;

// To another dtype, device, or both.
inline constexpr Op<"_to_copy(Tensor self, ScalarType dtype, Device? device=None) -> Tensor">
    to_copy;

// Conversion to a dtype, differentiable; `t` itself when it has that dtype.
inline Tensor to_dtype(const Tensor& t, DType dtype) {
  return t.dtype() == dtype ? t : to_copy(t, dtype);
}

}  // namespace pt
