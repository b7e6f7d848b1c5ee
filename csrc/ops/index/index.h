// Reading and writing the elements that indices, masks and index tensors name.
#pragma once

#include "op/op.h"

namespace pt {

// x[i, a:b:c, None, ...] as one view. `starts` has an entry per dimension of self; dims, steps and
// sizes describe the result's dimensions: the dimension of self each walks along (-1: a new one).
inline constexpr Op<
    "_basic_index(Tensor self, int[] starts, int[] dims, int[] steps, int[] sizes) "
    "-> Tensor">
    basic_index;
inline constexpr Op<
    "_basic_index_backward(Tensor grad, int[] input_sizes, int[] starts, int[] dims, "
    "int[] steps, int[] sizes) -> Tensor">
    basic_index_backward;

// Index tensors per dimension of self; an undefined one stands for a full slice.
inline constexpr Op<"_index(Tensor self, Tensor[] indices) -> Tensor"> index;
inline constexpr Op<"_index_backward(Tensor grad, int[] input_sizes, Tensor[] indices) -> Tensor">
    index_backward;
inline constexpr Op<
    "index_put(Tensor self, Tensor[] indices, Tensor values, "
    "bool accumulate=False) -> Tensor">
    index_put;
inline constexpr InplaceOp<decltype(index_put)> index_put_;

inline constexpr Op<"index_select(Tensor self, int dim, Tensor index) -> Tensor"> index_select;
inline constexpr Op<
    "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) "
    "-> Tensor">
    index_add;
inline constexpr InplaceOp<decltype(index_add)> index_add_;
inline constexpr Op<"index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor">
    index_copy;
inline constexpr Op<
    "index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> "
    "Tensor">
    index_fill;
inline constexpr Op<
    "index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> "
    "Tensor">
    index_fill_tensor;
inline constexpr Op<"take(Tensor self, Tensor index) -> Tensor"> take;
inline constexpr Op<
    "put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor">
    put;

inline constexpr Op<
    "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> "
    "Tensor">
    gather;
inline constexpr Op<"scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor">
    scatter;
inline constexpr Op<"scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor">
    scatter_value;
inline constexpr Op<
    "scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) "
    "-> Tensor">
    scatter_with_reduce;
inline constexpr Op<
    "scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, "
    "str reduce) -> Tensor">
    scatter_value_with_reduce;
inline constexpr Op<"scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor">
    scatter_add;
inline constexpr Op<
    "scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, "
    "*, bool include_self=True) -> Tensor">
    scatter_reduce;
inline constexpr Op<
    "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, "
    "bool include_self=True) -> Tensor">
    index_reduce;
inline constexpr Op<"take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor">
    take_along_dim;

inline constexpr Op<"nonzero(Tensor self) -> Tensor"> nonzero;
inline constexpr Op<"where.condition(Tensor condition) -> Tensor[]"> where_condition;
inline constexpr Op<"_nonzero_numpy(Tensor self) -> Tensor[]"> nonzero_numpy;
inline constexpr Op<"argwhere(Tensor self) -> Tensor"> argwhere;
inline constexpr Op<"masked_select(Tensor self, Tensor mask) -> Tensor"> masked_select;
inline constexpr Op<"masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor">
    masked_fill;
inline constexpr InplaceOp<decltype(masked_fill)> masked_fill_;
inline constexpr Op<"masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor">
    masked_fill_tensor;
inline constexpr InplaceOp<decltype(masked_fill_tensor)> masked_fill_tensor_;
inline constexpr Op<"masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor">
    masked_scatter;
inline constexpr Op<"_masked_scatter_backward(Tensor grad, Tensor mask, int[] sizes) -> Tensor">
    masked_scatter_backward;

}  // namespace pt
