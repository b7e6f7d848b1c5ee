// Batch and instance normalization. See norm.h.
#include <cmath>

#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/norm/channels.h"
#include "ops/norm/factors.h"
#include "ops/norm/formula.h"
#include "ops/norm/norm.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

int64_t channels_of(const Tensor& input) { return input.dim() > 1 ? input->sizes[1] : 0; }

void check_length(const char* name, const Tensor& t, int64_t channels) {
  PT_CHECK(!t.defined() || t.numel() == channels, name, " should contain ", channels,
           " elements not ", t.defined() ? t.numel() : 0);
}

// running = (1 - momentum) * running + momentum * value
void update_running(const Tensor& running, const double* now, double momentum) {
  if (!running.defined()) return;
  const Tensor next = copy_of(numbers(running));
  double* v = values(next);
  for (int64_t c = 0; c < next.numel(); ++c) v[c] = momentum * now[c] + (1 - momentum) * v[c];
  copy_into(running, next);
}

// A vector of numbers for the channels as a factor of the input.
Tensor along_channels(const Tensor& t, const Tensor& input) {
  Dims shape(input.dim(), 1);
  shape[1] = t.numel();
  return reshape(t, shape);
}

Dims dims_but_channels(const Tensor& input) {
  Dims dims;
  for (int i = 0; i < input.dim(); ++i)
    if (i != 1) dims.push_back(i);
  return dims;
}

Tensor sum_to_channels(const Tensor& t) { return sum_dim(t, IntList(dims_but_channels(t)), false); }

Tensor vector_or_undefined(const Tensor& t, const Tensor& input) {
  return t.defined() ? along_channels(t, input) : t;
}

// The arguments of the affine kernel: scale = rstd * weight, shift = bias.
void apply(const Channels& x, const Tensor& mean, const Tensor& rstd, const Tensor& weight,
           const Tensor& bias, const Tensor& out) {
  const int64_t n = x.a.channels;
  const Tensor scale = empty_tensor({{n}}, DType::kFloat64);
  const Tensor w = weight.defined() ? numbers(weight) : Tensor();
  const Tensor shift = bias.defined() ? numbers(bias) : zeros_tensor({{n}}, DType::kFloat64);
  for (int64_t c = 0; c < n; ++c)
    values(scale)[c] = values(rstd)[c] * (w.defined() ? values(w)[c] : 1);
  channel_affine(x.a, x.x.dtype(), mean, scale, shift, out);
}

Tensor rstd_of(const Tensor& var, double eps) {
  if (!var.device().is_cpu()) return rsqrt(add(numbers(var), eps));
  const Tensor rstd = copy_of(numbers(var));
  for (int64_t c = 0; c < rstd.numel(); ++c) values(rstd)[c] = 1 / std::sqrt(values(rstd)[c] + eps);
  return rstd;
}

// native_batch_norm where its numbers are not the host's; the same arithmetic.
std::tuple<Tensor, Tensor, Tensor> batch_norm_on_device(
    const Channels& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
    const Tensor& running_var, bool training, double momentum, double eps, DType parameters) {
  const Tensor out = x.empty();
  NormFactors f(parameters, 1, x.a.channels, x.a.channels);
  f.a.count = x.count();
  f.a.eps = eps;
  f.a.momentum = momentum;
  f.a.training = training;
  f.set_parameters(weight, bias);
  if (training) f.set_sums(channel_moments(x.a, x.x.dtype()));
  f.run(running_mean, running_var);
  channel_affine(x.a, x.x.dtype(), f.mean, f.scale, f.shift, out);
  if (training) return {out, f.saved_mean, f.saved_rstd};
  const Tensor none = empty_tensor({{0}}, parameters);
  return {out, none, empty_tensor({{0}}, parameters)};
}

}  // namespace

PT_OP(batch_norm)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, bool training,
                  double momentum, double eps, bool) {
      if (training && input.dim() > 1 && input.numel() == 0) {  // no statistics, nothing to update
        const Tensor out = weight.defined() ? mul(input, along_channels(weight, input)) : input;
        return bias.defined() ? add(out, along_channels(bias, input)) : clone(out);
      }
      return std::get<0>(native_batch_norm(input, weight, bias, running_mean, running_var, training,
                                           momentum, eps));
    })
    .function_only()
    .doc(
        "(input - mean) / sqrt(var + eps) * weight + bias for each channel, dimension 1: with the "
        "statistics of the input in training, else with the running ones.\n\n"
        "Args:\n    running_mean, running_var: in training they move towards the input's "
        "statistics by `momentum`\n    cudnn_enabled (bool): without effect")
    .sample("R(3, 4, 5), P(4), R(4), None, None, True, 0.1, 1e-5, True")
    .sample("R(3, 4), None, None, None, None, True, 0.1, 1e-3, False")
    .sample("R(2, 3, 4, 5), P(3), R(3), None, None, True, 0.1, 1e-5, False")
    .sample(
        "R(2, 4, 2), P(4), R(4), torch.zeros(4).to(U().dtype), torch.ones(4).to(U().dtype), "
        "False, 0.1, 1e-5, False");

PT_OP(native_batch_norm)
    .on_device()
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& bias,
             const Tensor& running_mean, const Tensor& running_var, bool training, double momentum,
             double eps) {
      const int64_t channels = channels_of(input);
      PT_CHECK(training || running_mean.defined(),
               "running_mean must be defined in evaluation mode");
      PT_CHECK(training || running_var.defined(), "running_var must be defined in evaluation mode");
      check_length("running_mean", running_mean, channels);
      check_length("running_var", running_var, channels);
      check_length("weight", weight, channels);
      check_length("bias", bias, channels);
      PT_CHECK_KIND(ErrorKind::kNotImplemented, input.is_floating(),
                    "\"batch_norm\" not implemented for '", scalar_type_name(input.dtype()), "'");
      const DType parameters =
          check_parameters(input, {&weight, &bias, &running_mean, &running_var});
      PT_CHECK(input.dim() >= 2, "batch_norm(): expected at least 2 dimensions, got ", input.dim());
      PT_CHECK(
          !training || input.numel() > 0,
          "input tensor must have at least one element, but got input_sizes = ", input.sizes());
      const Channels x(input);
      if (call_on_device) {
        return batch_norm_on_device(x, weight, bias, running_mean, running_var, training, momentum,
                                    eps, parameters);
      }
      const Tensor out = x.empty();
      if (!training) {
        if (out.numel() > 0)
          apply(x, numbers(running_mean), rstd_of(running_var, eps), weight, bias, out);
        const Tensor none = empty_tensor({{0}}, parameters);
        return std::tuple(out, none, empty_tensor({{0}}, parameters));
      }
      const ChannelSums moments = channel_moments(x.a, input.dtype());
      const double n = x.count();
      const Tensor var = copy_of(moments.second), unbiased = moments.second;
      for (int64_t c = 0; c < channels; ++c) {
        values(var)[c] /= n;
        values(unbiased)[c] /= n - 1;
      }
      const Tensor rstd = rstd_of(var, eps);
      apply(x, moments.first, rstd, weight, bias, out);
      update_running(running_mean, values(moments.first), momentum);
      update_running(running_var, values(unbiased), momentum);
      return std::tuple(out, cast_to(moments.first, parameters), cast_to(rstd, parameters));
    })
    .saves("input, weight, running_mean, running_var, result1, result2")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& weight, const Tensor&,
                 const Tensor& running_mean, const Tensor& running_var, bool training, double,
                 double eps) {
      const Tensor mean = training ? g.result(1) : running_mean;
      const Tensor rstd = training ? g.result(2) : cast_to(rstd_of(running_var, eps), mean.dtype());
      auto [dx, dw, db] = batch_norm_backward(g.grad(), input, weight, mean, rstd, training, eps);
      if (g.needs(0)) g[0] = dx;
      if (g.needs(1)) g[1] = dw;
      if (g.needs(2)) g[2] = db;
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .function_only()
    .doc("batch_norm(), with the statistics of the input: mean and 1 / sqrt(var + eps).")
    .sample("R(3, 4, 5), P(4), R(4), None, None, True, 0.1, 1e-5")
    .sample("R(2, 3, 4, 8), P(3), None, None, None, True, 0.1, 1e-3");

PT_OP(batch_norm_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& input, const Tensor& weight, const Tensor& mean,
             const Tensor& rstd, bool training, double) {
      const Channels x(input);
      const Tensor out = x.empty();
      const int64_t channels = x.a.channels;
      const DType parameters = weight.defined() ? weight.dtype() : mean.dtype();
      const auto vector = [&] { return empty_tensor({{channels}}, DType::kFloat64); };
      if (out.numel() == 0) {
        const Tensor zero = zeros_tensor({{channels}}, parameters);
        return std::tuple(out, zero, zeros_tensor({{channels}}, parameters));
      }
      const Tensor g = x.arranged(cast_to(grad, input.dtype()));
      if (call_on_device) {
        NormFactors f(parameters, 1, channels, channels);
        f.a.count = x.count();
        f.a.training = training;
        f.set_parameters(weight, Tensor());
        f.set_sums(channel_sums(x.a, input.dtype(), g, mean));
        f.run_backward(rstd);
        channel_slope(x.a, input.dtype(), g, mean, f.scale, f.shift, f.slope, out);
        return std::tuple(out, f.weight_grad, f.bias_grad);
      }
      const Tensor m = numbers(mean), r = numbers(rstd);
      const Tensor w = weight.defined() ? numbers(weight) : Tensor();
      const ChannelSums sums = channel_sums(x.a, input.dtype(), g, m);
      const Tensor scale = vector(), shift = vector(), slope = vector(), dw = vector();
      const double n = x.count();
      for (int64_t c = 0; c < channels; ++c) {
        const double rc = values(r)[c], k = rc * (w.defined() ? values(w)[c] : 1);
        values(dw)[c] = values(sums.second)[c] * rc;
        values(scale)[c] = k;
        values(shift)[c] = training ? k * values(sums.first)[c] / n : 0;
        values(slope)[c] = training ? k * rc * rc * values(sums.second)[c] / n : 0;
      }
      channel_slope(x.a, input.dtype(), g, m, scale, shift, slope, out);
      return std::tuple(out, cast_to(dw, parameters), cast_to(sums.first, parameters));
    })
    .saves("grad, input, weight, mean, rstd")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, const Tensor& weight,
                 const Tensor& mean, const Tensor& rstd, bool training, double eps) {
      const Tensor v_weight = vector_or_undefined(g.grad(1), input);
      const Tensor v_bias = vector_or_undefined(g.grad(2), input);
      SecondGradient s;
      if (training) {
        const Dims dims = dims_but_channels(input);
        const Normalization n{input, vector_or_undefined(weight, input), dims, eps, true};
        s = second_gradient(n, grad, g.grad(0), v_weight, v_bias);
      } else {
        const Tensor m = along_channels(mean, input), r = along_channels(rstd, input);
        const auto plus = [](Tensor& t, const Tensor& more) {
          t = t.defined() ? add(t, more) : more;
        };
        if (g.grad(0).defined()) {
          const Tensor v = mul(g.grad(0), r);
          s.grad = weight.defined() ? mul(v, along_channels(weight, input)) : v;
          s.weight = mul(v, grad);
        }
        if (v_weight.defined()) {
          plus(s.grad, mul(v_weight, mul(sub(input, m), r)));
          s.x = mul(mul(v_weight, grad), r);
        }
        if (v_bias.defined()) plus(s.grad, v_bias);
      }
      if (g.needs(0)) g[0] = s.grad.defined() ? expand(s.grad, input.sizes()) : s.grad;
      if (g.needs(1)) g[1] = s.x;
      if (g.needs(2) && s.weight.defined()) g[2] = sum_to_channels(s.weight);
    })
    .internal();

PT_OP(instance_norm)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, bool use_input_stats,
                  double momentum, double eps, bool cudnn_enabled) {
      PT_CHECK(use_input_stats || (running_mean.defined() && running_var.defined()),
               "Expected running_mean and running_var to be defined when use_input_stats is "
               "false");
      PT_CHECK(input.dim() >= 2, "instance_norm(): expected at least 2 dimensions, got ",
               input.dim());
      // Each channel of each sample becomes a channel of one sample.
      const int64_t batch = input->sizes[0], channels = input->sizes[1];
      Dims merged = input.sizes();
      merged[0] = 1;
      merged[1] = batch * channels;
      const auto repeated = [batch](const Tensor& t) {
        return t.defined() ? repeat(t, Dims{batch}) : t;
      };
      const Tensor mean = repeated(running_mean), var = repeated(running_var);
      const Tensor out =
          batch_norm(reshape(contiguous(input), merged), repeated(weight), repeated(bias), mean,
                     var, use_input_stats, momentum, eps, cudnn_enabled);
      if (use_input_stats) {
        const int64_t first[] = {0};
        const auto update = [&](const Tensor& running, const Tensor& all) {
          if (!running.defined()) return;
          const Tensor rows = reshape(all, Dims{batch, channels});
          copy_into(running, mean_dim(rows, IntList(first), false));
        };
        update(running_mean, mean);
        update(running_var, var);
      }
      return reshape(out, input.sizes());
    })
    .function_only()
    .doc(
        "batch_norm() with the statistics of each sample by itself.\n\n"
        "Args:\n    use_input_stats (bool): else the running statistics count\n"
        "    cudnn_enabled (bool): without effect")
    .sample("R(3, 4, 5), P(4), R(4), None, None, True, 0.1, 1e-5, True")
    .sample("R(2, 3, 4, 5), None, None, None, None, True, 0.1, 1e-5, True");

}  // namespace pt
