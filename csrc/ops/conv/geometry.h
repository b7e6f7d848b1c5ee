// The geometry of a convolution: checks of its arguments, sizes of its results.
#pragma once

#include "core/tensor.h"
#include "cpu/conv_args.h"

namespace pt {

inline constexpr int kMostSpatial = 3;

inline IntList spatial(const Tensor& t) {
  return IntList(t.sizes().data() + 2, static_cast<size_t>(t.dim() - 2));
}

// The settings of a call, one number for each spatial dimension.
struct ConvSettings {
  Dims stride, padding, dilation, output_padding;
  int64_t groups = 1;
  bool transposed = false;
};

// Settings from arguments in which one number stands for all dimensions; PyTorch's errors.
ConvSettings conv_settings(int spatial_dims, IntList stride, IntList padding, IntList dilation,
                           IntList output_padding, int64_t groups, bool transposed);
// Whether input, weight and bias fit each other (PyTorch's errors). `mixed`: an input of half
// precision beside a float32 weight is right.
void check_conv_tensors(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const ConvSettings& settings, bool mixed = false);
// Spatial sizes of the result.
Dims conv_output_size(const Tensor& input, const Tensor& weight, const ConvSettings& settings);

// Arguments of a kernel: sizes [batch, channels, spatial...] of the convolution's input and
// output and [out, in / groups, spatial...] of its weight. Raises where they do not fit.
ConvArgs conv_args(const char* op, IntList input, IntList weight, IntList output, IntList stride,
                   IntList padding, IntList dilation, int64_t groups);

}  // namespace pt
