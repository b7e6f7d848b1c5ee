// Ops that only change sizes and strides: their results share self's storage.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"view(Tensor self, int[] size) -> Tensor"> view;
inline constexpr Op<"view.dtype(Tensor self, ScalarType dtype) -> Tensor"> view_dtype;
inline constexpr Op<"reshape(Tensor self, int[] shape) -> Tensor"> reshape;
inline constexpr Op<"t(Tensor self) -> Tensor"> t;
inline constexpr Op<"transpose(Tensor self, int dim0, int dim1) -> Tensor"> transpose;
inline constexpr Op<"permute(Tensor self, int[] dims) -> Tensor"> permute;
inline constexpr Op<"expand(Tensor self, int[] size, *, bool implicit=False) -> Tensor"> expand;
inline constexpr Op<"unsqueeze(Tensor self, int dim) -> Tensor"> unsqueeze;
inline constexpr Op<"squeeze(Tensor self) -> Tensor"> squeeze;
inline constexpr Op<"squeeze.dim(Tensor self, int dim) -> Tensor"> squeeze_dim;
inline constexpr Op<"squeeze.dims(Tensor self, int[] dim) -> Tensor"> squeeze_dims;
inline constexpr Op<"select(Tensor self, int dim, int index) -> Tensor"> select;
inline constexpr Op<
    "slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor">
    slice;
inline constexpr Op<
    "as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor">
    as_strided;
inline constexpr Op<
    "as_strided_backward(Tensor grad, int[] base_size, int[] base_stride, "
    "int[] size, int[] stride, int offset) -> Tensor">
    as_strided_backward;
inline constexpr Op<
    "scatter_strided(Tensor grad, int[] size, int[] stride, int offset, int length) "
    "-> Tensor">
    scatter_strided;
inline constexpr Op<"select_backward(Tensor grad, int[] input_sizes, int dim, int index) -> Tensor">
    select_backward;
inline constexpr Op<
    "slice_backward(Tensor grad, int[] input_sizes, int dim, int start, int end, "
    "int step) -> Tensor">
    slice_backward;
inline constexpr Op<"alias(Tensor self) -> Tensor"> alias_op;
inline constexpr Op<"detach(Tensor self) -> Tensor"> detach;

}  // namespace pt
