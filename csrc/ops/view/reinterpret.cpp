// view(dtype): the same bytes read as another element type. Outside autograd.
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/view/view.h"

namespace pt {

PT_OP(view_dtype)
    .impl([](const Tensor& self, DType dtype) {
      const auto from = static_cast<int64_t>(self.item_size());
      const auto to = static_cast<int64_t>(item_size(dtype));
      const auto types = [&] {
        return concat(" to view ", scalar_type_name(self.dtype()), " as ", scalar_type_name(dtype),
                      " (different element sizes)");
      };
      PT_CHECK(!is_complex(dtype), "view(): complex dtypes are not supported");
      Tensor out = alias(self);
      out->dtype = dtype;
      if (from == to) return out;
      const int last = self.dim() - 1;
      PT_CHECK(last >= 0, "self.dim() cannot be 0", types());
      PT_CHECK(self->strides[last] == 1 || self->sizes[last] == 1, "self.stride(-1) must be 1",
               types(), ", but got ", self->strides[last]);
      if (from > to) {
        const int64_t ratio = from / to;
        out->sizes[last] *= ratio;
        for (int d = 0; d < last; ++d) out->strides[d] *= ratio;
        out->strides[last] = 1;
        out->offset *= ratio;
      } else {
        const int64_t ratio = to / from;
        PT_CHECK(self->sizes[last] % ratio == 0, "self.size(-1) must be divisible by ", ratio,
                 types(), ", but got ", self->sizes[last]);
        PT_CHECK(self.offset() % ratio == 0, "self.storage_offset() must be divisible by ", ratio,
                 types(), ", but got ", self.offset());
        for (int d = 0; d < last; ++d) {
          PT_CHECK(self->strides[d] % ratio == 0, "self.stride(", d, ") must be divisible by ",
                   ratio, types(), ", but got ", self->strides[d]);
          out->strides[d] /= ratio;
        }
        out->sizes[last] /= ratio;
        out->strides[last] = 1;
        out->offset /= ratio;
      }
      out->numel = checked_numel(out->sizes);
      out->update_contiguous();
      return out;
    })
    .on_device()
    .nondifferentiable()
    .method_only()
    .doc(
        "The same memory read as another dtype; the last dimension grows or shrinks with the "
        "element size.")
    .sample("torch.tensor([[1., 2.], [3., 4.]]), torch.uint8")
    .sample("torch.tensor([[1, 2, 3, 4]], dtype=torch.int16), torch.int64")
    .sample("torch.tensor([1., -2.]), torch.int32")
    .test("contiguous nograd");

}  // namespace pt
