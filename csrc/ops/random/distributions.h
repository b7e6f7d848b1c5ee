// Random distributions over plain memory, each with PyTorch's CPU stream bit for bit: the same
// values and the same generator state afterwards, for any number of threads.
//
// Called by the random ops, which check arguments, allocate, and bring memory into draw order:
// elements are drawn in the order of the output's memory (dimensions by falling stride), so for
// a dense tensor of any layout the buffer itself, otherwise a dense copy. `draws` below counts
// 32-bit words per element. The caller holds the generator for the length of the call.
#pragma once

#include <cstdint>
#include <optional>

#include "core/dtype.h"
#include "core/generator.h"

namespace pt::random {

// [from, to); floating dtypes. 1 draw, 2 for float64.
void uniform(Generator& g, DType t, void* out, int64_t n, double from, double to);

// Floating dtypes. `contiguous` says whether the tensor is (row-major) contiguous, because then
// 16 elements and more take the block method: n draws, twice that for float64 (for the halves only
// the whole blocks' share), and 16 (32) more if n is not a multiple of 16. All others go singly:
// pairs of samples from 4 draws, the odd one cached in the generator.
void normal(Generator& g, DType t, void* out, int64_t n, double mean, double std,
            bool contiguous = true);

// 0 or 1 with probability p of 1; all dtypes. 2 draws.
void bernoulli(Generator& g, DType t, void* out, int64_t n, double p);
// The same with a probability per element, of a floating dtype, in draw order. 1 draw, 2 if
// `p_dtype` is float64. Raises if one is not in [0, 1].
void bernoulli(Generator& g, DType t, void* out, int64_t n, DType p_dtype, const void* p);

// out = x * noise, noise = bernoulli(1 - p) / (1 - p), for 0 < p < 1; `mask` (n bytes or null)
// receives what was kept. 2 draws. A feature dropout draws its noise with dropout_noise and
// multiplies.
void dropout(Generator& g, DType t, const void* x, void* out, bool* mask, int64_t n, double p);
void dropout_noise(Generator& g, DType t, void* out, int64_t n, double p);

// Slopes of rrelu in training: uniform in [lower, upper) where x <= 0, else 1. 2 draws for each
// x <= 0, none for the others.
void rrelu_noise(Generator& g, DType t, const void* x, void* noise, int64_t n, double lower,
                 double upper);

// Floating dtypes; 2 draws each (log_normal as normal singly). geometric also takes integers.
void exponential(Generator& g, DType t, void* out, int64_t n, double rate);
void cauchy(Generator& g, DType t, void* out, int64_t n, double median, double sigma);
void log_normal(Generator& g, DType t, void* out, int64_t n, double mean, double std);
void geometric(Generator& g, DType t, void* out, int64_t n, double p);

// What random_(from, to) and randint draw: base + draw % range, range 0 standing for 2^64.
struct IntegerRange {
  uint64_t range = 0;
  int64_t base = 0;
  bool two_words = false;
};
// The range of random_() without bounds.
IntegerRange integer_range(DType t);
// The range [from, to), or [from, the dtype's largest] without `to`, with PyTorch's checks and
// errors; a floating dtype moves the bounds inwards to values it can hold. `inexact`, if given,
// is set where PyTorch warns that a bound is beyond the dtype's consecutive integers.
IntegerRange integer_range(DType t, int64_t from, std::optional<int64_t> to,
                           bool* inexact = nullptr);
// 1 or 2 draws, as range.two_words says.
void integers(Generator& g, DType t, void* out, int64_t n, const IntegerRange& range);

}  // namespace pt::random
