// Elements named by a bool mask, and the positions of nonzero elements.
#include <cstring>
#include <vector>

#include "core/parallel.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/algorithms/device.h"
#include "ops/index/algorithms/item.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/reduce/sum.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const PointwiseKernel kMaskedFill{"masked_fill"};

void check_mask(const char* op, const Tensor& mask) {
  PT_CHECK(mask.dtype() == DType::kBool, op,
           " only supports boolean masks, but got mask with dtype ",
           scalar_type_name(mask.dtype()));
}

Tensor fill_masked(const Out& out, const Tensor& self, const Tensor& mask, const Scalar& value) {
  static constexpr const char* kCppNames[kNumDTypes] = {
      "bool",  "unsigned char", "signed char",         "short int",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  PT_CHECK(mask.dtype() == DType::kBool,
           "masked_fill_ only supports boolean masks, but got mask with dtype ",
           kCppNames[static_cast<int>(mask.dtype())]);
  value.check_fits(self.dtype());
  const Value v[] = {Value::of(self), Value::of(mask), Value::of(value)};
  return run_pointwise_as(out, kMaskedFill.entry(), self.dtype(), self.dtype(), v, 3);
}

// t itself or a copy, contiguous and of that shape.
Tensor broadcast_contiguous(const Tensor& t, const Dims& shape) {
  return as_contiguous(t->sizes == shape ? t : expand(t, IntList(shape)));
}

constexpr int64_t kChunk = 1 << 15;
constexpr int64_t kBatch = 512;

// Counts of ones before each chunk of a mask, and the total at the end.
std::vector<int64_t> mask_counts(const uint8_t* mask, int64_t n) {
  std::vector<int64_t> before(static_cast<size_t>((n + kChunk - 1) / kChunk + 1), 0);
  parallel_for(0, n, kChunk, [&](int64_t b, int64_t e) {
    int32_t count = 0;
    for (int64_t i = b; i < e; ++i) count += mask[i];
    before[static_cast<size_t>(b / kChunk) + 1] = count;
  });
  for (size_t i = 1; i < before.size(); ++i) before[i] += before[i - 1];
  return before;
}

// Elements are collected without branches in a small buffer, then copied to their place.
template <class T>
void compact(const T* from, const uint8_t* mask, int64_t b, int64_t e, T* to) {
  T buffer[kBatch];
  for (; b < e; b += kBatch) {
    const int64_t end = std::min(e, b + kBatch);
    size_t count = 0;
    for (int64_t i = b; i < end; ++i) {
      buffer[count] = from[i];
      count += mask[i];
    }
    std::memcpy(to, buffer, count * sizeof(T));
    to += count;
  }
}

// Coordinates of the elements that are not zero: a row per dimension.
Tensor nonzero_rows(const Tensor& self) {
  const Tensor flat = as_contiguous(self);
  if (call_on_device) return device::Nonzero(flat).coordinates(self.sizes());
  const NonzeroPlan plan(flat.dtype(), flat.raw(), flat.numel());
  const int64_t n = plan.count();
  Tensor out = empty_tensor(Dims{self.dim(), n}, DType::kInt64);
  plan.write(self.sizes().data(), self.dim(), out.data<int64_t>(), 1, n);
  return out;
}

}  // namespace

PT_OP(masked_fill)
    .impl([](const Out& out, const Tensor& self, const Tensor& mask, Scalar value) {
      return fill_masked(out, self, mask, value);
    })
    .elementwise()
    .saves("mask")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& mask, Scalar) {
      g[0] = masked_fill(g.grad(), mask, 0);
    })
    .inplace()
    .doc(
        "self with value where mask is True.\n\n"
        "Args:\n    mask (Tensor): bool, broadcast with self\n    value (Number or 0-dim "
        "Tensor)\n\n"
        "Example:\n    >>> x = torch.tensor([1., -2., 3.])\n    >>> x.masked_fill(x < 0, 0)\n"
        "    tensor([1., 0., 3.])")
    .sample("R(3, 4), torch.tensor([True, False, True, False]), 2.5")
    .sample("R(3, 4), torch.tensor([[True], [False], [True]]), -1");

PT_OP(masked_fill_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& mask, const Tensor& value) {
      PT_CHECK(value.dim() == 0,
               "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
               value.dim(), " dimension(s).");
      return fill_masked(out, self, mask, value.item());
    })
    .elementwise()
    .saves("mask")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& mask, const Tensor&) {
      if (g.needs(0)) g[0] = masked_fill(g.grad(), mask, 0);
      if (g.needs(2)) g[2] = sum(masked_select(g.grad(), mask));
    })
    .inplace()
    .doc("self with a 0-dim tensor's value where mask is True.")
    .sample("R(3, 4), torch.tensor([True, False, True, False]), torch.tensor(2.5)");

PT_OP(masked_select)
    .impl([](const Tensor& self, const Tensor& mask) {
      PT_CHECK(mask.dtype() == DType::kBool, "masked_select: expected BoolTensor for mask");
      const Dims shape = broadcast_shapes(mask.sizes(), self.sizes());
      const Tensor m = broadcast_contiguous(mask, shape), from = broadcast_contiguous(self, shape);
      if (call_on_device) {
        const device::Nonzero picked(m);
        const Tensor out = empty_tensor(Dims{picked.count()}, self.dtype());
        picked.pack(from, out);
        return out;
      }
      const int64_t n = m.numel();
      const auto* bits = static_cast<const uint8_t*>(m.raw());
      const std::vector<int64_t> before = mask_counts(bits, n);
      Tensor out = empty_tensor(Dims{before.back()}, self.dtype());
      visit_item(self.item_size(), [&](auto v) {
        using T = decltype(v);
        const T* src = static_cast<const T*>(from.raw());
        T* dst = static_cast<T*>(out.raw());
        parallel_for(0, n, kChunk, [&](int64_t b, int64_t e) {
          compact(src, bits, b, e, dst + before[static_cast<size_t>(b / kChunk)]);
        });
      });
      return out;
    })
    .on_device()
    .saves("shape:self, mask")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& mask) {
      const Dims shape = broadcast_shapes(mask.sizes(), self.sizes());
      g[0] = masked_scatter(zeros_tensor(shape, g.grad().dtype()), mask, g.grad());
    })
    .out()
    .doc(
        "The elements of self where mask is True, as a vector.\n\n"
        "Args:\n    mask (Tensor): bool, broadcast with self")
    .sample("R(3, 4), torch.tensor([True, False, True, False])")
    .sample("R(4), torch.tensor([[True, False, True, False], [False, False, True, True]])");

PT_OP(masked_scatter)
    .impl([](const Out& out, const Tensor& self, const Tensor& mask, const Tensor& source) {
      check_mask("masked_scatter_", mask);
      PT_CHECK(self.dtype() == source.dtype(),
               "masked_scatter: expected self and source to have same dtypes but got ",
               scalar_type_name(self.dtype()), " and ", scalar_type_name(source.dtype()));
      const Dims shape = broadcast_shapes(self.sizes(), mask.sizes());
      const Tensor m = broadcast_contiguous(mask, shape), from = as_contiguous(source);
      // Worked out on a contiguous copy unless self is one already.
      Tensor dest;
      if (out.dest[0]) {
        dest = out.destination();
        check_no_internal_overlap(dest);
        PT_CHECK(same(shape, dest.sizes()), "output with shape ", to_text(dest.sizes()),
                 " doesn't match the broadcast shape ", to_text(shape));
      }
      const bool direct = dest.defined() && dest.is_contiguous();
      const Tensor work = direct ? dest : contiguous_copy(expand(self, IntList(shape)));
      if (call_on_device) {
        const device::Nonzero picked(m);
        PT_CHECK(picked.count() <= source.numel(),
                 "Number of elements of source < number of ones in mask");
        picked.spread(from->storage.get() == work->storage.get() ? contiguous_copy(from) : from,
                      work);
        if (dest.defined() && !direct) copy_into(dest, work);
        return dest.defined() ? dest : work;
      }
      const int64_t n = m.numel();
      const auto* bits = static_cast<const uint8_t*>(m.raw());
      const std::vector<int64_t> before = mask_counts(bits, n);
      PT_CHECK(before.back() <= source.numel(),
               "Number of elements of source < number of ones in mask");
      const Tensor values =
          from->storage.get() == work->storage.get() ? contiguous_copy(from) : from;
      visit_item(self.item_size(), [&](auto v) {
        using T = decltype(v);
        T* dst = static_cast<T*>(work.raw());
        parallel_for(0, n, kChunk, [&](int64_t b, int64_t e) {
          const T* src =
              static_cast<const T*>(values.raw()) + before[static_cast<size_t>(b / kChunk)];
          for (int64_t i = b; i < e; ++i)
            if (bits[i]) dst[i] = *src++;
        });
      });
      if (dest.defined() && !direct) copy_into(dest, work);
      return dest.defined() ? dest : work;
    })
    .on_device()
    .saves("mask, shape:source")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& mask, const Tensor& source) {
      if (g.needs(0)) g[0] = masked_fill(g.grad(), mask, 0);
      if (g.needs(2)) g[2] = masked_scatter_backward(g.grad(), mask, IntList(source.sizes()));
    })
    .inplace()
    .doc("self with the elements where mask is True replaced by source's first elements, in order.")
    .sample("R(3, 4), torch.tensor([True, False, True, False]), R(3, 4)");

PT_OP(masked_scatter_backward)
    .impl([](const Tensor& grad, const Tensor& mask, IntList sizes) {
      const Tensor picked = masked_select(grad, mask);
      Tensor out = zeros_tensor(sizes, grad.dtype());
      if (picked.numel() > 0) copy_into(make_view(out, Dims{picked.numel()}, Dims{1}, 0), picked);
      return out;
    })
    .on_device()
    .saves("mask, shape:grad")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& mask, IntList) {
      g[0] = masked_scatter(zeros_tensor(grad.sizes(), g.grad().dtype()), mask, g.grad());
    })
    .internal();

PT_OP(nonzero)
    .impl([](const Tensor& self) {
      const Tensor rows = nonzero_rows(self);  // and the result is their transpose, as in PyTorch
      const int64_t n = rows->sizes[1];
      return make_view(rows, Dims{n, rows->sizes[0]}, Dims{1, n}, 0);
    })
    .on_device()
    .nondifferentiable()
    .function_only()  // the method, with as_tuple, is written in Python
    .out()
    .doc(
        "The indices of the elements that are not zero, a row of self.dim() numbers each, in "
        "row-major order.\n\n"
        "Example:\n    >>> torch.nonzero(torch.tensor([1, 0, 3]))\n    tensor([[0],\n            "
        "[2]])")
    .sample("torch.tensor([[1, 0, 3], [0, 5, 0]])")
    .sample("R(3, 4) > 0");

PT_OP(where_condition)
    .composite([](const Tensor& condition) { return nonzero_numpy(condition); })
    .sample("B(3, 4)");

PT_OP(nonzero_numpy)
    .impl([](const Tensor& self) {
      const bool scalar = self.dim() == 0;
      const Tensor rows =
          nonzero_rows(scalar ? make_view(self, Dims{1}, Dims{1}, self.offset()) : self);
      const int64_t n = rows->sizes[1];
      std::vector<Tensor> list;
      for (int64_t d = 0; d < rows->sizes[0]; ++d)
        list.push_back(make_view(rows, Dims{n}, Dims{1}, d * n));
      return list;
    })
    .on_device()
    .nondifferentiable()
    .internal();

PT_OP(argwhere)
    .composite([](const Tensor& self) { return nonzero(self); })
    .doc("The indices of the elements that are not zero, a row each. The same as nonzero(self).")
    .sample("torch.tensor([[1, 0, 3], [0, 5, 0]])");

}  // namespace pt
