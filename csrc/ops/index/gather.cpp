// gather, scatter and their relatives: an index per element along one dimension.
#include <cmath>

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/algorithms/lines.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/view/view.h"

namespace pt {

namespace {

int dims_of(const Tensor& t) { return std::max(t.dim(), 1); }
int64_t size_of(const Tensor& t, int d) { return t.dim() ? t->sizes[d] : 1; }

void check_index(const char* op, const Tensor& index) {
  PT_CHECK(index.numel() == 0 || index.dtype() == DType::kInt64 || index.dtype() == DType::kInt32,
           op, "(): Expected dtype int32/int64 for index");
}

void check_gather(const Tensor& self, int dim, const Tensor& index) {
  check_index("gather", index);
  if (index.numel() == 0) return;
  PT_CHECK(dims_of(index) == dims_of(self),
           "Index tensor must have the same number of dimensions as input tensor");
  for (int d = 0; d < dims_of(self); ++d)
    PT_CHECK(d == dim || size_of(index, d) <= size_of(self, d), "Size does not match at dimension ",
             d, " expected index ", to_text(index.sizes()), " to be no larger than self ",
             to_text(self.sizes()), " apart from dimension ", dim);
}

void check_scatter(const Tensor& self, int dim, const Tensor& index, const Tensor& src) {
  check_index("scatter", index);
  if (src.defined())
    PT_CHECK(self.dtype() == src.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() == 0) return;
  PT_CHECK(dims_of(index) == dims_of(self),
           "Index tensor must have the same number of dimensions as self tensor");
  PT_CHECK(!src.defined() || dims_of(index) == dims_of(src),
           "Index tensor must have the same number of dimensions as src tensor");
  bool fits = true;
  for (int d = 0; d < dims_of(self); ++d) {
    if (d != dim && size_of(index, d) > size_of(self, d)) fits = false;
    if (src.defined() && size_of(index, d) > size_of(src, d)) fits = false;
  }
  if (src.defined()) {
    PT_CHECK(fits, "Expected index ", to_text(index.sizes()), " to be no larger than self ",
             to_text(self.sizes()), " apart from dimension ", dim,
             " and to be no larger size than src ", to_text(src.sizes()));
  } else {
    PT_CHECK(fits, "Expected index ", to_text(index.sizes()), " to be no larger than self ",
             to_text(self.sizes()), " apart from dimension ", dim);
  }
}

Tensor gathered(const Tensor& self, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, self.dim());
  check_gather(self, d, index);
  Tensor out = empty_tensor(index.sizes(), self.dtype());
  if (index.numel() > 0) gather_lines(self, d, as_index(index), out);
  return out;
}

Tensor destination_or_copy(const Out& out, const Tensor& self) {
  if (!out.dest[0]) return contiguous_copy(self);
  const Tensor dest = out.destination();
  if (!out.inplace) {
    resize_output(dest, self.sizes());
    copy_into(dest, self);
  }
  check_no_internal_overlap(dest);
  return dest;
}

// The part of src that index covers, contiguous and not in dest's memory.
Tensor covered(const Tensor& src, const Tensor& index, const Tensor& dest) {
  const Tensor part = same(src.sizes(), index.sizes()) || src.dim() != index.dim()
                          ? src
                          : make_view(src, index.sizes(), src.strides(), src.offset());
  return part->storage.get() == dest->storage.get() ? contiguous_copy(part) : as_contiguous(part);
}

Tensor scattered(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                 const Tensor& src, ScatterReduce reduce) {
  const int d = wrap_dim(dim, self.dim());
  check_scatter(self, d, index, src);
  const Tensor dest = destination_or_copy(out, self);
  if (index.numel() == 0) return dest;
  Tensor at = as_index(index);
  if (at->storage.get() == dest->storage.get()) at = contiguous_copy(at);
  scatter_lines(dest, d, at, covered(src, index, dest), reduce);
  return dest;
}

Tensor scattered_value(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                       const Scalar& value, ScatterReduce reduce) {
  const int d = wrap_dim(dim, self.dim());
  check_scatter(self, d, index, Tensor());
  const Tensor dest = destination_or_copy(out, self);
  if (index.numel() > 0)
    scatter_lines(dest, d, as_index(index), scalar_tensor(value, self.dtype()), reduce);
  return dest;
}

ScatterReduce old_reduce(std::string_view reduce) {
  PT_CHECK(reduce == "add" || reduce == "multiply",
           "reduce argument must be either add or multiply.");
  return reduce == "add" ? ScatterReduce::kAdd : ScatterReduce::kMultiply;
}

// The leading corner of a tensor as arguments of basic_index.
struct Corner {
  Dims starts, dims, steps;
  explicit Corner(int n) : starts(n, 0), dims(n), steps(n, 1) {
    for (int i = 0; i < n; ++i) dims[i] = i;
  }
};

// The part of src that index covers, and the gradient of src from that of the part.
Tensor covered_view(const Tensor& src, const Tensor& index) {
  if (same(src.sizes(), index.sizes())) return src;
  if (src.dim() != index.dim()) return reshape(src, IntList(index.sizes()));
  const Corner c(src.dim());
  return basic_index(src, IntList(c.starts), IntList(c.dims), IntList(c.steps),
                     IntList(index.sizes()));
}
Tensor uncovered(const Tensor& grad, const Tensor& src) {
  if (grad->sizes == src->sizes) return grad;
  if (grad.dim() != src.dim()) return reshape(grad, IntList(src.sizes()));
  const Corner c(src.dim());
  return basic_index_backward(grad, IntList(src.sizes()), IntList(c.starts), IntList(c.dims),
                              IntList(c.steps), IntList(grad.sizes()));
}
Tensor source_grad(const Tensor& grad, int64_t dim, const Tensor& index, const Tensor& src) {
  return uncovered(gather(grad, dim, index), src);
}

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
  const Tensor counts =
      scattered_value(Out(), start, dim, index, 1, ScatterReduce::kAdd);
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
  const Tensor m = as_contiguous(mask);
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
  const Tensor without_self =
      scatter_reduce(self_or_one, dim, index, src, "prod", include_self);
  const Tensor zero = eq(src, 0);
  const Tensor zeros_here = gather(
      scatter_add(zeros_tensor(self.sizes(), self.dtype()), dim, index, to_dtype(zero, self.dtype())),
      dim, index);
  const Tensor only_zero = mul(zero, eq(zeros_here, 1));
  PT_CHECK(!grad_enabled() || !any_true(mul(zero, gt(zeros_here, 1))),
           "scatter_reduce(): Double backward is unsupported for src when >1 zeros in src are "
           "scattered to the same position in self");
  const Tensor without_zero = scatter_reduce(self, dim, index, masked_fill(src, only_zero, 1),
                                             "prod", include_self);
  const Tensor at_zero = gather(mul(grad, without_zero), dim, index);
  const Tensor elsewhere = div(gather(mul(grad, result), dim, index), masked_fill(src, zero, 1));
  return {div(mul(grad, without_self), self_or_one),
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

PT_OP(gather)
    .impl([](const Tensor& self, int64_t dim, const Tensor& index, bool) {
      return gathered(self, dim, index);
    })
    .saves("shape:self, index")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, const Tensor& index, bool) {
      const Tensor zeros = zeros_tensor(self.sizes(), g.grad().dtype());
      g[0] = index.numel() == 0 ? zeros : scatter_add(zeros, dim, index, g.grad());
    })
    .out()
    .doc("out[i][j][k] = self[index[i][j][k]][j][k] for dim 0, and so on.\n\n"
         "Args:\n    dim (int): dimension along which to index\n"
         "    index (Tensor): as many dimensions as self, int64\n\n"
         "Shape: index's shape.\n\n"
         "Example:\n    >>> x = torch.tensor([[1, 2], [3, 4]])\n"
         "    >>> x.gather(1, torch.tensor([[0, 0], [1, 0]]))\n"
         "    tensor([[1, 1],\n            [4, 3]])")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]])")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1]])")
    .sample("R(2, 3, 4), 1, torch.tensor([[[2, 0, 1, 1]], [[0, 0, 1, 2]]])");

PT_OP(scatter)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src) {
      return scattered(out, self, dim, index, src, ScatterReduce::kAssign);
    })
    .saves("index, shape:src")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& src) {
      if (g.needs(0)) g[0] = scatter_value(g.grad(), dim, index, 0);
      if (g.needs(3)) g[3] = source_grad(g.grad(), dim, index, src);
    })
    .inplace()
    .out()
    .doc("self with self[index[i][j][k]][j][k] = src[i][j][k] for dim 0, and so on; the reverse of "
         "gather. A number may stand for src; reduce='add' or 'multiply' combines with self.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 2], [2, 0]]), R(3, 2)")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1]]), R(1, 4)");

PT_OP(scatter_value)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index, Scalar value) {
      return scattered_value(out, self, dim, index, value, ScatterReduce::kAssign);
    })
    .saves("index")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index, Scalar) {
      g[0] = scatter_value(g.grad(), dim, index, 0);
    })
    .inplace()
    .out()
    .doc("self with value at the places that index names along dim.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), 1.5");

PT_OP(scatter_with_reduce)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src, std::string_view reduce) {
      return scattered(out, self, dim, index, src, old_reduce(reduce));
    })
    .inplace()
    .out()
    .doc("self with src's values added to the places that index names along dim (reduce='add'), or "
         "these multiplied by them ('multiply'). Not differentiable: see scatter_reduce.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 4), reduce='add'")
    .test("nograd");

PT_OP(scatter_value_with_reduce)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index, Scalar value,
             std::string_view reduce) {
      return scattered_value(out, self, dim, index, value, old_reduce(reduce));
    })
    .inplace()
    .out()
    .doc("self with value added to (or multiplied into) the places that index names along dim.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), 2.0, reduce='multiply'")
    .test("nograd");

PT_OP(scatter_add)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src) {
      return scattered(out, self, dim, index, src, ScatterReduce::kAdd);
    })
    .saves("index, shape:src")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& src) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(3)) g[3] = source_grad(g.grad(), dim, index, src);
    })
    .inplace()
    .out()
    .doc("self with src[i][j][k] added to self[index[i][j][k]][j][k] for dim 0, and so on. Values "
         "for one place are added in index order.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2)")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1], [2, 0, 0, 0]]), R(2, 4)");

PT_OP(scatter_reduce)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src, std::string_view reduce, bool include_self) {
      return reduce_scattered(out, self, dim, index, src, reduce, include_self);
    })
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
    .doc("self with src's values combined into the places that index names along dim.\n\n"
         "Args:\n    reduce (str): 'sum', 'prod', 'mean', 'amax' or 'amin'\n"
         "    include_self (bool): whether self's own value takes part")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'sum'")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'prod'")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'mean', "
            "include_self=False")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2), 'amax'");

PT_OP(take_along_dim)
    .composite([](const Tensor& self, const Tensor& indices, std::optional<int64_t> dim) {
      PT_CHECK(indices.dtype() == DType::kInt64,
               "torch.take_along_dim(): dtype of indices should be Long but got ",
               scalar_type_name(indices.dtype()));
      Tensor from = self, at = as_contiguous(indices);
      int d = 0;
      if (!dim) {
        from = reshape(self, IntList(Dims{-1}));
        at = reshape(at, IntList(Dims{-1}));
      } else {
        PT_CHECK(self.dim() == indices.dim(),
                 "torch.take_along_dim(): input and indices should have the same number of "
                 "dimensions, but got ", self.dim(), " dimensions for input, and ", indices.dim(),
                 " dimensions for indices");
        d = wrap_dim(*dim, self.dim());
        Dims a = self.sizes(), b = indices.sizes();
        if (!a.empty()) a[d] = b[d] = 1;
        const Dims both = broadcast_shapes(a, b);
        Dims self_sizes = both, index_sizes = both;
        if (!both.empty()) {
          self_sizes[d] = self->sizes[d];
          index_sizes[d] = indices->sizes[d];
        }
        if (!(self_sizes == self->sizes)) from = expand(self, IntList(self_sizes));
        if (!(index_sizes == indices->sizes)) at = as_contiguous(expand(at, IntList(index_sizes)));
      }
      // Along a dimension negative indices count from the end.
      const int64_t size = size_of(from, d);
      bool negative = false;
      for (int64_t i = 0; dim && i < at.numel(); ++i) negative |= at.data<int64_t>()[i] < 0;
      if (negative) {
        at = contiguous_copy(at);
        int64_t* p = at.data<int64_t>();
        for (int64_t i = 0; i < at.numel(); ++i)
          if (p[i] < 0) p[i] += size;
      }
      return gather(from, d, at);
    })
    .doc("gather with self and indices broadcast against each other in the other dimensions; "
         "without dim, of the flattened self.")
    .sample("R(3, 4), torch.tensor([[0], [2], [1]]), 1")
    .sample("R(3, 4), torch.tensor([[2, 0, 1, 1]]), dim=0")
    .sample("R(3, 4), torch.tensor([7, 0, 2])");

}  // namespace pt
