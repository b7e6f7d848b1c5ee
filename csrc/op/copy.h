// Copies between tensors of any strides and dtypes, below autograd.
#pragma once

#include "core/tensor.h"

namespace pt {

// memcpy for what may be long.
void copy_bytes(void* dst, const void* src, int64_t bytes);

// dst[...] = src broadcast to dst's shape and converted to its dtype.
void copy_into(const Tensor& dst, const Tensor& src);
// A new tensor on `device` with src's values as `dtype`, with src's strides when it is dense.
Tensor copy_to(const Tensor& src, DType dtype, Device device);
// A new tensor with src's values: same strides when src is dense, else row-major.
Tensor copy_of(const Tensor& src);
Tensor contiguous_copy(const Tensor& src);
// src itself when it is row-major already.
Tensor as_contiguous(const Tensor& src);
Tensor cast_to(const Tensor& src, DType dtype);  // src itself when it has that dtype
void fill_with(const Tensor& dst, const Scalar& value);
Tensor zeros_tensor(IntList sizes, DType dtype, Device device = call_device());
// Gives an out= tensor its shape; keeps it when it has that shape already.
void resize_output(const Tensor& out, IntList sizes);

// Raises when writing to `out` while reading `in` would mix old and new values.
void check_no_partial_overlap(const Tensor& out, const Tensor& in);
void check_no_internal_overlap(const Tensor& out);

}  // namespace pt
