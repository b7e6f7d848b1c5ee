// scatter_reduce: sums, products, means and extremes of the values that meet at each place.
#include <cmath>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/scatter.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/view/view.h"

namespace pt {

namespace {

Tensor filled(const Tensor& like, const Scalar& value) {
  Tensor t = empty_tensor(like.sizes(), like.dtype());
  fill_with(t, value);
  return t;
}

// What a reduction starts from where index reaches and self does not count.
Scalar neutral(std::string_view reduce, DType t) {
  if (reduce == "prod") return 1;
  if (reduce != "amax" && reduce != "amin") return 0;
  const bool max = reduce == "amax";
  if (is_floating(t)) return max ? -INFINITY : INFINITY;
  switch (t) {
    case DType::kInt64:
      return max ? INT64_MIN : INT64_MAX;
    case DType::kInt32:
      return max ? INT32_MIN : INT32_MAX;
    case DType::kInt16:
      return max ? INT16_MIN : INT16_MAX;
    case DType::kInt8:
      return max ? INT8_MIN : INT8_MAX;
    case DType::kUInt8:
      return max ? 0 : UINT8_MAX;
    default:
      return !max;
  }
}

// How many values meet at each place of self.
Tensor counts_of(const Tensor& self, int64_t dim, const Tensor& index, bool include_self) {
  const Tensor start = filled(self, include_self ? 1 : 0);
  const Tensor counts = scattered_value(Out(), start, dim, index, 1, ScatterReduce::kAdd);
  return masked_fill(counts, eq(counts, 0), 1);
}

Tensor reduce_scattered(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                        const Tensor& src, std::string_view reduce, bool include_self) {
  PT_CHECK(reduce == "sum" || reduce == "prod" || reduce == "mean" || reduce == "amax" ||
               reduce == "amin",
           "reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
  const int d = wrap_dim(dim, self.dim());
  check_scatter(self, d, index, src);
  const Tensor dest = destination_or_copy(out, self);
  if (index.numel() == 0) return dest;
  const Tensor at = as_index(index), from = covered(src, index, dest);
  if (!include_self)
    scatter_lines(dest, d, at, scalar_tensor(neutral(reduce, self.dtype()), self.dtype()),
                  ScatterReduce::kAssign);
  const ScatterReduce how = reduce == "prod"   ? ScatterReduce::kMultiply
                            : reduce == "amax" ? ScatterReduce::kMax
                            : reduce == "amin" ? ScatterReduce::kMin
                                               : ScatterReduce::kAdd;
  scatter_lines(dest, d, at, from, how);
  if (reduce == "mean") {
    const Tensor counts = counts_of(self, d, index, include_self);
    if (is_floating(self.dtype())) {
      copy_into(dest, div(dest, counts));
    } else {
      copy_into(dest, div(dest, counts, "floor"));
    }
  }
  return dest;
}

// Gradients of scatter_reduce by kind; `result` is its forward result.
struct ReduceGrads {
  Tensor self, src;
};

bool any_true(const Tensor& mask) {
  const Tensor m = copy_to(as_contiguous(mask), DType::kBool, {});
  const bool* p = m.data<bool>();
  for (int64_t i = 0; i < m.numel(); ++i)
    if (p[i]) return true;
  return false;
}

ReduceGrads prod_grads(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& index,
                       const Tensor& src, const Tensor& result, bool include_self) {
  // The product of the others is result / own value, except where the own value is the only zero
  // among them: there the product is taken again with that zero left out.
  const Tensor self_or_one = masked_fill(self, eq(self, 0), 1);
  const Tensor without_self = scatter_reduce(self_or_one, dim, index, src, "prod", include_self);
  const Tensor zero = eq(src, 0);
  const Tensor zeros_here = gather(scatter_add(zeros_tensor(self.sizes(), self.dtype()), dim, index,
                                               to_dtype(zero, self.dtype())),
                                   dim, index);
  const Tensor only_zero = mul(zero, eq(zeros_here, 1));
  PT_CHECK(!grad_enabled() || !any_true(mul(zero, gt(zeros_here, 1))),
           "scatter_reduce(): Double backward is unsupported for src when >1 zeros in src are "
           "scattered to the same position in self");
  const Tensor without_zero =
      scatter_reduce(self, dim, index, masked_fill(src, only_zero, 1), "prod", include_self);
  const Tensor at_zero = gather(mul(grad, without_zero), dim, index);
  const Tensor elsewhere = div(gather(mul(grad, result), dim, index), masked_fill(src, zero, 1));
  return {
      div(mul(grad, without_self), self_or_one),
      add(masked_fill(elsewhere, only_zero, 0), mul(at_zero, to_dtype(only_zero, src.dtype())))};
}

ReduceGrads extreme_grads(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& index,
                          const Tensor& src, const Tensor& result) {
  // Shared evenly among all that equal the extreme.
  const Tensor self_hit = to_dtype(eq(self, result), grad.dtype());
  const Tensor src_hit = to_dtype(eq(src, gather(result, dim, index)), grad.dtype());
  const Tensor share = div(grad, scatter_add(self_hit, dim, index, src_hit));
  return {mul(self_hit, share), mul(src_hit, gather(share, dim, index))};
}

}  // namespace

PT_OP(scatter_reduce)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src, std::string_view reduce, bool include_self) {
      return reduce_scattered(out, self, dim, index, src, reduce, include_self);
    })
    .on_device()
    .saves("self, index, src, result")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, const Tensor& index,
                 const Tensor& src, std::string_view reduce, bool include_self) {
      const Tensor& grad = g.grad();
      const Tensor part = covered_view(src, index);
      ReduceGrads r;
      if (reduce == "sum") {
        r = {grad, gather(grad, dim, index)};
      } else if (reduce == "mean") {
        const Tensor each = div(grad, counts_of(self, dim, index, include_self));
        r = {each, gather(each, dim, index)};
      } else if (reduce == "prod") {
        r = prod_grads(grad, self, dim, index, part, g.result(), include_self);
      } else {
        r = extreme_grads(grad, self, dim, index, part, g.result());
      }
      if (g.needs(0)) g[0] = include_self ? r.self : scatter_value(r.self, dim, index, 0);
      if (g.needs(3)) g[3] = uncovered(r.src, src);
    })
    .inplace()
    .out()
    .doc(
        "self with src's values combined into the places that index names along dim.\n\n"
        "Args:\n    reduce (str): 'sum', 'prod', 'mean', 'amax' or 'amin'\n"
        "    include_self (bool): whether self's own value takes part")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'sum'")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'prod'")
    .sample(
        "R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'mean', "
        "include_self=False")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'amax'");

}  // namespace pt
