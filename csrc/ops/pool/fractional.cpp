// fractional_max_pool: windows of one size whose starts are drawn for each plane (Graham,
// "Fractional max-pooling", 2014).
#include "op/call_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/pool/plane.h"
#include "ops/pool/pool.h"

namespace pt {

namespace {

// Starts of `out` windows: steps of about (in - kernel) / (out - 1), shifted by a number in [0, 1).
// Computed in T, the dtype of the call, because rounding decides where windows start.
template <class T>
void fill_starts(T sample, int64_t in, int64_t out, int64_t kernel, int64_t* starts) {
  if (out > 1) {
    const T step = static_cast<T>(in - kernel) / static_cast<T>(out - 1);
    for (int64_t i = 0; i < out - 1; ++i)
      starts[i] = static_cast<int64_t>((static_cast<T>(i) + sample) * step) -
                  static_cast<int64_t>(sample * step);
  }
  if (out > 0) starts[out - 1] = in - kernel;
}

struct Windows {
  std::vector<int64_t> starts[3], counts[3];
};

}  // namespace

PT_OP(fractional_max_pool)
    .on_device()
    .impl([](const Tensor& self, IntList kernel, IntList output_size, const Tensor& samples) {
      const int spatial = static_cast<int>(output_size.size());
      PT_CHECK(spatial == 2 || spatial == 3,
               "_fractional_max_pool(): output_size must have 2 or 3 entries, but got ",
               to_text(output_size));
      const char* name = spatial == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d";
      PT_CHECK(kernel.size() == output_size.size(), name,
               "(): kernel_size must either be a single "
               "int or a tuple of ",
               spatial, " ints, but got ", to_text(kernel));
      check_pool_input(name, spatial, self.sizes());
      if (!self.is_floating()) raise_not_implemented(name, self.dtype());
      PoolPlan plan(name, spatial, self.sizes(), output_size);
      PoolArgs& a = plan.args;
      a.regular = false;
      a.own_starts = true;
      PT_CHECK(samples.dim() == 3 && samples->sizes[2] == spatial &&
                   samples->sizes[0] * samples->sizes[1] == a.planes,
               name, "(): Expect _random_samples to have a number for each of ", a.planes,
               " planes and ", spatial, " dimensions, but got ", to_text(samples.sizes()));
      const Tensor drawn = as_contiguous(copy_to(samples, DType::kFloat64, Device()));
      Windows w;
      CallTables tables;
      for (int i = 0; i < spatial; ++i) {
        const int d = 3 - spatial + i;
        const int64_t in = a.in_size[d], out = a.out_size[d], k = kernel[static_cast<size_t>(i)];
        PT_CHECK(k > 0 && out > 0 && out + k - 1 <= in, name, "(): pool size ", to_text(kernel),
                 " too large relative to input size ", to_text(self.sizes()),
                 " for an output size of ", to_text(output_size));
      }
      for (int d = 0; d < 3; ++d) {
        const int64_t in = a.in_size[d], out = a.out_size[d];
        const int i = d - (3 - spatial);
        const int64_t k = i < 0 ? 1 : kernel[static_cast<size_t>(i)];
        // The samples of two dimensions come as (width, height), those of three from the depth on.
        const int at = spatial == 2 ? 1 - i : i;
        w.counts[d].assign(static_cast<size_t>(out), k);
        w.starts[d].assign(static_cast<size_t>(checked_numel(Dims{a.planes, out})), 0);
        for (int64_t p = 0; i >= 0 && p < a.planes; ++p) {
          const double u = drawn.data<double>()[p * spatial + at];
          PT_CHECK(u >= 0 && u <= 1, name, "(): the random samples must be within [0, 1], but got ",
                   u);
          int64_t* starts = w.starts[d].data() + p * out;
          if (self.dtype() == DType::kFloat64) {
            fill_starts(u, in, out, k, starts);
          } else {
            fill_starts(static_cast<float>(u), in, out, k, starts);
          }
          for (int64_t j = 0; j < out; ++j) starts[j] = std::min(starts[j], in - k);
        }
        a.start[d] = tables.of(w.starts[d]);
        a.count[d] = w.counts[d].data();
        a.kernel[d] = k;
      }
      return run_max(name, plan, self, true);
    })
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, IntList, IntList output_size, const Tensor&) {
      max_backward(g, self, static_cast<int>(output_size.size()));
    })
    .nondifferentiable_output(1)
    .internal()
    .doc("Maxima of windows whose starts are drawn for each plane, and their places.")
    .sample("R(2, 3, 8, 9), (2, 3), (3, 4), torch.full((2, 3, 2), 0.4)")
    .sample("R(2, 5, 6, 7), (2, 2, 2), (2, 3, 4), torch.full((1, 2, 3), 0.7)");

}  // namespace pt
