// Sums and their gradients.
#include "ops/reduce/sum.h"

#include "op/copy.h"
#include "op/define.h"
#include "op/reduction.h"
#include "ops/memory/memory.h"
#include "ops/view/view.h"

namespace pt {

namespace {

Tensor sum_over(const Tensor& self, const DimSet& dims, bool keepdim, std::optional<DType> dtype) {
  // Integers and bools are added up as int64 unless a dtype is asked for.
  DType t = dtype.value_or(is_integral(self.dtype(), true) ? DType::kInt64 : self.dtype());
  const DType compute = t == DType::kInt64 && is_integral(self.dtype(), true) ? self.dtype() : t;
  if (is_integral(t, true) && t != DType::kInt64)
    return cast_to(run_reduction("sum", self, dims, keepdim, compute, DType::kInt64), t);
  return run_reduction("sum", self, dims, keepdim, compute, t);
}

}  // namespace

PT_OP(sum)
    .impl([](const Tensor& self, std::optional<DType> dtype) {
      return sum_over(self, dim_set({}, self.dim(), "sum"), false, dtype);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<DType>) {
      g[0] = to_dtype(expand(g.grad(), self.sizes()), self.dtype());
    })
    .out()
    .doc("The sum of all elements. Integers are summed as int64.\n\n"
         "Example:\n    >>> torch.tensor([[1., 2.], [3., 4.]]).sum()\n    tensor(10.)")
    .sample("R(3, 4)")
    .sample("I(3, 4)")
    .sample("R(3, 4), dtype=torch.float64");

PT_OP(sum_dim)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim,
             std::optional<DType> dtype) {
      return sum_over(self, dim_set(dim, self.dim(), "sum"), keepdim, dtype);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<IntList> dim, bool keepdim,
                 std::optional<DType>) {
      const DimSet dims = dim_set(dim, self.dim(), "sum");
      Tensor grad = g.grad();
      if (!keepdim)
        for (int i = 0; i < self.dim(); ++i)
          if (dims[static_cast<size_t>(i)]) grad = unsqueeze(grad, i);
      g[0] = to_dtype(expand(grad, self.sizes()), self.dtype());
    })
    .out()
    .doc("The sum over the given dimensions (all when dim is None or empty).\n\n"
         "Args:\n    dim (int or tuple of ints, optional): dimensions to sum over\n"
         "    keepdim (bool): keep them with size 1\n    dtype: dtype of the result")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, 2), keepdim=True")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 1");

PT_OP(sum_to_size)
    .composite([](const Tensor& self, IntList size) {
      const int n = self.dim(), m = static_cast<int>(size.size());
      Dims dims;
      for (int i = 0; i < n; ++i) {
        const int j = i - (n - m);
        if (j < 0 || (size[static_cast<size_t>(j)] == 1 && self->sizes[i] != 1)) dims.push_back(i);
        PT_CHECK(m <= n && (j < 0 || size[static_cast<size_t>(j)] == 1 ||
                            size[static_cast<size_t>(j)] == self->sizes[i]),
                 "size {", to_text(size), "} is not expandable to size {", to_text(self.sizes()),
                 "}.");
      }
      if (dims.empty()) return self;
      const Tensor s = sum_dim(self, IntList(dims), true);
      return n == m ? s : reshape(s, size);
    })
    .method_only()
    .doc("Sums self over the dimensions along which `size` would be broadcast to it.")
    .sample("R(3, 4), (1, 4)")
    .sample("R(3, 4), (4,)");

}  // namespace pt
