// softmax, log_softmax and logsumexp with their gradients, which are fused kernels of their own.
#include "ops/reduce/softmax.h"

#include "cpu/softmax_args.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/gradient.h"
#include "ops/reduce/lines.h"
#include "ops/reduce/sum.h"

namespace pt {

namespace {

const Kernel<SoftmaxFn> kSoftmax{"softmax"}, kLogSoftmax{"log_softmax"};
const Kernel<SoftmaxBackwardFn> kSoftmaxBackward{"softmax_backward"};
const Kernel<SoftmaxBackwardFn> kLogSoftmaxBackward{"log_softmax_backward"};
const ReduceKernel kLogsumexp{"logsumexp"};

template <class Fn>
Fn* function_of(const Kernel<Fn>& kernel, DType t, bool last_dim) {
  Fn* fn = kernel.get(t);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", kernel.name,
                last_dim ? "_lastdim_kernel_impl" : "_kernel_impl", "\" not implemented for '",
                scalar_type_name(t), "'");
  return fn;
}

Tensor run_softmax(const Kernel<SoftmaxFn>& kernel, const Tensor& self, int64_t dim,
                   std::optional<DType> dtype) {
  const DType t = dtype.value_or(self.dtype());
  const int d = wrap_dim(dim, self.dim());
  SoftmaxFn* fn = function_of(kernel, t, d >= self.dim() - 1);
  const LineShape shape = line_shape(self.sizes(), d);
  SoftmaxArgs a;
  a.outer = shape.outer;
  a.n = shape.n;
  a.inner = shape.inner;
  const Tensor source = as_lines(cast_to(self, t), d, a.in_stride);
  const Tensor out = empty_tensor(self.sizes(), t);
  a.in = source.raw();
  a.out = out.raw();
  a.out_stride = row_major(shape);
  if (out.numel() > 0) fn(a);
  return out;
}

Tensor run_softmax_backward(const Kernel<SoftmaxBackwardFn>& kernel, const Tensor& grad,
                            const Tensor& output, int64_t dim) {
  PT_CHECK(grad.dtype() == output.dtype() && same(grad.sizes(), output.sizes()), "_", kernel.name,
           "(): grad and output must have the same dtype and shape");
  const int d = wrap_dim(dim, output.dim());
  SoftmaxBackwardFn* fn = function_of(kernel, output.dtype(), d >= output.dim() - 1);
  const LineShape shape = line_shape(output.sizes(), d);
  SoftmaxBackwardArgs a;
  a.outer = shape.outer;
  a.n = shape.n;
  a.inner = shape.inner;
  const Tensor g = as_lines(grad, d, a.grad_stride);
  const Tensor y = as_lines(output, d, a.output_stride);
  const Tensor out = empty_tensor(output.sizes(), output.dtype());
  a.grad = g.raw();
  a.output = y.raw();
  a.grad_in = out.raw();
  a.grad_in_stride = row_major(shape);
  if (out.numel() > 0) fn(a);
  return out;
}

Tensor sum_along(const Tensor& t, int64_t dim) {
  const int64_t dims[] = {dim};
  return sum_dim(t, IntList(dims), true);
}

}  // namespace

PT_OP(softmax)
    .impl([](const Tensor& self, int64_t dim, std::optional<DType> dtype) {
      return run_softmax(kSoftmax, self, dim, dtype);
    })
    .on_device()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, std::optional<DType>) {
      g[0] = softmax_backward(g.grad(), g.result(), dim);
    })
    .out()
    .doc(
        "exp(self) / sum(exp(self)) along a dimension: positive numbers that add up to 1.\n\n"
        "Args:\n    dim (int): the dimension\n    dtype: dtype to convert self to first\n\n"
        "Example:\n    >>> torch.zeros(4).softmax(0)\n"
        "    tensor([0.2500, 0.2500, 0.2500, 0.2500])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("R(2, 39), 1")
    .sample("R(20, 13), 1")
    .sample("R(3, 4), 0, dtype=torch.float64")
    .sample("I(3, 4), 1, dtype=torch.float32");

PT_OP(log_softmax)
    .impl([](const Tensor& self, int64_t dim, std::optional<DType> dtype) {
      return run_softmax(kLogSoftmax, self, dim, dtype);
    })
    .on_device()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, std::optional<DType>) {
      g[0] = log_softmax_backward(g.grad(), g.result(), dim);
    })
    .out()
    .doc(
        "log(softmax(self)) along a dimension, without overflow.\n\n"
        "Args:\n    dim (int): the dimension\n    dtype: dtype to convert self to first\n\n"
        "Example:\n    >>> torch.zeros(2).log_softmax(0)\n    tensor([-0.6931, -0.6931])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("R(2, 39), 1")
    .sample("R(20, 13), 1")
    .sample("R(3, 4), 0, dtype=torch.float64")
    .sample("I(3, 4), 1, dtype=torch.float32");

PT_OP(softmax_backward)
    .impl([](const Tensor& grad, const Tensor& output, int64_t dim) {
      return run_softmax_backward(kSoftmaxBackward, grad, output, dim);
    })
    .on_device()
    .saves("grad@output, output")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& output, int64_t dim) {
      // Of y * (v - sum(v * y)) with v = grad, y = output.
      if (g.needs(0)) g[0] = softmax_backward(g.grad(), output, dim);
      if (g.needs(1)) {
        const Tensor centred = sub(grad, sum_along(mul(grad, output), dim));
        g[1] = sub(mul(g.grad(), centred), mul(grad, sum_along(mul(g.grad(), output), dim)));
      }
    })
    .internal()
    .doc("The gradient of softmax(): output * (grad - sum(grad * output)).")
    .sample("R(3, 4), P(3, 4), 1")
    .sample("R(2, 3, 4), P(2, 3, 4), -2");

PT_OP(log_softmax_backward)
    .impl([](const Tensor& grad, const Tensor& output, int64_t dim) {
      return run_softmax_backward(kLogSoftmaxBackward, grad, output, dim);
    })
    .on_device()
    .saves("grad@output, output")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& output, int64_t dim) {
      // Of v - exp(y) * sum(v) with v = grad, y = output.
      const Tensor weighted = mul(g.grad(), exp(output));
      if (g.needs(0)) g[0] = sub(g.grad(), sum_along(weighted, dim));
      if (g.needs(1)) g[1] = neg(mul(weighted, sum_along(grad, dim)));
    })
    .internal()
    .doc("The gradient of log_softmax(): grad - exp(output) * sum(grad).")
    .sample("R(3, 4), U(3, 4), 1")
    .sample("R(2, 3, 4), U(2, 3, 4), -2");

PT_OP(logsumexp)
    .impl([](const Tensor& self, IntList dim, bool keepdim) {
      const DType t = self.is_floating() ? self.dtype() : default_dtype();
      return run_reduction({.kernel = kLogsumexp, .compute = t, .result = t, .splits = !is_half(t)},
                           self, dim_set(dim, self.dim()), keepdim);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, IntList dim, bool keepdim) {
      const DimSet dims = dim_set(dim, self.dim());
      const Tensor result = restored(g.result(), self, dims, keepdim);
      g[0] = mul(restored(g.grad(), self, dims, keepdim), exp(sub(self, result)));
    })
    .out()
    .doc(
        "log(sum(exp(self))) over the given dimensions, without overflow.\n\n"
        "Args:\n    dim (int or tuple of ints): dimensions to reduce\n"
        "    keepdim (bool): keep them with size 1\n\n"
        "Example:\n    >>> torch.zeros(4).logsumexp(0)\n    tensor(1.3863)")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), (0, -1), keepdim=True")
    .sample("I(3, 4), 0");

}  // namespace pt
