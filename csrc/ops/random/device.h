// Random numbers on devices: what distributions.h and sampling.h mean, with streams of their own.
// The numbers depend on the seed and on what was drawn before alone, not on the machine.
#pragma once

#include "core/generator.h"
#include "core/tensor.h"
#include "cuda/args/random_args.h"

namespace pt::random::device {

// Fills n elements in device memory; `how` names the distribution and its numbers.
void fill(Generator& g, DType t, void* out, int64_t n, DeviceRandom how);
// out = x * (kept ? 1 / keep : 0), with ones for a null x.
void dropout(Generator& g, DType t, const void* x, void* out, bool* mask, int64_t n, double keep);

// n samples by rejection; a and b hold the elements' parameters.
void sample(Generator& g, RejectionKind kind, DType t, const void* a, const void* b, void* out,
            int64_t n);

Tensor permutation(Generator& g, int64_t n);  // of int64
// Indices by weight, for each row of `weights` (a vector or a matrix). What is wrong
// with the weights is said later.
Tensor categories(Generator& g, const Tensor& weights, int64_t samples, bool replacement);

}  // namespace pt::random::device
