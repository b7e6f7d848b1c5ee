// avg_pool1d to 3d and the gradient they share.
#include "op/copy.h"
#include "op/define.h"
#include "ops/pool/pool.h"
#include "ops/pool/window.h"

namespace pt {

namespace {

const Kernel<PoolFn> kAvgPool{"avg_pool"}, kAvgPoolBackward{"avg_pool_backward"};
const int64_t kOne[] = {1};

Tensor average(const char* name, int spatial, const Tensor& self, IntList kernel, IntList stride,
               IntList padding, bool ceil_mode, bool count_include_pad,
               std::optional<int64_t> divisor_override) {
  PoolPlan plan({name, spatial, kernel, stride, padding, kOne, ceil_mode}, self.sizes());
  plan.set_divisors(count_include_pad, divisor_override);
  const auto fn = kernel_for(kAvgPool, self.dtype(), name);
  const Tensor in = as_contiguous(self);
  const Tensor out = empty_tensor(plan.out_sizes, self.dtype());
  if (out.numel() > 0) {
    plan.args.in = in.raw();
    plan.args.out = out.raw();
    fn(plan.args);
  }
  return out;
}

// A list with one entry a dimension.
Dims full_list(IntList list, int spatial) {
  return list.size() == 1 ? Dims(spatial, list[0]) : Dims(list);
}

void average_backward(BackwardCall& g, int spatial, const Tensor& self, IntList kernel,
                      IntList stride, IntList padding, bool ceil_mode, bool count_include_pad,
                      std::optional<int64_t> divisor_override) {
  g[0] = avg_pool_backward(g.grad(), self.sizes(), full_list(kernel, spatial), stride, padding,
                           ceil_mode, count_include_pad, divisor_override);
}

}  // namespace

PT_OP(avg_pool1d)
    .on_device()
    .impl([](const Tensor& self, IntList kernel, IntList stride, IntList padding, bool ceil_mode,
             bool count_include_pad) {
      return average("avg_pool2d", 1, self, kernel, stride, padding, ceil_mode, count_include_pad,
                     std::nullopt);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList kernel, IntList stride,
                 IntList padding, bool ceil_mode, bool count_include_pad) {
      average_backward(g, 1, self, kernel, stride, padding, ceil_mode, count_include_pad,
                       std::nullopt);
    })
    .out()
    .function_only()
    .doc(
        "The average of each window along the last dimension.\n\n"
        "Args:\n    kernel_size (int): elements of a window\n"
        "    stride (int): distance of windows; kernel_size by default\n"
        "    padding (int): zeros added at both ends\n"
        "    ceil_mode (bool): windows may begin that do not end within the input\n"
        "    count_include_pad (bool): the zeros count as elements\n\n"
        "Example:\n    >>> torch.avg_pool1d(torch.tensor([[1., 5., 2., 4.]]), 2)\n"
        "    tensor([[3., 3.]])")
    .sample("R(2, 3, 9), 2")
    .sample("R(3, 40), 3, 2, 1, True, False");

PT_OP(avg_pool2d)
    .on_device()
    .impl([](const Tensor& self, IntList kernel, IntList stride, IntList padding, bool ceil_mode,
             bool count_include_pad, std::optional<int64_t> divisor_override) {
      return average("avg_pool2d", 2, self, kernel, stride, padding, ceil_mode, count_include_pad,
                     divisor_override);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList kernel, IntList stride,
                 IntList padding, bool ceil_mode, bool count_include_pad,
                 std::optional<int64_t> divisor_override) {
      average_backward(g, 2, self, kernel, stride, padding, ceil_mode, count_include_pad,
                       divisor_override);
    })
    .internal()
    .doc("The average of each window of the last two dimensions.")
    .sample("R(2, 3, 6, 8), 2")
    .sample("R(2, 9, 37), 3, 2, 1")
    .sample("R(2, 3, 7, 20), (3, 5), (2, 1), (1, 2), True, False")
    .sample("R(3, 8, 40), 3, 3, 1, True, True")
    .sample("R(1, 2, 5, 5), 3, 1, 0, False, True, 2");

PT_OP(avg_pool3d)
    .on_device()
    .impl([](const Tensor& self, IntList kernel, IntList stride, IntList padding, bool ceil_mode,
             bool count_include_pad, std::optional<int64_t> divisor_override) {
      return average("avg_pool3d", 3, self, kernel, stride, padding, ceil_mode, count_include_pad,
                     divisor_override);
    })
    .saves("shape:self")
    .backward([](BackwardCall& g, const Tensor& self, IntList kernel, IntList stride,
                 IntList padding, bool ceil_mode, bool count_include_pad,
                 std::optional<int64_t> divisor_override) {
      average_backward(g, 3, self, kernel, stride, padding, ceil_mode, count_include_pad,
                       divisor_override);
    })
    .internal()
    .doc("The average of each window of the last three dimensions.")
    .sample("R(2, 2, 4, 4, 6), 2")
    .sample("R(2, 5, 6, 7), 3, 2, 1, True, False");

PT_OP(avg_pool_backward)
    .on_device()
    .impl([](const Tensor& grad, IntList input_size, IntList kernel, IntList stride,
             IntList padding, bool ceil_mode, bool count_include_pad,
             std::optional<int64_t> divisor_override) {
      const int spatial = static_cast<int>(kernel.size());
      PT_CHECK(spatial >= 1 && spatial <= 3,
               "_avg_pool_backward(): kernel_size must have 1 to 3 "
               "entries, but got ",
               to_text(kernel));
      PoolPlan plan({"_avg_pool_backward", spatial, kernel, stride, padding, kOne, ceil_mode},
                    input_size);
      PT_CHECK(same(plan.out_sizes, grad.sizes()),
               "_avg_pool_backward(): expected a gradient of "
               "shape ",
               to_text(plan.out_sizes), ", but got ", to_text(grad.sizes()));
      plan.set_divisors(count_include_pad, divisor_override);
      const auto fn = kernel_for(kAvgPoolBackward, grad.dtype(), "avg_pool_backward");
      const Tensor in = as_contiguous(grad);
      const Tensor out = empty_tensor(input_size, grad.dtype());
      if (out.numel() > 0) {
        plan.args.in = in.raw();
        plan.args.out = out.raw();
        fn(plan.args);
      }
      return out;
    })
    .backward([](BackwardCall& g, const Tensor&, IntList, IntList kernel, IntList stride,
                 IntList padding, bool ceil_mode, bool count_include_pad,
                 std::optional<int64_t> divisor_override) {
      const Tensor& u = g.grad();
      const auto divisor = divisor_override;
      if (kernel.size() == 3) {
        g[0] = avg_pool3d(u, kernel, stride, padding, ceil_mode, count_include_pad, divisor);
      } else if (kernel.size() == 2) {
        g[0] = avg_pool2d(u, kernel, stride, padding, ceil_mode, count_include_pad, divisor);
      } else {
        g[0] = avg_pool1d(u, kernel, stride, padding, ceil_mode, count_include_pad);
      }
    })
    .internal()
    .doc("The gradient of avg_pool1d to avg_pool3d: each window's, shared among its elements.")
    .sample("R(2, 3, 3, 4), (2, 3, 6, 8), (2, 2), (), (0,), False, True, None")
    .sample("R(2, 5, 19), (2, 9, 37), (3, 3), (2, 2), (1, 1), False, False, None");

}  // namespace pt
