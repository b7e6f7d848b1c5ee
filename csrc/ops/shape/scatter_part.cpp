// A tensor with a part of it replaced, as a new tensor: the view ops backwards.
#include "op/define.h"
#include "ops/memory/memory.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

Tensor write_part(const Tensor& whole, const Tensor& part, const Tensor& src) {
  PT_CHECK(same(part.sizes(), src.sizes()),
           "expected src to have a size equal to the slice of self. src size = ",
           to_text(src.sizes()), ", slice size = ", to_text(part.sizes()));
  copy_(part, src);
  return whole;
}

}  // namespace

PT_OP(select_scatter)
    .composite([](const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
      const Tensor out = clone(self);
      return write_part(out, select(out, dim, index), src);
    })
    .doc("self with self.select(dim, index) replaced by src.")
    .sample("R(3, 4), R(3), 1, -2");

PT_OP(slice_scatter)
    .composite([](const Tensor& self, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                  std::optional<int64_t> end, int64_t step) {
      const Tensor out = clone(self);
      return write_part(out, slice(out, dim, start, end, step), src);
    })
    .doc("self with the slice start:end:step along dim replaced by src.")
    .sample("R(5, 4), R(2, 4), 0, 1, 5, 2")
    .sample("R(3, 4), R(3, 2), dim=1, start=2");

PT_OP(diagonal_scatter)
    .composite([](const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1,
                  int64_t dim2) {
      const Tensor out = clone(self);
      return write_part(out, diagonal(out, offset, dim1, dim2), src);
    })
    .doc("self with a diagonal replaced by src.")
    .sample("R(3, 4), R(3)")
    .sample("R(3, 4), R(2), offset=-1");

PT_OP(as_strided_scatter)
    .composite([](const Tensor& self, const Tensor& src, IntList size, IntList stride,
                  std::optional<int64_t> storage_offset) {
      const Tensor out = clone(self);
      return write_part(out, as_strided(out, size, stride, storage_offset), src);
    })
    .doc("self with self.as_strided(size, stride, storage_offset) replaced by src.")
    .sample("R(3, 4), R(2, 2), (2, 2), (4, 1), 1")
    .test("contiguous nograd");  // PyTorch gives self the gradient of the part instead of the rest

PT_OP(narrow_copy)
    .composite([](const Tensor& self, int64_t dim, int64_t start, int64_t length) {
      return clone(narrow(self, dim, start, length), MemoryFormat::kContiguous);
    })
    .doc("narrow as a copy.")
    .sample("R(3, 4), 1, 1, 2");

}  // namespace pt
