// Smooth activation functions.
#include "ops/pointwise/activation.h"
#include "ops/pointwise/activation_backward.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"
#include "ops/view/view.h"

namespace pt {

namespace {

constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;
const PointwiseKernel kElu{"elu"}, kSelu{"selu"}, kCelu{"celu"}, kSoftplus{"softplus"};
const PointwiseKernel kGelu{"gelu"}, kGeluTanh{"gelu_tanh"}, kSilu{"silu"}, kMish{"mish"};
const PointwiseKernel kLogSigmoid{"log_sigmoid"}, kSoftsign{"softsign"};

}  // namespace

PT_OP(elu)
    .impl([](const Out& out, const Tensor& self, Scalar alpha, Scalar scale, Scalar input_scale) {
      return run_in_own_dtype(out, kElu, self, alpha, scale, input_scale);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar alpha, Scalar scale,
                 Scalar input_scale) {
      g[0] = elu_backward(g.grad(), self, alpha, scale, input_scale);
    })
    .function_only()
    .inplace()
    .out()
    .doc("self where positive, else alpha * (exp(self) - 1).")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.7");

PT_OP(selu)
    .impl([](const Out& out, const Tensor& self) { return run_in_own_dtype(out, kSelu, self); })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = elu_backward(g.grad(), self, kSeluAlpha, kSeluScale, 1);
    })
    .function_only()
    .inplace()
    .doc("The self-normalising elu: elu with fixed alpha and scale.")
    .sample("R(3, 4)");

PT_OP(celu)
    .impl([](const Out& out, const Tensor& self, Scalar alpha) {
      PT_CHECK(alpha.to_double() != 0, "ZeroDivisionError: alpha cannot be 0 for CELU");
      return run_in_own_dtype(out, kCelu, self, alpha);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar alpha) {
      g[0] = elu_backward(g.grad(), self, alpha, 1, 1 / alpha.to_double());
    })
    .function_only()
    .inplace()
    .doc("self where positive, else alpha * (exp(self / alpha) - 1).")
    .sample("R(3, 4)")
    .sample("R(3, 4), 0.7");

PT_OP(gelu)
    .impl([](const Out& out, const Tensor& self, std::string_view approximate) {
      if (approximate == "none") return run_in_own_dtype(out, kGelu, self);
      PT_CHECK(approximate == "tanh", "approximate argument must be either none or tanh.");
      return run_in_own_dtype(out, kGeluTanh, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::string_view approximate) {
      g[0] = approximate == "tanh" ? gelu_tanh_backward(g.grad(), self)
                                   : gelu_backward(g.grad(), self);
    })
    .function_only()
    .inplace()
    .out()
    .doc(
        "self times the distribution function of the standard normal distribution.\n\n"
        "Args:\n    approximate (str): 'none', or 'tanh' for the formula with tanh")
    .sample("R(3, 4)")
    .sample("R(3, 4), approximate='tanh'");

PT_OP(silu)
    .impl([](const Out& out, const Tensor& self) { return run_in_own_dtype(out, kSilu, self); })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = silu_backward(g.grad(), self); })
    .function_only()
    .inplace()
    .out()
    .doc("self * sigmoid(self), elementwise.")
    .sample("R(3, 4)");

PT_OP(mish)
    .impl([](const Out& out, const Tensor& self) { return run_in_own_dtype(out, kMish, self); })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = mish_backward(g.grad(), self); })
    .function_only()
    .inplace()
    .out()
    .doc("self * tanh(softplus(self)), elementwise.")
    .sample("R(3, 4)");

PT_OP(log_sigmoid)
    .impl([](const Out& out, const Tensor& self) {
      return run_in_own_dtype(out, kLogSigmoid, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = log_sigmoid_backward(g.grad(), self);
    })
    .function_only()
    .alias("logsigmoid")
    .out()
    .doc("log(sigmoid(self)) without overflow, elementwise.")
    .sample("R(3, 4)");

PT_OP(softplus)
    .impl([](const Out& out, const Tensor& self, Scalar beta, Scalar threshold) {
      return run_in_own_dtype(out, kSoftplus, self, beta, threshold);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar beta, Scalar threshold) {
      g[0] = softplus_backward(g.grad(), self, beta, threshold);
    })
    .function_only()
    .out()
    .doc("log(1 + exp(beta * self)) / beta, self where beta * self > threshold.")
    .sample("R(3, 4)")
    .sample("R(3, 4), 2, 1.0");

PT_OP(softsign)
    .impl([](const Out& out, const Tensor& self) {
      refuse_bool(self, "softsign");
      return run_pointwise(out, kSoftsign, Promote::kFloat, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      const Tensor scale = abs(self) + 1;
      g[0] = div(g.grad(), scale * scale);
    })
    .function_only()
    .doc("self / (1 + |self|), elementwise.")
    .sample("R(3, 4)");

PT_OP(tanhshrink)
    .composite([](const Tensor& self) { return self - tanh(self); })
    .function_only()
    .doc("self - tanh(self), elementwise.")
    .sample("R(3, 4)");

PT_OP(glu)
    .composite([](const Tensor& self, int64_t dim) {
      refuse_integers(self, "glu");
      PT_CHECK(self.dim() > 0, "glu does not support 0-dimensional tensors");
      const int64_t d = wrap_dim(dim, self.dim(), false), n = self.size(d);
      PT_CHECK(n % 2 == 0, "Halving dimension must be even, but dimension ", d, " is size ", n);
      return slice(self, d, 0, n / 2) * sigmoid(slice(self, d, n / 2, n));
    })
    .function_only()
    .out()
    .doc("The first half of self along dim times the sigmoid of the second half.")
    .sample("R(3, 4)")
    .sample("R(4, 3), 0");

}  // namespace pt
