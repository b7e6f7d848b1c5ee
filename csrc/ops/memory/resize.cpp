// Ops that change which memory a tensor lies in: resize_, set_ and the view of a whole storage.
// They work outside autograd and refuse tensors that require grad.
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"

namespace pt {

namespace {

Tensor resized_in_place(const Out& out, IntList size, const std::optional<MemoryFormat>& format) {
  const Tensor self = out.destination();
  PT_CHECK(!self.requires_grad(), "cannot resize variables that require grad");
  PT_CHECK(!format || *format == MemoryFormat::kContiguous || *format == MemoryFormat::kPreserve,
           "resize_(): unsupported memory format");
  resize_output(self, size);
  return self;
}

// Lets self look at source's storage.
Tensor set_in_place(const Out& out, const Tensor& source, IntList size, IntList stride,
                    int64_t offset) {
  const Tensor self = out.destination();
  PT_CHECK(!self.requires_grad() && !self->base,
           "set_(): self must neither require grad nor be a differentiable view");
  PT_CHECK(self.dtype() == source.dtype(), "Could not set tensor of type ",
           scalar_type_name(source.dtype()), " to a tensor of type ",
           scalar_type_name(self.dtype()));
  const int64_t numel = checked_numel(size);
  PT_CHECK(offset >= 0, "Tensor: invalid storage offset ", offset);
  PT_CHECK(stride.empty() || stride.size() == size.size(),
           "mismatch in length of strides and "
           "shape");
  const Dims strides = stride.empty() ? contiguous_strides(size) : Dims(stride);
  int64_t last = offset;
  bool fits = true;
  for (size_t i = 0; numel > 0 && i < size.size(); ++i) {
    int64_t span;
    PT_CHECK(strides[static_cast<int>(i)] >= 0, "set_(): strides must not be negative");
    fits = fits && !__builtin_mul_overflow(size[i] - 1, strides[static_cast<int>(i)], &span) &&
           !__builtin_add_overflow(last, span, &last);
  }
  PT_CHECK(fits && last < INT64_MAX / 16, "setStorage: sizes ", to_text(size), " and strides ",
           to_text(strides), " overflow");
  const size_t needed = static_cast<size_t>(last + 1) * source.item_size();
  if (numel > 0 && needed > source->storage->bytes) source->storage->resize(needed);
  self->storage = source->storage;
  self->sizes = size;
  self->strides = strides;
  self->offset = offset;
  self->numel = numel;
  self->update_contiguous();
  return self;
}

}  // namespace

PT_OP(resize)
    .impl([](const Out& out, const Tensor&, IntList size, std::optional<MemoryFormat> format) {
      return resized_in_place(out, size, format);
    })
    .on_device()
    .nondifferentiable()
    .inplace_only()
    .doc(
        "Gives self another size; its storage grows when it is too small, and elements that were "
        "not there before are uninitialised.")
    .sample("torch.arange(12.).view(3, 4), (2, 5)")
    .sample("torch.arange(12.).view(3, 4), (4, 3)")
    .test("nograd");

PT_OP(resize_as)
    .impl([](const Out& out, const Tensor&, const Tensor& the_template,
             std::optional<MemoryFormat> format) {
      return resized_in_place(out, the_template.sizes(), format);
    })
    .on_device()
    .nondifferentiable()
    .inplace_only()
    .doc("Gives self the size of another tensor, see resize_.")
    .sample("torch.arange(12.).view(3, 4), torch.zeros(2, 5)")
    .test("nograd");

PT_OP(set_empty)
    .impl([](const Out& out, const Tensor& self) {
      return set_in_place(out, empty_tensor(Dims{0}, self.dtype()), Dims{0}, Dims{1}, 0);
    })
    .on_device()
    .nondifferentiable()
    .inplace_only()
    .sample("R(3, 4)")
    .test("nograd");

PT_OP(set_source)
    .impl([](const Out& out, const Tensor&, const Tensor& source) {
      return set_in_place(out, source, source.sizes(), source.strides(), source.offset());
    })
    .on_device()
    .nondifferentiable()
    .inplace_only()
    .doc(
        "Makes self look at the memory of another tensor of its dtype, with that tensor's size or "
        "with a size, strides and offset into its storage.")
    .sample("R(3, 4), R(2, 5)")
    .test("nograd contiguous");

PT_OP(set_source_offset)
    .impl([](const Out& out, const Tensor&, const Tensor& source, int64_t storage_offset,
             IntList size,
             IntList stride) { return set_in_place(out, source, size, stride, storage_offset); })
    .on_device()
    .nondifferentiable()
    .inplace_only()
    .sample("R(3, 4), R(2, 5), 2, (2, 2), (3, 1)")
    .test("nograd contiguous");

PT_OP(storage_bytes)
    .impl([](const Tensor& self) {
      Tensor out = alias(self);
      out->dtype = DType::kUInt8;
      out->offset = 0;
      out->numel = static_cast<int64_t>(self->storage->bytes);
      out->sizes = Dims{out->numel};
      out->strides = Dims{1};
      out->update_contiguous();
      return out;
    })
    .on_device()
    .nondifferentiable()
    .internal();

PT_OP(fill_diagonal)
    .impl([](const Out& out, const Tensor& self, Scalar fill_value, bool wrap) {
      const Tensor dest = out.dest[0] ? out.destination() : copy_of(self);
      const int n = dest.dim();
      PT_CHECK(n >= 2, "dimensions must larger than 1");
      for (int d = 1; n > 2 && d < n; ++d)
        PT_CHECK(dest->sizes[d] == dest->sizes[0],
                 "all dimensions of input must be of equal length");
      int64_t stride = 0;
      for (int64_t s : dest.strides()) stride += s;
      const int64_t height = dest->sizes[0], width = dest->sizes[1];
      const int64_t length = std::min(height, width);
      check_no_internal_overlap(dest);
      fill_with(make_view(dest, Dims{length}, Dims{stride}, dest.offset()), fill_value);
      if (wrap && n == 2 && height > width + 1) {
        // A tall matrix: the diagonal starts again after one row left out.
        const int64_t step = width + 1;
        const int64_t rest = (dest.numel() + step - 1) / step - length;
        const int64_t start = dest.offset() + dest->strides[0] * step;
        fill_with(make_view(dest, Dims{rest}, Dims{stride}, start), fill_value);
      }
      return dest;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, Scalar, bool wrap) {
      g[0] = fill_diagonal_(clone(g.grad()), 0, wrap);
    })
    .inplace_only()
    .doc(
        "Writes a number to the main diagonal of self.\n\n"
        "Args:\n    fill_value (number): the number\n"
        "    wrap (bool): the diagonal of a tall matrix starts again below")
    .sample("R(3, 4), 2.5")
    .sample("R(7, 3), -1, wrap=True")
    .sample("R(3, 3, 3), 0");

}  // namespace pt
