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

// From statistics to the numbers that channel_affine and channel_slope take, for devices (the cpu
// does this in the ops). `batch` samples of `channels` channels in `groups` groups; batch
// normalization has one sample whose channels are groups. Arrays of `batch * channels` numbers are
// of the type computed in, all others of the parameters' dtype.
struct NormFactorArgs {
  int64_t batch = 1, channels = 0, groups = 0;
  double count = 1;  // elements of a group
  double eps = 0, momentum = 0;
  bool training = true;  // else the running statistics are those of the groups
  // Forward, of each group: mean and sum of squared distances. Backward, of each channel of each
  // sample: channel_sums.
  const double* first = nullptr;
  const double* second = nullptr;
  void* running_mean = nullptr;  // channels, or null; training moves them
  void* running_var = nullptr;
  const void* weight = nullptr;  // channels, or null
  const void* bias = nullptr;
  void* saved_mean = nullptr;  // groups of all samples; forward writes them, or null
  void* saved_rstd = nullptr;
  void* mean = nullptr;  // for the kernels of channels
  void* scale = nullptr;
  void* shift = nullptr;
  void* slope = nullptr;
  void* weight_grad = nullptr;  // channels
  void* bias_grad = nullptr;
};
// "norm_factors": mean, scale and shift of channel_affine, the saved and the running statistics.
// "norm_factors_backward": scale, shift and slope of channel_slope, and the parameters' gradients.
using NormFactorFn = void(const NormFactorArgs&);

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
