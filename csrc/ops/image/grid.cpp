// grid_sampler: weights and places from the grid, then weighted sums. All parts have gradients of
// their own kind, so that it can be differentiated any number of times.
#include "ops/image/grid.h"

#include <algorithm>

#include "cpu/kernel_table.h"
#include "cuda/args/image_args.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/creation/creation.h"
#include "ops/embedding/device.h"
#include "ops/image/grid_args.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<SampleFn> kSample{"sample"}, kSampleAdd{"sample_add"}, kSampleDot{"sample_dot"};
const Kernel<GridFn> kTaps{"grid_taps"};

using namespace grid_modes;

}  // namespace

GridArgs grid_args(const Tensor& grid, IntList sizes, int64_t mode, int64_t padding,
                   bool align_corners) {
  GridArgs a;
  a.dims = static_cast<int>(sizes.size());
  PT_CHECK(
      (a.dims == 2 || a.dims == 3) && grid.dim() == a.dims + 2 && grid->sizes[a.dims + 1] == a.dims,
      "grid_sampler(): expected grid to have size ", a.dims,
      " in last dimension, but got grid with sizes ", to_text(grid.sizes()));
  PT_CHECK(mode >= 0 && mode <= 2 && padding >= 0 && padding <= 2,
           "grid_sampler(): unknown interpolation mode ", mode, " or padding mode ", padding);
  a.axis_taps = mode == kNearest ? 1 : mode == kBilinear ? 2 : 4;
  a.taps = 1;
  for (int d = 0; d < a.dims; ++d) {
    a.size[d] = sizes[static_cast<size_t>(a.dims - 1 - d)];
    PT_CHECK(a.size[d] > 0,
             "grid_sampler(): expected input to have non-empty spatial dimensions, "
             "but input has sizes ",
             to_text(sizes));
    a.taps *= a.axis_taps;
  }
  a.in_size = checked_numel(sizes);
  PT_CHECK(a.in_size < INT32_MAX,
           "grid_sampler(): planes must have less than 2**31 elements, but "
           "have sizes ",
           to_text(sizes));
  a.mode = static_cast<int>(mode);
  a.padding = static_cast<int>(padding);
  a.align_corners = align_corners;
  a.batch = grid->sizes[0];
  a.points = 1;
  for (int d = 1; d <= a.dims; ++d) a.points *= grid->sizes[d];
  return a;
}

namespace {

using grid_detail::weight_dtype;

void check_floating(const char* name, const Tensor& t) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, t.is_floating(), "\"", name, "\" not implemented for '",
                scalar_type_name(t.dtype()), "'");
}

// Checks [N, C, .], [N, K, P] and their dtypes.
SampleArgs sample_args(const char* name, const Tensor& planes, const Tensor& weights,
                       DType weights_dtype, const Tensor& places) {
  check_floating(name, planes);
  PT_CHECK(planes.dim() == 3 && weights.dim() == 3 && places.dim() == 3 &&
               places.dtype() == DType::kInt32 && weights.dtype() == weights_dtype &&
               planes->sizes[0] == places->sizes[0] && weights->sizes[0] == places->sizes[0] &&
               weights->sizes[2] == places->sizes[2],
           name, "(): the shapes or dtypes of its arguments do not go together");
  SampleArgs a;
  a.batch = places->sizes[0];
  a.taps = places->sizes[1];
  a.points = places->sizes[2];
  a.channels = planes->sizes[1];
  return a;
}

void run(const Kernel<SampleFn>& kernel, DType t, const Tensor& places, SampleArgs& a) {
  PT_CHECK(a.in_size <= INT32_MAX, kernel.name, "(): planes must have less than 2**31 elements");
  a.places = places.data<int32_t>();
  kernel.get(t)(a);
}

// The entries are sorted by place, so that those which meet are added in order.
void add_on_device(DType t, const Tensor& places, SampleArgs& a) {
  static const Kernel<DeviceSampleAddFn> kernel{"device_sample_add"};
  PT_CHECK(a.in_size <= INT32_MAX, "_sample_add(): planes must have less than 2**31 elements");
  const Tensor batch =
      arange_end(a.batch, DType::kInt64, std::nullopt, call_device(), std::nullopt);
  Tensor to = add(to_copy(places, DType::kInt64),
                  mul(reshape(batch, IntList(Dims{a.batch, 1, 1})), a.in_size));
  to = masked_fill(masked_fill(to, lt(places, 0), -1), ge(places, a.in_size), -1);
  const int64_t entries = places.numel();
  const device::Sorted sorted(Tensor(), reshape(to, IntList(Dims{entries})), entries,
                              a.batch * a.in_size);
  kernel.get(t)({a, sorted.order.data<int64_t>(), sorted.starts.data<int64_t>()});
}

}  // namespace

PT_OP(grid_places)
    .on_device()
    .impl([](const Tensor& given, IntList sizes, int64_t mode, int64_t padding,
             bool align_corners) {
      check_floating("grid_sampler", given);
      GridArgs a = grid_args(given, sizes, mode, padding, align_corners);
      const Tensor grid = as_contiguous(cast_to(given, weight_dtype(given.dtype())));
      const Tensor out = empty_tensor(Dims{a.batch, a.taps, a.points}, DType::kInt32);
      a.grid = grid.raw();
      a.places = out.data<int32_t>();
      if (out.numel() > 0) kTaps.get(grid.dtype())(a);
      return out;
    })
    .nondifferentiable()
    .internal()
    .doc("The elements that each point of a grid reads; -1 for those outside.")
    .sample("U(2, 3, 4, 2), (5, 6), 0, 0, False");

PT_OP(grid_weights)
    .on_device()
    .impl([](const Tensor& given, IntList sizes, int64_t mode, int64_t padding, bool align_corners,
             IntList order) {
      GridArgs a = grid_args(given, sizes, mode, padding, align_corners);
      PT_CHECK(given.dtype() == weight_dtype(given.dtype()),
               "_grid_weights(): expected a grid of "
               "float32 or float64, but got ",
               dtype_name(given.dtype()));
      PT_CHECK(order.size() == sizes.size(), "_grid_weights(): expected an order for each of ",
               a.dims, " dimensions, but got ", to_text(order));
      for (int d = 0; d < a.dims; ++d) {
        const int64_t o = order[static_cast<size_t>(d)];
        PT_CHECK(o >= 0, "_grid_weights(): order must not be negative: ", o);
        a.order[d] = static_cast<int>(std::min<int64_t>(o, 4));  // from 4 on all are 0
      }
      const Tensor grid = as_contiguous(given);
      const Tensor out = empty_tensor(Dims{a.batch, a.taps, a.points}, grid.dtype());
      a.grid = grid.raw();
      a.weights = out.raw();
      if (out.numel() > 0) kTaps.get(grid.dtype())(a);
      return out;
    })
    .saves("grid")
    .backward([](BackwardCall& g, const Tensor& grid, IntList sizes, int64_t mode, int64_t padding,
                 bool align_corners, IntList order) {
      std::vector<Tensor> coordinates;
      const int64_t taps[] = {1};
      for (int d = 0; d < static_cast<int>(sizes.size()); ++d) {
        Dims once_more(order);
        ++once_more[d];
        const Tensor w = grid_weights(grid, sizes, mode, padding, align_corners, once_more);
        coordinates.push_back(sum_dim(mul(g.grad(), w), IntList(taps), false));
      }
      g[0] = reshape(stack(coordinates, int64_t{-1}), IntList(grid.sizes()));
    })
    .internal()
    .doc("The weights of the elements that each point of a grid reads.")
    .sample("U(2, 3, 4, 2), (5, 6), 0, 0, False, (0, 0)")
    .sample("U(2, 2, 1, 2), (5, 6), 2, 1, True, (0, 0)")
    .sample("U(1, 2, 2, 2, 3), (3, 4, 5), 0, 2, False, (0, 1, 0)");

PT_OP(sample)
    .on_device()
    .impl([](const Tensor& self, const Tensor& weights, const Tensor& places) {
      SampleArgs a = sample_args("_sample", self, weights, weight_dtype(self.dtype()), places);
      a.in_size = self->sizes[2];
      const Tensor in = as_contiguous(self), w = as_contiguous(weights), p = as_contiguous(places);
      const Tensor out = empty_tensor(Dims{a.batch, a.channels, a.points}, self.dtype());
      a.in = in.raw();
      a.weights = w.raw();
      a.out = out.raw();
      if (out.numel() > 0) run(kSample, self.dtype(), p, a);
      return out;
    })
    .saves("self, weights@self, places")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& weights, const Tensor& places) {
      if (g.needs(0)) g[0] = sample_add(g.grad(), weights, places, self->sizes[2]);
      if (g.needs(1)) g[1] = sample_dot(g.grad(), self, places);
    })
    .internal()
    .doc("Weighted sums of self's elements at the given places of their planes.")
    .sample("R(2, 3, 8), R(2, 4, 5), J(8, 2, 4, 5).to(torch.int32)");

PT_OP(sample_add)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& weights, const Tensor& places, int64_t size) {
      SampleArgs a = sample_args("_sample_add", grad, weights, weight_dtype(grad.dtype()), places);
      PT_CHECK(grad->sizes[2] == a.points && size >= 0,
               "_sample_add(): the shapes of its arguments do not go together");
      a.in_size = size;
      const Tensor in = as_contiguous(grad), w = as_contiguous(weights), p = as_contiguous(places);
      const Tensor out = empty_tensor(Dims{a.batch, a.channels, size}, grad.dtype());
      a.out = in.raw();
      a.weights = w.raw();
      a.in = out.raw();
      if (out.numel() == 0) return out;
      if (call_on_device) {
        add_on_device(grad.dtype(), p, a);
      } else {
        run(kSampleAdd, grad.dtype(), p, a);
      }
      return out;
    })
    .saves("grad@weights, weights@grad, places")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& weights, const Tensor& places,
                 int64_t) {
      if (g.needs(0)) g[0] = sample(g.grad(), weights, places);
      if (g.needs(1)) g[1] = sample_dot(grad, g.grad(), places);
    })
    .internal()
    .doc("The gradient of _sample for its first argument.")
    .sample("R(2, 3, 5), R(2, 4, 5), J(8, 2, 4, 5).to(torch.int32), 8");

PT_OP(sample_dot)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& places) {
      SampleArgs a = sample_args("_sample_dot", self, grad, self.dtype(), places);
      PT_CHECK(grad->sizes[1] == a.channels,
               "_sample_dot(): the shapes of its arguments do not go together");
      a.in_size = self->sizes[2];
      const Tensor in = as_contiguous(self), g = as_contiguous(grad), p = as_contiguous(places);
      const Tensor out = empty_tensor(places.sizes(), weight_dtype(self.dtype()));
      a.in = in.raw();
      a.out = g.raw();
      a.weights = out.raw();
      if (out.numel() > 0) run(kSampleDot, self.dtype(), p, a);
      return out;
    })
    .saves("grad@self, self, places")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& places) {
      if (g.needs(0)) g[0] = sample(self, g.grad(), places);
      if (g.needs(1)) g[1] = sample_add(grad, g.grad(), places, self->sizes[2]);
    })
    .internal()
    .doc("The gradient of _sample for its weights.")
    .sample("R(2, 3, 5), R(2, 3, 8), J(8, 2, 4, 5).to(torch.int32)");

PT_OP(grid_sampler)
    .composite([](const Tensor& input, const Tensor& grid, int64_t mode, int64_t padding,
                  bool align_corners) {
      PT_CHECK(input.dim() == 4 || input.dim() == 5,
               "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, "
               "but got input with sizes ",
               to_text(input.sizes()), " and grid with sizes ", to_text(grid.sizes()));
      PT_CHECK(grid.dim() > 0 && input->sizes[0] == grid->sizes[0],
               "grid_sampler(): expected grid and input to have same batch size, but got input "
               "with sizes ",
               to_text(input.sizes()), " and grid with sizes ", to_text(grid.sizes()));
      PT_CHECK(input.dim() == grid.dim(),
               "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, "
               "but got input with sizes ",
               to_text(input.sizes()), " and grid with sizes ", to_text(grid.sizes()));
      PT_CHECK(mode != kBicubic || input.dim() == 4,
               "grid_sampler(): bicubic interpolation only supports 4D input");
      check_floating(input.dim() == 4 ? "grid_sampler_2d_cpu_kernel_impl" : "grid_sampler3d_cpu",
                     input);
      PT_CHECK(input.dtype() == grid.dtype(),
               "grid_sampler(): expected input and grid of one "
               "dtype, but got ",
               dtype_name(input.dtype()), " and ", dtype_name(grid.dtype()));
      return grid_sample(input, grid, mode, padding, align_corners);
    })
    .function_only()
    .alias("grid_sampler_2d")
    .alias("grid_sampler_3d")
    .doc(
        "Values of an image or volume at the places that a grid names.\n\n"
        "Args:\n    input: (N, C, H, W) or (N, C, D, H, W)\n"
        "    grid: (N, ..., 2) or (N, ..., 3): x, y (and z) between -1 and 1\n"
        "    interpolation_mode (int): 0 bilinear, 1 nearest, 2 bicubic\n"
        "    padding_mode (int): outside is 0 zeros, 1 the border, 2 a reflection\n"
        "    align_corners (bool): -1 and 1 are centres of corner elements, not the corners\n\n"
        "Example:\n    >>> image = torch.tensor([[[[1., 2.], [3., 4.]]]])\n"
        "    >>> torch.grid_sampler(image, torch.zeros(1, 1, 1, 2), 0, 0, False)\n"
        "    tensor([[[[2.5000]]]])")
    .sample("R(2, 3, 4, 5), U(2, 3, 4, 2), 0, 0, False")
    .sample("R(2, 3, 4, 5), R(2, 3, 4, 2), 0, 1, True")
    .sample("R(2, 3, 4, 5), R(2, 3, 4, 2), 0, 2, False")
    .sample("R(2, 3, 4, 5), R(2, 3, 4, 2), 1, 0, True")
    .sample("R(1, 2, 4, 5), R(1, 3, 2, 2), 2, 0, False")
    .sample("R(1, 2, 4, 5), R(1, 3, 2, 2), 2, 2, True")
    .sample("R(1, 2, 3, 4, 5), R(1, 2, 2, 2, 3), 0, 0, False")
    .sample("R(1, 2, 3, 4, 5), R(1, 2, 2, 2, 3), 0, 2, True")
    .sample("R(1, 2, 3, 4, 5), U(1, 2, 2, 2, 3), 1, 1, False");

}  // namespace pt
