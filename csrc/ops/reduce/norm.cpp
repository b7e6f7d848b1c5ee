// The p-norm of vectors. Where the norm is zero so is its gradient.
#include "ops/reduce/norm.h"

#include <cmath>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/gradient.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

const ReduceKernel kNorm{"norm"};

// The smallest and the negative norms of nothing do not exist.
void check_has_identity(const Tensor& self, const Scalar& ord, const std::optional<IntList>& dim,
                        const DimSet& dims) {
  const double p = ord.to_double();
  if (self.numel() > 0 || (p >= 0 && !std::isinf(p))) return;
  PT_CHECK(dim && !dim->empty(), "linalg.vector_norm cannot compute the ", ord,
           " norm on an empty tensor because the operation does not have an identity");
  for (int i = 0; i < self.dim(); ++i)
    PT_CHECK(!dims[static_cast<size_t>(i)] || self->sizes[i] > 0,
             "linalg.vector_norm cannot compute the ", ord, " norm on the dimension ", i,
             " because this dimension is empty and the operation does not have an identity");
}

// grad / norm^power, and 0 where the norm is 0.
Tensor scaled_by_norm(const Tensor& grad, const Tensor& norm, double power) {
  const Tensor zero = eq(norm, 0);
  const Tensor divisor = where(zero, 1.0, norm);
  return where(zero, 0.0, div(grad, power == 1 ? divisor : pow(divisor, power)));
}

// The gradient of norm(self) given that of the norm; `grad` and `norm` broadcast against self.
Tensor norm_gradient(const Tensor& grad, const Tensor& self, const Tensor& norm, double p,
                     const DimSet& dims) {
  if (p == 1) return mul(sgn(self), grad);
  if (p == 2) return mul(self, scaled_by_norm(grad, norm, 1));
  if (std::isinf(p)) {
    const Tensor size = abs(self);
    const Tensor mask = logical_or(eq(size, norm), isnan(size));
    Dims list;
    for (int i = 0; i < self.dim(); ++i)
      if (dims[static_cast<size_t>(i)]) list.push_back(i);
    return mul(sgn(self), mul(div(grad, sum_dim(mask, IntList(list), true)), mask));
  }
  if (p < 1) {
    const Tensor zero = eq(self, 0);
    const Tensor powers = where(zero, 0.0, pow(where(zero, 1.0, abs(self)), p - 1));
    return mul(mul(sgn(self), powers), mul(grad, pow(norm, 1 - p)));
  }
  const Tensor scale = scaled_by_norm(grad, norm, p - 1);
  if (p < 2) return mul(mul(sgn(self), pow(abs(self), p - 1)), scale);
  return mul(mul(self, pow(abs(self), p - 2)), scale);
}

}  // namespace

PT_OP(linalg_vector_norm)
    .impl([](const Tensor& self, Scalar ord, std::optional<IntList> dim, bool keepdim,
             std::optional<DType> dtype) {
      PT_CHECK(self.is_floating(),
               "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
               scalar_type_name(self.dtype()));
      const DType t = dtype.value_or(self.dtype());
      PT_CHECK(is_floating(t),
               "linalg.vector_norm: dtype should be floating point or complex. Got ",
               scalar_type_name(t));
      PT_CHECK(item_size(t) >= item_size(self.dtype()),
               "linalg.vector_norm: the dtype of the input (", scalar_type_name(self.dtype()),
               ") should be convertible without narrowing to the specified dtype (",
               scalar_type_name(t), ")");
      const DimSet dims = dim_set(dim, self.dim());
      check_has_identity(self, ord, dim, dims);
      return run_reduction(
          {.kernel = kNorm, .compute = t, .result = t, .p = ord.to_double(), .splits = !is_half(t)},
          self, dims, keepdim);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, Scalar ord, std::optional<IntList> dim,
                 bool keepdim, std::optional<DType>) {
      const double p = ord.to_double();
      if (p == 0) return;  // a count: constant almost everywhere
      const DimSet dims = dim_set(dim, self.dim());
      g[0] = norm_gradient(restored(g.grad(), self, dims, keepdim), self,
                           restored(g.result(), self, dims, keepdim), p, dims);
    })
    .out()
    .internal()
    .doc("sum(abs(self)**ord)**(1/ord) over the given dimensions (all when None).")
    .sample("R(3, 4)")
    .sample("R(3, 4), 1, -1")
    .sample("R(2, 3, 4), 3, (0, 2), keepdim=True")
    .sample("R(3, 4), 1.5, 0")
    .sample("P(3, 4), 0.5, 0")
    .sample("P(3, 4), -2.0, 1")
    .sample("R(3, 4), float('inf'), 1")
    .sample("R(3, 4), float('-inf')")
    .sample("R(3, 4), 0, 1");

PT_OP(dist)
    .composite([](const Tensor& self, const Tensor& other, Scalar p) {
      const Tensor difference = sub(self, other);
      PT_CHECK(difference.is_floating(),
               "norm(): input dtype should be either floating point or complex. Got ",
               scalar_type_name(difference.dtype()), " instead.");
      return linalg_vector_norm(difference, p);
    })
    .out()
    .doc(
        "The p-norm of self - other over all elements.\n\n"
        "Example:\n    >>> torch.dist(torch.tensor([0., 0.]), torch.tensor([3., 4.]))\n"
        "    tensor(5.)")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4), 3")
    .sample("R(3, 4), R(3, 4), 1");

}  // namespace pt
