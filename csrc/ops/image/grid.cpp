// grid_sampler: weights and places from the grid, then weighted sums. All parts have gradients of
// their own kind, so that it can be differentiated any number of times.
#include "ops/image/grid.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "cpu/image_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<SampleFn> kSample{"sample"}, kSampleAdd{"sample_add"}, kSampleDot{"sample_dot"};

enum Mode : int64_t { kBilinear, kNearest, kBicubic };
enum Padding : int64_t { kZeros, kBorder, kReflection };

struct Axis {
  int64_t size;
  Mode mode;
  Padding padding;
  bool align_corners;

  int taps() const { return mode == kNearest ? 1 : mode == kBilinear ? 2 : 4; }
};

// A place on an axis, and how fast it moves with the grid's coordinate.
template <class T>
struct Place {
  T x, slope;
};

template <class T>
Place<T> clipped(Place<T> p, int64_t size) {
  const T last = static_cast<T>(size - 1);
  if (!(p.x > 0)) return {0, 0};  // also NaN
  if (p.x >= last) return {last, 0};
  return p;
}

template <class T>
Place<T> reflected(Place<T> p, const Axis& axis) {
  const T low = axis.align_corners ? T(0) : T(-0.5);
  const T span = static_cast<T>(axis.align_corners ? axis.size - 1 : axis.size);
  if (span == 0) return {0, 0};
  T slope = p.slope, x = p.x - low;
  if (x < 0) x = -x, slope = -slope;
  const T rest = std::fmod(x, span);
  const bool odd = std::fmod(std::floor(x / span), T(2)) == 1;
  return odd ? Place<T>{span - rest + low, -slope} : Place<T>{rest + low, slope};
}

// The place on the axis that the grid's coordinate g stands for.
template <class T>
Place<T> place_of(T g, const Axis& axis) {
  const T size = static_cast<T>(axis.size);
  Place<T> p = axis.align_corners ? Place<T>{(g + 1) / 2 * (size - 1), (size - 1) / 2}
                                  : Place<T>{((g + 1) * size - 1) / 2, size / 2};
  if (axis.mode == kBicubic || axis.padding == kZeros) return p;
  if (axis.padding == kReflection) p = reflected(p, axis);
  return clipped(p, axis.size);
}

// The element at an integer place in the padding; -1 for none.
template <class T>
int64_t element_at(T x, const Axis& axis) {
  if (axis.mode == kBicubic && axis.padding == kReflection) x = reflected<T>({x, 0}, axis).x;
  if (axis.padding != kZeros) x = clipped<T>({x, 0}, axis.size).x;
  return x >= 0 && x < static_cast<T>(axis.size) ? static_cast<int64_t>(x) : -1;
}

// The derivative of order `order` of the polynomial c[0] + c[1] t + c[2] t^2 + c[3] t^3.
template <class T>
T polynomial(const T* c, T t, int64_t order) {
  T sum = 0;
  for (int64_t i = 3; i >= order; --i) {
    T factor = c[i];
    for (int64_t k = 0; k < order; ++k) factor *= static_cast<T>(i - k);
    sum = sum * t + factor;
  }
  return sum;
}

// Weights of cubic convolution with a = -0.75, by the distance t from the second of four taps.
template <class T>
constexpr T kCubic[4][4] = {{0, T(-0.75), T(1.5), T(-0.75)},
                            {1, 0, T(-2.25), T(1.25)},
                            {0, T(0.75), T(1.5), T(-1.25)},
                            {0, 0, T(-0.75), T(0.75)}};
template <class T>
constexpr T kLinear[2][4] = {{1, -1, 0, 0}, {0, 1, 0, 0}};

// First tap of a place, and the distance from where the weights count it.
template <class T>
std::pair<T, T> first_tap(Place<T> p, const Axis& axis) {
  if (axis.mode == kNearest) return {std::nearbyint(p.x), T(0)};
  const T whole = std::floor(p.x);
  return {axis.mode == kBicubic ? whole - 1 : whole, p.x - whole};
}

struct GridCall {
  Axis axes[3];  // x, y, z
  int dims, taps = 1;
  int64_t batch, points;
};

GridCall checked_call(const Tensor& grid, IntList sizes, int64_t mode, int64_t padding,
                      bool align_corners) {
  GridCall c;
  c.dims = static_cast<int>(sizes.size());
  PT_CHECK(
      (c.dims == 2 || c.dims == 3) && grid.dim() == c.dims + 2 && grid->sizes[c.dims + 1] == c.dims,
      "grid_sampler(): expected grid to have size ", c.dims,
      " in last dimension, but got grid with sizes ", to_text(grid.sizes()));
  PT_CHECK(mode >= 0 && mode <= 2 && padding >= 0 && padding <= 2,
           "grid_sampler(): unknown interpolation mode ", mode, " or padding mode ", padding);
  for (int d = 0; d < c.dims; ++d) {
    const int64_t n = sizes[static_cast<size_t>(c.dims - 1 - d)];
    PT_CHECK(n > 0 && n < (int64_t{1} << 31),
             "grid_sampler(): expected input to have non-empty "
             "spatial dimensions below 2**31, but input has sizes ",
             to_text(sizes));
    c.axes[d] = {n, static_cast<Mode>(mode), static_cast<Padding>(padding), align_corners};
    c.taps *= c.axes[d].taps();
  }
  checked_numel(sizes);
  c.batch = grid->sizes[0];
  c.points = 1;
  for (int d = 1; d <= c.dims; ++d) c.points *= grid->sizes[d];
  return c;
}

// Calls f(batch, point, coordinates).
template <class T, class F>
void each_point(const GridCall& c, const T* grid, F f) {
  parallel_for(0, c.batch * c.points, 2048, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i / c.points, i % c.points, grid + i * c.dims);
  });
}

template <class T>
void fill_places(const GridCall& c, const T* grid, int64_t* places) {
  const int n = c.axes[0].taps();
  each_point(c, grid, [&](int64_t batch, int64_t point, const T* g) {
    int64_t element[3][4] = {};
    for (int d = 0; d < c.dims; ++d) {
      const T first = first_tap(place_of(g[d], c.axes[d]), c.axes[d]).first;
      for (int k = 0; k < n; ++k) element[d][k] = element_at(first + static_cast<T>(k), c.axes[d]);
    }
    int64_t* out = places + batch * c.taps * c.points + point;
    for (int z = 0; z < (c.dims == 3 ? n : 1); ++z) {
      for (int y = 0; y < n; ++y) {
        for (int x = 0; x < n; ++x, out += c.points) {
          const int64_t ex = element[0][x], ey = element[1][y], ez = element[2][z];
          const bool inside = ex >= 0 && ey >= 0 && ez >= 0;
          *out = inside ? (ez * c.axes[1].size + ey) * c.axes[0].size + ex : -1;
        }
      }
    }
  });
}

template <class T>
void fill_weights(const GridCall& c, const T* grid, IntList order, T* weights) {
  const int n = c.axes[0].taps();
  each_point(c, grid, [&](int64_t batch, int64_t point, const T* g) {
    T weight[3][4] = {{1}, {1}, {1}};
    for (int d = 0; d < c.dims; ++d) {
      const int64_t o = order[static_cast<size_t>(d)];
      const Place<T> p = place_of(g[d], c.axes[d]);
      const T t = first_tap(p, c.axes[d]).second;
      T slope = 1;
      for (int64_t k = 0; k < o; ++k) slope *= p.slope;
      for (int k = 0; k < n; ++k) {
        weight[d][k] = n == 1   ? (o == 0 ? T(1) : T(0))
                       : n == 2 ? polynomial(kLinear<T>[k], t, o) * slope
                                : polynomial(kCubic<T>[k], t, o) * slope;
      }
    }
    T* out = weights + batch * c.taps * c.points + point;
    for (int z = 0; z < (c.dims == 3 ? n : 1); ++z) {
      for (int y = 0; y < n; ++y) {
        for (int x = 0; x < n; ++x, out += c.points)
          *out = weight[0][x] * weight[1][y] * (c.dims == 3 ? weight[2][z] : T(1));
      }
    }
  });
}

// The grid in the type that places are computed in.
Tensor computed(const Tensor& grid) {
  return as_contiguous(
      cast_to(grid, grid.dtype() == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32));
}

void check_floating(const char* name, const Tensor& t) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, t.is_floating(), "\"", name, "\" not implemented for '",
                scalar_type_name(t.dtype()), "'");
}

// Checks [N, C, .] and [N, K, P] and runs a kernel; the tensor that is null is made by it.
SampleArgs sample_args(const char* name, const Tensor& planes, const Tensor& weights,
                       const Tensor& places) {
  PT_CHECK(planes.dim() == 3 && weights.dim() == 3 && places.dim() == 3 &&
               places.dtype() == DType::kInt64 && planes.dtype() == weights.dtype() &&
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
  const int64_t* p = places.data<int64_t>();
  for (int64_t i = 0; i < places.numel(); ++i)
    PT_CHECK_INDEX(p[i] < a.in_size, kernel.name, "(): a place is out of range: ", p[i]);
  a.places = p;
  kernel.get(t)(a);
}

}  // namespace

PT_OP(grid_places)
    .impl([](const Tensor& given, IntList sizes, int64_t mode, int64_t padding,
             bool align_corners) {
      check_floating("grid_sampler", given);
      const GridCall c = checked_call(given, sizes, mode, padding, align_corners);
      const Tensor grid = computed(given);
      const Tensor out = empty_tensor(Dims{c.batch, c.taps, c.points}, DType::kInt64);
      if (grid.dtype() == DType::kFloat64) {
        fill_places(c, grid.data<double>(), out.data<int64_t>());
      } else {
        fill_places(c, grid.data<float>(), out.data<int64_t>());
      }
      return out;
    })
    .nondifferentiable()
    .internal()
    .doc("The elements that each point of a grid reads; -1 for those outside.")
    .sample("U(2, 3, 4, 2), (5, 6), 0, 0, False");

PT_OP(grid_weights)
    .impl([](const Tensor& given, IntList sizes, int64_t mode, int64_t padding, bool align_corners,
             IntList order) {
      check_floating("grid_sampler", given);
      const GridCall c = checked_call(given, sizes, mode, padding, align_corners);
      PT_CHECK(order.size() == sizes.size(), "_grid_weights(): expected an order for each of ",
               c.dims, " dimensions, but got ", to_text(order));
      for (const int64_t o : order)
        PT_CHECK(o >= 0 && o < 64, "_grid_weights(): order is out of range: ", o);
      const Tensor grid = computed(given);
      const Tensor out = empty_tensor(Dims{c.batch, c.taps, c.points}, grid.dtype());
      if (grid.dtype() == DType::kFloat64) {
        fill_weights(c, grid.data<double>(), order, out.data<double>());
      } else {
        fill_weights(c, grid.data<float>(), order, out.data<float>());
      }
      return cast_to(out, given.dtype());
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
    .impl([](const Tensor& self, const Tensor& weights, const Tensor& places) {
      SampleArgs a = sample_args("_sample", self, weights, places);
      a.in_size = self->sizes[2];
      const Tensor in = as_contiguous(self), w = as_contiguous(weights), p = as_contiguous(places);
      const Tensor out = empty_tensor(Dims{a.batch, a.channels, a.points}, self.dtype());
      check_floating("grid_sampler", self);
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
    .sample("R(2, 3, 8), R(2, 4, 5), J(8, 2, 4, 5)");

PT_OP(sample_add)
    .impl([](const Tensor& grad, const Tensor& weights, const Tensor& places, int64_t size) {
      SampleArgs a = sample_args("_sample_add", grad, weights, places);
      PT_CHECK(grad->sizes[2] == a.points && size >= 0,
               "_sample_add(): the shapes of its arguments do not go together");
      a.in_size = size;
      const Tensor in = as_contiguous(grad), w = as_contiguous(weights), p = as_contiguous(places);
      const Tensor out = empty_tensor(Dims{a.batch, a.channels, size}, grad.dtype());
      check_floating("grid_sampler", grad);
      a.out = in.raw();
      a.weights = w.raw();
      a.in = out.raw();
      if (out.numel() > 0) run(kSampleAdd, grad.dtype(), p, a);
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
    .sample("R(2, 3, 5), R(2, 4, 5), J(8, 2, 4, 5), 8");

PT_OP(sample_dot)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& places) {
      SampleArgs a = sample_args("_sample_dot", self, grad, places);
      PT_CHECK(grad->sizes[1] == a.channels,
               "_sample_dot(): the shapes of its arguments do not go together");
      a.in_size = self->sizes[2];
      const Tensor in = as_contiguous(self), g = as_contiguous(grad), p = as_contiguous(places);
      const Tensor out = empty_tensor(places.sizes(), self.dtype());
      check_floating("grid_sampler", self);
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
    .sample("R(2, 3, 5), R(2, 3, 8), J(8, 2, 4, 5)");

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
      const Dims& sizes = input.sizes();
      const IntList spatial(sizes.begin() + 2, static_cast<size_t>(input.dim() - 2));
      const Tensor places = grid_places(grid, spatial, mode, padding, align_corners);
      const Dims order(input.dim() - 2, 0);
      const Tensor weights =
          grid_weights(grid, spatial, mode, padding, align_corners, IntList(order));
      const Tensor planes =
          reshape(input, IntList(Dims{sizes[0], sizes[1], checked_numel(spatial)}));
      Dims out = grid.sizes();
      out.erase(out.size() - 1);
      out.insert(1, sizes[1]);
      return reshape(sample(planes, weights, places), IntList(out));
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
