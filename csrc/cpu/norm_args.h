// Plain arguments of the normalization kernels; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// Elements x[n, c, s] of `channels` channels, in memory in that order, or as [n, s, c] where
// channels_last is set. Arrays of a number for each channel are of the type computed in.
struct ChannelArgs {
  int64_t batch = 1, channels = 0, spatial = 1;
  bool channels_last = false;
  const void* x = nullptr;
  const void* grad = nullptr;
  const void* mean = nullptr;
  const void* scale = nullptr;
  const void* shift = nullptr;  // null: 0
  const void* slope = nullptr;
  void* out = nullptr;
  double* first = nullptr;  // sums over a channel
  double* second = nullptr;
};
// channel_moments: first = mean(x), second = sum((x - mean(x))^2)
// channel_sums:    first = sum(grad), second = sum(grad * (x - mean))
// channel_affine:  out = (x - mean) * scale + shift
// channel_slope:   out = grad * scale - shift - (x - mean) * slope
using ChannelFn = void(const ChannelArgs&);

// Rows of n elements, each normalized by itself. weight and bias: n of the type computed in, or
// null; mean and rstd: a number for each row. Without `centred` the mean counts as 0.
struct RowNormArgs {
  int64_t rows = 0, n = 0;
  bool centred = true;
  double eps = 0;
  const void* x = nullptr;
  const void* weight = nullptr;
  const void* bias = nullptr;
  void* mean = nullptr;
  void* rstd = nullptr;
  void* out = nullptr;  // forward: the result; backward: the gradient of x, or null
  const void* grad = nullptr;
  double* weight_grad = nullptr;  // n, or null
  double* bias_grad = nullptr;    // n, or null
};
using RowNormFn = void(const RowNormArgs&);

}  // namespace pt
