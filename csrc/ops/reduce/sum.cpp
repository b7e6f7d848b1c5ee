// Sums, means and their gradients.
#include "ops/reduce/sum.h"

#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/accumulate.h"
#include "ops/reduce/gradient.h"

namespace pt {

namespace {

const ReduceKernel kSum{"sum"}, kNansum{"nansum"}, kMean{"mean"}, kSumToFloat{"sum_to_float"};

// Half precision numbers summed as float32 are read as they are.
Tensor sum_over(const Tensor& self, const DimSet& dims, bool keepdim, std::optional<DType> dtype) {
  if (dtype == DType::kFloat32 && is_half(self.dtype()) && self.device().is_cpu()) {
    return run_reduction(
        {.kernel = kSumToFloat, .compute = self.dtype(), .result = DType::kFloat32}, self, dims,
        keepdim);
  }
  return accumulate(kSum, self, dims, keepdim, dtype);
}

Tensor mean_over(const Tensor& self, const DimSet& dims, bool keepdim, std::optional<DType> dtype) {
  const DType t = dtype.value_or(self.dtype());
  PT_CHECK(is_floating(t), "mean(): could not infer output dtype. ", dtype ? "Optional" : "Input",
           " dtype must be either a floating point or complex dtype. Got: ", scalar_type_name(t));
  return run_reduction({.kernel = kMean, .compute = t, .result = t, .splits = !is_half(t)}, self,
                       dims, keepdim);
}

// The gradient of a sum: that of each element is the sum's.
Tensor spread(const Tensor& grad, const Tensor& self, const DimSet& dims, bool keepdim) {
  return expand(restored(grad, self, dims, keepdim), self.sizes());
}

}  // namespace

PT_OP(sum)
    .impl([](const Tensor& self, std::optional<DType> dtype) {
      return sum_over(self, all_dims(self.dim()), false, dtype);
    })
    .on_device()
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<DType>) {
      g[0] = expand(g.grad(), self.sizes());
    })
    .out()
    .doc(
        "The sum of all elements. Integers are summed as int64.\n\n"
        "Example:\n    >>> torch.tensor([[1., 2.], [3., 4.]]).sum()\n    tensor(10.)")
    .sample("R(3, 4)")
    .sample("I(3, 4)")
    .sample("R(3, 4), dtype=torch.float64");

PT_OP(sum_dim)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim,
             std::optional<DType> dtype) {
      return sum_over(self, dim_set(dim, self.dim()), keepdim, dtype);
    })
    .on_device()
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<IntList> dim, bool keepdim,
                 std::optional<DType>) {
      g[0] = spread(g.grad(), self, dim_set(dim, self.dim()), keepdim);
    })
    .out()
    .doc(
        "The sum over the given dimensions (all when dim is None or empty).\n\n"
        "Args:\n    dim (int or tuple of ints, optional): dimensions to sum over\n"
        "    keepdim (bool): keep them with size 1\n    dtype: dtype of the result")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, 2), keepdim=True")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 1");

PT_OP(nansum)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim,
             std::optional<DType> dtype) {
      const bool floating = is_floating(dtype.value_or(self.dtype()));
      return accumulate(floating ? kNansum : kSum, self, dim_set(dim, self.dim()), keepdim, dtype);
    })
    .on_device()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<IntList> dim, bool keepdim,
                 std::optional<DType>) {
      const Tensor grad = restored(g.grad(), self, dim_set(dim, self.dim()), keepdim);
      g[0] = mul(grad, logical_not(isnan(self)));
    })
    .out()
    .doc(
        "The sum over the given dimensions (all when dim is None), NaN counting as zero.\n\n"
        "Args:\n    dim (int or tuple of ints, optional): dimensions to sum over\n"
        "    keepdim (bool): keep them with size 1\n    dtype: dtype of the result\n\n"
        "Example:\n    >>> torch.tensor([1., float('nan'), 2.]).nansum()\n    tensor(3.)")
    .sample("R(3, 4)")
    .sample("R(3, 4) + 0 / B(3, 4), 1")
    .sample("R(2, 3, 4), (0, -1), keepdim=True")
    .sample("I(3, 4), 0");

PT_OP(mean)
    .impl([](const Tensor& self, std::optional<DType> dtype) {
      return mean_over(self, all_dims(self.dim()), false, dtype);
    })
    .on_device()
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<DType>) {
      g[0] = expand(div(g.grad(), static_cast<double>(self.numel())), self.sizes());
    })
    .out()
    .doc(
        "The mean of all elements, which must be floating point (or dtype must be).\n\n"
        "Example:\n    >>> torch.tensor([[1., 2.], [3., 4.]]).mean()\n    tensor(2.5000)")
    .sample("R(3, 4)")
    .sample("I(3, 4), dtype=torch.float64")
    .sample("R(2, 3, 4)");

PT_OP(mean_dim)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim,
             std::optional<DType> dtype) {
      return mean_over(self, dim_set(dim, self.dim()), keepdim, dtype);
    })
    .on_device()
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<IntList> dim, bool keepdim,
                 std::optional<DType>) {
      const DimSet dims = dim_set(dim, self.dim());
      const auto n = static_cast<double>(reduced_count(self, dims));
      g[0] = spread(div(g.grad(), n), self, dims, keepdim);
    })
    .out()
    .doc(
        "The mean over the given dimensions (all when dim is None or empty).\n\n"
        "Args:\n    dim (int or tuple of ints, optional): dimensions to average over\n"
        "    keepdim (bool): keep them with size 1\n    dtype: dtype of the result")
    .sample("R(3, 4), 0")
    .sample("R(2, 3, 4), (0, 2), keepdim=True")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 1, dtype=torch.float32");

PT_OP(sum_to_size)
    .composite([](const Tensor& self, IntList size) {
      const int n = self.dim(), m = static_cast<int>(size.size());
      PT_CHECK(m <= n, "size {", to_text(size), "} is not expandable to size {",
               to_text(self.sizes()), "}.");
      Dims dims;
      for (int i = 0; i < n; ++i) {
        const int j = i - (n - m);
        if (j < 0 || (size[static_cast<size_t>(j)] == 1 && self->sizes[i] != 1)) dims.push_back(i);
        PT_CHECK((j < 0 || size[static_cast<size_t>(j)] == 1 ||
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
