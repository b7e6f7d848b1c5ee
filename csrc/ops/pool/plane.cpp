// _plane_add, _plane_gather and max_unpool: elements of planes by place.
#include "ops/pool/plane.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/pool/pool.h"

namespace pt {

namespace {

const Kernel<PlaneIndexFn> kGather{"plane_gather"}, kAdd{"plane_add"}, kPut{"plane_put"};

int64_t plane_size(IntList sizes, int64_t spatial) {
  int64_t n = 1;
  for (size_t i = sizes.size() - static_cast<size_t>(spatial); i < sizes.size(); ++i) n *= sizes[i];
  return n;
}

// Runs a kernel from self to a new tensor of the given sizes. `indices` goes with the smaller of
// the two: self for the writing kernels, the result for the reading one.
Tensor move(const Kernel<PlaneIndexFn>& kernel, const char* name, const Tensor& self,
            const Tensor& indices, IntList sizes, int64_t spatial) {
  PT_CHECK(spatial >= 1 && static_cast<size_t>(spatial) <= sizes.size() && spatial <= self.dim(),
           name, "(): spatial must be between 1 and the number of dimensions, but got ", spatial);
  PT_CHECK(indices.dtype() == DType::kInt64, name,
           "(): elements in indices should be type int64 but got: ", dtype_name(indices.dtype()));
  checked_numel(sizes);
  PlaneIndexArgs a;
  a.planes = planes_of(sizes, static_cast<int>(spatial));
  PT_CHECK(a.planes == planes_of(self.sizes(), static_cast<int>(spatial)), name,
           "(): expected as many planes in ", to_text(self.sizes()), " as in ", to_text(sizes));
  const auto fn = kernel_for(kernel, self.dtype(), name);
  const Tensor in = as_contiguous(self), places = as_contiguous(indices);
  const Tensor out = empty_tensor(sizes, self.dtype());
  constexpr int64_t kNone = INT64_MIN + 1;
  int64_t bad = kNone;
  if (out.numel() > 0) {
    a.in = in.raw();
    a.out = out.raw();
    a.indices = places.data<int64_t>();
    a.in_size = plane_size(self.sizes(), spatial);
    a.out_size = plane_size(sizes, spatial);
    if (!call_on_device) {
      a.bad_index = &bad;
      fn(a);
    } else if (&kernel == &kPut) {
      const Tensor found = zeros_tensor({}, DType::kInt64);
      fill_with(found, kNone);
      a.bad_index = found.data<int64_t>();
      fn(a);
      bad = found.item().to_int();
    } else {
      // Places that max pooling found, or max_unpool has checked: no need to wait for an answer.
      fn(a);
    }
  }
  PT_CHECK(bad == kNone, name, "(): found an invalid max index: ", bad,
           " (output volumes are of size ", to_text(sizes), ")");
  return out;
}

Tensor unpool(const char* name, int spatial, const Tensor& self, const Tensor& indices,
              IntList output_size) {
  PT_CHECK(indices.dtype() == DType::kInt64,
           "elements in indices should be type int64 but got: ", dtype_name(indices.dtype()));
  PT_CHECK(self.dim() == spatial + 1 || self.dim() == spatial + 2, name, "(): Input to ", name,
           " should be a ", spatial + 1, "d or ", spatial + 2, "d Tensor, but got a tensor with ",
           self.dim(), " dimensions");
  PT_CHECK(same(self.sizes(), indices.sizes()), name,
           "(): Expected shape of indices to be same as that of the input tensor (",
           to_text(self.sizes()),
           "), but got indices tensor with shape: ", to_text(indices.sizes()));
  for (int i = self.dim() - spatial; i < self.dim(); ++i)
    PT_CHECK(self->sizes[i] > 0, name,
             "(): Expected input to have non-zero size for non-batch "
             "dimensions, but got ",
             to_text(self.sizes()), " with dimension ", i, " being empty.");
  Dims sizes = self.sizes();
  for (int i = 0; i < spatial; ++i)
    sizes[self.dim() - spatial + i] = output_size[static_cast<size_t>(i)];
  return move(kPut, name, self, indices, sizes, spatial);
}

}  // namespace

PT_OP(plane_add)
    .on_device()
    .impl([](const Tensor& self, const Tensor& indices, IntList sizes, int64_t spatial) {
      PT_CHECK(same(self.sizes(), indices.sizes()),
               "_plane_add(): self and indices must have the "
               "same shape, but got ",
               to_text(self.sizes()), " and ", to_text(indices.sizes()));
      return move(kAdd, "_plane_add", self, indices, sizes, spatial);
    })
    .saves("indices")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& indices, IntList, int64_t spatial) {
      g[0] = plane_gather(g.grad(), indices, spatial);
    })
    .internal()
    .doc("Zeros of the given sizes, with self's elements added at their places in their planes.")
    .sample("R(2, 3, 2, 2), J(12, 2, 3, 2, 2), (2, 3, 3, 4), 2")
    .sample("R(3, 4), J(9, 3, 4), (3, 9), 1");

PT_OP(plane_gather)
    .on_device()
    .impl([](const Tensor& self, const Tensor& indices, int64_t spatial) {
      return move(kGather, "_plane_gather", self, indices, indices.sizes(), spatial);
    })
    .saves("shape:self, indices")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& indices, int64_t spatial) {
      g[0] = plane_add(g.grad(), indices, self.sizes(), spatial);
    })
    .internal()
    .doc("The elements of self at the given places of their planes.")
    .sample("R(2, 3, 3, 4), J(12, 2, 3, 2, 2), 2");

PT_OP(max_unpool)
    .on_device()
    .impl([](const Tensor& self, const Tensor& indices, IntList output_size) {
      const char* const names[] = {"max_unpool1d", "max_unpool2d", "max_unpool3d"};
      const auto spatial = output_size.size();
      PT_CHECK(spatial >= 1 && spatial <= 3,
               "_max_unpool(): output_size must have 1 to 3 entries, but got ",
               to_text(output_size));
      return unpool(names[spatial - 1], static_cast<int>(spatial), self, indices, output_size);
    })
    .saves("indices")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& indices, IntList output_size) {
      g[0] = plane_gather(g.grad(), indices, static_cast<int64_t>(output_size.size()));
    })
    .internal()
    .doc("The inverse of max pooling as far as there is one: maxima at their places, else zeros.")
    .sample("R(1, 2, 2, 2), torch.tensor([0, 3, 5, 9, 1, 2, 7, 15]).reshape(1, 2, 2, 2), (4, 4)");

}  // namespace pt
