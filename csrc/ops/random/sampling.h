// Random operations that are not a map over elements: permutations, categorical samples, and the
// rejection samplers. PyTorch's CPU streams bit for bit, generator state included.
//
// Called by the random ops, which check arguments and allocate; see distributions.h for the rules
// they share (draw order, locking).
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/generator.h"

namespace pt::random {

// A permutation of 0..n-1 in any dtype that holds n-1. n - 1 draws; 2n for n >= 214748364.
void randperm(Generator& g, DType t, void* out, int64_t n);

// Rows of `categories` weights (floating dtype; row and column stride in elements) into contiguous
// rows of `samples` indices. The op checks that weights are finite, none is negative and no row
// sums to zero. With replacement: binary search in the cumulative sums, 2 draws a sample. Without,
// and for a single sample: the largest of weight / exponential(1), in falling order, 2 draws a
// weight; these are drawn in the order of the weights' memory, so with `column_major` set column
// by column (a transposed tensor), else row by row.
struct Categories {
  DType dtype;
  const void* weights;
  int64_t rows, categories, row_stride, column_stride;
};
void multinomial(Generator& g, const Categories& c, int64_t* out, int64_t samples, bool replacement,
                 bool column_major = false);

// Element by element from arrays of the output's dtype (float32 and float64; the ops widen the
// halves) in draw order. Rejection makes the number of draws vary.
void poisson(Generator& g, DType t, const void* rate, void* out, int64_t n);
void binomial(Generator& g, DType t, const void* count, const void* probability, void* out,
              int64_t n);
void standard_gamma(Generator& g, DType t, const void* shape, void* out, int64_t n);
// Rows of `k` concentrations, contiguous: gamma samples in double, normalised.
void dirichlet(Generator& g, DType t, const void* concentration, void* out, int64_t rows,
               int64_t k);

}  // namespace pt::random
