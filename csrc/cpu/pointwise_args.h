// How pointwise kernels are called. The strided executor cuts tensors into contiguous chunks,
// converts them to a kernel's compute type and asks for one chunk at a time.
#pragma once

#include <cstdint>

namespace pt {

// Inputs are arrays of n elements, or one element where bit i of scalar_mask is set; outputs are
// arrays of n elements and may be the same memory as an input of the same element size. Scalar
// parameters of an op (add's alpha, clamp's bounds) are inputs too. A bool is one byte, 0 or 1.
using PointwiseFn = void(void* const* out, const void* const* in, uint32_t scalar_mask, int64_t n);

}  // namespace pt
