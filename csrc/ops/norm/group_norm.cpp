// Group normalization: moments of groups of channels of each sample. See norm.h.
#include <cmath>

#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/norm/channels.h"
#include "ops/norm/factors.h"
#include "ops/norm/formula.h"
#include "ops/norm/norm.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// A contiguous tensor [N, C, HxW] in groups of D = C / groups channels.
struct Groups {
  Tensor x;
  int64_t batch, channels, spatial, groups, depth;

  Groups(const Tensor& input, int64_t n, int64_t c, int64_t hw, int64_t group)
      : x(as_contiguous(input)),
        batch(n),
        channels(c),
        spatial(hw),
        groups(group),
        depth(c / group) {}
  // Every channel of every sample by itself, or every group.
  ChannelArgs single() const { return args(batch * channels, spatial); }
  ChannelArgs grouped() const { return args(batch * groups, depth * spatial); }
  double count() const { return static_cast<double>(depth * spatial); }

 private:
  ChannelArgs args(int64_t planes, int64_t elements) const {
    ChannelArgs a;
    a.channels = planes;
    a.spatial = elements;
    a.x = x.raw();
    return a;
  }
};

Tensor doubles(int64_t n) { return empty_tensor({{n}}, DType::kFloat64); }

// [N, G, D, HxW]
Tensor in_groups(const Tensor& t, const Tensor& input, int64_t group) {
  const int64_t n = input->sizes[0], c = input->sizes[1];
  return reshape(t, Dims{n, group, c / group, n * c == 0 ? 0 : input.numel() / (n * c)});
}

Tensor parameter_in_groups(const Tensor& t, int64_t group) {
  return t.defined() ? reshape(t, Dims{1, group, t.numel() / group, 1}) : t;
}

}  // namespace

PT_OP(group_norm)
    .composite([](const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias,
                  double eps, bool) {
      PT_CHECK(input.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ",
               input.dim());
      const int64_t n = input->sizes[0], c = input->sizes[1];
      int64_t spatial = 1;
      for (int i = 2; i < input.dim(); ++i) spatial *= input->sizes[i];
      return std::get<0>(native_group_norm(input, weight, bias, n, c, spatial, num_groups, eps));
    })
    .function_only()
    .doc(
        "(input - mean) / sqrt(var + eps) * weight + bias, with statistics of groups of channels "
        "(dimension 1) of each sample.\n\n"
        "Args:\n    num_groups (int): divides the number of channels\n"
        "    cudnn_enabled (bool): without effect")
    .sample("R(3, 4, 5), 2, P(4), R(4)")
    .sample("R(3, 6), 2")
    .sample("R(2, 6, 4, 5), 3, P(6), R(6), 1e-3")
    .sample("R(2, 4, 20), 2, P(4), R(4)");

PT_OP(native_group_norm)
    .on_device()
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& bias, int64_t n, int64_t c,
             int64_t spatial, int64_t group, double eps) {
      PT_CHECK(group > 0, "Expected num groups to be greater than 0, got ", group);
      PT_CHECK(c % group == 0,
               "Expected number of channels in input to be divisible by num_groups, but got input "
               "of shape ",
               input.sizes(), " and num_groups=", group);
      const auto check = [&](const char* name, const Tensor& t) {
        PT_CHECK(!t.defined() || (t.dim() == 1 && t.numel() == c), "Expected ", name,
                 " to be a vector of size equal to the number of channels in input, but got ", name,
                 " of shape ", t.defined() ? t.sizes() : Dims(), " and input of shape ",
                 input.sizes());
      };
      check("weight", weight);
      check("bias", bias);
      PT_CHECK(
          n >= 0 && c >= 0 && spatial >= 0 && checked_numel({{n, c, spatial}}) == input.numel(),
          "native_group_norm(): N * C * HxW must be the number of elements of input");
      PT_CHECK_KIND(ErrorKind::kNotImplemented, input.is_floating(),
                    "\"GroupNormKernelImpl\" not implemented for '",
                    scalar_type_name(input.dtype()), "'");
      const DType parameters = check_parameters(input, {&weight, &bias});
      const Groups x(input, n, c, spatial, group);
      const Tensor out = empty_tensor(input.sizes(), input.dtype());
      if (input.numel() == 0) {
        const Tensor zero = zeros_tensor({{n, group}}, parameters);
        return std::tuple(out, zero, zeros_tensor({{n, group}}, parameters));
      }
      const ChannelSums moments = channel_moments(x.grouped(), input.dtype());
      if (call_on_device) {
        NormFactors f(parameters, n, c, group);
        f.a.count = x.count();
        f.a.eps = eps;
        f.set_parameters(weight, bias);
        f.set_sums(moments);
        f.run(Tensor(), Tensor());
        channel_affine(x.single(), input.dtype(), f.mean, f.scale, f.shift, out);
        const Dims groups{n, group};
        return std::tuple(out, reshape(f.saved_mean, groups), reshape(f.saved_rstd, groups));
      }
      const Tensor rstd = doubles(n * group);
      const Tensor mean = doubles(n * c), scale = doubles(n * c), shift = doubles(n * c);
      const Tensor w = weight.defined() ? numbers(weight) : Tensor();
      const Tensor b = bias.defined() ? numbers(bias) : Tensor();
      for (int64_t i = 0; i < n * group; ++i)
        values(rstd)[i] = 1 / std::sqrt(values(moments.second)[i] / x.count() + eps);
      for (int64_t i = 0; i < n * c; ++i) {
        const int64_t at = i / x.depth;
        values(mean)[i] = values(moments.first)[at];
        values(scale)[i] = values(rstd)[at] * (w.defined() ? values(w)[i % c] : 1);
        values(shift)[i] = b.defined() ? values(b)[i % c] : 0;
      }
      channel_affine(x.single(), input.dtype(), mean, scale, shift, out);
      const Dims shape{n, group};
      const Tensor means = reshape(moments.first, shape), rstds = reshape(rstd, shape);
      return std::tuple(out, cast_to(means, parameters), cast_to(rstds, parameters));
    })
    .saves("input, weight, result1, result2")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& weight, const Tensor&,
                 int64_t n, int64_t c, int64_t spatial, int64_t group, double eps) {
      const Dims shape{n, c, spatial};
      auto [dx, dw, db] = group_norm_backward(reshape(g.grad(), shape), reshape(input, shape),
                                              weight, g.result(1), g.result(2), group, eps);
      if (g.needs(0)) g[0] = reshape(dx, input.sizes());
      if (g.needs(1)) g[1] = dw;
      if (g.needs(2)) g[2] = db;
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .function_only()
    .doc("group_norm(), with mean and 1 / sqrt(var + eps) of each group.")
    .sample("R(3, 4, 5), P(4), R(4), 3, 4, 5, 2, 1e-5")
    .test("contiguous");  // sizes are numbers; other layouts are group_norm's

PT_OP(group_norm_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& input, const Tensor& weight, const Tensor& mean,
             const Tensor& rstd, int64_t group, double) {
      const int64_t n = input->sizes[0], c = input->sizes[1];
      const Groups x(input, n, c, input->sizes[2], group);
      const Tensor out = empty_tensor(input.sizes(), input.dtype());
      const DType parameters = weight.defined() ? weight.dtype() : mean.dtype();
      if (input.numel() == 0) {
        const Tensor zero = zeros_tensor({{c}}, parameters);
        return std::tuple(out, zero, zeros_tensor({{c}}, parameters));
      }
      const Tensor g = as_contiguous(cast_to(grad, input.dtype()));
      if (call_on_device) {
        const Tensor means = as_contiguous(
            expand(reshape(mean, Dims{n * group, 1}), IntList(Dims{n * group, x.depth})));
        NormFactors f(parameters, n, c, group);
        f.a.count = x.count();
        f.set_parameters(weight, Tensor());
        f.set_sums(channel_sums(x.single(), input.dtype(), g, means));
        f.run_backward(rstd);
        channel_slope(x.single(), input.dtype(), g, means, f.scale, f.shift, f.slope, out);
        return std::tuple(out, f.weight_grad, f.bias_grad);
      }
      const Tensor w = weight.defined() ? numbers(weight) : Tensor();
      const Tensor group_mean = numbers(mean), r = numbers(rstd);
      const Tensor m = doubles(n * c), scale = doubles(n * c), shift = doubles(n * c);
      const Tensor slope = doubles(n * c);
      for (int64_t i = 0; i < n * c; ++i) values(m)[i] = values(group_mean)[i / x.depth];
      const ChannelSums sums = channel_sums(x.single(), input.dtype(), g, m);
      const Tensor dw = zeros_tensor({{c}}, DType::kFloat64);
      const Tensor db = zeros_tensor({{c}}, DType::kFloat64);
      for (int64_t at = 0; at < n * group; ++at) {
        const double rc = values(r)[at];
        double first = 0, second = 0;
        for (int64_t i = at * x.depth; i < (at + 1) * x.depth; ++i) {
          const double k = w.defined() ? values(w)[i % c] : 1;
          first += k * values(sums.first)[i];
          second += k * values(sums.second)[i];
          values(dw)[i % c] += values(sums.second)[i] * rc;
          values(db)[i % c] += values(sums.first)[i];
        }
        for (int64_t i = at * x.depth; i < (at + 1) * x.depth; ++i) {
          values(scale)[i] = rc * (w.defined() ? values(w)[i % c] : 1);
          values(shift)[i] = rc * first / x.count();
          values(slope)[i] = rc * rc * rc * second / x.count();
        }
      }
      channel_slope(x.single(), input.dtype(), g, m, scale, shift, slope, out);
      return std::tuple(out, cast_to(dw, parameters), cast_to(db, parameters));
    })
    .saves("grad, input, weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, const Tensor& weight,
                 const Tensor&, const Tensor&, int64_t group, double eps) {
      const int64_t dims[] = {2, 3}, over[] = {0, 3};
      const auto grouped = [&](const Tensor& t) {
        return t.defined() ? in_groups(t, input, group) : t;
      };
      const Normalization n{grouped(input), parameter_in_groups(weight, group), IntList(dims), eps,
                            true};
      const SecondGradient s = second_gradient(n, grouped(grad), grouped(g.grad(0)),
                                               parameter_in_groups(g.grad(1), group),
                                               parameter_in_groups(g.grad(2), group));
      const auto back = [&](const Tensor& t) {
        return t.defined() ? reshape(expand(t, n.x.sizes()), input.sizes()) : t;
      };
      if (g.needs(0)) g[0] = back(s.grad);
      if (g.needs(1)) g[1] = back(s.x);
      if (g.needs(2) && s.weight.defined())
        g[2] = reshape(sum_dim(s.weight, IntList(over), false), weight.sizes());
    })
    .internal();

}  // namespace pt
