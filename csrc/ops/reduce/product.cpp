// Products and their gradients, which hold for elements that are zero.
#include "ops/reduce/product.h"

#include "op/define.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/accumulate.h"
#include "ops/reduce/gradient.h"
#include "ops/reduce/logic.h"
#include "ops/reduce/scan.h"
#include "ops/shape/shape.h"

namespace pt {

namespace {

const ReduceKernel kProd{"prod"};

// grad times the product of all other elements; `grad` and `result` broadcast against self.
Tensor product_gradient(const Tensor& grad, const Tensor& x, const Tensor& result, int64_t dim) {
  if (x.dim() == 0) return grad;
  if (all(x).item().to_bool()) return div(mul(grad, result), x);
  const Tensor before = shifted(cumprod(x, dim), dim, 1);
  const int64_t dims[] = {dim};
  const Tensor after = flip(shifted(cumprod(flip(x, IntList(dims)), dim), dim, 1), IntList(dims));
  return mul(mul(grad, before), after);
}

}  // namespace

PT_OP(prod)
    .impl([](const Tensor& self, std::optional<DType> dtype) {
      return accumulate(kProd, self, all_dims(self.dim()), false, dtype);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<DType>) {
      const int64_t flat[] = {-1};
      const Tensor x = reshape(to_dtype(self, g.grad().dtype()), IntList(flat));
      g[0] = reshape(product_gradient(g.grad(), x, g.result(), 0), self.sizes());
    })
    .out()
    .doc(
        "The product of all elements. Integers are multiplied as int64.\n\n"
        "Example:\n    >>> torch.tensor([[1., 2.], [3., 4.]]).prod()\n    tensor(24.)")
    .sample("R(3, 4)")
    .sample("R(2, 3).masked_fill(torch.tensor([[True, False, False], [False, False, True]]), 0)")
    .sample("I(3, 4)")
    .sample("I(3, 4), dtype=torch.float64");

PT_OP(prod_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim, std::optional<DType> dtype) {
      return accumulate(kProd, self, one_dim(wrap_dim(dim, self.dim()), self.dim()), keepdim,
                        dtype);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim,
                 std::optional<DType>) {
      const DimSet dims = one_dim(wrap_dim(dim, self.dim()), self.dim());
      g[0] = product_gradient(restored(g.grad(), self, dims, keepdim),
                              to_dtype(self, g.grad().dtype()),
                              restored(g.result(), self, dims, keepdim), dim);
    })
    .out()
    .doc(
        "The product along a dimension.\n\n"
        "Args:\n    dim (int): the dimension\n    keepdim (bool): keep it with size 1\n"
        "    dtype: dtype of the result")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), -2, keepdim=True")
    .sample("R(3, 4).masked_fill(B(3, 4), 0), 1")
    .sample("I(3, 4), 1");

}  // namespace pt
