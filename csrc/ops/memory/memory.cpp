// Copies, fills and conversions. The work is done by op/copy.h.
#include "ops/memory/memory.h"

#include "core/pinned.h"
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

// The gradient with the dtype and on the device of what it belongs to.
Tensor as_like(const Tensor& grad, const Tensor& t) {
  if (grad.dtype() == t.dtype() && grad.device() == t.device()) return grad;
  return to_copy(grad, t.dtype(), t.device());
}
}  // namespace

PT_OP(clone)
    .impl([](const Tensor& self, std::optional<MemoryFormat> format) {
      check_format("clone", format);
      return copy_with_format(self, format);
    })
    .on_device()
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
    .impl([](const Out& out, const Tensor& self, const Tensor& src, bool non_blocking) {
      const NonBlocking scope(non_blocking);
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
      if (g.needs(1)) g[1] = as_like(g.grad(), src);
    })
    .on_device(DeviceUse::kAnyMix)
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
    .on_device()
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
    .elementwise()
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
    .on_device()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_for(g.grad()); })
    .inplace_only()
    .doc("Sets every element of self to zero.")
    .sample("R(3, 4)");

PT_OP(to_copy)
    .impl([](const Tensor& self, DType dtype, std::optional<Device>) {
      return copy_to(self, dtype, call_device());
    })
    .on_device(DeviceUse::kAnyMix)
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, DType, std::optional<Device>) {
      g[0] = as_like(g.grad(), self);
    })
    .node_name("ToCopyBackward0")
    .internal();

}  // namespace pt
