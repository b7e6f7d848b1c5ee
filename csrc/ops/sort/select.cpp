// Elements chosen by their rank: topk, kthvalue, medians and mode.
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/sum.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/sort/rows.h"
#include "ops/sort/sort.h"

namespace pt {

namespace {

using Pair = std::tuple<Tensor, Tensor>;

void refuse_bool(const char* kernel, const Tensor& self) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, self.dtype() != DType::kBool, "\"", kernel,
                "\" not implemented for 'Bool'");
}

Pair one_of_each_row(const char* op, SelectKind kind, const Tensor& self, int64_t k, int64_t dim,
                     bool keepdim) {
  const int d = wrap_dim(dim, self.dim());
  const Dims kept = resized(self, d, 1);
  Dims shape = kept;
  if (!keepdim && self.dim() > 0) shape.erase(d);
  const int64_t n = self.dim() ? self->sizes[d] : 1;
  PT_CHECK_INDEX(n > 0, op, "(): Expected reduction dim ", d, " to have non-zero size.");
  PT_CHECK(kind != SelectKind::kKth || (k >= 1 && k <= n), op,
           "(): selected number k out of range for dimension ", d);
  const Tensor values = empty_tensor(shape, self.dtype());
  const Tensor indices = empty_tensor(shape, DType::kInt64);
  if (values.numel() == 0) return {values, indices};
  const Rows rows = readable_rows(self, d);
  auto target = [&](const Tensor& t) {
    return rows_of(make_view(t, kept, contiguous_strides(kept), t.offset()), d)->target();
  };
  select_rows({.dtype = self.dtype(),
               .outer = rows.outer,
               .inner = rows.inner,
               .n = rows.n,
               .kind = kind,
               .k = k,
               .source = rows.source(),
               .values = target(values),
               .indices = target(indices)});
  return {values, indices};
}

Tensor median_of_all(SelectKind kind, const Tensor& self) {
  refuse_bool("median_cpu", self);
  if (self.numel() == 0) {  // NaN, or what PyTorch makes of it as an integer
    const Tensor out = empty_tensor(Dims(), self.dtype());
    if (self.is_floating()) {
      fill_with(out, Scalar(__builtin_nan("")));
      return out;
    }
    const int bits = static_cast<int>(self.item_size()) * 8;
    fill_with(out, Scalar(bits == 64 ? INT64_MIN : bits == 32 ? int64_t{INT32_MIN} : 0));
    return out;
  }
  const Tensor flat = as_contiguous(self);
  const Tensor row = make_view(flat, Dims{flat.numel()}, Dims{1}, flat.offset());
  return std::get<0>(one_of_each_row("median", kind, row, 1, 0, false));
}

// The gradient of a median in equal shares at the elements equal to it.
Tensor shared_gradient(const Tensor& grad, const Tensor& self, const Tensor& result) {
  const Tensor mask = logical_or(eq(self, result), logical_and(isnan(self), isnan(result)));
  return where(mask, div(grad, sum(mask)), 0.0);
}

}  // namespace

PT_OP(topk)
    .impl([](const Tensor& self, int64_t k, int64_t dim, bool largest, bool sorted) -> Pair {
      PT_CHECK(self.dtype() != DType::kBool, "topk does not support bool dtypes on CPU");
      const int d = wrap_dim(dim, self.dim());
      PT_CHECK(k >= 0 && k <= (self.dim() ? self->sizes[d] : 1), "selected index k out of range");
      const Dims shape = resized(self, d, k);
      const Tensor values = empty_tensor(shape, self.dtype());
      const Tensor indices = empty_tensor(shape, DType::kInt64);
      if (values.numel() == 0) return {values, indices};
      const Rows rows = readable_rows(self, d);
      topk_rows({.dtype = self.dtype(),
                 .outer = rows.outer,
                 .inner = rows.inner,
                 .n = rows.n,
                 .k = self.dim() ? k : 1,  // a number is its own only element whatever k
                 .source = rows.source(),
                 .values = rows_of(values, d)->target(),
                 .indices = rows_of(indices, d)->target(),
                 .largest = largest,
                 .sorted = sorted});
      return {values, indices};
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t, int64_t dim, bool, bool) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), true);
    })
    .nondifferentiable_output(1)
    .out()
    .doc(
        "The k largest (or smallest) elements along a dimension and their indices. Of equal "
        "elements those with the lowest index are taken.\n\n"
        "Args:\n    k (int): how many\n    dim (int): dimension, the last by default\n"
        "    largest (bool): the largest, or the smallest if False\n"
        "    sorted (bool): whether the result is in order\n\n"
        "Raises:\n    RuntimeError: when there are less than k elements.\n\n"
        "Example:\n    >>> torch.tensor([1., 5., 2., 4.]).topk(2).indices\n    tensor([1, 3])")
    .sample("R(3, 6) + 30 * torch.tensor([2, 5, 0, 4, 1, 3]), 2")
    .sample("(R(3, 6) + 30 * torch.tensor([2, 5, 0, 4, 1, 3])).t(), 4, 0, False")
    .sample(
        "(R(2, 3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3])).mT, 3, dim=1, largest=True, "
        "sorted=True");

PT_OP(kthvalue)
    .impl([](const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
      wrap_dim(dim, self.dim());
      refuse_bool("kthvalue_cpu", self);
      return one_of_each_row("kthvalue", SelectKind::kKth, self, k, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t, int64_t dim, bool keepdim) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .doc("The k-th smallest element along a dimension, k counted from 1, and its index.")
    .sample("R(3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3]), 2")
    .sample("(R(3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3])).t(), 4, 0, keepdim=True")
    .sample("(R(2, 4, 3) + 30 * torch.tensor([2, 0, 1])).mT, 1, -2");

PT_OP(median)
    .impl([](const Tensor& self) { return median_of_all(SelectKind::kMedian, self); })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = shared_gradient(g.grad(), self, g.result());
    })
    .doc(
        "The median: of an even number of elements the lower one of the two in the middle. NaN "
        "where there is any.\n\n"
        "Args:\n    dim (int): with it, medians along that dimension and their indices\n"
        "    keepdim (bool): keep the dimension with size 1\n\n"
        "Example:\n    >>> torch.tensor([4., 1., 3., 2.]).median()\n    tensor(2.)")
    .sample("R(3, 4)")
    .sample("R(5)");

PT_OP(median_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      refuse_bool("median_out", self);
      return one_of_each_row("median", SelectKind::kMedian, self, 1, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .doc("Medians along a dimension and an index of each.")
    .sample("(R(3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3])).t(), 0")
    .sample("R(2, 3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3]), -1, keepdim=True");

PT_OP(nanmedian)
    .impl([](const Tensor& self) { return median_of_all(SelectKind::kNanMedian, self); })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = shared_gradient(g.grad(), self, g.result());
    })
    .doc("The median of the elements that are not NaN; along `dim` with indices.")
    .sample("R(3, 4)")
    .sample("torch.tensor([1., float('nan'), 3., 2.])");

PT_OP(nanmedian_dim)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      refuse_bool("median_out", self);
      return one_of_each_row("median", SelectKind::kNanMedian, self, 1, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .doc("Medians along a dimension of what is not NaN, and an index of each.")
    .sample("(R(3, 5) + 30 * torch.tensor([2, 0, 4, 1, 3])).t(), 0")
    .sample("torch.tensor([[1., float('nan'), 3.], [0., 2., 1.]]), 1, keepdim=True");

PT_OP(mode)
    .impl([](const Tensor& self, int64_t dim, bool keepdim) {
      return one_of_each_row("mode", SelectKind::kMode, self, 1, dim, keepdim);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool keepdim) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), keepdim);
    })
    .nondifferentiable_output(1)
    .out()
    .doc(
        "The most frequent element along a dimension (the smallest of several) and an index of "
        "it.")
    .sample("I(3, 6)")
    .sample("R(4, 3), 0, keepdim=True");

}  // namespace pt
