// Reductions. See reduction.h.
#include "op/reduction.h"

#include "cpu/kernel_table.h"
#include "op/copy.h"

namespace pt {

DimSet dim_set(const std::optional<IntList>& dims, int ndim, const char* op) {
  DimSet set;
  if (!dims || dims->empty()) {
    for (int i = 0; i < ndim; ++i) set.set(static_cast<size_t>(i));
    return set;
  }
  for (int64_t d : *dims) {
    const auto w = static_cast<size_t>(wrap_dim(d, ndim));
    PT_CHECK(!set[w] , op, "(): dim ", d, " appears multiple times in the list of dims");
    if (ndim > 0) set.set(w);
  }
  return set;
}

Dims reduced_shape(const Tensor& self, const DimSet& dims, bool keepdim) {
  Dims shape;
  for (int i = 0; i < self.dim(); ++i) {
    if (!dims[static_cast<size_t>(i)]) {
      shape.push_back(self->sizes[i]);
    } else if (keepdim) {
      shape.push_back(1);
    }
  }
  return shape;
}

namespace {

// One level: dimensions that can be walked with a single stride on input and output.
struct Level {
  int64_t size = 1, in = 0, out = 0;
  bool used = false;
  bool add(int64_t n, int64_t in_stride, int64_t out_stride) {  // from outside inwards
    if (n == 1) return true;
    if (!used) {
      size = n;
      in = in_stride;
      out = out_stride;
      used = true;
      return true;
    }
    if (in != in_stride * n || out != out_stride * n) return false;
    size *= n;
    in = in_stride;
    out = out_stride;
    return true;
  }
};

// Finds outer * n * inner with the kept dimensions before the reduced ones in `outer`, those after
// in `inner`; fails when the reduced dimensions are not one run with a single stride.
bool three_levels(const Tensor& self, const DimSet& dims, const Dims& out_strides, ReduceArgs& a) {
  Level outer, reduced, inner;
  for (int i = 0; i < self.dim(); ++i) {
    const int64_t n = self->sizes[i], s = self->strides[i];
    if (n == 1) continue;
    if (dims[static_cast<size_t>(i)]) {
      if (inner.used || !reduced.add(n, s, 0)) return false;
    } else if (!reduced.used) {
      if (!outer.add(n, s, out_strides[i])) return false;
    } else if (!inner.add(n, s, out_strides[i])) {
      return false;
    }
  }
  a.outer = outer.size;
  a.in_outer = outer.in;
  a.out_outer = outer.out;
  a.n = reduced.size;
  a.in_n = reduced.in;
  a.inner = inner.size;
  a.in_inner = inner.in;
  a.out_inner = inner.out;
  return true;
}

// Moves the reduced dimensions behind the kept ones.
Tensor reduced_last(const Tensor& self, const DimSet& dims) {
  Dims sizes, strides;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < self.dim(); ++i)
      if (dims[static_cast<size_t>(i)] == (pass == 1)) {
        sizes.push_back(self->sizes[i]);
        strides.push_back(self->strides[i]);
      }
  return make_view(self, sizes, strides, self.offset());
}

}  // namespace

Tensor run_reduction(const char* kernel, const Tensor& input, const DimSet& dims, bool keepdim,
                     DType compute, DType result, double p, Tensor* second, DType result2) {
  const KernelEntry* entry = find_kernel(kernel);
  PT_CHECK(entry, "kernel '", kernel, "' is missing from this build");
  auto* fn = reinterpret_cast<ReduceFn*>(entry->fn[static_cast<int>(compute)]);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", kernel, "\" not implemented for '",
                dtype_name(compute), "'");
  const Tensor self = cast_to(input, compute);
  Tensor out = empty_tensor(reduced_shape(self, dims, keepdim), result);
  if (second) *second = empty_tensor(out.sizes(), result2);
  if (out.numel() == 0) return out;
  // Strides of the output aligned to the input's dimensions.
  Dims out_strides(self.dim(), 0);
  int64_t step = 1;
  for (int i = self.dim() - 1; i >= 0; --i) {
    if (dims[static_cast<size_t>(i)]) continue;
    out_strides[i] = step;
    step *= self->sizes[i];
  }
  ReduceArgs a;
  a.out = out.raw();
  a.out2 = second ? second->raw() : nullptr;
  a.p = p;
  if (self.numel() == 0) {
    // Nothing to read: every output is the reduction of an empty list.
    a.outer = out.numel();
    a.out_outer = 1;
    a.n = 0;
    a.in = nullptr;
    fn(a);
    return out;
  }
  Tensor source = self;
  if (!three_levels(self, dims, out_strides, a)) {
    source = contiguous_copy(reduced_last(self, dims));
    a.outer = out.numel();
    a.out_outer = 1;
    a.n = source.numel() / out.numel();
    a.in_outer = a.n;
    a.in_n = 1;
    a.inner = 1;
    a.in_inner = a.out_inner = 0;
  }
  a.in = source.raw();
  fn(a);
  return out;
}

Tensor restore_dims(const Tensor& reduced, const DimSet& dims, int ndim) {
  if (reduced.dim() == ndim) return reduced;
  Dims sizes(ndim), strides(ndim);
  for (int i = 0, j = 0; i < ndim; ++i) {
    const bool gone = dims[static_cast<size_t>(i)];
    sizes[i] = gone ? 1 : reduced->sizes[j];
    strides[i] = gone ? 0 : reduced->strides[j];
    if (!gone) ++j;
  }
  return make_view(reduced, sizes, strides, reduced.offset());
}

}  // namespace pt
