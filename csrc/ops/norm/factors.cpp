// See factors.h.
#include "ops/norm/factors.h"

#include "op/copy.h"
#include "ops/norm/formula.h"

namespace pt {

namespace {

const Kernel<NormFactorFn> kForward{"norm_factors"}, kBackward{"norm_factors_backward"};

void* raw(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }
Tensor dense(const Tensor& t, DType dtype) {
  return t.defined() ? as_contiguous(cast_to(t, dtype)) : t;
}

}  // namespace

NormFactors::NormFactors(DType dtype, int64_t batch, int64_t channels, int64_t groups)
    : dtype_(dtype) {
  a.batch = batch;
  a.channels = channels;
  a.groups = groups;
  const DType computed = accumulate_type(dtype);
  for (Tensor* t : {&mean, &scale, &shift, &slope})
    *t = empty_tensor({{batch * channels}}, computed);
  a.mean = mean.raw();
  a.scale = scale.raw();
  a.shift = shift.raw();
  a.slope = slope.raw();
}

void NormFactors::set_sums(const ChannelSums& sums) {
  sums_ = sums;
  a.first = values(sums.first);
  a.second = values(sums.second);
}

void NormFactors::set_parameters(const Tensor& weight, const Tensor& bias) {
  weight_ = dense(weight, dtype_);
  bias_ = dense(bias, dtype_);
  a.weight = raw(weight_);
  a.bias = raw(bias_);
}

void NormFactors::run(const Tensor& running_mean, const Tensor& running_var) {
  const Tensor m = dense(running_mean, dtype_), v = dense(running_var, dtype_);
  a.running_mean = raw(m);
  a.running_var = raw(v);
  if (a.training) {
    saved_mean = empty_tensor({{a.batch * a.groups}}, dtype_);
    saved_rstd = empty_tensor({{a.batch * a.groups}}, dtype_);
    a.saved_mean = saved_mean.raw();
    a.saved_rstd = saved_rstd.raw();
  }
  kForward.get(dtype_)(a);
  if (!a.training) return;
  if (m.defined() && m.raw() != running_mean.raw()) copy_into(running_mean, m);
  if (v.defined() && v.raw() != running_var.raw()) copy_into(running_var, v);
}

void NormFactors::run_backward(const Tensor& rstd) {
  const Tensor r = dense(rstd, dtype_);
  weight_grad = empty_tensor({{a.channels}}, dtype_);
  bias_grad = empty_tensor({{a.channels}}, dtype_);
  a.saved_rstd = r.raw();
  a.weight_grad = weight_grad.raw();
  a.bias_grad = bias_grad.raw();
  kBackward.get(dtype_)(a);
}

}  // namespace pt
