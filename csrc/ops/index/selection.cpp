// Index tensors, masks and the placement of dimensions. See selection.h.
#include "ops/index/selection.h"

#include "op/copy.h"
#include "ops/index/algorithms/device.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {

namespace {

bool is_mask(const Tensor& t) { return t.dtype() == DType::kBool || t.dtype() == DType::kUInt8; }

// add_mask() on a device, for a contiguous mask; `merged`: its dimensions lie in memory like one.
void add_mask_on_device(const Tensor& self, int dim, const Tensor& mask, bool merged,
                        std::vector<IndexColumn>& columns) {
  const device::Nonzero nonzero(mask);
  const int64_t count = nonzero.count(), size = mask.numel();
  const int m = mask.dim();
  if (m == 0) {
    columns.push_back({zeros_tensor(Dims{count}, DType::kInt64), 1, 0, dim});
  } else if (merged) {
    const Tensor all = nonzero.coordinates({&size, 1});
    columns.push_back(
        {make_view(all, Dims{count}, Dims{1}, 0), size, self->strides[dim + m - 1], dim, true, m});
  } else {
    const Tensor all = nonzero.coordinates(mask.sizes());
    for (int i = 0; i < m; ++i) {
      const Tensor index = make_view(all, Dims{count}, Dims{1}, i * count);
      columns.push_back({index, self->sizes[dim + i], self->strides[dim + i], dim + i});
    }
  }
}

// A mask over dimensions [dim, dim + mask.dim()) of self as index columns.
void add_mask(const Tensor& self, int dim, const Tensor& mask, std::vector<IndexColumn>& columns) {
  const int m = mask.dim();
  for (int i = 0; i < m; ++i) {
    PT_CHECK_INDEX(dim + i < self.dim() && mask->sizes[i] == self->sizes[dim + i],
                   "The shape of the mask ", to_text(mask.sizes()), " at index ", i,
                   " does not match the shape of the indexed tensor ", to_text(self.sizes()),
                   " at index ", dim + i);
  }
  const Tensor flat = as_contiguous(mask);
  // Dimensions that lie in memory like one are indexed by the position in the mask alone.
  bool merged = m > 0;
  for (int i = 0; i + 1 < m && merged; ++i)
    merged = self->strides[dim + i] == self->strides[dim + i + 1] * self->sizes[dim + i + 1];
  if (call_on_device) return add_mask_on_device(self, dim, flat, merged, columns);
  const NonzeroPlan plan(flat.dtype(), flat.raw(), flat.numel());
  if (merged) {
    const int64_t size = flat.numel();
    const Tensor index = empty_tensor(Dims{plan.count()}, DType::kInt64);
    plan.write(&size, 1, index.data<int64_t>(), 1, 1);
    columns.push_back({index, size, self->strides[dim + m - 1], dim, true, m});
    return;
  }
  if (m == 0) {  // a single True or False: once or not at all
    columns.push_back({zeros_tensor(Dims{plan.count()}, DType::kInt64), 1, 0, dim});
    return;
  }
  const Tensor all = empty_tensor(Dims{m, plan.count()}, DType::kInt64);
  plan.write(mask.sizes().data(), m, all.data<int64_t>(), 1, plan.count());
  for (int i = 0; i < m; ++i) {
    const Tensor index =
        make_view(all, Dims{plan.count()}, Dims{1}, static_cast<int64_t>(i) * plan.count());
    columns.push_back({index, self->sizes[dim + i], self->strides[dim + i], dim + i});
  }
}

Tensor expanded(const Tensor& t, const Dims& shape) {
  const int n = shape.size(), m = t.dim();
  Dims strides(n, 0);
  for (int i = 0; i < m; ++i) strides[n - m + i] = t->sizes[i] == 1 ? 0 : t->strides[i];
  return make_view(t, shape, strides, t.offset());
}

std::string shapes_text(const std::vector<IndexColumn>& columns) {
  std::string s;
  for (const IndexColumn& c : columns)
    for (int i = 0; i < c.width; ++i) {
      if (!s.empty()) s += ", ";
      s += to_text(c.index.sizes());
    }
  return s;
}

}  // namespace

const char* scalar_type_name(DType t) {
  static constexpr const char* kNames[kNumDTypes] = {
      "Bool", "Byte",     "Char",  "Short",  "Int",          "Long",
      "Half", "BFloat16", "Float", "Double", "ComplexFloat", "ComplexDouble"};
  return kNames[static_cast<int>(t)];
}

Tensor as_index(const Tensor& t) { return as_contiguous(cast_to(t, DType::kInt64)); }

Tensor destination_or_copy(const Out& out, const Tensor& self) {
  if (!out.dest[0]) return contiguous_copy(self);
  const Tensor dest = out.destination();
  if (!out.inplace) {
    resize_output(dest, self.sizes());
    copy_into(dest, self);
  }
  check_no_internal_overlap(dest);
  return dest;
}

Tensor separate(const Tensor& source, const Tensor& dest) {
  const Tensor s = as_contiguous(source);
  return s->storage.get() == dest->storage.get() ? contiguous_copy(s) : s;
}

std::vector<Tensor> indices_beside(const Tensor& self, TensorList indices) {
  std::vector<Tensor> all(indices.begin(), indices.end());
  for (Tensor& t : all) {
    if (!t.defined() || t.device() == self.device()) continue;
    PT_CHECK(t.device().is_cpu(),
             "indices should be either on cpu or on the same device as the indexed tensor (",
             to_text(self.device()), ")");
    t = copy_to(t, t.dtype(), self.device());
  }
  return all;
}

IndexedTensor select_indices(const Tensor& self, TensorList indices) {
  IndexedTensor out;
  Selection& s = out.selection;
  const int n = self.dim();
  bool indexed[kMaxDims + 1] = {};
  int dim = 0;
  for (const Tensor& t : indices) {
    if (!t.defined()) {
      ++dim;
      continue;
    }
    const bool mask = is_mask(t);
    PT_CHECK_INDEX(mask || t.dtype() == DType::kInt64 || t.dtype() == DType::kInt32,
                   "tensors used as indices must be long, int, byte or bool tensors");
    const int width = mask ? t.dim() : 1;
    PT_CHECK_INDEX(dim + width <= n, "too many indices for tensor of dimension ", n, " (got ",
                   dim + width, ")");
    for (int k = 0; k < width; ++k) indexed[dim + k] = true;
    if (mask) {
      add_mask(self, dim, t, s.columns);
    } else {
      s.columns.push_back({t, self->sizes[dim], self->strides[dim], dim});
    }
    dim += width;
  }
  PT_CHECK_INDEX(dim <= n, "too many indices for tensor of dimension ", n, " (got ", dim, ")");

  // One shape for all index tensors.
  Dims shape;
  bool first = true;
  for (const IndexColumn& c : s.columns) {
    if (first) {
      shape = c.index.sizes();
      first = false;
      continue;
    }
    const Dims& other = c.index.sizes();
    if (other == shape) continue;
    const int a = shape.size(), b = other.size();
    for (int k = 1; k <= std::min(a, b); ++k)
      PT_CHECK_INDEX(shape[a - k] == other[b - k] || shape[a - k] == 1 || other[b - k] == 1,
                     "shape mismatch: indexing tensors could not be broadcast together with "
                     "shapes ",
                     shapes_text(s.columns));
    shape = broadcast_shapes(shape, other);
  }
  for (IndexColumn& c : s.columns) {
    if (c.index.dtype() != DType::kInt64) c.index = cast_to(c.index, DType::kInt64);
    c.index = as_contiguous(c.index->sizes == shape ? c.index : expanded(c.index, shape));
  }
  s.n = checked_numel(shape);

  // Adjacent indexed dimensions are replaced in place; scattered ones come first.
  int begin = n, end = 0, count = 0;
  for (int d = 0; d < n; ++d) {
    if (!indexed[d]) continue;
    begin = std::min(begin, d);
    end = d + 1;
    ++count;
  }
  const bool adjacent = end - begin == count;
  Dims before_sizes, before_strides, after_sizes, after_strides;
  for (int d = 0; d < n; ++d) {
    if (indexed[d]) continue;
    const bool front = adjacent && d < begin;
    (front ? before_sizes : after_sizes).push_back(self->sizes[d]);
    (front ? before_strides : after_strides).push_back(self->strides[d]);
  }
  s.set_before(before_sizes, before_strides);
  s.set_after(after_sizes, after_strides);
  Dims result(before_sizes.size() + shape.size() + after_sizes.size());
  int at = 0;
  for (int64_t v : before_sizes) result[at++] = v;
  for (int64_t v : shape) result[at++] = v;
  for (int64_t v : after_sizes) result[at++] = v;
  checked_numel(result);
  out.shape = result;
  return out;
}

Selection select_along(const Tensor& self, int dim, const Tensor& index) {
  Selection s;
  s.n = index.numel();
  if (self.dim() == 0) {
    s.columns.push_back({as_index(index), 1, 1, 0, false});
    return s;
  }
  const IntList sizes = self.sizes(), strides = self.strides();
  const auto d = static_cast<size_t>(dim);
  s.columns.push_back({as_index(index), sizes[d], strides[d], dim, false});
  s.set_before(sizes.subspan(0, d), strides.subspan(0, d));
  s.set_after(sizes.subspan(d + 1), strides.subspan(d + 1));
  return s;
}

}  // namespace pt
