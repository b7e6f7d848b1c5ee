// scatter and scatter_add: the reverse of gather, writing to or adding to the places it reads.
#include "ops/index/scatter.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/view/view.h"

namespace pt {

namespace {

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

// Gradient of the source of a scatter: zero where index does not reach.
Tensor source_grad(const Tensor& grad, int64_t dim, const Tensor& index, const Tensor& src) {
  return uncovered(gather(grad, dim, index), src);
}

}  // namespace

void check_gather_index(const char* op, const Tensor& index) {
  PT_CHECK(index.numel() == 0 || index.dtype() == DType::kInt64 || index.dtype() == DType::kInt32,
           op, "(): Expected dtype int32/int64 for index");
}

void check_scatter(const Tensor& self, int dim, const Tensor& index, const Tensor& src) {
  check_gather_index("scatter", index);
  if (src.defined())
    PT_CHECK(self.dtype() == src.dtype(),
             "scatter(): Expected self.dtype to be equal to src.dtype");
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

Tensor covered(const Tensor& src, const Tensor& index, const Tensor& dest) {
  const Tensor part = same(src.sizes(), index.sizes()) || src.dim() != index.dim()
                          ? src
                          : make_view(src, index.sizes(), src.strides(), src.offset());
  return part->storage.get() == dest->storage.get() ? contiguous_copy(part) : as_contiguous(part);
}

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

PT_OP(scatter)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& src) {
      return scattered(out, self, dim, index, src, ScatterReduce::kAssign);
    })
    .on_device()
    .saves("index, shape:src")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& src) {
      if (g.needs(0)) g[0] = scatter_value(g.grad(), dim, index, 0);
      if (g.needs(3)) g[3] = source_grad(g.grad(), dim, index, src);
    })
    .inplace()
    .out()
    .doc(
        "self with self[index[i][j][k]][j][k] = src[i][j][k] for dim 0, and so on; the reverse of "
        "gather. A number may stand for src; reduce='add' or 'multiply' combines with self.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 2], [2, 0]]), R(3, 2)")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1]]), R(1, 4)");

PT_OP(scatter_value)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index, Scalar value) {
      return scattered_value(out, self, dim, index, value, ScatterReduce::kAssign);
    })
    .on_device()
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
    .on_device()
    .inplace()
    .out()
    .doc(
        "self with src's values added to the places that index names along dim (reduce='add'), or "
        "these multiplied by them ('multiply'). Not differentiable: see scatter_reduce.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 4), reduce='add'")
    .test("nograd");

PT_OP(scatter_value_with_reduce)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index, Scalar value,
             std::string_view reduce) {
      return scattered_value(out, self, dim, index, value, old_reduce(reduce));
    })
    .on_device()
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
    .on_device()
    .saves("index, shape:src")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& src) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(3)) g[3] = source_grad(g.grad(), dim, index, src);
    })
    .inplace()
    .out()
    .doc(
        "self with src[i][j][k] added to self[index[i][j][k]][j][k] for dim 0, and so on. Values "
        "for one place are added in index order.")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]]), R(3, 2)")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1], [2, 0, 0, 0]]), R(2, 4)");

}  // namespace pt
