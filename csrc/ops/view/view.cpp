// Ops that only change sizes and strides, and their gradients.
#include "ops/view/view.h"

#include <algorithm>

#include "op/copy.h"
#include "op/define.h"
#include "ops/creation/creation.h"
#include "ops/index/index.h"
#include "ops/memory/memory.h"

namespace pt {

namespace {

// A size list with at most one -1, which is deduced.
Dims infer_size(IntList shape, int64_t numel, const char* op) {
  Dims out(shape);
  int64_t known = 1;
  int unknown = -1;
  for (int i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      PT_CHECK(unknown < 0, "only one dimension can be inferred");
      unknown = i;
    } else {
      PT_CHECK(out[i] >= 0, op, "(): invalid shape dimension ", out[i]);
      PT_CHECK(!__builtin_mul_overflow(known, out[i], &known), op, "(): shape ", to_text(shape),
               " overflows");
    }
  }
  if (unknown >= 0) {
    PT_CHECK(known != 0, "cannot reshape tensor of 0 elements into shape ", to_text(shape),
             " because the unspecified dimension size -1 can be any value and is ambiguous");
    PT_CHECK(numel % known == 0, "shape '", to_text(shape), "' is invalid for input of size ",
             numel);
    out[unknown] = numel / known;
  } else {
    PT_CHECK(known == numel, "shape '", to_text(shape), "' is invalid for input of size ", numel);
  }
  checked_numel(out);  // beside a 0 the other sizes are still multiplied to strides
  return out;
}

// Strides with which `t`'s memory can be seen as `shape`, if any: each run of dimensions of t that
// is contiguous in itself must be cut by whole dimensions of shape.
bool view_strides(const Tensor& t, const Dims& shape, Dims& strides) {
  strides = Dims(shape.size(), 0);
  if (t.numel() == 0) {
    strides = t->sizes == shape ? t.strides() : contiguous_strides(shape);
    return true;
  }
  int at = shape.size() - 1;
  int64_t run = 1, covered = 1;
  int64_t base = t.dim() ? t->strides[t.dim() - 1] : 1;
  if (t.dim() == 0) {
    for (int i = 0; i < shape.size(); ++i) strides[i] = 1;
    return true;
  }
  for (int d = t.dim() - 1; d >= 0; --d) {
    run *= t->sizes[d];
    if (d != 0 && (t->sizes[d - 1] == 1 || t->strides[d - 1] == run * base)) continue;
    while (at >= 0 && (covered < run || shape[at] == 1)) {
      strides[at] = covered * base;
      covered *= shape[at--];
    }
    if (covered != run) return false;
    if (d > 0) {
      base = t->strides[d - 1];
      run = covered = 1;
    }
  }
  return at == -1;
}

}  // namespace

PT_OP(view)
    .view([](const Tensor& self, IntList size) {
      const Dims shape = infer_size(size, self.numel(), "view");
      Dims strides;
      PT_CHECK(view_strides(self, shape, strides),
               "view size is not compatible with input tensor's size and stride (at least one "
               "dimension spans across two contiguous subspaces). Use .reshape(...) instead.");
      return make_view(self, shape, strides, self.offset());
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList) {
      g[0] = reshape(g.grad(), IntList(self.sizes()));
    })
    .method_only()
    .doc(
        "The same elements with another shape, without a copy; one size may be -1.\n\n"
        "Raises:\n    RuntimeError: when the strides of self do not allow it (use reshape).\n\n"
        "Example:\n    >>> torch.arange(6).view(2, -1)\n"
        "    tensor([[0, 1, 2],\n            [3, 4, 5]])")
    .sample("R(3, 4), 12")
    .sample("R(3, 4), (2, -1)")
    .test("contiguous");

PT_OP(reshape)
    .composite([](const Tensor& self, IntList shape) {
      const Dims sizes = infer_size(shape, self.numel(), "reshape");
      Dims strides;
      if (view_strides(self, sizes, strides)) return view(self, IntList(sizes));
      return view(clone(self, MemoryFormat::kContiguous), IntList(sizes));
    })
    .doc("The same elements with another shape: a view when the strides allow it, else a copy.")
    .sample("R(3, 4), (2, 6)")
    .sample("R(3, 4), (-1,)");

PT_OP(t)
    .view([](const Tensor& self) {
      PT_CHECK(self.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ",
               self.dim(), "D");
      if (self.dim() < 2) return alias(self);
      return make_view(self, Dims{self->sizes[1], self->sizes[0]},
                       Dims{self->strides[1], self->strides[0]}, self.offset());
    })
    .backward([](BackwardCall& g, const Tensor&) { g[0] = t(g.grad()); })
    .inplace()
    .doc("A matrix transposed, as a view; vectors and scalars stay as they are.")
    .sample("R(3, 4)")
    .sample("R(3)");

PT_OP(transpose)
    .view([](const Tensor& self, int64_t dim0, int64_t dim1) {
      const int a = wrap_dim(dim0, self.dim()), b = wrap_dim(dim1, self.dim());
      Tensor out = alias(self);
      if (a == b) return out;
      std::swap(out->sizes[a], out->sizes[b]);
      std::swap(out->strides[a], out->strides[b]);
      out->update_contiguous();
      return out;
    })
    .backward([](BackwardCall& g, const Tensor&, int64_t dim0, int64_t dim1) {
      g[0] = transpose(g.grad(), dim0, dim1);
    })
    .inplace()
    .alias("swapaxes")
    .alias("swapdims")
    .doc("Two dimensions swapped, as a view.")
    .sample("R(2, 3, 4), 0, 2")
    .sample("R(2, 3, 4), -1, 1");

PT_OP(permute)
    .view([](const Tensor& self, IntList dims) {
      const int n = self.dim();
      PT_CHECK(static_cast<int>(dims.size()) == n,
               "permute(sparse_coo): number of dimensions in the tensor input does not match the "
               "length of the desired ordering of dimensions i.e. input.dim() = ",
               n, " is not equal to len(dims) = ", dims.size());
      Dims sizes(n), strides(n);
      bool seen[kMaxDims] = {};
      for (int i = 0; i < n; ++i) {
        const int d = wrap_dim(dims[static_cast<size_t>(i)], n);
        PT_CHECK(!seen[d], "permute(): duplicate dims are not allowed.");
        seen[d] = true;
        sizes[i] = self->sizes[d];
        strides[i] = self->strides[d];
      }
      return make_view(self, sizes, strides, self.offset());
    })
    .backward([](BackwardCall& g, const Tensor&, IntList dims) {
      const int n = static_cast<int>(dims.size());
      Dims inverse(n);
      for (int i = 0; i < n; ++i) inverse[wrap_dim(dims[static_cast<size_t>(i)], n)] = i;
      g[0] = permute(g.grad(), IntList(inverse));
    })
    .doc("Dimensions in another order, as a view.")
    .sample("R(2, 3, 4), (2, 0, 1)")
    .sample("R(2, 3, 4), (-1, 0, 1)");

PT_OP(expand)
    .view([](const Tensor& self, IntList size, bool) {
      const int n = static_cast<int>(size.size()), m = self.dim();
      PT_CHECK(n >= m, "expand(", legacy_type_name(self.dtype()), "{", to_text(self.sizes()),
               "}, size=", to_text(size), "): the number of sizes provided (", n,
               ") must be greater or equal to the number of dimensions in the tensor (", m, ")");
      Dims sizes(n), strides(n);
      for (int i = n - 1; i >= 0; --i) {
        const int d = i - (n - m);
        const int64_t want = size[static_cast<size_t>(i)];
        const int64_t have = d >= 0 ? self->sizes[d] : 1;
        if (want == -1) {
          PT_CHECK(d >= 0, "expand(): -1 is not allowed for the new leading dimension ", i);
          sizes[i] = have;
          strides[i] = self->strides[d];
        } else if (d >= 0 && want == have) {
          sizes[i] = have;
          strides[i] = self->strides[d];
        } else {
          PT_CHECK(have == 1, "The expanded size of the tensor (", want,
                   ") must match the existing size (", have, ") at non-singleton dimension ", i,
                   ".  Target sizes: ", to_text(size), ".  Tensor sizes: ", to_text(self.sizes()));
          PT_CHECK(want >= 0, "expand(): invalid size ", want, " at dimension ", i);
          sizes[i] = want;
          strides[i] = 0;
        }
      }
      checked_numel(sizes);
      return make_view(self, sizes, strides, self.offset());
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, bool) { g[0] = g.grad(); })
    .method_only()
    .doc("Dimensions of size 1 (and new leading ones) repeated without a copy; -1 keeps a size.")
    .sample("R(3, 1), (3, 4)")
    .sample("R(3, 1), (2, -1, 4)");

PT_OP(unsqueeze)
    .view([](const Tensor& self, int64_t dim) {
      const int d = wrap_dim(dim, self.dim() + 1);
      Dims sizes = self.sizes(), strides = self.strides();
      const int64_t step = d < self.dim() ? self->sizes[d] * self->strides[d] : 1;
      sizes.insert(d, 1);
      strides.insert(d, step);
      return make_view(self, sizes, strides, self.offset());
    })
    .backward([](BackwardCall& g, const Tensor&, int64_t dim) {
      g[0] = squeeze_dim(g.grad(), dim);
    })
    .inplace()
    .doc("A new dimension of size 1 at position dim, as a view.")
    .sample("R(3, 4), 0")
    .sample("R(3, 4), -1");

namespace {
Tensor squeezed(const Tensor& self, const bool* drop) {
  Dims sizes, strides;
  for (int i = 0; i < self.dim(); ++i) {
    if (drop[i] && self->sizes[i] == 1) continue;
    sizes.push_back(self->sizes[i]);
    strides.push_back(self->strides[i]);
  }
  return make_view(self, sizes, strides, self.offset());
}
}  // namespace

PT_OP(squeeze)
    .view([](const Tensor& self) {
      bool all[kMaxDims];
      std::fill(all, all + kMaxDims, true);
      return squeezed(self, all);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = reshape(g.grad(), IntList(self.sizes()));
    })
    .inplace()
    .doc("Without its dimensions of size 1, as a view.")
    .sample("R(3, 1, 4, 1)");

PT_OP(squeeze_dim)
    .view([](const Tensor& self, int64_t dim) {
      bool drop[kMaxDims] = {};
      drop[wrap_dim(dim, self.dim())] = true;
      return squeezed(self, drop);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t) {
      g[0] = reshape(g.grad(), IntList(self.sizes()));
    })
    .inplace()
    .sample("R(3, 1, 4), 1")
    .sample("R(3, 1, 4), 0");

PT_OP(squeeze_dims)
    .view([](const Tensor& self, IntList dims) {
      bool drop[kMaxDims] = {};
      for (int64_t d : dims) drop[wrap_dim(d, self.dim())] = true;
      return squeezed(self, drop);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList) {
      g[0] = reshape(g.grad(), IntList(self.sizes()));
    })
    .inplace()
    .sample("R(3, 1, 4, 1), (1, 3)");

PT_OP(select)
    .view([](const Tensor& self, int64_t dim, int64_t index) {
      PT_CHECK_INDEX(self.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
      const int d = wrap_dim(dim, self.dim());
      const int64_t n = self->sizes[d];
      PT_CHECK_INDEX(index >= -n && index < n, "index ", index, " is out of bounds for dimension ",
                     d, " with size ", n);
      Dims sizes = self.sizes(), strides = self.strides();
      const int64_t at = index < 0 ? index + n : index;
      const int64_t offset = self.offset() + at * strides[d];
      sizes.erase(d);
      strides.erase(d);
      return make_view(self, sizes, strides, offset);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, int64_t index) {
      g[0] = select_backward(g.grad(), IntList(self.sizes()), dim, index);
    })
    .doc("The slice at `index` along dim, as a view with that dimension removed.")
    .sample("R(3, 4), 0, 1")
    .sample("R(3, 4), -1, -2");

PT_OP(slice)
    .view([](const Tensor& self, int64_t dim, std::optional<int64_t> start,
             std::optional<int64_t> end, int64_t step) {
      PT_CHECK(self.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
      const int d = wrap_dim(dim, self.dim());
      PT_CHECK_VALUE(step > 0, "slice step must be positive");
      const int64_t n = self->sizes[d];
      auto limit = [n](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + n : v, 0, n); };
      const int64_t b = limit(start.value_or(0));
      const int64_t e = std::max(b, end && *end == INT64_MAX ? n : limit(end.value_or(n)));
      Dims sizes = self.sizes(), strides = self.strides();
      const int64_t offset = self.offset() + b * strides[d];
      sizes[d] = e > b ? (e - b - 1) / step + 1 : 0;
      // A stride that overflows is that of a single element, and never used.
      if (__builtin_mul_overflow(strides[d], step, &strides[d])) strides[d] = 1;
      return make_view(self, sizes, strides, offset);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, std::optional<int64_t> start,
                 std::optional<int64_t> end, int64_t step) {
      g[0] = slice_backward(g.grad(), IntList(self.sizes()), dim, start.value_or(0),
                            end.value_or(INT64_MAX), step);
    })
    .internal();

PT_OP(select_backward)
    .impl([](const Tensor& grad, IntList input_sizes, int64_t dim, int64_t index) {
      Tensor out = zeros_tensor(input_sizes, grad.dtype());
      copy_into(select(out, dim, index), grad);
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList, int64_t dim, int64_t index) {
      g[0] = select(g.grad(), dim, index);
    })
    .internal();

PT_OP(slice_backward)
    .impl([](const Tensor& grad, IntList input_sizes, int64_t dim, int64_t start, int64_t end,
             int64_t step) {
      Tensor out = zeros_tensor(input_sizes, grad.dtype());
      copy_into(slice(out, dim, start, end, step), grad);
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList, int64_t dim, int64_t start, int64_t end,
                 int64_t step) { g[0] = slice(g.grad(), dim, start, end, step); })
    .internal();

PT_OP(as_strided)
    .view([](const Tensor& self, IntList size, IntList stride,
             std::optional<int64_t> storage_offset) {
      PT_CHECK(size.size() == stride.size(),
               "mismatch in length of strides and shape: as_strided got ", size.size(),
               " sizes and ", stride.size(), " strides");
      const int64_t offset = storage_offset.value_or(self.offset());
      int64_t last = offset, numel = checked_numel(size);
      PT_CHECK(offset >= 0, "as_strided: storage_offset must not be negative, got ", offset);
      for (size_t i = 0; i < size.size(); ++i) {
        PT_CHECK(stride[i] >= 0,
                 "as_strided: Negative strides are not supported at the moment, got strides: ",
                 to_text(stride));
        int64_t span;
        PT_CHECK(numel == 0 || (!__builtin_mul_overflow(size[i] - 1, stride[i], &span) &&
                                !__builtin_add_overflow(last, span, &last)),
                 "as_strided: sizes and strides overflow");
      }
      const auto item = static_cast<int64_t>(self.item_size());
      const auto have = static_cast<int64_t>(self->storage->bytes);
      int64_t need = 0;
      PT_CHECK(numel == 0 || (!__builtin_add_overflow(last, 1, &need) &&
                              !__builtin_mul_overflow(need, item, &need)),
               "Storage size calculation overflowed with sizes=", to_text(size),
               " and strides=", to_text(stride));
      PT_CHECK(numel == 0 || need <= have, "setStorage: sizes ", to_text(size), ", strides ",
               to_text(stride), ", storage offset ", offset, ", and itemsize ", item,
               " requiring a storage size of ", need, " are out of bounds for storage of size ",
               have);
      return make_view(self, size, stride, offset);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList size, IntList stride,
                 std::optional<int64_t> storage_offset) {
      const int64_t offset = storage_offset ? *storage_offset - self.offset() : 0;
      g[0] = as_strided_backward(g.grad(), IntList(self.sizes()), IntList(self.strides()), size,
                                 stride, offset);
    })
    .inplace()
    .doc("A view with any sizes, strides and storage offset, all in elements.")
    .sample("R(4, 4), (2, 3), (4, 1), 1")
    .test("contiguous");

PT_OP(as_strided_backward)
    .composite([](const Tensor& grad, IntList base_size, IntList base_stride, IntList size,
                  IntList stride, int64_t offset) {
      // The base's memory as one flat vector; the view's elements are added to their places, and
      // the base's elements read back from theirs.
      auto extent = [](IntList sizes, IntList strides) {
        int64_t last = 0;
        for (size_t i = 0; i < sizes.size(); ++i) {
          if (sizes[i] == 0) return int64_t{0};
          last += (sizes[i] - 1) * strides[i];
        }
        return last + 1;
      };
      const int64_t low = std::min<int64_t>(0, offset);
      const int64_t length =
          std::max(extent(base_size, base_stride), offset + extent(size, stride)) - low;
      const Tensor flat = scatter_strided(grad, size, stride, offset - low, length);
      return as_strided(flat, base_size, base_stride, -low);
    })
    .internal();

PT_OP(scatter_strided)
    .impl([](const Tensor& grad, IntList size, IntList stride, int64_t offset, int64_t length) {
      Tensor flat = zeros_tensor(Dims{length}, grad.dtype());
      const Tensor target = make_view(flat, size, stride, offset);
      if (!has_internal_overlap(target.impl())) {
        copy_into(target, grad);
        return flat;
      }
      // Elements that share memory add up, one after the other.
      const Tensor source = as_contiguous(grad);
      if (call_on_device) {
        const Tensor all =
            arange_end(length, DType::kInt64, std::nullopt, call_device(), std::nullopt);
        const Tensor places = contiguous_copy(make_view(all, size, stride, offset));
        const Dims vector{source.numel()};
        return index_add(flat, 0, reshape(places, vector), reshape(source, vector), 1);
      }
      Dims index(static_cast<int>(size.size()), 0);
      visit_dtype(grad.dtype(), [&](auto v) {
        using T = decltype(v);
        if constexpr (!std::is_same_v<T, bool>) {
          const T* from = source.data<T>();
          T* to = flat.data<T>() + offset;
          for (int64_t i = 0; i < source.numel(); ++i) {
            int64_t at = 0;
            for (int d = 0; d < index.size(); ++d) at += index[d] * stride[static_cast<size_t>(d)];
            to[at] = T(to[at] + from[i]);
            for (int d = index.size() - 1; d >= 0; --d) {
              if (++index[d] < size[static_cast<size_t>(d)]) break;
              index[d] = 0;
            }
          }
        }
      });
      return flat;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList size, IntList stride, int64_t offset,
                 int64_t) { g[0] = as_strided(g.grad(), size, stride, offset); })
    .internal();

PT_OP(alias_op)
    .view([](const Tensor& self) { return alias(self); })
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad(); })
    .internal();

PT_OP(detach)
    .impl([](const Tensor& self) {
      Tensor out = alias(self);
      return out;
    })
    .on_device()
    .nondifferentiable()
    .doc("The same values outside the graph; shares memory and the version counter with self.")
    .sample("R(3, 4)");

}  // namespace pt
