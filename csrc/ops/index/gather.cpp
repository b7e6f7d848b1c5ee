// gather and take_along_dim: an index per element along one dimension.
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/scatter.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/view/view.h"

namespace pt {

namespace {

void check_gather(const Tensor& self, int dim, const Tensor& index) {
  check_gather_index("gather", index);
  if (index.numel() == 0) return;
  PT_CHECK(dims_of(index) == dims_of(self),
           "Index tensor must have the same number of dimensions as input tensor");
  for (int d = 0; d < dims_of(self); ++d)
    PT_CHECK(d == dim || size_of(index, d) <= size_of(self, d), "Size does not match at dimension ",
             d, " expected index ", to_text(index.sizes()), " to be no larger than self ",
             to_text(self.sizes()), " apart from dimension ", dim);
}

Tensor gathered(const Tensor& self, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, self.dim());
  check_gather(self, d, index);
  Tensor out = empty_tensor(index.sizes(), self.dtype());
  if (index.numel() > 0) gather_lines(self, d, as_index(index), out);
  return out;
}

}  // namespace

PT_OP(gather)
    .impl([](const Tensor& self, int64_t dim, const Tensor& index, bool) {
      return gathered(self, dim, index);
    })
    .on_device()
    .saves("shape:self, index")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, const Tensor& index, bool) {
      const Tensor zeros = zeros_tensor(self.sizes(), g.grad().dtype());
      g[0] = index.numel() == 0 ? zeros : scatter_add(zeros, dim, index, g.grad());
    })
    .out()
    .doc(
        "out[i][j][k] = self[index[i][j][k]][j][k] for dim 0, and so on.\n\n"
        "Args:\n    dim (int): dimension along which to index\n"
        "    index (Tensor): as many dimensions as self, int64\n\n"
        "Shape: index's shape.\n\n"
        "Example:\n    >>> x = torch.tensor([[1, 2], [3, 4]])\n"
        "    >>> x.gather(1, torch.tensor([[0, 0], [1, 0]]))\n"
        "    tensor([[1, 1],\n            [4, 3]])")
    .sample("R(3, 4), 1, torch.tensor([[0, 3], [1, 1], [2, 0]])")
    .sample("R(3, 4), 0, torch.tensor([[2, 0, 1, 1]])")
    .sample("R(2, 3, 4), 1, torch.tensor([[[2, 0, 1, 1]], [[0, 0, 1, 2]]])");

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
                 "dimensions, but got ",
                 self.dim(), " dimensions for input, and ", indices.dim(),
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
      // Along a dimension, unlike in the flat case, indices count modulo its size.
      if (dim && size_of(from, d) > 0) at = remainder(at, size_of(from, d));
      return gather(from, d, at);
    })
    .doc(
        "gather with self and indices broadcast against each other in the other dimensions; "
        "without dim, of the flattened self.")
    .sample("R(3, 4), torch.tensor([[0], [2], [1]]), 1")
    .sample("R(3, 4), torch.tensor([[2, 0, 1, 1]]), dim=0")
    .sample("R(3, 4), torch.tensor([7, 0, 2])");

}  // namespace pt
