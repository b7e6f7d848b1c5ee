// Extremes and their gradients: of all elements and of amax, amin, aminmax the gradient is shared
// evenly by equal elements; of max and min along a dimension it goes to the element at the index.
#include "ops/reduce/extremes.h"

#include <cmath>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/gradient.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

using Pair = std::tuple<Tensor, Tensor>;
const ReduceKernel kMax{"max"}, kMin{"min"}, kMaxIndex{"max_index"}, kMinIndex{"min_index"};
const ReduceKernel kArgmax{"argmax"}, kArgmin{"argmin"}, kAminmax{"aminmax"};

Tensor extreme(const ReduceKernel& kernel, const Tensor& self, const DimSet& dims, bool keepdim) {
  const DType t = self.dtype();
  return run_reduction({.kernel = kernel, .compute = t, .result = t, .splits = true}, self, dims,
                       keepdim);
}

void refuse_empty(const char* op, const Tensor& self) {
  PT_CHECK(self.numel() > 0, op,
           "(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
           "reduction dim with the 'dim' argument.");
}

Tensor extreme_of_all(const char* op, const ReduceKernel& kernel, const Tensor& self) {
  refuse_empty(op, self);
  return extreme(kernel, self, all_dims(self.dim()), false);
}

// `dim` wrapped; IndexError when there is nothing along it.
int checked_dim(const char* op, const Tensor& self, int64_t dim) {
  const int d = wrap_dim(dim, self.dim());
  PT_CHECK_INDEX(self.dim() == 0 || self->sizes[d] > 0, op, ": Expected reduction dim ", d,
                 " to have non-zero size.");
  return d;
}

Pair extreme_along(const char* op, const ReduceKernel& kernel, const Tensor& self, int64_t dim,
                   bool keepdim) {
  const int d = checked_dim(op, self, dim);
  Tensor indices;
  Tensor values = run_reduction({.kernel = kernel, .compute = self.dtype(), .result = self.dtype()},
                                self, one_dim(d, self.dim()), keepdim, &indices);
  return {std::move(values), std::move(indices)};
}

Tensor extreme_over(const char* op, const ReduceKernel& kernel, const Tensor& self, IntList dim,
                    bool keepdim) {
  const DimSet dims = dim_set(dim, self.dim());
  if (dim.empty()) refuse_empty(op, self);
  for (int64_t d : dim)
    PT_CHECK_INDEX(self.dim() == 0 || self.size(d) > 0, op, "(): Expected reduction dim ", d,
                   " to have non-zero size.");
  return extreme(kernel, self, dims, keepdim);
}

Tensor place_of_extreme(const char* op, const ReduceKernel& kernel, const Tensor& self,
                        std::optional<int64_t> dim, bool keepdim) {
  PT_CHECK(self.dtype() != DType::kBool, op, "(): does not support bool input");
  const ReduceCall call{.kernel = kernel, .compute = self.dtype(), .result = DType::kInt64};
  if (dim) {
    const int d = wrap_dim(*dim, self.dim());
    PT_CHECK_INDEX(self.dim() == 0 || self->sizes[d] > 0, op, "(): Expected reduction dim ", d,
                   " to have non-zero size.");
    return run_reduction(call, self, one_dim(d, self.dim()), keepdim);
  }
  PT_CHECK_INDEX(self.numel() > 0, op,
                 "(): Expected reduction dim to be specified for input.numel() == 0.");
  return run_reduction(call, as_contiguous(self), all_dims(self.dim()), keepdim);
}

// The gradient at the elements equal to the extreme, in equal shares.
Tensor share_among_equals(const Tensor& grad, const Tensor& self, const Tensor& result) {
  const Tensor mask = std::isnan(result.item().to_double()) ? isnan(self) : eq(self, result);
  return where(mask, div(grad, sum(mask)), 0.0);
}

Tensor share_among_equals(const Tensor& grad, const Tensor& self, const Tensor& result,
                          const DimSet& dims, bool keepdim) {
  const Tensor mask = eq(self, restored(result, self, dims, keepdim));
  Dims list;
  for (int i = 0; i < self.dim(); ++i)
    if (dims[static_cast<size_t>(i)]) list.push_back(i);
  const Tensor count = sum_dim(mask, IntList(list), true);
  return mul(mask, div(restored(grad, self, dims, keepdim), count));
}

// The gradient of the elements that `indices` names.
Tensor send_to_indices(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& indices,
                       bool keepdim) {
  constexpr InplaceOp<decltype(scatter)> scatter_;
  const DimSet dims = one_dim(wrap_dim(dim, self.dim()), self.dim());
  const Tensor zeros = zeros_tensor(self.sizes(), grad.dtype(), grad.device());
  return scatter_(zeros, dim, restored(indices, self, dims, keepdim),
                  restored(grad, self, dims, keepdim));
}

}  // namespace

PT_OP(max_all)
    .impl([](const Tensor& self) { return extreme_of_all("max", kMax, self); })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = share_among_equals(g.grad(), self, g.result());
    })
    .out()
    .node_name("MaxBackward1")
    .doc(
        "The largest element; NaN if there is one. Equal elements share the gradient.\n\n"
        "Raises:\n    RuntimeError: for a tensor without elements\n\n"
        "Example:\n    >>> torch.tensor([[1., 5.], [3., 4.]]).max()\n    tensor(5.)")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(max_other)
    .composite([](const Tensor& self, const Tensor& other) { return maximum(self, other); })
    .out()
    .doc("The larger of two, elementwise; see maximum().")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4)");

PT_OP(max_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      return extreme_along("max()", kMaxIndex, self, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim) {
      g[0] = send_to_indices(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .node_name("MaxBackward0")
    .doc(
        "The largest elements along a dimension and their (first) indices.\n\n"
        "Args:\n    dim (int): the dimension\n    keepdim (bool): keep it with size 1\n\n"
        "Raises:\n    IndexError: when there is nothing along the dimension")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2, keepdim=True")
    .sample("I(3, 4), 0");

PT_OP(min_all)
    .impl([](const Tensor& self) { return extreme_of_all("min", kMin, self); })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = share_among_equals(g.grad(), self, g.result());
    })
    .out()
    .node_name("MinBackward1")
    .doc(
        "The smallest element; NaN if there is one. Equal elements share the gradient.\n\n"
        "Raises:\n    RuntimeError: for a tensor without elements\n\n"
        "Example:\n    >>> torch.tensor([[1., 5.], [3., 4.]]).min()\n    tensor(1.)")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(min_other)
    .composite([](const Tensor& self, const Tensor& other) { return minimum(self, other); })
    .out()
    .doc("The smaller of two, elementwise; see minimum().")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4)");

PT_OP(min_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      return extreme_along("min()", kMinIndex, self, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim) {
      g[0] = send_to_indices(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .node_name("MinBackward0")
    .doc(
        "The smallest elements along a dimension and their (first) indices.\n\n"
        "Args:\n    dim (int): the dimension\n    keepdim (bool): keep it with size 1\n\n"
        "Raises:\n    IndexError: when there is nothing along the dimension")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2, keepdim=True")
    .sample("I(3, 4), 0");

PT_OP(amax)
    .impl([](const Tensor& self, IntList dim, bool keepdim) {
      return extreme_over("amax", kMax, self, dim, keepdim);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, IntList dim, bool keepdim) {
      g[0] = share_among_equals(g.grad(), self, g.result(), dim_set(dim, self.dim()), keepdim);
    })
    .out()
    .doc(
        "The largest elements over the given dimensions (all when empty). Equal elements share "
        "the gradient.\n\n"
        "Args:\n    dim (int or tuple of ints): dimensions to reduce\n"
        "    keepdim (bool): keep them with size 1\n\n"
        "Raises:\n    IndexError: when a dimension has size 0")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), (0, -1), keepdim=True")
    .sample("R(3, 4), 1")
    .sample("I(3, 4), 0");

PT_OP(amin)
    .impl([](const Tensor& self, IntList dim, bool keepdim) {
      return extreme_over("amin", kMin, self, dim, keepdim);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, IntList dim, bool keepdim) {
      g[0] = share_among_equals(g.grad(), self, g.result(), dim_set(dim, self.dim()), keepdim);
    })
    .out()
    .doc(
        "The smallest elements over the given dimensions (all when empty). Equal elements share "
        "the gradient.\n\n"
        "Args:\n    dim (int or tuple of ints): dimensions to reduce\n"
        "    keepdim (bool): keep them with size 1\n\n"
        "Raises:\n    IndexError: when a dimension has size 0")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), (0, -1), keepdim=True")
    .sample("R(3, 4), 1")
    .sample("I(3, 4), 0");

PT_OP(aminmax)
    .impl([](const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
      PT_CHECK(dim || self.numel() > 0,
               "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
               "identity.");
      const DimSet dims =
          dim ? one_dim(checked_dim("aminmax", self, *dim), self.dim()) : all_dims(self.dim());
      Tensor largest;
      const DType t = self.dtype();
      Tensor smallest = run_reduction({.kernel = kAminmax, .compute = t, .result = t, .result2 = t},
                                      self, dims, keepdim, &largest);
      return Pair{std::move(smallest), std::move(largest)};
    })
    .on_device()
    .saves("self, result0, result1")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
      const DimSet dims =
          dim ? one_dim(wrap_dim(*dim, self.dim()), self.dim()) : all_dims(self.dim());
      for (int i = 0; i < 2; ++i) {
        if (!g.grad(i).defined()) continue;
        const Tensor part = share_among_equals(g.grad(i), self, g.result(i), dims, keepdim);
        g[0] = g[0].defined() ? add(g[0], part) : part;
      }
    })
    .out()
    .doc(
        "The smallest and the largest elements along a dimension, or of all when dim is None.\n\n"
        "Args:\n    dim (int, optional): the dimension\n"
        "    keepdim (bool): keep it with size 1\n\n"
        "Example:\n    >>> torch.aminmax(torch.tensor([3., 1., 2.])).max\n    tensor(3.)")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), dim=-2, keepdim=True")
    .sample("I(3, 4), dim=0");

PT_OP(argmax)
    .impl([](const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
      return place_of_extreme("argmax", kArgmax, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "The index of the largest element along a dimension, or in the flattened tensor when "
        "dim is None; of several the first.\n\n"
        "Args:\n    dim (int, optional): the dimension\n"
        "    keepdim (bool): keep it with size 1\n\n"
        "Example:\n    >>> torch.tensor([[1, 5], [7, 4]]).argmax(dim=1)\n    tensor([1, 0])")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), -2, keepdim=True")
    .sample("I(3, 4), 0");

PT_OP(argmin)
    .impl([](const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
      return place_of_extreme("argmin", kArgmin, self, dim, keepdim);
    })
    .on_device()
    .nondifferentiable()
    .out()
    .doc(
        "The index of the smallest element along a dimension, or in the flattened tensor when "
        "dim is None; of several the first.\n\n"
        "Args:\n    dim (int, optional): the dimension\n"
        "    keepdim (bool): keep it with size 1\n\n"
        "Example:\n    >>> torch.tensor([[1, 5], [7, 4]]).argmin(dim=1)\n    tensor([0, 1])")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), -2, keepdim=True")
    .sample("I(3, 4), 0");

}  // namespace pt
