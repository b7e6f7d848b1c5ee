// Copies, fills and conversions. The work is done by op/copy.h.
#include "ops/memory/memory.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {
void check_format(const char* op, const std::optional<MemoryFormat>& format) {
  PT_CHECK(!format || *format == MemoryFormat::kContiguous || *format == MemoryFormat::kPreserve ||
               *format == MemoryFormat::kChannelsLast,
           op, "(): unsupported memory format");
}

Dims channels_last_strides(const Tensor& t) {
  PT_CHECK(t.dim() == 4, "required rank 4 tensor to use channels_last format");
  const auto& s = t.sizes();
  return {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]};
}

Tensor copy_with_format(const Tensor& self, const std::optional<MemoryFormat>& format) {
  if (format == MemoryFormat::kContiguous) return contiguous_copy(self);
  if (format == MemoryFormat::kChannelsLast) {
    Tensor out = empty_strided_tensor(self.sizes(), channels_last_strides(self), self.dtype());
    copy_into(out, self);
    return out;
  }
  return copy_of(self);
}

// The gradient of what was overwritten.
Tensor zeros_for(const Tensor& grad) {
  return zeros_tensor(grad.sizes(), grad.dtype(), grad.device());
}
}  // namespace

PT_OP(clone)
    .impl([](const Tensor& self, std::optional<MemoryFormat> format) {
      check_format("clone", format);
      return copy_with_format(self, format);
    })
    .backward([](BackwardCall& g, const Tensor&, std::optional<MemoryFormat>) { g[0] = g.grad(); })
    .doc(
        "Returns a copy of self; gradients flow through it.\n\n"
        "Example:\n    >>> torch.tensor([1., 2.]).clone()\n    tensor([1., 2.])")
    .sample("R(3, 4)")
    .sample("R(3, 4).t()");

PT_OP(contiguous)
    .composite([](const Tensor& self, std::optional<MemoryFormat> format) {
      check_format("contiguous", format);
      if (format == MemoryFormat::kChannelsLast) {
        if (same(self.strides(), channels_last_strides(self))) return self;
        return clone(self, format);
      }
      if (self.is_contiguous()) return self;
      return clone(self, MemoryFormat::kContiguous);
    })
    .method_only()
    .doc(
        "Returns self when its elements lie in row-major order without gaps, else a copy that "
        "does.")
    .sample("R(3, 4)")
    .sample("R(3, 4).t()");

PT_OP(copy)
    .impl([](const Out& out, const Tensor& self, const Tensor& src, bool) {
      const Tensor dest = out.dest[0] ? out.destination() : contiguous_copy(self);
      const Dims shape =
          src->sizes == dest->sizes ? dest.sizes() : broadcast_shapes(dest.sizes(), src.sizes());
      PT_CHECK(same(shape, dest.sizes()), "copy_(): the source of shape ", to_text(src.sizes()),
               " can't be broadcast to the destination's shape ", to_text(dest.sizes()));
      check_no_internal_overlap(dest);
      check_no_partial_overlap(dest, src);
      copy_into(dest, src);
      return dest;
    })
    .saves("shape:src")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& src, bool) {
      if (g.needs(0)) g[0] = zeros_for(g.grad());
      if (g.needs(0)) g[0] = zeros_tensor(g.grad().sizes(), g.grad().dtype());
      if (g.needs(1)) g[1] = to_dtype(g.grad(), src.dtype());
    })
    .node_name("CopyBackwards")
    .inplace_only()
    .doc("Copies the elements of src, broadcast and converted, into self.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4)");

PT_OP(fill)
    .impl([](const Out& out, const Tensor& self, Scalar value) {
      const Tensor dest =
          out.dest[0] ? out.destination() : empty_tensor(self.sizes(), self.dtype());
      fill_with(dest, value);
      return dest;
    })
    .backward([](BackwardCall& g, const Tensor&, Scalar) { g[0] = zeros_for(g.grad()); })
    .inplace_only()
    .doc("Sets every element of self to value.")
    .sample("R(3, 4), 2.5");

PT_OP(fill_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& value) {
      PT_CHECK(value.dim() == 0,
               "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
               " dimensions.");
      const Tensor dest =
          out.dest[0] ? out.destination() : empty_tensor(self.sizes(), self.dtype());
      copy_into(dest, value);
      return dest;
    })
    .backward([](BackwardCall& g, const Tensor&, const Tensor&) {
      if (g.needs(0)) g[0] = zeros_for(g.grad());
      if (g.needs(1)) g[1] = sum(g.grad());
    })
    .inplace_only()
    .sample("R(3, 4), torch.tensor(2.5)");

PT_OP(zero)
    .impl([](const Out& out, const Tensor& self) {
      const Tensor dest =
          out.dest[0] ? out.destination() : empty_tensor(self.sizes(), self.dtype());
      fill_with(dest, 0);
      return dest;
    })
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_for(g.grad()); })
    .inplace_only()
    .doc("Sets every element of self to zero.")
    .sample("R(3, 4)");

PT_OP(to_copy)
    .impl([](const Tensor& self, DType dtype) {
      return self.dtype() == dtype ? copy_of(self) : cast_to(self, dtype);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, DType) {
      g[0] = to_dtype(g.grad(), self.dtype());
    })
    .node_name("ToCopyBackward0")
    .internal();

}  // namespace pt
