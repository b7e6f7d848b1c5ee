// Pointwise kernels: exponentials, logarithms, powers (float unless said). Name: inputs.
//   exp exp2 expm1 sinh cosh tanh sigmoid: x      log log2 log10 log1p asinh acosh atanh: x
//   pow: x, exponent (also integer)               ldexp: x, exponent (x 2^exponent)
//   logaddexp logaddexp2: a, b                    xlogy xlog1py: x, y
//   entr: x                                       logit: x      logit_eps: x, eps
#include "cpu/pointwise.h"
#include "ops/functors/arithmetic.h"
#include "ops/functors/elementary.h"

namespace pt::PT_ISA {
namespace {

struct ReciprocalSquare {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return T(1) / (x * x);
  }
};

// A scalar exponent is most often one of a few that need no logarithm.
template <class T>
void pow_kernel(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  if ((mask & 2) != 0) {
    const T y = *static_cast<const T*>(in[1]);
    const uint32_t x_mask = mask & 1;
    if (y == T(2)) return pointwise_kernel<Square, T, T>(out, in, x_mask, n);
    if (y == T(3)) return pointwise_kernel<Cube, T, T>(out, in, x_mask, n);
    if constexpr (kIsFloat<T>) {
      if (y == T(0.5)) return pointwise_kernel<Sqrt, T, T>(out, in, x_mask, n);
      if (y == T(-0.5)) return pointwise_kernel<Rsqrt, T, T>(out, in, x_mask, n);
      if (y == T(-1)) return pointwise_kernel<Reciprocal, T, T>(out, in, x_mask, n);
      if (y == T(-2)) return pointwise_kernel<ReciprocalSquare, T, T>(out, in, x_mask, n);
    }
  }
  if constexpr (kIsFloat<T>) {
    pointwise_kernel<Pow, T, T, T>(out, in, mask, n);
  } else {
    pointwise_kernel<PowInteger, T, T, T>(out, in, mask, n);
  }
}

constexpr PointwiseEntry pow_entry() {
  return PointwiseEntry{}
      .set(DType::kFloat32, &pow_kernel<float>)
      .set(DType::kFloat64, &pow_kernel<double>)
      .set(DType::kInt32, &pow_kernel<int32_t>)
      .set(DType::kInt64, &pow_kernel<int64_t>);
}

const KernelEntry kernels[] = {
    PT_POINTWISE("exp", float_kernel<1, Exp>()),
    PT_POINTWISE("exp2", float_kernel<1, Exp2>()),
    PT_POINTWISE("expm1", float_kernel<1, Expm1>()),
    PT_POINTWISE("sinh", float_kernel<1, Sinh>()),
    PT_POINTWISE("cosh", float_kernel<1, Cosh>()),
    PT_POINTWISE("tanh", float_kernel<1, Tanh>()),
    PT_POINTWISE("sigmoid", float_kernel<1, Sigmoid>()),
    PT_POINTWISE("log", float_kernel<1, Log>()),
    PT_POINTWISE("log2", float_kernel<1, Log2>()),
    PT_POINTWISE("log10", float_kernel<1, Log10>()),
    PT_POINTWISE("log1p", float_kernel<1, Log1p>()),
    PT_POINTWISE("asinh", float_kernel<1, Asinh>()),
    PT_POINTWISE("acosh", float_kernel<1, Acosh>()),
    PT_POINTWISE("atanh", float_kernel<1, Atanh>()),
    PT_POINTWISE("pow", pow_entry()),
    PT_POINTWISE("ldexp", float_kernel<2, Ldexp>()),
    PT_POINTWISE("logaddexp", float_kernel<2, Logaddexp>()),
    PT_POINTWISE("logaddexp2", float_kernel<2, Logaddexp2>()),
    PT_POINTWISE("xlogy", float_kernel<2, Xlogy>()),
    PT_POINTWISE("xlog1py", float_kernel<2, Xlog1py>()),
    PT_POINTWISE("entr", float_kernel<1, Entr>()),
    PT_POINTWISE("logit", float_kernel<1, Logit>()),
    PT_POINTWISE("logit_eps", float_kernel<2, LogitEps>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
