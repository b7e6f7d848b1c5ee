// grid_sampler in one step, without tensors of weights and places, and its gradients. Theirs are
// made of the ops of grid.cpp, so that they can be differentiated any number of times.
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/image/grid.h"
#include "ops/image/grid_args.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<GridFn> kGridSample{"grid_sample"}, kBackward{"grid_sample_backward"};

using grid_detail::weight_dtype;

// What grid_sampler has checked: the internal ops can be called with anything.
void check_sampled(const char* name, const Tensor& input, const Tensor& grid) {
  const int dim = input.dim();
  PT_CHECK(input.is_floating() && input.dtype() == grid.dtype() && (dim == 4 || dim == 5) &&
               grid.dim() == dim && grid->sizes[0] == input->sizes[0] &&
               grid->sizes[dim - 1] == dim - 2,
           name, "(): expected an input [N, C, ...] and a grid [N, ..., 2 or 3] of one floating ",
           "dtype, but got sizes ", to_text(input.sizes()), " and ", to_text(grid.sizes()),
           ", dtypes ", dtype_name(input.dtype()), " and ", dtype_name(grid.dtype()));
}

IntList spatial_sizes(const Tensor& input) {
  return {input.sizes().begin() + 2, static_cast<size_t>(input.dim() - 2)};
}

Tensor exact(const Tensor& t) { return is_half(t.dtype()) ? to_copy(t, DType::kFloat32) : t; }

// Adds to a sum that has not begun where it is undefined.
void accumulate(Tensor& sum, const Tensor& term) { sum = sum.defined() ? add(sum, term) : term; }

// Gradients made of the ops of grid.cpp: the first one for devices, which have no kernel for it,
// and the second. What the backward step computes is linear in `grad` and `input`, and its
// dependence on the grid is in the weights.
struct Formulas {
  const Tensor &grad, &input, &grid;
  int64_t mode, padding;
  bool align_corners;
  IntList sizes = spatial_sizes(input);
  int dims = static_cast<int>(sizes.size());
  Tensor smooth = exact(grid);
  Tensor places = grid_places(grid, sizes, mode, padding, align_corners);

  Tensor flat(const Tensor& t) const {
    return reshape(t, IntList(Dims{t->sizes[0], t->sizes[1], -1}));
  }
  // Differentiated by the coordinates a and b, -1 for none.
  Tensor weights(int a, int b) const {
    Dims order(dims, 0);
    if (a >= 0) ++order[a];
    if (b >= 0) ++order[b];
    return grid_weights(smooth, sizes, mode, padding, align_corners, IntList(order));
  }
  // The weights, differentiated by b, as they change when the grid moves by `to`.
  Tensor moved_weights(const Tensor& to, int b) const {
    const Tensor points = reshape(exact(to), IntList(Dims{to->sizes[0], 1, -1, dims}));
    Tensor sum;
    for (int d = 0; d < dims; ++d)
      accumulate(sum, mul(select(points, int64_t{3}, int64_t{d}), weights(d, b)));
    return sum;
  }
  Tensor first_by_input() const {
    const Tensor sum = sample_add(flat(grad), weights(-1, -1), places, checked_numel(sizes));
    return reshape(sum, IntList(input.sizes()));
  }
  Tensor by_grad(const Tensor& to_input, const Tensor& to_grid) const {
    Tensor sum;
    if (to_input.defined()) accumulate(sum, sample(flat(to_input), weights(-1, -1), places));
    if (to_grid.defined()) accumulate(sum, sample(flat(input), moved_weights(to_grid, -1), places));
    return sum.defined() ? reshape(sum, IntList(grad.sizes())) : sum;
  }
  Tensor by_input(const Tensor& to_grid) const {
    if (!to_grid.defined()) return {};
    const Tensor sum =
        sample_add(flat(grad), moved_weights(to_grid, -1), places, checked_numel(sizes));
    return reshape(sum, IntList(input.sizes()));
  }
  // With the input itself for `to_input` it is the first gradient.
  Tensor by_grid(const Tensor& to_input, const Tensor& to_grid) const {
    if (!to_input.defined() && !to_grid.defined()) return {};
    const int64_t taps[] = {1};
    Tensor input_dot, grid_dot;
    if (to_input.defined()) input_dot = sample_dot(flat(grad), flat(to_input), places);
    if (to_grid.defined()) grid_dot = sample_dot(flat(grad), flat(input), places);
    std::vector<Tensor> coordinates;
    for (int d = 0; d < dims; ++d) {
      Tensor sum;
      if (input_dot.defined()) accumulate(sum, mul(input_dot, weights(d, -1)));
      if (grid_dot.defined()) accumulate(sum, mul(grid_dot, moved_weights(to_grid, d)));
      coordinates.push_back(sum_dim(sum, IntList(taps), false));
    }
    const Tensor all = reshape(stack(coordinates, int64_t{-1}), IntList(grid.sizes()));
    return is_half(grid.dtype()) ? to_copy(all, grid.dtype()) : all;
  }
};

}  // namespace

Dims grid_sample_sizes(const Tensor& input, const Tensor& grid) {
  Dims out = grid.sizes();
  out.erase(out.size() - 1);
  out.insert(1, input->sizes[1]);
  return out;
}

PT_OP(grid_sample)
    .on_device()
    .impl([](const Tensor& input, const Tensor& given, int64_t mode, int64_t padding,
             bool align_corners) {
      check_sampled("_grid_sample", input, given);
      GridArgs a = grid_args(given, spatial_sizes(input), mode, padding, align_corners);
      const Tensor in = as_contiguous(input);
      const Tensor grid = as_contiguous(cast_to(given, weight_dtype(given.dtype())));
      const Tensor out = empty_tensor(IntList(grid_sample_sizes(input, given)), input.dtype());
      a.grid = grid.raw();
      a.in = in.raw();
      a.out = out.raw();
      a.channels = input->sizes[1];
      if (out.numel() > 0) kGridSample.get(input.dtype())(a);
      return out;
    })
    .saves("input, grid")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& grid, int64_t mode,
                 int64_t padding, bool align_corners) {
      if (!input.device().is_cpu()) {
        const Formulas s{g.grad(), input, grid, mode, padding, align_corners};
        if (g.needs(0)) g[0] = s.first_by_input();
        if (g.needs(1)) g[1] = s.by_grid(input, Tensor());
        return;
      }
      const auto [to_input, to_grid] = grid_sample_backward(g.grad(), input, grid, mode, padding,
                                                            align_corners, g.needs(0), g.needs(1));
      if (g.needs(0)) g[0] = to_input;
      if (g.needs(1)) g[1] = to_grid;
    })
    .internal()
    .doc("grid_sampler of arguments that it has checked.")
    .sample("R(2, 3, 4, 5), U(2, 3, 4, 2), 0, 0, False")
    .sample("R(1, 2, 4, 5), R(1, 3, 2, 2), 2, 1, True")
    .sample("R(1, 2, 3, 4, 5), R(1, 2, 2, 2, 3), 0, 2, False");

PT_OP(grid_sample_backward)
    .impl([](const Tensor& grad, const Tensor& input, const Tensor& given, int64_t mode,
             int64_t padding, bool align_corners, bool needs_input, bool needs_grid) {
      check_sampled("_grid_sample_backward", input, given);
      GridArgs a = grid_args(given, spatial_sizes(input), mode, padding, align_corners);
      const Dims expected = grid_sample_sizes(input, given);
      PT_CHECK(same(expected, grad.sizes()),
               "_grid_sample_backward(): expected a gradient of shape ", to_text(expected),
               ", but got ", to_text(grad.sizes()));
      const Tensor in = as_contiguous(input);
      const Tensor grid = as_contiguous(cast_to(given, weight_dtype(given.dtype())));
      const Tensor g = as_contiguous(cast_to(grad, input.dtype()));
      Tensor to_input, to_grid;
      a.grid = grid.raw();
      a.in = in.raw();
      a.grad = g.raw();
      a.channels = input->sizes[1];
      if (needs_input) {
        to_input = empty_tensor(input.sizes(), input.dtype());
        a.grad_in = to_input.raw();
      }
      if (needs_grid) {
        to_grid = empty_tensor(grid.sizes(), grid.dtype());
        a.grad_grid = to_grid.raw();
      }
      kBackward.get(input.dtype())(a);
      return std::tuple(to_input, needs_grid ? cast_to(to_grid, given.dtype()) : to_grid);
    })
    .saves("grad, input, grid")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, const Tensor& grid,
                 int64_t mode, int64_t padding, bool align_corners, bool, bool) {
      const Formulas s{grad, input, grid, mode, padding, align_corners};
      if (g.needs(0)) g[0] = s.by_grad(g.grad(0), g.grad(1));
      if (g.needs(1)) g[1] = s.by_input(g.grad(1));
      if (g.needs(2)) g[2] = s.by_grid(g.grad(0), g.grad(1));
    })
    .internal()
    .doc("The gradients of _grid_sample.")
    .sample("R(2, 3, 3, 4), R(2, 3, 4, 5), U(2, 3, 4, 2), 0, 0, False, True, True")
    .sample("R(1, 2, 3, 2), R(1, 2, 4, 5), R(1, 3, 2, 2), 2, 2, True, True, True");

}  // namespace pt
