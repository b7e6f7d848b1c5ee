// Variance, standard deviation, and either with the mean. The overload with a correction is the op;
// the older forms with `unbiased` call it.
#include "ops/reduce/moments.h"

#include "op/define.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/gradient.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

using Dim = std::optional<IntList>;
using Correction = std::optional<Scalar>;
using Pair = std::tuple<Tensor, Tensor>;
const ReduceKernel kVar{"var"}, kStd{"std"}, kVarMean{"var_mean"};

Scalar correction_of(bool unbiased) { return Scalar(unbiased ? 1 : 0); }
double value_of(const Correction& c) { return c ? c->to_double() : 1; }

void check_floating(const char* op, const Tensor& self) {
  PT_CHECK(self.is_floating(), op, " only support floating point and complex dtypes");
}

Tensor moment(const ReduceKernel& kernel, const Tensor& self, const Dim& dim,
              const Correction& correction, bool keepdim) {
  check_floating("std and var", self);
  const DType t = self.dtype();
  return run_reduction({.kernel = kernel, .compute = t, .result = t, .p = value_of(correction)},
                       self, dim_set(dim, self.dim()), keepdim);
}

Pair variance_and_mean(const char* op, const Tensor& self, const Dim& dim,
                       const Correction& correction, bool keepdim) {
  check_floating(op, self);
  const DType t = self.dtype();
  Tensor mean;
  Tensor var = run_reduction(
      {.kernel = kVarMean, .compute = t, .result = t, .p = value_of(correction), .result2 = t},
      self, dim_set(dim, self.dim()), keepdim, &mean);
  return {std::move(var), std::move(mean)};
}

// The gradient of the variance: 2 / (n - correction) * (self - mean).
Tensor variance_gradient(const Tensor& grad, const Tensor& self, const Dim& dim,
                         const Correction& correction, bool keepdim) {
  const DimSet dims = dim_set(dim, self.dim());
  const double degrees = static_cast<double>(reduced_count(self, dims)) - value_of(correction);
  const Tensor scale = mul(restored(grad, self, dims, keepdim), 2 / (degrees > 0 ? degrees : 0.0));
  return mul(sub(self, mean_dim(self, dim, true)), scale);
}

// The gradient of the variance from that of its root.
Tensor root_gradient(const Tensor& grad, const Tensor& root) {
  return where(eq(root, 0), 0.0, div(grad, mul(root, 2)));
}

Tensor mean_gradient(const Tensor& grad, const Tensor& self, const Dim& dim, bool keepdim) {
  const DimSet dims = dim_set(dim, self.dim());
  const auto n = static_cast<double>(reduced_count(self, dims));
  return expand(restored(div(grad, n), self, dims, keepdim), self.sizes());
}

// Of (variance, mean); either gradient may be missing.
Tensor pair_gradient(const Tensor& var_grad, const Tensor& mean_grad, const Tensor& self,
                     const Dim& dim, const Correction& correction, bool keepdim) {
  Tensor g;
  if (var_grad.defined()) g = variance_gradient(var_grad, self, dim, correction, keepdim);
  if (!mean_grad.defined()) return g;
  const Tensor m = mean_gradient(mean_grad, self, dim, keepdim);
  return g.defined() ? add(g, m) : m;
}

}  // namespace

PT_OP(std_all)
    .composite([](const Tensor& self, bool unbiased) {
      return std_correction(self, std::nullopt, correction_of(unbiased));
    })
    .doc(
        "The standard deviation of all elements: with n - 1 in the denominator, or n when not "
        "`unbiased`.\n\n"
        "Example:\n    >>> torch.tensor([1., 2., 3.]).std()\n    tensor(1.)")
    .sample("R(3, 4)")
    .sample("R(3, 4), False");

PT_OP(std_dim)
    .composite([](const Tensor& self, Dim dim, bool unbiased, bool keepdim) {
      return std_correction(self, dim, correction_of(unbiased), keepdim);
    })
    .out()
    .doc(
        "The standard deviation over dimensions (all when None).\n\n"
        "Args:\n    dim (int or tuple of ints, optional): dimensions to reduce\n"
        "    unbiased (bool): divide by n - 1, else n\n"
        "    keepdim (bool): keep them with size 1")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, -1), False, keepdim=True");

PT_OP(std_correction)
    .impl([](const Tensor& self, Dim dim, Correction correction, bool keepdim) {
      return moment(kStd, self, dim, correction, keepdim);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, Dim dim, Correction correction,
                 bool keepdim) {
      g[0] = variance_gradient(root_gradient(g.grad(), g.result()), self, dim, correction, keepdim);
    })
    .out()
    .node_name("StdBackward0")
    .doc(
        "The standard deviation over dimensions (all when None), with n - correction in the "
        "denominator.")
    .sample("R(3, 4), correction=0")
    .sample("R(2, 3, 4), -2, correction=0.5, keepdim=True")
    .sample("R(2, 3, 4), (0, 2), correction=2");

PT_OP(var_all)
    .composite([](const Tensor& self, bool unbiased) {
      return var_correction(self, std::nullopt, correction_of(unbiased));
    })
    .doc(
        "The variance of all elements: with n - 1 in the denominator, or n when not "
        "`unbiased`.\n\n"
        "Example:\n    >>> torch.tensor([1., 2., 3.]).var()\n    tensor(1.)")
    .sample("R(3, 4)")
    .sample("R(3, 4), False");

PT_OP(var_dim)
    .composite([](const Tensor& self, Dim dim, bool unbiased, bool keepdim) {
      return var_correction(self, dim, correction_of(unbiased), keepdim);
    })
    .out()
    .doc(
        "The variance over dimensions (all when None).\n\n"
        "Args:\n    dim (int or tuple of ints, optional): dimensions to reduce\n"
        "    unbiased (bool): divide by n - 1, else n\n"
        "    keepdim (bool): keep them with size 1")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, -1), False, keepdim=True");

PT_OP(var_correction)
    .impl([](const Tensor& self, Dim dim, Correction correction, bool keepdim) {
      return moment(kVar, self, dim, correction, keepdim);
    })
    .on_device()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Dim dim, Correction correction,
                 bool keepdim) {
      g[0] = variance_gradient(g.grad(), self, dim, correction, keepdim);
    })
    .out()
    .node_name("VarBackward0")
    .doc("The variance over dimensions (all when None), with n - correction in the denominator.")
    .sample("R(3, 4), correction=0")
    .sample("R(2, 3, 4), -2, correction=0.5, keepdim=True")
    .sample("R(2, 3, 4), (0, 2), correction=2");

PT_OP(std_mean_all)
    .composite([](const Tensor& self, bool unbiased) {
      return std_mean_correction(self, std::nullopt, correction_of(unbiased));
    })
    .function_only()
    .doc("The standard deviation and the mean of all elements.")
    .sample("R(3, 4)")
    .sample("R(3, 4), False");

PT_OP(std_mean_dim)
    .composite([](const Tensor& self, Dim dim, bool unbiased, bool keepdim) {
      return std_mean_correction(self, dim, correction_of(unbiased), keepdim);
    })
    .function_only()
    .doc("The standard deviation and the mean over dimensions (all when None).")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, -1), False, keepdim=True");

PT_OP(std_mean_correction)
    .impl([](const Tensor& self, Dim dim, Correction correction, bool keepdim) {
      Pair pair = variance_and_mean("std_mean", self, dim, correction, keepdim);
      std::get<0>(pair) = sqrt(std::get<0>(pair));
      return pair;
    })
    .on_device()
    .saves("self, result0")
    .backward([](BackwardCall& g, const Tensor& self, Dim dim, Correction correction,
                 bool keepdim) {
      Tensor var_grad;
      if (g.grad(0).defined()) var_grad = root_gradient(g.grad(0), g.result());
      g[0] = pair_gradient(var_grad, g.grad(1), self, dim, correction, keepdim);
    })
    .out()
    .function_only()
    .node_name("StdMeanBackward0")
    .doc(
        "The standard deviation, with n - correction in the denominator, and the mean over "
        "dimensions (all when None).")
    .sample("R(3, 4), correction=0")
    .sample("R(2, 3, 4), -2, correction=0.5, keepdim=True");

PT_OP(var_mean_all)
    .composite([](const Tensor& self, bool unbiased) {
      return var_mean_correction(self, std::nullopt, correction_of(unbiased));
    })
    .function_only()
    .doc("The variance and the mean of all elements.")
    .sample("R(3, 4)")
    .sample("R(3, 4), False");

PT_OP(var_mean_dim)
    .composite([](const Tensor& self, Dim dim, bool unbiased, bool keepdim) {
      return var_mean_correction(self, dim, correction_of(unbiased), keepdim);
    })
    .function_only()
    .doc("The variance and the mean over dimensions (all when None).")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, -1), False, keepdim=True");

PT_OP(var_mean_correction)
    .impl([](const Tensor& self, Dim dim, Correction correction, bool keepdim) {
      return variance_and_mean("var_mean", self, dim, correction, keepdim);
    })
    .on_device()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Dim dim, Correction correction,
                 bool keepdim) {
      g[0] = pair_gradient(g.grad(0), g.grad(1), self, dim, correction, keepdim);
    })
    .out()
    .function_only()
    .node_name("VarMeanBackward0")
    .doc(
        "The variance, with n - correction in the denominator, and the mean over dimensions (all "
        "when None).")
    .sample("R(3, 4), correction=0")
    .sample("R(2, 3, 4), -2, correction=0.5, keepdim=True");

}  // namespace pt
