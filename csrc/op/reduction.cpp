// Reductions. See reduction.h.
#include "op/reduction.h"

#include "op/copy.h"

namespace pt {

DimSet dim_set(const std::optional<IntList>& dims, int ndim) {
  if (!dims || dims->empty()) return all_dims(ndim);
  DimSet set;
  for (int64_t d : *dims) {
    const auto w = static_cast<size_t>(wrap_dim(d, ndim));
    PT_CHECK(!set[w], "dim ", w, " appears multiple times in the list of dims");
    set.set(w);
  }
  if (ndim == 0) set.reset();
  return set;
}

Dims reduced_shape(const Tensor& self, const DimSet& dims, bool keepdim) {
  const int n = self.dim();
  Dims shape(keepdim ? n : n - static_cast<int>(dims.count()));
  for (int i = 0, j = 0; i < n; ++i) {
    const bool gone = dims[static_cast<size_t>(i)];
    if (!gone || keepdim) shape[j++] = gone ? 1 : self->sizes[i];
  }
  return shape;
}

int64_t reduced_count(const Tensor& self, const DimSet& dims) {
  int64_t n = 1;
  for (int i = 0; i < self.dim(); ++i)
    if (dims[static_cast<size_t>(i)]) n *= self->sizes[i];
  return n;
}

namespace {

// Neighbouring dimensions that are walked with a single stride on input and output.
struct Run {
  int64_t size, in, out;
  bool reduced;
};

// The dimensions of self as runs, largest input stride first: the order of summands or of outputs
// does not matter to a kernel, and index kernels reduce a single dimension.
int runs_of(const Tensor& self, const DimSet& dims, Run* runs) {
  Run all[kMaxDims];
  int count = 0;
  int64_t step = 1;
  for (int i = self.dim() - 1; i >= 0; --i) {
    const int64_t n = self->sizes[i];
    const bool reduced = dims[static_cast<size_t>(i)];
    const Run run{n, self->strides[i], reduced ? 0 : step, reduced};
    if (!reduced) step *= n;
    if (n == 1) continue;
    int at = count++;
    for (; at > 0 && all[at - 1].in > run.in; --at) all[at] = all[at - 1];
    all[at] = run;
  }
  int n = 0;
  for (int i = count - 1; i >= 0; --i) {
    const Run& r = all[i];
    if (n > 0 && runs[n - 1].reduced == r.reduced && runs[n - 1].in == r.in * r.size &&
        runs[n - 1].out == r.out * r.size) {
      runs[n - 1] = {runs[n - 1].size * r.size, r.in, r.out, r.reduced};
    } else {
      runs[n++] = r;
    }
  }
  return n;
}

// Fills in the levels; false when there are more runs than levels.
bool three_levels(const Run* runs, int count, ReduceArgs& a) {
  const Run* kept[2] = {};
  const Run* reduced = nullptr;
  int num_kept = 0;
  for (const Run* r = runs; r < runs + count; ++r) {
    if (r->reduced) {
      if (reduced) return false;
      reduced = r;
    } else {
      if (num_kept == 2) return false;
      kept[num_kept++] = r;
    }
  }
  a.n = reduced ? reduced->size : 1;
  a.in_n = reduced ? reduced->in : 1;
  // A single kept run inside the reduced one is the inner level.
  const bool inner_only = num_kept == 1 && reduced && kept[0] > reduced;
  const Run* outer = inner_only ? nullptr : kept[0];
  const Run* inner = inner_only ? kept[0] : kept[1];
  a.outer = outer ? outer->size : 1;
  a.in_outer = outer ? outer->in : 0;
  a.out_outer = outer ? outer->out : 0;
  a.inner = inner ? inner->size : 1;
  a.in_inner = inner ? inner->in : 0;
  a.out_inner = inner ? inner->out : 0;
  return true;
}

// Moves the reduced dimensions behind the kept ones.
Tensor reduced_last(const Tensor& self, const DimSet& dims) {
  const int n = self.dim();
  Dims sizes(n), strides(n);
  int at = 0;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < n; ++i)
      if (dims[static_cast<size_t>(i)] == (pass == 1)) {
        sizes[at] = self->sizes[i];
        strides[at++] = self->strides[i];
      }
  return make_view(self, sizes, strides, self.offset());
}

ReduceFn* function_of(const ReduceKernel& kernel, DType compute) {
  ReduceFn* fn = kernel.get(compute);
  if (!fn) [[unlikely]] {
    PT_CHECK(kernel.entry, "kernel '", kernel.name, "' is missing from this build");
    raise(ErrorKind::kNotImplemented, "\"", kernel.name, "\" not implemented for '",
          dtype_name(compute), "'");
  }
  return fn;
}

// Reduces the innermost run of reduced dimensions of a row-major tensor.
DimSet last_reduced_run(const Tensor& self, const DimSet& dims) {
  DimSet last;
  int i = self.dim() - 1;
  while (i >= 0 && !dims[static_cast<size_t>(i)]) --i;
  for (; i >= 0 && dims[static_cast<size_t>(i)]; --i) last.set(static_cast<size_t>(i));
  return last;
}

}  // namespace

Tensor run_reduction(const ReduceCall& call, const Tensor& input, const DimSet& dims, bool keepdim,
                     Tensor* second) {
  ReduceFn* fn = function_of(call.kernel, call.compute);
  Tensor converted;
  if (input.dtype() != call.compute) converted = cast_to(input, call.compute);
  const Tensor& self = converted.defined() ? converted : input;
  ReduceArgs a;
  a.p = call.p;
  if (self.is_contiguous() && dims == all_dims(self.dim())) {
    Tensor out = empty_tensor(keepdim ? Dims(self.dim(), 1) : Dims(), call.result);
    if (second) *second = empty_tensor(out.sizes(), call.result2);
    a.in = self.raw();
    a.out = out.raw();
    a.out2 = second ? second->raw() : nullptr;
    a.n = self.numel();
    a.in_n = 1;
    fn(a);
    return out;
  }
  Run runs[kMaxDims];
  const bool empty = self.numel() == 0;
  const bool fits = empty || three_levels(runs, runs_of(self, dims, runs), a);
  if (!fits && call.splits && self.is_contiguous() && call.result == call.compute) {
    // First the run that lies innermost, then the rest of the much smaller result.
    const DimSet last = last_reduced_run(self, dims);
    if (last != dims && reduced_count(self, last) >= 8) {
      const Tensor part = run_reduction(call, self, last, true);
      const Tensor whole = run_reduction(call, part, dims, keepdim);
      return whole;
    }
  }
  Tensor out = empty_tensor(reduced_shape(self, dims, keepdim), call.result);
  if (second) *second = empty_tensor(out.sizes(), call.result2);
  if (out.numel() == 0) return out;
  a.out = out.raw();
  a.out2 = second ? second->raw() : nullptr;
  if (fits && !empty) {
    a.in = self.raw();
    fn(a);
    return out;
  }
  a.outer = out.numel();
  a.out_outer = 1;
  a.in_n = 1;
  a.inner = 1;
  a.in_inner = a.out_inner = 0;
  if (empty) {  // nothing to read: every output is the reduction of an empty list
    a.n = 0;
    fn(a);
    return out;
  }
  const Tensor source = contiguous_copy(reduced_last(self, dims));
  a.in = source.raw();
  a.n = a.in_outer = source.numel() / out.numel();
  fn(a);
  return out;
}

}  // namespace pt
