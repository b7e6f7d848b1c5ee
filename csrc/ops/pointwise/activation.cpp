// Piecewise linear activation functions.
#include "ops/pointwise/activation.h"

#include "core/generator.h"
#include "ops/index/index.h"
#include "ops/pointwise/activation_backward.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"
#include "ops/random/device.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const PointwiseKernel kRelu{"relu"}, kRelu6{"relu6"}, kLeakyRelu{"leaky_relu"};
const PointwiseKernel kThreshold{"threshold"}, kHardtanh{"hardtanh"};
const PointwiseKernel kHardsigmoid{"hardsigmoid"}, kHardswish{"hardswish"};
const PointwiseKernel kHardshrink{"hardshrink"}, kSoftshrink{"softshrink"};

void check_not_bool(const Tensor& self, const char* op) {
  PT_CHECK(self.dtype() != DType::kBool, "Boolean inputs not supported for ", op);
}

// rrelu's factors: 1 for positive elements, else drawn uniformly, in row-major order.
Tensor random_slopes(const Tensor& self, double low, double high, Generator* generator) {
  Generator& source = generator_of_call(generator);
  const Tensor input = as_contiguous(self);
  const Tensor slopes = empty_tensor(self.sizes(), self.dtype(), self.device());
  if (call_on_device) {
    const DeviceRandom uniform{.kind = RandomKind::kUniform, .a = low, .b = high};
    random::device::fill(source, self.dtype(), slopes.raw(), slopes.numel(), uniform);
    return masked_fill(slopes, gt(input, 0), 1);
  }
  visit_dtype(self.dtype(), [&](auto v) {
    using T = decltype(v);
    const T* x = input.data<T>();
    T* slope = slopes.data<T>();
    for (int64_t i = 0; i < input.numel(); ++i) {
      const bool positive = static_cast<double>(x[i]) > 0;
      const double s = positive ? 1.0 : source.next_double() * (high - low) + low;
      slope[i] = T(static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(s));
    }
  });
  return slopes;
}

}  // namespace

PT_OP(relu)
    .impl([](const Out& out, const Tensor& self) {
      check_not_bool(self, "relu");
      return run_in_own_dtype(out, kRelu, self);
    })
    .elementwise()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = relu_backward(g.grad(), g.result()); })
    .inplace()
    .out()
    .doc(
        "max(self, 0), elementwise.\n\n"
        "Example:\n    >>> torch.relu(torch.tensor([-1., 2.]))\n    tensor([0., 2.])")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(relu6)
    .impl([](const Out& out, const Tensor& self) {
      check_not_bool(self, "relu6");
      return run_in_own_dtype(out, kRelu6, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = hardtanh_backward(g.grad(), self, 0.0, 6.0);
    })
    .function_only()
    .inplace()
    .doc("min(max(self, 0), 6), elementwise.")
    .sample("R(3, 4) * 8");

PT_OP(leaky_relu)
    .impl([](const Out& out, const Tensor& self, Scalar negative_slope) {
      return run_in_own_dtype(out, kLeakyRelu, self, negative_slope);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar negative_slope) {
      g[0] = leaky_relu_backward(g.grad(), self, negative_slope);
    })
    .function_only()
    .inplace()
    .out()
    .doc("self where positive, else negative_slope * self.")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.2");

PT_OP(threshold)
    .impl([](const Out& out, const Tensor& self, Scalar threshold, Scalar value) {
      refuse_bool(self, "threshold");
      return run_in_own_dtype(out, kThreshold, self, threshold, value);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar threshold, Scalar) {
      g[0] = threshold_backward(g.grad(), self, threshold);
    })
    .function_only()
    .inplace()
    .out()
    .doc("self where it exceeds threshold, else value.")
    .sample("R(3, 4), 0.1, 20");

PT_OP(hardtanh)
    .impl([](const Out& out, const Tensor& self, Scalar min_val, Scalar max_val) {
      PT_CHECK(self.dtype() != DType::kBool, "Bool inputs not supported for hardtanh");
      PT_CHECK(self.dtype() != DType::kUInt8 || (min_val.to_int() >= 0 && max_val.to_int() >= 0),
               "cannot do hardtanh on an unsigned type with negative limits");
      return run_in_own_dtype(out, kHardtanh, self, min_val, max_val);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar min_val, Scalar max_val) {
      g[0] = hardtanh_backward(g.grad(), self, min_val, max_val);
    })
    .function_only()
    .inplace()
    .out()
    .doc("self limited to [min_val, max_val].")
    .sample("R(3, 4)")
    .sample("R(3, 4), -0.3, 0.6");

PT_OP(hardsigmoid)
    .impl([](const Out& out, const Tensor& self) {
      return run_in_own_dtype(out, kHardsigmoid, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = hardsigmoid_backward(g.grad(), self);
    })
    .function_only()
    .inplace()
    .out()
    .doc("relu6(self + 3) / 6, elementwise.")
    .sample("R(3, 4)")
    .sample("R(3, 4) * 3");

PT_OP(hardswish)
    .impl([](const Out& out, const Tensor& self) {
      return run_in_own_dtype(out, kHardswish, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = hardswish_backward(g.grad(), self);
    })
    .function_only()
    .inplace()
    .out()
    .doc("self * relu6(self + 3) / 6, elementwise.")
    .sample("R(3, 4)")
    .sample("R(3, 4) * 3");

PT_OP(hardshrink)
    .impl([](const Out& out, const Tensor& self, Scalar lambd) {
      return run_in_own_dtype(out, kHardshrink, self, lambd);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar lambd) {
      g[0] = shrink_backward(g.grad(), self, lambd);
    })
    .out()
    .doc("self where |self| > lambd, else 0.")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.2");

PT_OP(softshrink)
    .impl([](const Out& out, const Tensor& self, Scalar lambd) {
      PT_CHECK(lambd.to_double() >= 0, "lambda must be greater or equal to 0, but found to be ",
               lambd.to_double(), ".");
      return run_in_own_dtype(out, kSoftshrink, self, lambd);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar lambd) {
      g[0] = shrink_backward(g.grad(), self, lambd);
    })
    .function_only()
    .out()
    .doc("self moved towards 0 by lambd, 0 where |self| <= lambd.")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.2");

PT_OP(prelu)
    .composite([](const Tensor& self, const Tensor& weight) {
      PT_CHECK(self.dtype() == weight.dtype(), "prelu: Type promoting not supported. Got ",
               dtype_name(self.dtype()), " and ", dtype_name(weight.dtype()));
      refuse_integers(self, "prelu");
      Tensor w = weight;
      if (weight.numel() != 1) {
        PT_CHECK(self.dim() > 0, "Not allow zero-dim input tensor.");
        const int64_t channels = self.dim() > 1 ? self.size(1) : 1;
        PT_CHECK(channels == weight.numel(),
                 "Mismatch of parameter numbers and input channel size. Found parameter numbers = ",
                 weight.numel(), " and channel size = ", channels, ".");
      }
      PT_CHECK(
          weight.dim() <= 1,
          "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = ", weight.dim());
      if (self.dim() != 1 || weight.dim() != 1) {
        Dims sizes(self.dim(), 1);
        if (self.dim() > 1) sizes[1] = weight.numel();
        w = reshape(weight, sizes);
      }
      return where(gt(self, 0), self, mul(w, self));
    })
    .doc(
        "self where positive, else weight * self.\n\n"
        "Args:\n    weight (Tensor): one number, or one for each channel (dimension 1 of self)")
    .sample("R(3, 4), P(4)")
    .sample("R(2, 3, 4), P(1)");

PT_OP(rrelu)
    .composite([](const Tensor& self, Scalar lower, Scalar upper, bool training,
                  Generator* generator) {
      const double low = lower.to_double(), high = upper.to_double();
      PT_CHECK(low <= high, "Lower bound should be less than or equal to the upper bound");
      refuse_integers(self, "rrelu");
      if (training) return self * random_slopes(self, low, high, generator);
      const Tensor mean = scalar_tensor((low + high) / 2, self.dtype());
      return self * where(gt(self, 0), scalar_tensor(1, self.dtype()), mean);
    })
    .inplace()
    .function_only()
    .doc(
        "self where positive, else self times a random slope from [lower, upper) in training and "
        "their mean otherwise.\n\n"
        "Args:\n    training (bool): draw a slope for each element")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.1, 0.5");

}  // namespace pt
