// index_reduce: slices along a dimension combined into the places that a vector names.
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/view/view.h"

namespace pt {

PT_OP(index_reduce)
    .composite([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                  const Tensor& source, std::string_view reduce, bool include_self) {
      PT_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
               "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ",
               reduce, ".");
      PT_CHECK_INDEX(
          index.dim() <= 1,
          "index_reduce_(): Index is supposed to be a vector, but got dim: ", index.dim());
      PT_CHECK(self.dtype() == source.dtype(), "index_reduce_(): self (",
               scalar_type_name(self.dtype()), ") and source (", scalar_type_name(source.dtype()),
               ") must have the same scalar type");
      const int d = wrap_dim(dim, self.dim());
      const int64_t have = source.dim() ? source.size(d) : 1;
      PT_CHECK(index.numel() == have, "index_reduce_(): Number of indices (", index.numel(),
               ") should be equal to source.size(dim): (", have, "), for dim: ", d);
      Tensor places = index;
      if (source.dim() > 0) {
        Dims shape(source.dim(), 1);
        shape[d] = index.numel();
        places = expand(reshape(index, IntList(shape)), IntList(source.sizes()));
      }
      // What index_reduce_ overwrites afterwards must not be what backward needs.
      const Tensor start = out.op->variant == Variant::kInplace ? clone(self) : self;
      return scatter_reduce(start, dim, places, source, reduce, include_self);
    })
    .inplace()
    .doc(
        "self with source's slices combined into the slices along dim that `index` names.\n\n"
        "Args:\n    reduce (str): 'prod', 'mean', 'amax' or 'amin'\n"
        "    include_self (bool): whether self's values take part")
    .sample("R(3, 4), 0, torch.tensor([0, 2, 0]), R(3, 4), 'amax'")
    .sample("R(3, 4), 1, torch.tensor([3, 1]), R(3, 2), 'mean', include_self=False")
    .sample("P(3, 4), 0, torch.tensor([1, 1]), P(2, 4), 'prod'");

}  // namespace pt
