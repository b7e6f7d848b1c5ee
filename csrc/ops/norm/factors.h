// From statistics to the numbers of channels on devices, where they must not be touched one by one.
// Included by the .cpp files of this folder.
#pragma once

#include "ops/norm/channels.h"

namespace pt {

// A call of "norm_factors" or "norm_factors_backward", with the vectors it writes. `dtype` is the
// parameters'.
class NormFactors {
 public:
  NormFactors(DType dtype, int64_t batch, int64_t channels, int64_t groups);

  void set_sums(const ChannelSums& sums);
  // The tensors may be undefined.
  void set_parameters(const Tensor& weight, const Tensor& bias);
  // Forward: makes mean, scale and shift, and saved_mean and saved_rstd of each group in training.
  void run(const Tensor& running_mean, const Tensor& running_var);
  // Backward: makes scale, shift and slope, and the gradients of the parameters.
  void run_backward(const Tensor& rstd);

  NormFactorArgs a;  // count, eps, momentum and training are the caller's to set
  Tensor mean, scale, shift, slope;
  Tensor saved_mean, saved_rstd, weight_grad, bias_grad;

 private:
  DType dtype_;
  ChannelSums sums_;
  Tensor weight_, bias_;
};

}  // namespace pt
