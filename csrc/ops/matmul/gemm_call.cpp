// The GEMM kernel called on tensors.
#include "ops/matmul/gemm_call.h"

#include "core/precision.h"
#include "cpu/gemm_args.h"
#include "cpu/kernel_table.h"

namespace pt {

void gemm(const Tensor& out, const Tensor& a, const Tensor& b, const char* op, GemmScale scale,
          const Tensor& bias) {
  static const Kernel<GemmFn> kernel{"gemm"};
  auto* fn = kernel.get(out.dtype());
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", op, "\" not implemented for '",
                dtype_name(out.dtype()), "'");
  if (out.numel() == 0) return;
  const int d = out.dim() - 2;  // 1 with a batch dimension
  GemmArgs g;
  g.m = a->sizes[d];
  g.k = a->sizes[d + 1];
  g.n = b->sizes[d + 1];
  g.a = a.raw();
  g.a_row = a->strides[d];
  g.a_col = a->strides[d + 1];
  g.b = b.raw();
  g.b_row = b->strides[d];
  g.b_col = b->strides[d + 1];
  g.c = out.raw();
  g.c_row = out->strides[d];
  g.c_col = out->strides[d + 1];
  if (d == 1) {
    g.batch = out->sizes[0];
    g.a_batch = a->strides[0];
    g.b_batch = b->strides[0];
    g.c_batch = out->strides[0];
  }
  g.alpha = scale.alpha;
  g.beta = scale.beta;
  if (bias.defined()) {
    g.bias = bias.raw();
    g.bias_col = bias->strides[0];
  }
  // Devices round to tf32 in either case.
  const Float32Precision precision = float32_precision();
  g.rounding = precision == Float32Precision::kMedium ? Rounding::kBFloat16
               : precision == Float32Precision::kHigh ? Rounding::kTwoParts
                                                      : Rounding::kNone;
  fn(g);
}

}  // namespace pt
