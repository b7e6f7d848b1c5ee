// Rearranging: flatten, movedim, diagonals, repeat, flip, roll, triangles.
#include <algorithm>

#include "core/parallel.h"
#include "op/copy.h"
#include "op/define.h"
#include "op/plan.h"
#include "ops/memory/memory.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

PT_OP(flatten)
    .composite([](const Tensor& self, int64_t start_dim, int64_t end_dim) {
      const int a = wrap_dim(start_dim, self.dim()), b = wrap_dim(end_dim, self.dim());
      PT_CHECK(a <= b, "flatten() has invalid args: start_dim cannot come after end_dim");
      if (self.dim() == 0) return reshape(self, IntList(Dims{1}));
      if (a == b) return self;
      Dims shape;
      int64_t n = 1;
      for (int d = 0; d < self.dim(); ++d) {
        if (d >= a && d <= b) {
          n *= self->sizes[d];
          if (d == b) shape.push_back(n);
        } else {
          shape.push_back(self->sizes[d]);
        }
      }
      return reshape(self, IntList(shape));
    })
    .doc("Dimensions start_dim to end_dim made one.")
    .sample("R(2, 3, 4)")
    .sample("R(2, 3, 4), 1")
    .sample("R(2, 3, 4), 0, -2");

PT_OP(unflatten)
    .composite([](const Tensor& self, int64_t dim, IntList sizes) {
      const int d = wrap_dim(dim, self.dim());
      PT_CHECK(self.dim() > 0, "unflatten got an unexpected error:\nDimension specified as ", dim,
               " but tensor has no dimensions");
      PT_CHECK(!sizes.empty(), "unflatten: sizes must be non-empty");
      // The product of the sizes; -1 stands for `unknown`. An overflow equals no size.
      const auto product = [sizes](int64_t unknown) {
        int64_t n = 1;
        for (int64_t s : sizes)
          if (__builtin_mul_overflow(n, s == -1 ? unknown : s, &n)) return int64_t{-1};
        return n;
      };
      const auto unknowns = std::count(sizes.begin(), sizes.end(), -1);
      PT_CHECK(unknowns < 2, "unflatten: only one dimension can be inferred, got ", to_text(sizes));
      const int64_t known = unknowns ? product(1) : 1;
      PT_CHECK(known != 0, "unflatten: the size -1 is ambiguous for an empty dim");
      const int64_t inferred = self->sizes[d] / known;
      PT_CHECK(product(inferred) == self->sizes[d], "unflatten: Provided sizes ", to_text(sizes),
               " don't multiply up to the size of dim ", d, " (", self->sizes[d],
               ") in the input tensor");
      Dims shape;
      for (int i = 0; i < self.dim(); ++i) {
        if (i != d) {
          shape.push_back(self->sizes[i]);
          continue;
        }
        for (int64_t s : sizes) shape.push_back(s == -1 ? inferred : s);
      }
      return view(self, IntList(shape));
    })
    .doc("Dimension dim cut into several of the given sizes; one may be -1.")
    .sample("R(3, 8), 1, (2, 4)")
    .sample("R(3, 8), -1, (-1, 2)")
    .test("contiguous");

PT_OP(ravel)
    .composite([](const Tensor& self) { return reshape(self, IntList(Dims{-1})); })
    .doc("All elements in one dimension; a view when the strides allow it.")
    .sample("R(3, 4)");

PT_OP(movedim)
    .composite([](const Tensor& self, IntList source, IntList destination) {
      const int n = self.dim();
      PT_CHECK(source.size() == destination.size(),
               "movedim: Invalid source or destination dims: source (", to_text(source),
               " dims) should contain the same number of dims as destination (",
               to_text(destination), " dims)");
      Dims order(n, -1);
      bool used[kMaxDims] = {};
      for (size_t i = 0; i < source.size(); ++i) {
        const int from = wrap_dim(source[i], n), to = wrap_dim(destination[i], n);
        if (n == 0) continue;
        PT_CHECK(!used[from], "movedim: repeated dim in `source` (", to_text(source), ")");
        PT_CHECK(order[to] < 0, "movedim: repeated dim in `destination` (", to_text(destination),
                 ")");
        order[to] = from;
        used[from] = true;
      }
      int next = 0;
      for (int i = 0; i < n; ++i) {
        if (order[i] >= 0) continue;
        while (used[next]) ++next;
        order[i] = next++;
      }
      return permute(self, IntList(order));
    })
    .alias("moveaxis")
    .doc("Dimensions `source` moved to the positions `destination`, as a view.")
    .sample("R(2, 3, 4), 0, 2")
    .sample("R(2, 3, 4), (0, 1), (-1, 0)");

PT_OP(broadcast_to)
    .composite([](const Tensor& self, IntList size) { return expand(self, size); })
    .doc("self expanded to a shape it broadcasts to, as a view.")
    .sample("R(3, 1), (2, 3, 4)");

PT_OP(broadcast_tensors_list)
    .composite([](TensorList tensors) {
      Dims shape;
      for (const Tensor& t : tensors) shape = broadcast_shapes(shape, t.sizes());
      std::vector<Tensor> out;
      for (const Tensor& t : tensors) out.push_back(expand(t, IntList(shape)));
      return out;
    })
    .internal();

PT_OP(diagonal)
    .view([](const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
      const int a = wrap_dim(dim1, self.dim()), b = wrap_dim(dim2, self.dim());
      PT_CHECK(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
      const int64_t rows = self->sizes[a], columns = self->sizes[b];
      const int64_t length = offset >= 0 ? std::max<int64_t>(std::min(rows, columns - offset), 0)
                                         : std::max<int64_t>(std::min(rows + offset, columns), 0);
      int64_t at = self.offset();
      if (length > 0) at += offset >= 0 ? offset * self->strides[b] : -offset * self->strides[a];
      Dims sizes, strides;
      for (int i = 0; i < self.dim(); ++i) {
        if (i == a || i == b) continue;
        sizes.push_back(self->sizes[i]);
        strides.push_back(self->strides[i]);
      }
      sizes.push_back(length);
      strides.push_back(self->strides[a] + self->strides[b]);
      return make_view(self, sizes, strides, at);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
      g[0] = diagonal_backward(g.grad(), IntList(self.sizes()), offset, dim1, dim2);
    })
    .doc("The diagonal of the matrices in dims dim1 and dim2, as a view with it as last dim.")
    .sample("R(3, 4)")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -1, 0, 2");

PT_OP(diagonal_backward)
    .impl([](const Tensor& grad, IntList input_sizes, int64_t offset, int64_t dim1, int64_t dim2) {
      Tensor out = zeros_tensor(input_sizes, grad.dtype());
      copy_into(diagonal(out, offset, dim1, dim2), grad);
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList, int64_t offset, int64_t dim1,
                 int64_t dim2) { g[0] = diagonal(g.grad(), offset, dim1, dim2); })
    .internal();

PT_OP(diag_embed)
    .impl([](const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
      const int n = self.dim() + 1;
      const int a = wrap_dim(dim1, n), b = wrap_dim(dim2, n);
      PT_CHECK(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
      PT_CHECK(self.dim() > 0, "diag_embed(): expected a tensor with at least one dimension");
      int64_t side = self->sizes[self.dim() - 1];
      const bool overflow = offset < 0 ? __builtin_sub_overflow(side, offset, &side)
                                       : __builtin_add_overflow(side, offset, &side);
      PT_CHECK(!overflow, "diag_embed(): the size of the matrix overflows with offset ", offset);
      Dims sizes = self.sizes();
      sizes.erase(self.dim() - 1);
      sizes.insert(std::min(a, b), side);
      sizes.insert(std::max(a, b), side);
      Tensor out = zeros_tensor(sizes, self.dtype());
      copy_into(diagonal(out, offset, a, b), self);
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, int64_t offset, int64_t dim1, int64_t dim2) {
      g[0] = diagonal(g.grad(), offset, dim1, dim2);
    })
    .doc("Matrices with self's last dimension on a diagonal and zeros elsewhere.")
    .sample("R(2, 3)")
    .sample("R(2, 3), 1, 0, 2");

PT_OP(diag)
    .composite([](const Tensor& self, int64_t diagonal_index) {
      PT_CHECK(self.dim() == 1 || self.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ",
               self.dim(), "D");
      if (self.dim() == 1) return diag_embed(self, diagonal_index);
      return clone(diagonal(self, diagonal_index));
    })
    .doc("The diagonal of a matrix, or a matrix with a vector on its diagonal.")
    .sample("R(3, 4)")
    .sample("R(3), 1");

PT_OP(diagflat)
    .composite([](const Tensor& self, int64_t offset) {
      return diag_embed(reshape(self, IntList(Dims{-1})), offset);
    })
    .doc("A matrix with all elements of self on its diagonal.")
    .sample("R(2, 2), 1");

PT_OP(trace)
    .composite([](const Tensor& self) {
      PT_CHECK(self.dim() == 2, "trace: expected a matrix, but got tensor with dim ", self.dim());
      PT_CHECK_KIND(ErrorKind::kNotImplemented, self.dtype() != DType::kBool,
                    "\"trace\" not implemented for 'Bool'");
      return sum(diagonal(self));
    })
    .doc("The sum of a matrix's diagonal.")
    .sample("R(3, 4)");

PT_OP(unfold)
    .view([](const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
      const int d = wrap_dim(dimension, self.dim());
      const int64_t n = self.dim() ? self->sizes[d] : 1;
      PT_CHECK(size >= 0 && size <= n, "maximum size for tensor at dimension ", d, " is ", n,
               " but size is ", size);
      PT_CHECK(step > 0, "step is ", step, " but must be > 0");
      Dims sizes = self.sizes(), strides = self.strides();
      const int64_t s = self.dim() ? strides[d] : 1;
      sizes.push_back(size);
      strides.push_back(s);
      if (self.dim()) {
        sizes[d] = (n - size) / step + 1;
        // A stride that overflows is that of a single window, and never used.
        if (__builtin_mul_overflow(s, step, &strides[d])) strides[d] = 1;
      }
      return make_view(self, sizes, strides, self.offset());
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dimension, int64_t size,
                 int64_t step) {
      // Windows of a dense tensor of self's shape, whatever self's strides were.
      const Dims strides = contiguous_strides(self.sizes());
      const int d = wrap_dim(dimension, self.dim());
      Dims view_sizes = self.sizes(), view_strides = strides;
      if (self.dim()) {
        view_sizes[d] = (self->sizes[d] - size) / step + 1;
        if (__builtin_mul_overflow(strides[d], step, &view_strides[d])) view_strides[d] = 1;
      }
      view_sizes.push_back(size);
      view_strides.push_back(self.dim() ? strides[d] : 1);
      g[0] = as_strided_backward(g.grad(), IntList(self.sizes()), IntList(strides),
                                 IntList(view_sizes), IntList(view_strides), 0);
    })
    .method_only()
    .doc(
        "All windows of `size` elements along a dimension, `step` apart, as a view; the window is "
        "the new last dimension.")
    .sample("R(7), 0, 3, 2")
    .sample("R(3, 5), -1, 2, 1");

PT_OP(repeat)
    .impl([](const Tensor& self, IntList repeats) {
      const int n = static_cast<int>(repeats.size());
      PT_CHECK(
          n >= self.dim(),
          "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
          "tensor");
      Dims sizes(n);
      // The result seen as [repeat, size] pairs is a plain broadcast copy.
      Dims pairs(2 * n), from_strides(2 * n);
      for (int i = 0; i < n; ++i) {
        const int d = i - (n - self.dim());
        const int64_t size = d >= 0 ? self->sizes[d] : 1;
        const bool overflow =
            __builtin_mul_overflow(size, repeats[static_cast<size_t>(i)], &sizes[i]);
        PT_CHECK(!overflow, "repeat(): the size of dim ", i,
                 " overflows with repeats=", to_text(repeats));
        PT_CHECK(repeats[static_cast<size_t>(i)] >= 0,
                 "Trying to create tensor with negative dimension ", sizes[i]);
        pairs[2 * i] = repeats[static_cast<size_t>(i)];
        pairs[2 * i + 1] = size;
        from_strides[2 * i] = 0;
        from_strides[2 * i + 1] = d >= 0 ? self->strides[d] : 0;
      }
      Tensor out = empty_tensor(sizes, self.dtype());
      if (out.numel() == 0) return out;
      copy_into(make_view(out, pairs, contiguous_strides(pairs), 0),
                make_view(self, pairs, from_strides, self.offset()));
      return out;
    })
    .on_device()
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList repeats) {
      const int n = static_cast<int>(repeats.size());
      Dims pairs, dims;
      for (int i = 0; i < n; ++i) {
        const int d = i - (n - self.dim());
        pairs.push_back(repeats[static_cast<size_t>(i)]);
        pairs.push_back(d >= 0 ? self->sizes[d] : 1);
        dims.push_back(2 * i);
      }
      if (n == 0) {
        g[0] = g.grad();
        return;
      }
      const Tensor summed = sum_dim(reshape(g.grad(), IntList(pairs)), IntList(dims), false);
      g[0] = reshape(summed, IntList(self.sizes()));
    })
    .method_only()
    .doc("self repeated repeats[i] times along dimension i (new leading dimensions included).")
    .sample("R(2, 3), (2, 1)")
    .sample("R(2, 3), 2, 1, 3");

PT_OP(tile)
    .composite([](const Tensor& self, IntList dims) {
      Dims repeats(dims);
      while (repeats.size() < self.dim()) repeats.insert(0, 1);
      return repeat(self, IntList(repeats));
    })
    .doc("self repeated dims[i] times along dimension i, counted from the last.")
    .sample("R(2, 3), (2,)")
    .sample("R(2, 3), (2, 1, 2)");

PT_OP(flip)
    .impl([](const Tensor& self, IntList dims) {
      Tensor out = empty_tensor(self.sizes(), self.dtype());
      bool flipped[kMaxDims] = {};
      for (int64_t d : dims) {
        const int w = wrap_dim(d, self.dim());
        PT_CHECK(!flipped[w], "dim ", d, " appears multiple times in the list of dims");
        flipped[w] = true;
      }
      if (out.numel() == 0 || self.dim() == 0) {
        copy_into(out, self);
        return out;
      }
      // Read backwards: from the last element with negative strides.
      int64_t strides[kMaxDims];
      char* start = static_cast<char*>(self.raw());
      for (int i = 0; i < self.dim(); ++i) {
        strides[i] = self->strides[i];
        if (!flipped[i]) continue;
        start += (self->sizes[i] - 1) * strides[i] * static_cast<int64_t>(self.item_size());
        strides[i] = -strides[i];
      }
      if (call_on_device) {
        const auto n = static_cast<size_t>(self.dim());
        const int64_t offset =
            (start - self->storage->data) / static_cast<int64_t>(self.item_size());
        copy_into(out, make_view(self, self.sizes(), IntList(strides, n), offset));
        return out;
      }
      Plan plan(out.sizes());
      plan.add(out, out.dtype());
      plan.add(start, self.dtype(), self.dtype(), strides);
      plan.run_copy();
      return out;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, IntList dims) { g[0] = flip(g.grad(), dims); })
    .doc("A copy with the order of elements reversed along the given dimensions.")
    .sample("R(3, 4), (0,)")
    .sample("R(3, 4), (0, -1)");

PT_OP(roll)
    .composite([](const Tensor& self, IntList shifts, IntList dims) {
      if (dims.empty()) {
        PT_CHECK(shifts.size() == 1, "shifts and dimensions must align. shifts: ", shifts.size(),
                 ", dims:0");
        const Tensor flat = roll(reshape(self, IntList(Dims{-1})), shifts, IntList(Dims{0}));
        return view(flat, IntList(self.sizes()));
      }
      PT_CHECK(shifts.size() == dims.size(),
               "shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size());
      Tensor out = self;
      for (size_t i = 0; i < dims.size(); ++i) {
        PT_CHECK_INDEX(self.dim() > 0, "Dimension specified as ", dims[i],
                       " but tensor has no dimensions");
        const int d = wrap_dim(dims[i], self.dim());
        const int64_t n = self->sizes[d];
        if (n == 0) continue;
        const int64_t start = (n - shifts[i] % n) % n;
        if (start == 0) continue;
        const Tensor parts[] = {narrow(out, d, start, n - start), narrow(out, d, 0, start)};
        out = cat(TensorList(parts), d);
      }
      return out.same_as(self) ? clone(self) : out;
    })
    .doc("Elements shifted along dims, those that leave at the end coming back at the start.")
    .sample("R(3, 4), 1")
    .sample("R(3, 4), (1, -2), (0, 1)");

namespace {
// Zeroes elements above (lower) or below the k-th diagonal of a row-major copy.
template <bool lower>
Tensor triangle(const Tensor& self, int64_t k) {
  PT_CHECK(self.dim() >= 2, lower ? "tril" : "triu",
           ": input tensor must have at least 2 dimensions");
  Tensor out = contiguous_copy(self);
  const int64_t rows = self->sizes[self.dim() - 2], columns = self->sizes[self.dim() - 1];
  k = std::clamp(k, -rows - 1, columns);  // beyond them nothing changes
  const int64_t item = static_cast<int64_t>(out.item_size());
  char* data = static_cast<char*>(out.raw());
  const int64_t total = columns ? out.numel() / columns : 0;
  parallel_for(0, total, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, columns)),
               [&](int64_t b, int64_t e) {
                 for (int64_t r = b; r < e; ++r) {
                   const int64_t edge = r % rows + k;  // the diagonal's column in this row
                   const int64_t from = lower ? std::clamp<int64_t>(edge + 1, 0, columns) : 0;
                   const int64_t to = lower ? columns : std::clamp<int64_t>(edge, 0, columns);
                   std::memset(data + (r * columns + from) * item, 0,
                               static_cast<size_t>(std::max<int64_t>(0, to - from) * item));
                 }
               });
  return out;
}
}  // namespace

PT_OP(tril)
    .impl([](const Tensor& self, int64_t k) { return triangle<true>(self, k); })
    .backward([](BackwardCall& g, const Tensor&, int64_t k) { g[0] = tril(g.grad(), k); })
    .inplace()
    .out()
    .doc("The lower triangle of matrices, zeros above the given diagonal.")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), -1");

PT_OP(triu)
    .impl([](const Tensor& self, int64_t k) { return triangle<false>(self, k); })
    .backward([](BackwardCall& g, const Tensor&, int64_t k) { g[0] = triu(g.grad(), k); })
    .inplace()
    .out()
    .doc("The upper triangle of matrices, zeros below the given diagonal.")
    .sample("R(3, 4)")
    .sample("R(2, 3, 4), 1");

}  // namespace pt
