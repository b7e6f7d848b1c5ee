// any, all, count_nonzero.
#include "ops/reduce/logic.h"

#include "op/copy.h"
#include "op/define.h"
#include "op/reduction.h"
#include "ops/pointwise/compare.h"

namespace pt {

namespace {

const ReduceKernel kAny{"any"}, kAll{"all"}, kCountNonzero{"count_nonzero"};

// The result is bool, but uint8 stays uint8.
Tensor as_truth(const Tensor& result, const Tensor& self) {
  return self.dtype() == DType::kUInt8 ? cast_to(result, DType::kUInt8) : result;
}

Tensor truth(const ReduceKernel& kernel, const Tensor& self, const DimSet& dims, bool keepdim) {
  return as_truth(
      run_reduction(
          {.kernel = kernel, .compute = self.dtype(), .result = DType::kBool, .splits = true}, self,
          dims, keepdim),
      self);
}

Tensor truth_along(const ReduceKernel& kernel, const Tensor& self, int64_t dim, bool keepdim) {
  return truth(kernel, self, one_dim(wrap_dim(dim, self.dim()), self.dim()), keepdim);
}

// An empty list of dimensions reduces none, as in PyTorch.
Tensor truth_over(const ReduceKernel& kernel, const Tensor& self, std::optional<IntList> dim,
                  bool keepdim) {
  if (dim && dim->empty()) return as_truth(ne(self, 0), self);
  return truth(kernel, self, dim_set(dim, self.dim()), keepdim);
}

Tensor count_over(const Tensor& self, const DimSet& dims) {
  return run_reduction({.kernel = kCountNonzero, .compute = self.dtype(), .result = DType::kInt64},
                       self, dims, false);
}

}  // namespace

PT_OP(any)
    .impl([](const Tensor& self) { return truth(kAny, self, all_dims(self.dim()), false); })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True if any element is not zero. The result is bool, of uint8 tensors uint8.\n\n"
        "Example:\n    >>> torch.tensor([0, 1]).any()\n    tensor(True)")
    .sample("R(3, 4)")
    .sample("B(3, 4)")
    .sample("I(3, 4) * 0");

PT_OP(any_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      return truth_along(kAny, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True where any element along a dimension is not zero.\n\n"
        "Args:\n    dim (int): the dimension\n    keepdim (bool): keep it with size 1")
    .sample("B(3, 4), 1")
    .sample("I(2, 3, 4), -2, keepdim=True");

PT_OP(any_dims)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim) {
      return truth_over(kAny, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True where any element over several dimensions is not zero.\n\n"
        "Args:\n    dim (tuple of ints, optional): the dimensions, all when None\n"
        "    keepdim (bool): keep them with size 1")
    .sample("B(2, 3, 4), (0, -1)")
    .sample("B(3, 4), keepdim=True");

PT_OP(all)
    .impl([](const Tensor& self) { return truth(kAll, self, all_dims(self.dim()), false); })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True if no element is zero. The result is bool, of uint8 tensors uint8.\n\n"
        "Example:\n    >>> torch.tensor([0, 1]).all()\n    tensor(False)")
    .sample("R(3, 4)")
    .sample("B(3, 4)")
    .sample("I(3, 4) * 0 + 1");

PT_OP(all_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      return truth_along(kAll, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True where no element along a dimension is zero.\n\n"
        "Args:\n    dim (int): the dimension\n    keepdim (bool): keep it with size 1")
    .sample("B(3, 4), 1")
    .sample("I(2, 3, 4), -2, keepdim=True");

PT_OP(all_of_dims)
    .impl([](const Tensor& self, std::optional<IntList> dim, bool keepdim) {
      return truth_over(kAll, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "True where no element over several dimensions is zero.\n\n"
        "Args:\n    dim (tuple of ints, optional): the dimensions, all when None\n"
        "    keepdim (bool): keep them with size 1")
    .sample("B(2, 3, 4), (0, -1)")
    .sample("B(3, 4), keepdim=True");

PT_OP(count_nonzero)
    .impl([](const Tensor& self, std::optional<int64_t> dim) {
      const int n = self.dim();
      return count_over(self, dim ? one_dim(wrap_dim(*dim, n), n) : all_dims(n));
    })
    .on_device()
    .nondifferentiable()
    .doc(
        "How many elements are not zero, along a dimension or of all when dim is None.\n\n"
        "Example:\n    >>> torch.tensor([[0, 1], [2, 3]]).count_nonzero(dim=0)\n"
        "    tensor([1, 2])")
    .sample("I(3, 4)")
    .sample("B(3, 4), -1")
    .sample("R(2, 3, 4), dim=1");

PT_OP(count_nonzero_dims)
    .impl([](const Tensor& self, IntList dim) {
      return count_over(self, dim_set(dim, self.dim()));
    })
    .on_device()
    .nondifferentiable()
    .doc("How many elements are not zero over several dimensions.")
    .sample("I(2, 3, 4), (0, -1)");

}  // namespace pt
