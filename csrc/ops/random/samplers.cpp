// Ops of the rejection samplers: checks and allocation; the numbers come from sampling.h, or from
// the device, the gradients of samples from functors/reparameter.h.
#include "ops/random/samplers.h"

#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/functors/reparameter.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/random/device.h"
#include "ops/random/draw_lock.h"
#include "ops/random/sampling.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

namespace slopes = device::reparameter;

void check_real(const Tensor& t, const char* kernel) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented,
                t.dtype() == DType::kFloat32 || t.dtype() == DType::kFloat64, "\"", kernel,
                "\" not implemented for '", dtype_name(t.dtype()), "'");
}

void check_same(const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() == b.dtype(), "Found dtype ", dtype_name(b.dtype()), " but expected ",
           dtype_name(a.dtype()));
}

[[noreturn]] void no_derivative(const char* op) {
  raise(ErrorKind::kNotImplemented, "the derivative for '", op, "' is not implemented.");
}

Tensor expanded(const Tensor& t, const Dims& shape) { return as_contiguous(expand(t, shape)); }

// f over corresponding elements of contiguous tensors of one shape and dtype.
template <class F, class... Inputs>
Tensor map_elements(const Dims& shape, DType dtype, F f, const Inputs&... inputs) {
  const Tensor out = empty_tensor(shape, dtype);
  const auto run = [&](auto tag) {
    using T = decltype(tag);
    T* to = out.data<T>();
    parallel_for(0, out.numel(), 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        to[i] = static_cast<T>(f(static_cast<double>(inputs.template data<T>()[i])...));
    });
  };
  if (dtype == DType::kFloat64)
    run(double{});
  else
    run(float{});
  return out;
}

Tensor slopes_on_device(const Tensor& a, const Tensor& b, const Tensor& c) {
  static const Kernel<DeviceSampleSlopeFn> kernel{"device_sample_slope"};
  const Tensor out = empty_tensor(a.sizes(), a.dtype());
  kernel.get(a.dtype())(
      {a.raw(), b.raw(), c.defined() ? c.raw() : nullptr, out.raw(), out.numel()});
  return out;
}

// Gamma samples in double, normalised; each share at least the smallest normal number and below 1.
Tensor dirichlet_on_device(Generator& g, const Tensor& concentration) {
  const Tensor shape = as_contiguous(cast_to(concentration, DType::kFloat64));
  const Tensor gamma = empty_tensor(shape.sizes(), DType::kFloat64);
  random::device::sample(g, RejectionKind::kGamma, DType::kFloat64, shape.raw(), nullptr,
                         gamma.raw(), gamma.numel());
  const int64_t last[] = {-1};
  const bool vector = shape.dim() > 0;
  const Tensor share = vector ? div(gamma, sum_dim(gamma, IntList(last), true)) : div(gamma, gamma);
  const auto limits = [](auto one) {
    using T = decltype(one);
    return std::pair(Scalar(static_cast<double>(std::numeric_limits<T>::min())),
                     Scalar(static_cast<double>(std::nexttoward(one, 0.0L))));
  };
  const auto [least, most] = concentration.dtype() == DType::kFloat64 ? limits(1.0) : limits(1.0f);
  return clamp(cast_to(share, concentration.dtype()), least, most);
}

}  // namespace

PT_OP(binomial)
    .impl([](const Tensor& count, const Tensor& prob, Generator* generator) {
      PT_CHECK_VALUE(is_floating(count.dtype()),
                     "binomial only supports floating-point dtypes for count, got: ",
                     dtype_name(count.dtype()));
      PT_CHECK_VALUE(
          is_floating(prob.dtype()),
          "binomial only supports floating-point dtypes for prob, got: ", dtype_name(prob.dtype()));
      check_same(count, prob);
      check_real(count, "binomial_cpu");
      const Dims shape = broadcast_shapes(count.sizes(), prob.sizes());
      const Tensor n = expanded(count, shape), p = expanded(prob, shape);
      Tensor out = empty_tensor(shape, count.dtype());
      const std::lock_guard lock(draw_mutex());
      Generator& g = generator_of_call(generator);
      if (call_on_device) {
        random::device::sample(g, RejectionKind::kBinomial, out.dtype(), n.raw(), p.raw(),
                               out.raw(), out.numel());
      } else {
        random::binomial(g, out.dtype(), n.raw(), p.raw(), out.raw(), out.numel());
      }
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Generator*) {
      for (int i = 0; i < 2; ++i)
        if (g.needs(i)) g[i] = g.grad() * 0.0;
    })
    .function_only()
    .doc("How many of count trials succeed, each with probability prob.")
    .sample("P(3, 4) * 20, P(3, 4) / 2")
    .sample("P(3, 1) * 4, P(4) / 2")
    .test("random nograd");

PT_OP(standard_gamma)
    .impl([](const Tensor& self, Generator* generator) {
      check_real(self, "gamma_cpu");
      const Tensor shape = as_contiguous(self);
      Tensor out = empty_tensor(self.sizes(), self.dtype());
      const std::lock_guard lock(draw_mutex());
      Generator& g = generator_of_call(generator);
      if (call_on_device) {
        random::device::sample(g, RejectionKind::kGamma, out.dtype(), shape.raw(), nullptr,
                               out.raw(), out.numel());
      } else {
        random::standard_gamma(g, out.dtype(), shape.raw(), out.raw(), out.numel());
      }
      return out;
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, Generator*) {
      g[0] = g.grad() * standard_gamma_grad(self, g.result());
    })
    .internal()
    .doc("Numbers of the gamma distribution of rate 1 with a shape parameter per element.")
    .sample("P(3, 4) * 2")
    .test("random nograd");

// torch's slopes are approximations that differ from the exact ones by up to a thousandth.
PT_OP(standard_gamma_grad)
    .impl([](const Tensor& self, const Tensor& output) {
      check_real(self, "_standard_gamma_grad_cpu");
      check_same(self, output);
      const Dims shape = broadcast_shapes(self.sizes(), output.sizes());
      const Tensor a = expanded(self, shape), x = expanded(output, shape);
      if (call_on_device) return slopes_on_device(a, x, Tensor());
      return map_elements(
          shape, self.dtype(), [](double p, double q) { return slopes::gamma_slope(p, q); }, a, x);
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, const Tensor&) {
      no_derivative("_standard_gamma_grad");
    })
    .internal()
    .doc("How samples of _standard_gamma move with its argument, at a fixed quantile.")
    .sample("P(3, 4) * 2, P(3, 4)")
    .test("nograd tol=1e-3");

PT_OP(sample_dirichlet)
    .impl([](const Tensor& self, Generator* generator) {
      check_real(self, "dirichlet");
      const Tensor concentration = as_contiguous(self);
      Tensor out = empty_tensor(self.sizes(), self.dtype());
      const int64_t k = self.dim() ? self->sizes[self.dim() - 1] : 1;
      if (out.numel() == 0) return out;
      const std::lock_guard lock(draw_mutex());
      Generator& g = generator_of_call(generator);
      if (call_on_device) return dirichlet_on_device(g, concentration);
      random::dirichlet(g, out.dtype(), concentration.raw(), out.raw(), out.numel() / k, k);
      return out;
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, Generator*) { no_derivative("_sample_dirichlet"); })
    .internal()
    .doc("Samples of the Dirichlet distribution; concentrations in the last dimension.")
    .sample("P(3, 4) * 2")
    .test("random nograd");

PT_OP(dirichlet_grad)
    .impl([](const Tensor& x, const Tensor& alpha, const Tensor& total) {
      check_real(x, "_dirichlet_grad_cpu");
      check_same(x, alpha);
      check_same(x, total);
      const Dims shape =
          broadcast_shapes(broadcast_shapes(x.sizes(), alpha.sizes()), total.sizes());
      const Tensor v = expanded(x, shape), a = expanded(alpha, shape), sum = expanded(total, shape);
      if (call_on_device) return slopes_on_device(v, a, sum);
      return map_elements(
          shape, x.dtype(),
          [](double p, double q, double r) { return slopes::beta_slope(q, r - q, p); }, v, a, sum);
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, const Tensor&, const Tensor&) {
      no_derivative("_dirichlet_grad");
    })
    .internal()
    .doc("How a share x of a Dirichlet sample moves with its concentration, over 1 - x.")
    .sample("P(3, 4) / 2, P(3, 4), P(3, 4) + 2")
    .test("nograd tol=1e-3");

}  // namespace pt
