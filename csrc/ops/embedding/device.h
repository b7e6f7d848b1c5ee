// What embeddings need besides their kernels, as other ops: for devices, where the host does not
// read row numbers. Used by embedding.cpp.
#pragma once

#include "core/tensor.h"

namespace pt::device {

// Entries in the order of the rows they go to: those of row r are order[starts[r]] ..
// order[starts[r + 1]]. Entries whose source row is negative go nowhere.
struct Sorted {
  Tensor order, starts;
  Sorted(const Tensor& from, const Tensor& to, int64_t entries, int64_t rows);
};
// Raises, when the device's work is waited for, unless all row numbers are below count; negative
// ones may stand for no row.
void check_rows(const Tensor& rows, int64_t count, bool negative = true);
Tensor without(const Tensor& rows, int64_t padding);
Tensor inverse_frequencies(const Tensor& rows, int64_t count);
// 1 / size of the bag, for each entry; 0 outside of bags and in empty ones.
Tensor inverse_sizes(const Tensor& bag, const Tensor& sizes);
// The bag of each entry (-1: none) from the contiguous int64 begins of `count` bags.
Tensor bags(const Tensor& offsets, int64_t count, int64_t entries);
// How many entries other than `padding` each bag has.
Tensor bag_sizes(const Tensor& bag, const Tensor& rows, int64_t count, int64_t padding);

}  // namespace pt::device
