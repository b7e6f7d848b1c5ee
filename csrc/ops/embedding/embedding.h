// Looking up rows of a table, and reducing bags of rows.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, "
    "bool sparse=False) -> Tensor">
    embedding;
// mode: 0 sum, 1 mean, 2 max. The result, the bag of each index, the sizes of the bags, and for
// max the chosen rows.
inline constexpr Op<
    "embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, "
    "int mode=0, bool sparse=False, Tensor? per_sample_weights=None, "
    "bool include_last_offset=False, int? padding_idx=None) -> (Tensor, Tensor, Tensor, Tensor)">
    embedding_bag;

// out[to[e]] += factors[e] * source[from[e]] for out with a number of rows. Without `from` or `to`
// entry e reads or writes row e; entries with a negative row are left out. `scale_grad_by_freq`
// divides the gradient of a row of the source by how often it is read.
inline constexpr Op<
    "_gather_sum(Tensor source, Tensor? source_rows, Tensor? out_rows, Tensor? factors, int rows, "
    "bool scale_grad_by_freq=False) -> Tensor">
    gather_sum;
inline constexpr Op<
    "_gather_max(Tensor source, Tensor source_rows, Tensor out_rows, int rows) "
    "-> (Tensor, Tensor)">
    gather_max;

}  // namespace pt
