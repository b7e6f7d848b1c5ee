// x[...] as ops: basic indices as one view, index tensors and masks as copies.
#include "ops/index/index.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/index/algorithms/device.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/view/view.h"

namespace pt {

namespace {

Tensor basic_view(const Tensor& self, IntList starts, IntList dims, IntList steps, IntList sizes) {
  const int n = static_cast<int>(dims.size());
  Dims strides(n);
  int64_t offset = self.offset();
  for (int d = 0; d < self.dim(); ++d) offset += starts[static_cast<size_t>(d)] * self->strides[d];
  for (int i = 0; i < n; ++i) {
    const auto k = static_cast<size_t>(i);
    const int64_t d = dims[k];
    strides[i] = d >= 0 ? self->strides[static_cast<int>(d)] * steps[k] : 1;
  }
  // A new dimension gets the stride that keeps a row-major tensor row-major.
  for (int i = n - 1; i >= 0; --i)
    if (dims[static_cast<size_t>(i)] < 0 && i + 1 < n)
      strides[i] = strides[i + 1] * sizes[static_cast<size_t>(i) + 1];
  return make_view(self, sizes, strides, offset);
}

bool is_whole_mask(const Tensor& self, TensorList indices) {
  return indices.size() == 1 && indices[0].defined() && indices[0].dtype() == DType::kBool &&
         indices[0]->sizes == self->sizes && self.dim() > 0;
}

// Some byte of a may be one of b.
bool overlap(const Tensor& a, const Tensor& b) {
  if (a->storage.get() != b->storage.get()) return false;
  const ByteRange x = byte_range(a.impl()), y = byte_range(b.impl());
  const char *pa = a->data(), *pb = b->data();
  return pa + x.begin < pb + y.end && pb + y.begin < pa + x.end;
}

Tensor broadcast_to(const Tensor& values, const Dims& shape) {
  const int n = shape.size(), m = values.dim();
  bool fits = m <= n;
  for (int i = 1; i <= std::min(n, m) && fits; ++i)
    fits = values->sizes[m - i] == 1 || values->sizes[m - i] == shape[n - i];
  PT_CHECK(fits, "shape mismatch: value tensor of shape ", to_text(values.sizes()),
           " cannot be broadcast to indexing result of shape ", to_text(shape));
  Dims strides(n, 0);
  for (int i = 1; i <= m; ++i)
    strides[n - i] = values->sizes[m - i] == 1 ? 0 : values->strides[m - i];
  return make_view(values, shape, strides, values.offset());
}

void put_on_device(const Tensor& dest, TensorList indices, const Tensor& values, bool accumulate);

void put_values(const Tensor& dest, TensorList indices, const Tensor& values, bool accumulate) {
  if (call_on_device) return put_on_device(dest, indices, values, accumulate);
  const IndexedTensor at = select_indices(dest, indices);
  const Tensor all = broadcast_to(values, at.shape);
  if (at.selection.elements() == 0) return;
  const size_t item = dest.item_size();
  if (values.numel() == 1) {
    if (accumulate) {
      add_selection_scalar(at.selection, dest.dtype(), dest.raw(), values.raw());
    } else {
      fill_selection(at.selection, dest.data<char>(), values.raw(), item);
    }
    return;
  }
  Tensor from = as_contiguous(all);
  if (overlap(dest, from)) from = contiguous_copy(from);
  if (accumulate) {
    add_selection(at.selection, dest.dtype(), dest.raw(), from.raw());
  } else {
    write_selection(at.selection, dest.data<char>(), from.data<char>(), item);
  }
}

// The same on a device: indices, and a number as the value, may be the cpu's.
void put_on_device(const Tensor& dest, TensorList indices, const Tensor& values, bool accumulate) {
  const std::vector<Tensor> moved = indices_beside(dest, indices);
  const IndexedTensor at = select_indices(dest, moved);
  const bool number = values.device().is_cpu() && values.dim() == 0;
  PT_CHECK(number || values.device() == dest.device(),
           "Expected all tensors to be on the same device, but found at least two devices, ",
           to_text(dest.device()), " and ", to_text(values.device()), "! (in index_put)");
  const Tensor all = broadcast_to(values, at.shape);
  device::Written written;
  Tensor from;
  if (number) {
    written = {nullptr, true, values.raw()};
  } else if (values.numel() == 1) {
    written = {values.raw(), true};
  } else {
    from = as_contiguous(all);
    if (overlap(dest, from)) from = contiguous_copy(from);
    written = {from.raw()};
  }
  device::write_selection(at.selection, dest.dtype(), dest.raw(), written,
                          accumulate ? PlaceOp::kAdd : PlaceOp::kAssign);
}

}  // namespace

PT_OP(basic_index)
    .view([](const Tensor& self, IntList starts, IntList dims, IntList steps, IntList sizes) {
      return basic_view(self, starts, dims, steps, sizes);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList starts, IntList dims, IntList steps,
                 IntList sizes) {
      g[0] = basic_index_backward(g.grad(), IntList(self.sizes()), starts, dims, steps, sizes);
    })
    .node_name("SelectBackward0")
    .internal();

PT_OP(basic_index_backward)
    .impl([](const Tensor& grad, IntList input_sizes, IntList starts, IntList dims, IntList steps,
             IntList sizes) {
      Tensor out = zeros_tensor(input_sizes, grad.dtype(), grad.device());
      copy_into(basic_view(out, starts, dims, steps, sizes), grad);
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList, IntList starts, IntList dims,
                 IntList steps,
                 IntList sizes) { g[0] = basic_index(g.grad(), starts, dims, steps, sizes); })
    .internal();

PT_OP(index)
    .impl([](const Tensor& self, TensorList given) {
      const std::vector<Tensor> moved =
          call_on_device ? indices_beside(self, given) : std::vector<Tensor>();
      const TensorList indices = call_on_device ? TensorList(moved) : given;
      if (is_whole_mask(self, indices)) return masked_select(self, indices[0]);
      const IndexedTensor from = select_indices(self, indices);
      Tensor out = empty_tensor(from.shape, self.dtype(), self.device());
      read_selection(from.selection, self.data<char>(), out.data<char>(), self.item_size());
      return out;
    })
    .on_device(DeviceUse::kAnyMix)  // indices may be the cpu's
    .saves("shape:self, indices")
    .backward([](BackwardCall& g, const Tensor& self, TensorList indices) {
      g[0] = index_backward(g.grad(), IntList(self.sizes()), indices);
    })
    .node_name("IndexBackward0")
    .internal();

PT_OP(index_backward)
    .impl([](const Tensor& grad, IntList input_sizes, TensorList indices) {
      Tensor out = zeros_tensor(input_sizes, grad.dtype(), grad.device());
      put_values(out, indices, grad, true);
      return out;
    })
    .on_device(DeviceUse::kAnyMix)
    .saves("indices")
    .backward([](BackwardCall& g, const Tensor&, IntList, TensorList indices) {
      g[0] = index(g.grad(), indices);
    })
    .node_name("IndexBackwardBackward0")
    .internal();

PT_OP(index_put)
    .impl([](const Out& out, const Tensor& self, TensorList indices, const Tensor& values,
             bool accumulate) {
      PT_CHECK(values.dtype() == self.dtype(),
               "Index put requires the source and destination dtypes match, got ",
               scalar_type_name(self.dtype()), " for the destination and ",
               scalar_type_name(values.dtype()), " for the source.");
      const Tensor dest = out.dest[0] ? out.destination() : copy_of(self);
      put_values(dest, indices, values, accumulate);
      return dest;
    })
    .on_device(DeviceUse::kAnyMix)
    .saves("indices, shape:values")
    .backward([](BackwardCall& g, const Tensor&, TensorList indices, const Tensor& values,
                 bool accumulate) {
      if (g.needs(0))
        g[0] = accumulate ? g.grad()
                          : index_put(g.grad(), indices, scalar_tensor(0, g.grad().dtype()), false);
      if (g.needs(2)) {
        const Tensor picked = index(g.grad(), indices);
        g[2] = values.numel() == picked.numel() && !(values->sizes == picked->sizes)
                   ? reshape(picked, IntList(values.sizes()))
                   : picked;
      }
    })
    .inplace()
    .doc(
        "self with the elements that index tensors or masks select replaced by values.\n\n"
        "Args:\n    indices (tuple of Tensor): one per dimension of self, broadcast together\n"
        "    values (Tensor): of self's dtype, broadcast to the selected elements\n"
        "    accumulate (bool): add to the elements instead; repeated indices add up\n\n"
        "Example:\n    >>> i = torch.tensor([0, 2])\n"
        "    >>> torch.zeros(3).index_put((i,), torch.tensor(1.))\n    tensor([1., 0., 1.])")
    .sample("R(3, 4), (torch.tensor([0, 2]), torch.tensor([1, -1])), R(2)")
    .sample("R(3, 4), (torch.tensor([0, 0, 2]),), R(3, 4), accumulate=True");

}  // namespace pt
