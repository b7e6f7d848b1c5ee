// Ops that join, cut and rearrange tensors.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"cat(Tensor[] tensors, int dim=0) -> Tensor"> cat;
inline constexpr Op<"stack(Tensor[] tensors, int dim=0) -> Tensor"> stack;
inline constexpr Op<"narrow(Tensor self, int dim, int start, int length) -> Tensor"> narrow;
inline constexpr Op<"split.sizes(Tensor self, int[] split_size, int dim=0) -> Tensor[]">
    split_with_sizes;
inline constexpr Op<"split(Tensor self, int split_size, int dim=0) -> Tensor[]"> split;
inline constexpr Op<"chunk(Tensor self, int chunks, int dim=0) -> Tensor[]"> chunk;
inline constexpr Op<"unbind(Tensor self, int dim=0) -> Tensor[]"> unbind;
inline constexpr Op<"flatten(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor"> flatten;
inline constexpr Op<"unflatten(Tensor self, int dim, int[] sizes) -> Tensor"> unflatten;
inline constexpr Op<"ravel(Tensor self) -> Tensor"> ravel;
inline constexpr Op<"movedim(Tensor self, int[1] source, int[1] destination) -> Tensor"> movedim;
inline constexpr Op<"broadcast_to(Tensor self, int[] size) -> Tensor"> broadcast_to;
inline constexpr Op<"_broadcast_tensors(Tensor[] tensors) -> Tensor[]"> broadcast_tensors_list;
inline constexpr Op<"diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor">
    diagonal;
inline constexpr Op<
    "diagonal_backward(Tensor grad, int[] input_sizes, int offset, int dim1, "
    "int dim2) -> Tensor">
    diagonal_backward;
inline constexpr Op<"diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor">
    diag_embed;
inline constexpr Op<"diag(Tensor self, int diagonal=0) -> Tensor"> diag;
inline constexpr Op<"diagflat(Tensor self, int offset=0) -> Tensor"> diagflat;
inline constexpr Op<"unfold(Tensor self, int dimension, int size, int step) -> Tensor"> unfold;
inline constexpr Op<"repeat(Tensor self, int[] repeats) -> Tensor"> repeat;
inline constexpr Op<"tile(Tensor self, int[] dims) -> Tensor"> tile;
inline constexpr Op<"flip(Tensor self, int[] dims) -> Tensor"> flip;
inline constexpr Op<"roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor"> roll;
inline constexpr Op<"tril(Tensor self, int diagonal=0) -> Tensor"> tril;
inline constexpr Op<"triu(Tensor self, int diagonal=0) -> Tensor"> triu;
inline constexpr Op<
    "repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, *, "
    "int? output_size=None) -> Tensor">
    repeat_interleave;
inline constexpr Op<
    "repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, "
    "int? output_size=None) -> Tensor">
    repeat_interleave_each;
inline constexpr Op<"repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor">
    repeat_interleave_positions;
inline constexpr Op<"trace(Tensor self) -> Tensor"> trace;

// self with a part replaced by src: select, slice, diagonal and as_strided backwards.
inline constexpr Op<"select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor">
    select_scatter;
inline constexpr Op<
    "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, "
    "int? end=None, int step=1) -> Tensor">
    slice_scatter;
inline constexpr Op<
    "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, "
    "int dim2=1) -> Tensor">
    diagonal_scatter;
inline constexpr Op<
    "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, "
    "int? storage_offset=None) -> Tensor">
    as_strided_scatter;
inline constexpr Op<"narrow_copy(Tensor self, int dim, int start, int length) -> Tensor">
    narrow_copy;

}  // namespace pt
