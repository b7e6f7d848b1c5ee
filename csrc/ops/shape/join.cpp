// Joining and cutting: cat, stack, split, chunk, unbind, narrow.
#include <algorithm>

#include "core/parallel.h"
#include "op/copy.h"
#include "op/define.h"
#include "op/promote.h"
#include "ops/memory/memory.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// torch lets cat skip 1-D empty tensors whatever the other shapes are.
bool skipped(const Tensor& t) { return t.dim() == 1 && t->sizes[0] == 0; }

struct Joined {
  Dims sizes;
  DType dtype;
  int dim;
};

Joined joined_shape(TensorList tensors, int64_t dim) {
  PT_CHECK_VALUE(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  const Tensor* first = nullptr;
  std::vector<Value> values;
  bool uniform = true;
  for (size_t i = 0; i < tensors.size(); ++i) {
    PT_CHECK(tensors[i].dim() > 0, "zero-dimensional tensor (at position ", i,
             ") cannot be concatenated");
    uniform = uniform && tensors[i].dtype() == tensors[0].dtype();
    if (!first && !skipped(tensors[i])) first = &tensors[i];
  }
  Joined j;
  j.dtype = tensors[0].dtype();
  if (!uniform) {
    for (const Tensor& t : tensors) values.push_back(Value::of(t));
    j.dtype = result_type(values);
  }
  if (!first) {
    wrap_dim(dim, 1);
    j.dim = 0;
    j.sizes = Dims{0};
    return j;
  }
  j.dim = wrap_dim(dim, first->dim());
  j.sizes = first->sizes();
  j.sizes[j.dim] = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (skipped(t)) continue;
    PT_CHECK(t.dim() == first->dim(), "Tensors must have same number of dimensions: got ",
             first->dim(), " and ", t.dim());
    for (int d = 0; d < t.dim(); ++d)
      PT_CHECK(d == j.dim || t->sizes[d] == j.sizes[d],
               "Sizes of tensors must match except in dimension ", j.dim, ". Expected size ",
               j.sizes[d], " but got size ", t->sizes[d], " for tensor number ", i,
               " in the list.");
    j.sizes[j.dim] += t->sizes[j.dim];
  }
  return j;
}

// All inputs row-major: output rows are runs of whole input blocks, copied in parallel.
void join_contiguous(TensorList tensors, const Joined& j, const Tensor& out) {
  int64_t outer = 1, inner = static_cast<int64_t>(out.item_size());
  for (int d = 0; d < j.dim; ++d) outer *= j.sizes[d];
  for (int d = j.dim + 1; d < j.sizes.size(); ++d) inner *= j.sizes[d];
  const int64_t row = j.sizes[j.dim] * inner;
  std::vector<int64_t> starts{0};
  for (const Tensor& t : tensors)
    starts.push_back(starts.back() + (skipped(t) ? 0 : t->sizes[j.dim] * inner));
  char* to = static_cast<char*>(out.raw());
  parallel_for(0, outer * row, 1 << 18, [&](int64_t begin, int64_t end) {
    int64_t o = begin / row, within = begin % row;
    auto k = static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), within) -
                                 starts.begin() - 1);
    within -= starts[k];
    while (begin < end) {
      const int64_t length = starts[k + 1] - starts[k];
      const int64_t n = std::min(end - begin, length - within);
      copy_bytes(to + begin, static_cast<const char*>(tensors[k].raw()) + o * length + within, n);
      begin += n;
      within = 0;
      if (++k == tensors.size()) k = 0, ++o;
    }
  });
}

Tensor join(const Out& out, TensorList tensors, int64_t dim) {
  const Joined j = joined_shape(tensors, dim);
  bool plain = !call_on_device;
  for (const Tensor& t : tensors) plain = plain && t.is_contiguous() && t.dtype() == j.dtype;
  Tensor result;
  if (out.dest[0]) {
    result = out.destination();
    check_destination(out, j.dtype, j.sizes);
    resize_output(result, j.sizes);
    check_no_internal_overlap(result);
    for (const Tensor& t : tensors)
      PT_CHECK(t->storage.get() != result->storage.get() || t.numel() == 0,
               "unsupported operation: the input tensors cannot refer to any of the output memory "
               "locations. Found overlap in cat.");
    plain = plain && result.is_contiguous() && result.dtype() == j.dtype;
  } else {
    result = empty_tensor(j.sizes, j.dtype);
  }
  if (result.numel() == 0) return result;
  if (plain) {
    join_contiguous(tensors, j, result);
    return result;
  }
  int64_t at = 0;
  for (const Tensor& t : tensors) {
    if (skipped(t)) continue;
    const int64_t n = t->sizes[j.dim];
    copy_into(slice(result, j.dim, at, at + n, 1), t);
    at += n;
  }
  return result;
}

}  // namespace

PT_OP(cat)
    .impl([](const Out& out, TensorList tensors, int64_t dim) { return join(out, tensors, dim); })
    .on_device()
    .saves("shape:tensors")
    .backward([](BackwardCall& g, TensorList tensors, int64_t dim) {
      int64_t at = 0;
      for (size_t i = 0; i < tensors.size(); ++i) {
        const Tensor& t = tensors[i];
        if (t.dim() == 1 && t->sizes[0] == 0) continue;
        const int64_t n = t->sizes[wrap_dim(dim, t.dim())];
        if (g.needs_element(0, i))
          g.element(0, i) = to_dtype(narrow(g.grad(), dim, at, n), t.dtype());
        at += n;
      }
    })
    .out()
    .function_only()
    .alias("concat")
    .alias("concatenate")
    .doc(
        "The tensors joined along dim; all other sizes must be equal.\n\n"
        "Args:\n    tensors (sequence of Tensors): what to join\n    dim (int): along which\n\n"
        "Example:\n    >>> torch.cat([torch.ones(1, 2), torch.zeros(1, 2)])\n"
        "    tensor([[1., 1.],\n            [0., 0.]])")
    .sample("[R(3, 4), R(2, 4)]")
    .sample("[R(3, 4), R(3, 2), R(3, 1)], dim=-1");

PT_OP(stack)
    .impl([](const Out& out, TensorList tensors, int64_t dim) {
      PT_CHECK(!tensors.empty(), "stack expects a non-empty TensorList");
      for (size_t i = 1; i < tensors.size(); ++i)
        PT_CHECK(tensors[i].sizes() == tensors[0].sizes(),
                 "stack expects each tensor to be equal size, but got ",
                 to_text(tensors[0].sizes()), " at entry 0 and ", to_text(tensors[i].sizes()),
                 " at entry ", i);
      const int d = wrap_dim(dim, tensors[0].dim() + 1);
      std::vector<Tensor> rows;
      rows.reserve(tensors.size());
      for (const Tensor& t : tensors) rows.push_back(unsqueeze(t, d));
      return join(out, rows, d);
    })
    .on_device()
    .saves("shape:tensors")
    .backward([](BackwardCall& g, TensorList tensors, int64_t dim) {
      for (size_t i = 0; i < tensors.size(); ++i)
        if (g.needs_element(0, i))
          g.element(0, i) =
              to_dtype(select(g.grad(), dim, static_cast<int64_t>(i)), tensors[i].dtype());
    })
    .out()
    .function_only()
    .doc("Tensors of one shape joined along a new dimension dim.")
    .sample("[R(3, 4), R(3, 4)]")
    .sample("[R(3, 4), R(3, 4)], dim=-1");

PT_OP(narrow)
    .composite([](const Tensor& self, int64_t dim, int64_t start, int64_t length) {
      PT_CHECK(self.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
      PT_CHECK(length >= 0, "narrow(): length must be non-negative.");
      const int64_t n = self->sizes[wrap_dim(dim, self.dim())];
      PT_CHECK_INDEX(start >= -n && start <= n, "start out of range (expected to be in range of [",
                     -n, ", ", n, "], but got ", start, ")");
      if (start < 0) start += n;
      PT_CHECK(length <= n - start, "start (", start, ") + length (", length,
               ") exceeds dimension size (", n, ").");
      return slice(self, dim, start, start + length, 1);
    })
    .doc("The slice [start, start + length) along dim, as a view.")
    .sample("R(5, 4), 0, 1, 3")
    .sample("R(5, 4), -1, 1, 2");

namespace {
std::vector<Tensor> cut(const Tensor& self, const std::vector<int64_t>& sizes, int d) {
  std::vector<Tensor> out;
  out.reserve(sizes.size());
  int64_t at = 0;
  for (int64_t n : sizes) {
    Dims s = self.sizes();
    s[d] = n;
    out.push_back(make_view(self, s, self.strides(), self.offset() + at * self->strides[d]));
    at += n;
  }
  return out;
}

// Gradient of a cut: the parts joined again, zeros where none arrived.
Tensor joined_gradient(const BackwardCall& g, size_t count, int64_t dim) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < count; ++i) parts.push_back(g.grad_or_zeros(static_cast<int>(i)));
  return cat(TensorList(parts), dim);
}
}  // namespace

PT_OP(split)
    .view([](const Tensor& self, int64_t split_size, int64_t dim) {
      PT_CHECK(self.dim() > 0, "split expects at least a 1-dimensional tensor");
      PT_CHECK(split_size >= 0,
               "split expects split_size be non-negative, but got split_size=", split_size);
      const int d = wrap_dim(dim, self.dim());
      const int64_t n = self->sizes[d];
      PT_CHECK(split_size > 0 || n == 0,
               "split_size can only be 0 if dimension size is 0, but got dimension size of ", n);
      std::vector<int64_t> sizes;
      for (int64_t at = 0; at < n; at += split_size) sizes.push_back(std::min(split_size, n - at));
      if (sizes.empty()) sizes.push_back(n);
      return cut(self, sizes, d);
    })
    .backward([](BackwardCall& g, const Tensor&, int64_t, int64_t dim) {
      g[0] = joined_gradient(g, g.num_grads(), dim);
    })
    .doc("Views of split_size slices each along dim (the last may be smaller).")
    .sample("R(5, 4), 2")
    .sample("R(5, 4), 3, dim=-1");

PT_OP(split_with_sizes)
    .view([](const Tensor& self, IntList sizes, int64_t dim) {
      const int d = wrap_dim(dim, self.dim(), false);
      int64_t total = 0;
      bool overflow = false;
      for (int64_t s : sizes) {
        PT_CHECK(s >= 0,
                 "split_with_sizes expects split_sizes have only non-negative entries, but "
                 "got split_sizes=",
                 to_text(sizes));
        overflow |= __builtin_add_overflow(total, s, &total);
      }
      PT_CHECK(!overflow && total == self->sizes[d],
               "split_with_sizes expects split_sizes to sum exactly to ", self->sizes[d],
               " (input tensor's size at dimension ", d, "), but got split_sizes=", to_text(sizes));
      return cut(self, {sizes.begin(), sizes.end()}, d);
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, int64_t dim) {
      g[0] = joined_gradient(g, g.num_grads(), dim);
    })
    .alias("split_with_sizes")
    .sample("R(5, 4), [2, 3]")
    .sample("R(5, 4), (1, 3), -1");

PT_OP(chunk)
    .composite([](const Tensor& self, int64_t chunks, int64_t dim) {
      PT_CHECK(self.dim() > 0, "chunk expects at least a 1-dimensional tensor");
      PT_CHECK(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
      const int64_t n = self->sizes[wrap_dim(dim, self.dim())];
      const int64_t size = n / chunks + (n % chunks != 0);
      if (size == 0) {
        const std::vector<int64_t> zeros(static_cast<size_t>(chunks), 0);
        return split_with_sizes(self, IntList(zeros), dim);
      }
      return split(self, size, dim);
    })
    .doc("At most `chunks` views of equal size along dim (the last may be smaller).")
    .sample("R(5, 4), 2")
    .sample("R(5, 4), 3, dim=1");

PT_OP(unbind)
    .view([](const Tensor& self, int64_t dim) {
      PT_CHECK_INDEX(self.dim() > 0, "Dimension specified as 0 but tensor has no dimensions");
      const int d = wrap_dim(dim, self.dim());
      Dims sizes = self.sizes(), strides = self.strides();
      sizes.erase(d);
      strides.erase(d);
      std::vector<Tensor> out;
      out.reserve(static_cast<size_t>(self->sizes[d]));
      for (int64_t i = 0; i < self->sizes[d]; ++i)
        out.push_back(make_view(self, sizes, strides, self.offset() + i * self->strides[d]));
      return out;
    })
    .backward([](BackwardCall& g, const Tensor&, int64_t dim) {
      std::vector<Tensor> parts;
      for (size_t i = 0; i < g.num_grads(); ++i)
        parts.push_back(g.grad_or_zeros(static_cast<int>(i)));
      g[0] = stack(TensorList(parts), dim);
    })
    .doc("All slices along dim as views with that dimension removed.")
    .sample("R(3, 4)")
    .sample("R(3, 4), -1");

}  // namespace pt
