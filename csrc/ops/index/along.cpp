// Slices along one dimension named by a vector of indices, and elements by their flat position.
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

[[noreturn]] void out_of_range_in_self(const IndexColumn&, int64_t) {
  raise(ErrorKind::kIndex, "index out of range in self");
}
[[noreturn]] void add_out_of_bounds(const IndexColumn& c, int64_t i) {
  raise(ErrorKind::kRuntime, "index ", i, " is out of bounds for dimension ", c.dim, " with size ",
        c.size);
}
[[noreturn]] void copy_out_of_bounds(const IndexColumn& c, int64_t i) {
  raise(ErrorKind::kIndex, "index_copy_(): index ", i, " is out of bounds for dimension ", c.dim,
        " with size ", c.size);
}
[[noreturn]] void flat_out_of_range(const IndexColumn& c, int64_t i) {
  raise(ErrorKind::kIndex, "out of range: tried to access index ", i, " on a tensor of ", c.size,
        " elements.");
}

Dims with_size(const Dims& sizes, int dim, int64_t size) {
  Dims s = sizes;
  if (!s.empty()) s[dim] = size;
  return s;
}

bool is_index_dtype(const Tensor& t) {
  return t.dtype() == DType::kInt64 || t.dtype() == DType::kInt32;
}

void check_source_slices(const Tensor& self, int dim, const Tensor& index, const Tensor& source) {
  PT_CHECK_INDEX(
      index.dim() < 2, "index_add_(): Index is supposed to be a vector, but got dim: ", index.dim(),
      " with type: ", scalar_type_name(index.dtype()), " and size: ", to_text(index.sizes()));
  PT_CHECK(is_index_dtype(index), "index_add_(): Expected dtype int32/int64 for index but got: ",
           scalar_type_name(index.dtype()));
  PT_CHECK(self.dtype() == source.dtype(), "index_add_(): self (", scalar_type_name(self.dtype()),
           ") and source (", scalar_type_name(source.dtype()), ") must have the same scalar type");
  PT_CHECK_INDEX(dim == 0 || dim < source.dim(), "index_add_(): Indexing dim ", dim,
                 " is out of bounds of the source tensor with dim ", source.dim());
  const int64_t have = source.dim() ? source->sizes[dim] : 1;
  PT_CHECK(index.numel() == have, "index_add_(): Number of indices (", index.numel(),
           ") should be equal to source.size(dim): (", have, "), for dim: ", dim);
  PT_CHECK(same(with_size(self.sizes(), dim, have), source.sizes()) ||
               (self.numel() == 1 && source.numel() == 1),
           "source tensor shape must match self tensor shape, excluding the specified dimension. "
           "Got self.shape = ",
           to_text(self.sizes()), " source.shape = ", to_text(source.sizes()));
}

void check_copy_slices(const Tensor& self, int dim, const Tensor& index, const Tensor& source) {
  PT_CHECK_INDEX(index.dim() < 2, "index_copy_(): Index should have dimension 1 or 0 (got ",
                 index.dim(), ")");
  PT_CHECK_INDEX(source.dim() != 0 || index.numel() == 1,
                 "index_copy_(): When source is scalar, index should have one element (got ",
                 index.numel(), ")");
  PT_CHECK_INDEX(source.dim() == self.dim() || source.dim() == 0 || self.dim() == 0,
                 "index_copy_(): When source and destination are not scalars, their "
                 "dimensionality must match. Source dimensionality (",
                 source.dim(), "), destination dimensionality (", self.dim(), ")");
  PT_CHECK(index.dtype() == DType::kInt64,
           "index_copy_(): Expected a long tensor for index, but got ",
           scalar_type_name(index.dtype()));
  PT_CHECK(self.dtype() == source.dtype(),
           "index_copy_(): self and source expected to have the same dtype, but got (self) ",
           scalar_type_name(self.dtype()), " and (source) ", scalar_type_name(source.dtype()));
  auto slice_shape = [dim](const Tensor& t) {
    Dims s = t.sizes();
    if (!s.empty()) s.erase(dim);
    return s;
  };
  const Dims a = slice_shape(self), b = slice_shape(source);
  auto words = [](const Dims& d) {  // sizes without brackets
    const std::string text = to_text(d);
    return text.substr(1, text.size() - 2);
  };
  PT_CHECK(a == b,
           "index_copy_(): Source/destination tensor must have same slice shapes. Destination "
           "slice shape: ",
           words(a), " at dimension ", dim, " and source slice shape: ", words(b),
           " at dimension 0.");
  PT_CHECK_INDEX(source.dim() == 0 || index.numel() == source->sizes[dim],
                 "index_copy_(): Number of indices (", index.numel(),
                 ") should be equal to source.size(dim) (", source.size(dim), ")");
}

Tensor fill_along(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                  const Scalar& value) {
  PT_CHECK_INDEX(index.dtype() == DType::kInt64, "index_fill_(): Expected dtype int64 for index.");
  PT_CHECK(index.dim() <= 1, "Index has to be a vector/scalar");
  const Tensor dest = destination_or_copy(out, self);
  Selection s = select_along(dest, wrap_dim(dim, self.dim()), index);
  s.columns[0].wrap = true;
  alignas(8) char element[16];
  value.check_fits(dest.dtype());
  value.store(dest.dtype(), element);
  fill_selection(s, dest.data<char>(), element, dest.item_size());
  return dest;
}

// self as one contiguous row and the positions in it.
Selection flat_selection(const Tensor& self, const Tensor& index) {
  Selection s;
  s.n = index.numel();
  s.columns.push_back({as_index(index), self.numel(), 1, 0});
  s.fail = flat_out_of_range;
  return s;
}

}  // namespace

PT_OP(index_select)
    .impl([](const Tensor& self, int64_t dim, const Tensor& index) {
      PT_CHECK_INDEX(index.dim() <= 1, "index_select(): Index is supposed to be a vector");
      PT_CHECK(is_index_dtype(index), "index_select(): Expected dtype int32 or int64 for index");
      const int d = wrap_dim(dim, self.dim());
      PT_CHECK(self.dim() > 0 || index.numel() == 1,
               "index_select(): Index to scalar can have only 1 value, got ", index.numel(),
               " value(s)");
      Selection s = select_along(self, d, index);
      s.fail = out_of_range_in_self;
      Tensor out = empty_tensor(with_size(self.sizes(), d, index.numel()), self.dtype());
      read_selection(s, self.data<char>(), out.data<char>(), self.item_size());
      return out;
    })
    .on_device()
    .saves("shape:self, index")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, const Tensor& index) {
      const Tensor zeros = zeros_tensor(self.sizes(), g.grad().dtype());
      g[0] = index_add(zeros, dim, index, g.grad(), 1);
    })
    .out()
    .doc(
        "The slices of self along dim that `index` names, as a new tensor.\n\n"
        "Args:\n    dim (int): dimension\n    index (Tensor): vector of int32 or int64\n\n"
        "Shape: as self, with index's length along dim.\n\n"
        "Example:\n    >>> torch.arange(6).view(3, 2).index_select(0, torch.tensor([2, 0]))\n"
        "    tensor([[4, 5],\n            [0, 1]])")
    .sample("R(3, 4), 0, torch.tensor([0, 2, 2])")
    .sample("R(3, 4), -1, torch.tensor([3, 0])")
    .sample("R(2, 3, 4), 1, torch.tensor([1, 1])");

PT_OP(index_add)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& source, Scalar alpha) {
      const int d = wrap_dim(dim, self.dim());
      check_source_slices(self, d, index, source);
      const Tensor dest = destination_or_copy(out, self);
      if (dest.numel() == 0) return dest;
      Selection s = select_along(dest, d, index);
      s.fail = add_out_of_bounds;
      s.runtime_error = true;
      const bool plain = alpha.to_double() == 1.0;
      const Tensor from =
          separate(plain ? source : cast_to(mul(source, alpha), self.dtype()), dest);
      add_selection(s, dest.dtype(), dest.raw(), from.raw());
      return dest;
    })
    .on_device()
    .saves("index, shape:source")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& source, Scalar alpha) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(3)) {
        const Tensor picked = index_select(g.grad(), dim, index);
        const Tensor shaped =
            picked->sizes == source->sizes ? picked : reshape(picked, IntList(source.sizes()));
        g[3] = alpha.to_double() == 1.0 ? shaped : mul(shaped, alpha);
      }
    })
    .inplace()
    .out()
    .doc(
        "self with alpha * source added to the slices along dim that `index` names. Repeated "
        "indices add up in order.")
    .sample("R(3, 4), 0, torch.tensor([0, 2, 0]), R(3, 4)")
    .sample("R(3, 4), 1, torch.tensor([1]), R(3, 1), alpha=2");

PT_OP(index_copy)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& source) {
      const int d = wrap_dim(dim, self.dim());
      check_copy_slices(self, d, index, source);
      const Tensor dest = destination_or_copy(out, self);
      Selection s = select_along(dest, d, index);
      s.fail = copy_out_of_bounds;
      const Tensor from = separate(source, dest);
      write_selection(s, dest.data<char>(), from.data<char>(), dest.item_size());
      return dest;
    })
    .on_device()
    .saves("index, shape:source")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index,
                 const Tensor& source) {
      if (g.needs(0)) g[0] = index_fill(g.grad(), dim, index, 0);
      if (g.needs(3)) {
        const Tensor picked = index_select(g.grad(), dim, index);
        g[3] = source.dim() == picked.dim() ? picked : reshape(picked, IntList(source.sizes()));
      }
    })
    .inplace()
    .out()
    .doc("self with the slices along dim that `index` names replaced by those of source.")
    .sample("R(3, 4), 0, torch.tensor([2, 0]), R(2, 4)")
    .sample("R(3, 4), 1, torch.tensor([1]), R(3, 1)");

PT_OP(index_fill)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index, Scalar value) {
      return fill_along(out, self, dim, index, value);
    })
    .on_device()
    .saves("index")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index, Scalar) {
      g[0] = index_fill(g.grad(), dim, index, 0);
    })
    .inplace()
    .doc("self with the slices along dim that `index` names set to value.")
    .sample("R(3, 4), 0, torch.tensor([0, 2]), 1.5")
    .sample("R(3, 4), 1, torch.tensor([-1]), -2");

PT_OP(index_fill_tensor)
    .impl([](const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
             const Tensor& value) {
      PT_CHECK(value.dim() == 0,
               "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
               value.dim(), " dimension(s).");
      return fill_along(out, self, dim, index, value.item());
    })
    .on_device()
    .saves("index")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, const Tensor& index, const Tensor&) {
      if (g.needs(0)) g[0] = index_fill(g.grad(), dim, index, 0);
      if (g.needs(3)) g[3] = sum(index_select(g.grad(), dim, index));
    })
    .inplace()
    .doc("self with the slices along dim that `index` names set to a 0-dim tensor's value.")
    .sample("R(3, 4), 0, torch.tensor([0, 2]), torch.tensor(1.5)");

PT_OP(take)
    .impl([](const Tensor& self, const Tensor& index) {
      PT_CHECK(index.dtype() == DType::kInt64, "take(): Expected a long tensor for index, but got ",
               scalar_type_name(index.dtype()));
      PT_CHECK_INDEX(self.numel() > 0 || index.numel() == 0,
                     "take(): tried to take from an empty tensor");
      const Tensor from = as_contiguous(self);
      Tensor out = empty_tensor(index.sizes(), self.dtype());
      read_selection(flat_selection(from, index), from.data<char>(), out.data<char>(),
                     self.item_size());
      return out;
    })
    .on_device()
    .saves("shape:self, index")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& index) {
      g[0] = put(zeros_tensor(self.sizes(), g.grad().dtype()), index, g.grad(), true);
    })
    .out()
    .doc(
        "The elements of self at flat positions, as if self had one dimension.\n\n"
        "Shape: index's shape.")
    .sample("R(3, 4), torch.tensor([[0, 5], [-1, 0]])");

PT_OP(put)
    .impl([](const Out& out, const Tensor& self, const Tensor& index, const Tensor& source,
             bool accumulate) {
      PT_CHECK(index.dtype() == DType::kInt64, "put_(): Expected a long tensor for index, but got ",
               scalar_type_name(index.dtype()));
      PT_CHECK(self.dtype() == source.dtype(),
               "put_(): self and source expected to have the same dtype, but got self.dtype = ",
               scalar_type_name(self.dtype()),
               " and source.dtype = ", scalar_type_name(source.dtype()));
      PT_CHECK_INDEX(source.numel() == index.numel(),
                     "put_(): Expected source and index to have the same number of elements, but "
                     "got source.numel() = ",
                     source.numel(), ", index.numel() = ", index.numel());
      PT_CHECK_INDEX(self.numel() > 0 || index.numel() == 0,
                     "put_(): Trying to put elements into an empty tensor");
      const Tensor dest = destination_or_copy(out, self);
      const Tensor row = as_contiguous(dest);  // written back when dest is strided
      const Tensor from = separate(source, row);
      const Selection s = flat_selection(row, index);
      if (accumulate) {
        add_selection(s, row.dtype(), row.raw(), from.raw());
      } else {
        write_selection(s, row.data<char>(), from.data<char>(), row.item_size());
      }
      if (!row.same_as(dest)) copy_into(dest, row);
      return dest;
    })
    .on_device()
    .saves("index, shape:source")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& index, const Tensor& source,
                 bool accumulate) {
      if (g.needs(0))
        g[0] = accumulate
                   ? g.grad()
                   : put(g.grad(), index, zeros_tensor(source.sizes(), g.grad().dtype()), false);
      if (g.needs(2)) g[2] = reshape(take(g.grad(), index), IntList(source.sizes()));
    })
    .inplace()
    .doc("self with the elements at flat positions replaced by source's (or source added there).")
    .sample("R(3, 4), torch.tensor([0, 5, -1]), R(3)")
    .sample("R(3, 4), torch.tensor([0, 0]), R(2), accumulate=True");

}  // namespace pt
