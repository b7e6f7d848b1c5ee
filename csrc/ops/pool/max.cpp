// max_pool1d to 3d. Places are only found when they are asked for or a gradient is.
#include "op/copy.h"
#include "op/define.h"
#include "ops/pool/plane.h"
#include "ops/pool/pool.h"

namespace pt {

namespace {

const Kernel<PoolFn> kMaxPool{"max_pool"};

PoolOptions options(const char* name, int spatial, IntList kernel, IntList stride, IntList padding,
                    IntList dilation, bool ceil_mode) {
  return {name, spatial, kernel, stride, padding, dilation, ceil_mode};
}

bool tracked(const Tensor& self) { return grad_enabled() && self.requires_grad(); }

Tensor values(const char* name, int spatial, const Tensor& self, IntList kernel, IntList stride,
              IntList padding, IntList dilation, bool ceil_mode) {
  const PoolPlan plan(options(name, spatial, kernel, stride, padding, dilation, ceil_mode),
                      self.sizes());
  return std::get<0>(run_max(name, plan, self, false));
}

}  // namespace

std::tuple<Tensor, Tensor> run_max(const char* name, const PoolPlan& plan, const Tensor& self,
                                   bool with_indices) {
  const auto fn = kernel_for(kMaxPool, self.dtype(), name);
  const Tensor in = as_contiguous(self);
  const Tensor out = empty_tensor(plan.out_sizes, self.dtype());
  Tensor indices;
  if (with_indices) indices = empty_tensor(plan.out_sizes, DType::kInt64);
  if (out.numel() > 0) {
    PoolArgs a = plan.args;
    a.in = in.raw();
    a.out = out.raw();
    a.indices = with_indices ? indices.data<int64_t>() : nullptr;
    fn(a);
  }
  return {out, indices};
}

void max_backward(BackwardCall& g, const Tensor& self, int spatial) {
  g[0] = plane_add(g.grad(), g.result(1), self.sizes(), int64_t{spatial});
}

#define PT_DEFINE_MAX_POOL(n)                                                               \
  PT_OP(max_pool##n##d_with_indices)                                                        \
      .on_device()                                                                          \
      .impl([](const Tensor& self, IntList kernel, IntList stride, IntList padding,         \
               IntList dilation, bool ceil_mode) {                                          \
        const char* name = n == 3 ? "max_pool3d" : "max_pool2d";                            \
        const PoolPlan plan(options(name, n, kernel, stride, padding, dilation, ceil_mode), \
                            self.sizes());                                                  \
        return run_max(name, plan, self, true);                                             \
      })                                                                                    \
      .saves("shape:self, result1")                                                         \
      .backward([](BackwardCall& g, const Tensor& self, IntList, IntList, IntList, IntList, \
                   bool) { max_backward(g, self, n); })                                     \
      .nondifferentiable_output(1)

PT_DEFINE_MAX_POOL(1)
    .function_only()
    .doc("max_pool1d and the places of the maxima in their rows.")
    .sample("R(2, 3, 9), 2")
    .sample("R(3, 20), 3, 2, 1, 2, True");
PT_DEFINE_MAX_POOL(2)
    .node_name("MaxPool2DWithIndicesBackward0")
    .internal()
    .doc("max_pool2d and the places of the maxima in their planes.")
    .sample("R(2, 3, 6, 8), 2")
    .sample("R(2, 9, 37), 3, 2, 1")
    .sample("R(1, 2, 8, 40), (3, 2), (1, 3), (1, 0), (2, 1), True");
PT_DEFINE_MAX_POOL(3)
    .node_name("MaxPool3DWithIndicesBackward0")
    .internal()
    .doc("max_pool3d and the places of the maxima in their volumes.")
    .sample("R(2, 2, 4, 4, 6), 2")
    .sample("R(2, 5, 6, 7), 3, 2, 1, 1, True");

PT_OP(max_pool1d)
    .composite([](const Tensor& self, IntList kernel, IntList stride, IntList padding,
                  IntList dilation, bool ceil_mode) {
      if (tracked(self))
        return std::get<0>(
            max_pool1d_with_indices(self, kernel, stride, padding, dilation, ceil_mode));
      if (!self.is_floating()) raise_not_implemented("max_pool1d_impl", self.dtype());
      return values("max_pool1d", 1, self, kernel, stride, padding, dilation, ceil_mode);
    })
    .function_only()
    .doc(
        "The largest element of each window along the last dimension.\n\n"
        "Args:\n    kernel_size (int): elements of a window\n"
        "    stride (int): distance of windows; kernel_size by default\n"
        "    padding (int): places added at both ends, smaller than any number\n"
        "    dilation (int): distance of a window's elements\n"
        "    ceil_mode (bool): windows may begin that do not end within the input\n\n"
        "Example:\n    >>> torch.max_pool1d(torch.tensor([[1., 5., 2., 4.]]), 2)\n"
        "    tensor([[5., 4.]])")
    .sample("R(2, 3, 9), 2")
    .sample("R(3, 40), 3, 2, 1, 2, True");
PT_OP(max_pool2d)
    .composite([](const Tensor& self, IntList kernel, IntList stride, IntList padding,
                  IntList dilation, bool ceil_mode) {
      if (tracked(self))
        return std::get<0>(
            max_pool2d_with_indices(self, kernel, stride, padding, dilation, ceil_mode));
      return values("max_pool2d", 2, self, kernel, stride, padding, dilation, ceil_mode);
    })
    .function_only()
    .doc(
        "The largest element of each window of the last two dimensions.\n\n"
        "Args:\n    kernel_size (int or two ints): size of a window\n"
        "    stride (int or two ints): distance of windows; kernel_size by default\n"
        "    padding (int or two ints): places added on all sides, smaller than any number\n"
        "    dilation (int or two ints): distance of a window's elements\n"
        "    ceil_mode (bool): windows may begin that do not end within the input\n\n"
        "Example:\n    >>> torch.max_pool2d(torch.tensor([[[1., 5.], [2., 4.]]]), 2)\n"
        "    tensor([[[5.]]])")
    .sample("R(2, 3, 6, 8), 2")
    .sample("R(2, 9, 37), 3, 2, 1")
    .sample("R(1, 2, 8, 40), (3, 2), (1, 3), (1, 0), (2, 1), True");
PT_OP(max_pool3d)
    .composite([](const Tensor& self, IntList kernel, IntList stride, IntList padding,
                  IntList dilation, bool ceil_mode) {
      if (tracked(self))
        return std::get<0>(
            max_pool3d_with_indices(self, kernel, stride, padding, dilation, ceil_mode));
      return values("max_pool3d", 3, self, kernel, stride, padding, dilation, ceil_mode);
    })
    .function_only()
    .doc(
        "The largest element of each window of the last three dimensions.\n\n"
        "Args:\n    kernel_size (int or three ints): size of a window\n"
        "    stride (int or three ints): distance of windows; kernel_size by default\n"
        "    padding (int or three ints): places added on all sides, smaller than any number\n"
        "    dilation (int or three ints): distance of a window's elements\n"
        "    ceil_mode (bool): windows may begin that do not end within the input\n\n"
        "Example:\n    >>> torch.max_pool3d(torch.ones(1, 4, 4, 4), 2).shape\n"
        "    torch.Size([1, 2, 2, 2])")
    .sample("R(2, 2, 4, 4, 6), 2")
    .sample("R(2, 5, 6, 7), 3, 2, 1, 1, True");

}  // namespace pt
