// adaptive_avg_pool and adaptive_max_pool: as many windows as asked for, which cover the input.
#include "op/copy.h"
#include "op/define.h"
#include "ops/pool/plane.h"
#include "ops/pool/pool.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

const Kernel<PoolFn> kAvgPool{"avg_pool"}, kAvgPoolBackward{"avg_pool_backward"};

// One window for everything is the mean, which is faster.
Tensor adaptive_average(const char* name, int spatial, const Tensor& self, IntList output_size) {
  bool single = self.dim() == spatial + 1 || self.dim() == spatial + 2;
  for (const int64_t n : output_size) single = single && n == 1;
  for (const int64_t n : output_size)
    PT_CHECK(n >= 0, name,
             "(): elements of output_size must be greater than or equal to 0 but "
             "received ",
             to_text(output_size));
  if (!self.is_floating()) raise_not_implemented(name, self.dtype());
  Dims size = output_size.size() == 1 ? Dims(spatial, output_size[0]) : Dims(output_size);
  PT_CHECK(size.size() == spatial, name, "(): output_size must be ", spatial, " ints, but got ",
           to_text(output_size));
  if (!single) return adaptive_avg_pool(self, size);
  Dims dims(spatial);
  for (int i = 0; i < spatial; ++i) dims[i] = i - spatial;
  return mean_dim(self, IntList(dims), true);
}

int spatial_of(const char* name, IntList output_size) {
  const auto n = static_cast<int>(output_size.size());
  PT_CHECK(n >= 1 && n <= 3, name, "(): output_size must have 1 to 3 entries, but got ",
           to_text(output_size));
  return n;
}

const char* adaptive_name(int spatial) {
  const char* const names[] = {"adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"};
  return names[spatial - 1];
}

}  // namespace

PT_OP(adaptive_avg_pool1d)
    .composite([](const Tensor& self, IntList output_size) {
      return adaptive_average("adaptive_avg_pool2d", 1, self, output_size);
    })
    .function_only()
    .doc(
        "Averages of output_size windows that cover the last dimension evenly.\n\n"
        "Args:\n    output_size (int): number of windows\n\n"
        "Example:\n    >>> torch.adaptive_avg_pool1d(torch.tensor([[1., 5., 2., 4.]]), 2)\n"
        "    tensor([[3., 3.]])")
    .sample("R(2, 3, 8), 4")
    .sample("R(3, 7), 3")
    .sample("R(2, 3, 5), 1");
PT_OP(adaptive_avg_pool2d)
    .composite([](const Tensor& self, IntList output_size) {
      return adaptive_average("adaptive_avg_pool2d", 2, self, output_size);
    })
    .internal()
    .doc("Averages of windows that cover the last two dimensions evenly.")
    .sample("R(2, 3, 6, 8), (3, 2)")
    .sample("R(2, 7, 9), (3, 4)")
    .sample("R(2, 3, 3, 4), (7, 7)")
    .sample("R(2, 3, 5, 7), (1, 1)");
PT_OP(adaptive_avg_pool3d)
    .composite([](const Tensor& self, IntList output_size) {
      return adaptive_average("adaptive_avg_pool3d", 3, self, output_size);
    })
    .internal()
    .doc("Averages of windows that cover the last three dimensions evenly.")
    .sample("R(2, 3, 5, 4, 6), (3, 2, 4)")
    .sample("R(2, 3, 3, 4), (1, 1, 1)");

PT_OP(adaptive_avg_pool)
    .on_device()
    .impl([](const Tensor& self, IntList output_size) {
      const int spatial = spatial_of("_adaptive_avg_pool", output_size);
      const char* name = adaptive_name(spatial);
      PoolPlan plan(name, spatial, self.sizes(), output_size);
      const auto fn = kernel_for(kAvgPool, self.dtype(), name);
      const Tensor in = as_contiguous(self);
      const Tensor out = empty_tensor(plan.out_sizes, self.dtype());
      if (out.numel() > 0) {
        plan.args.in = in.raw();
        plan.args.out = out.raw();
        fn(plan.args);
      }
      return out;
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList output_size) {
      g[0] = adaptive_avg_pool_backward(g.grad(), self.sizes(),
                                        static_cast<int64_t>(output_size.size()));
    })
    .node_name("AdaptiveAvgPoolBackward0")
    .internal()
    .doc("adaptive_avg_pool1d to 3d for output sizes other than one.")
    .sample("R(2, 3, 6, 8), (3, 2)");

PT_OP(adaptive_avg_pool_backward)
    .on_device()
    .impl([](const Tensor& grad, IntList input_size, int64_t spatial) {
      PT_CHECK(spatial >= 1 && spatial <= 3 && grad.dim() > spatial,
               "_adaptive_avg_pool_backward(): spatial must be 1 to 3 and less than the number of "
               "dimensions, but got ",
               spatial);
      const Dims& sizes = grad.sizes();
      const IntList output_size(sizes.end() - spatial, static_cast<size_t>(spatial));
      PoolPlan plan("_adaptive_avg_pool_backward", static_cast<int>(spatial), input_size,
                    output_size);
      PT_CHECK(same(plan.out_sizes, sizes),
               "_adaptive_avg_pool_backward(): expected a gradient "
               "of shape ",
               to_text(plan.out_sizes), ", but got ", to_text(sizes));
      const auto fn = kernel_for(kAvgPoolBackward, grad.dtype(), "adaptive_avg_pool_backward");
      const Tensor in = as_contiguous(grad);
      if (in.numel() == 0) return zeros_tensor(input_size, grad.dtype());
      const Tensor out = empty_tensor(input_size, grad.dtype());
      plan.args.in = in.raw();
      plan.args.out = out.raw();
      fn(plan.args);
      return out;
    })
    .saves("shape:grad")
    .backward([](BackwardCall& g, const Tensor& grad, IntList, int64_t spatial) {
      const Dims& sizes = grad.sizes();
      g[0] =
          adaptive_avg_pool(g.grad(), IntList(sizes.end() - spatial, static_cast<size_t>(spatial)));
    })
    .internal()
    .doc("The gradient of _adaptive_avg_pool: each window's, shared among its elements.")
    .sample("R(2, 3, 3, 2), (2, 3, 7, 9), 2");

PT_OP(adaptive_max_pool)
    .on_device()
    .impl([](const Tensor& self, IntList output_size) {
      const int spatial = spatial_of("_adaptive_max_pool", output_size);
      const char* name = spatial == 3 ? "adaptive_max_pool3d" : "adaptive_max_pool2d";
      if (!self.is_floating()) raise_not_implemented(name, self.dtype());
      PT_CHECK(self.dim() != spatial + 2 || self->sizes[1] > 0, name,
               "(): Expected input to have non-zero size for non-batch dimensions, but input has "
               "sizes ",
               to_text(self.sizes()), " with dimension 1 being empty");
      const PoolPlan plan(name, spatial, self.sizes(), output_size);
      return run_max(name, plan, self, true);
    })
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, IntList output_size) {
      max_backward(g, self, static_cast<int>(output_size.size()));
    })
    .nondifferentiable_output(1)
    .internal()
    .doc("Maxima of windows that cover the last dimensions evenly, and their places.")
    .sample("R(2, 3, 6, 8), (3, 2)")
    .sample("R(2, 7, 9), (3, 4)")
    .sample("R(2, 3, 5, 4, 6), (3, 2, 4)");

PT_OP(adaptive_max_pool1d)
    .composite([](const Tensor& self, IntList output_size) {
      PT_CHECK(output_size.size() == 1,
               "adaptive_max_pool1d(): output_size must be one int, but got ",
               to_text(output_size));
      return adaptive_max_pool(self, output_size);
    })
    .nondifferentiable_output(1)
    .function_only()
    .doc(
        "Maxima of output_size windows that cover the last dimension evenly, and their places.\n\n"
        "Args:\n    output_size (int): number of windows\n\n"
        "Example:\n    >>> torch.adaptive_max_pool1d(torch.tensor([[1., 5., 2., 4.]]), 2)\n"
        "    (tensor([[5., 4.]]), tensor([[1, 3]]))")
    .sample("R(2, 3, 8), 4")
    .sample("R(3, 7), 3");

}  // namespace pt
