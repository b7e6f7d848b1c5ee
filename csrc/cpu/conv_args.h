// Plain arguments of the convolution kernels; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// A way to compute convolutions, for tools/tune_conv.py: it is taken wherever the shape allows it.
// Else conv/choose.h decides.
enum class ConvWay : uint8_t { kChosen, kProduct, kWinograd, kPointwise, kScatter };

// A convolution of three spatial dimensions (leading ones of size 1 where there are fewer):
//
//   output[n, g, co, o] = bias[g, co] + sum over ci, k of
//                         weight[g, co, ci, k] * input[n, g, ci, o * stride - padding + k *
//                         dilation]
//
// with zeros outside the input. All tensors are contiguous: input [batch, groups, in_channels, in],
// weight [groups, out_channels, in_channels, kernel], output [batch, groups, out_channels, out].
// Every size is at least 1, and no position overflows. Each kernel writes one of the tensors:
// "conv_forward" the output; "conv_input_gradient" the input, from the output and the weight, with
// `bias` (of groups x in_channels) added; "conv_weight_gradient" the weight.
struct ConvArgs {
  int64_t batch = 1, groups = 1;
  int64_t in_channels = 1, out_channels = 1;  // of one group
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  void* input = nullptr;
  void* weight = nullptr;
  void* output = nullptr;
  const void* bias = nullptr;  // or null
  // What follows the sums of "conv_forward": clamp(scale[g, co] * sums + bias[g, co] + residual,
  // least, most). The residual is laid out as the output. Null means none.
  const void* scale = nullptr;
  const void* residual = nullptr;
  double least = -__builtin_inf(), most = __builtin_inf();
  int winograd_tile = 2;  // the largest tiles that Winograd's transforms may take: 0 (none), 2, 4
  // For "conv_units_forward" and so on, of float32: numbers are sums of two of bfloat16.
  bool two_parts = false;
  // Of devices: float32 may be rounded to tf32; a library may do it all; it may time its ways.
  bool tf32 = false, library = false, timed = false;
  // For "conv_mixed_forward", of float32: which tensors are bfloat16.
  bool half_input = false, half_output = false;
  ConvWay way = ConvWay::kChosen;
  // Memory for the time of the call, 64-byte aligned.
  void* (*allocate)(void* owner, int64_t bytes) = nullptr;
  void* owner = nullptr;
};
using ConvFn = void(const ConvArgs&);
// "conv_units_forward" and so on: false where the bfloat16 units are of no use (conv_units.cpp).
using ConvUnitsFn = bool(const ConvArgs&);
// "conv_mixed_forward": false where the way of the shape takes float32 alone.
using ConvMixedFn = bool(const ConvArgs&);

}  // namespace pt
