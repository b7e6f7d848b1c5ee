// What the ops on grids share: the arguments of their kernels, checked.
#pragma once

#include "core/tensor.h"
#include "cpu/image_args.h"
#include "op/op.h"

namespace pt {

// `sizes` are the planes'; `mode` and `padding` grid_sampler's.
GridArgs grid_args(const Tensor& grid, IntList sizes, int64_t mode, int64_t padding,
                   bool align_corners);

// The sizes of what grid_sampler returns.
Dims grid_sample_sizes(const Tensor& input, const Tensor& grid);

namespace grid_detail {
// The dtype that places and weights are computed in.
inline DType weight_dtype(DType t) { return t == DType::kFloat64 ? t : DType::kFloat32; }
}  // namespace grid_detail

}  // namespace pt
