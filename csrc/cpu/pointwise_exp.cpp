// Pointwise kernels: exponentials, logarithms, powers (float unless said). Name: inputs.
//   exp exp2 expm1 sinh cosh tanh sigmoid: x      log log2 log10 log1p asinh acosh atanh: x
//   pow: x, exponent (also integer)               ldexp ldexp_whole: x, exponent (x 2^exponent)
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

constinit const KernelEntry kernels[] = {
    PT_FLOAT_KERNEL("exp", 1, Exp),
    PT_FLOAT_KERNEL("exp2", 1, Exp2),
    PT_FLOAT_KERNEL("expm1", 1, Expm1),
    PT_FLOAT_KERNEL("sinh", 1, Sinh),
    PT_FLOAT_KERNEL("cosh", 1, Cosh),
    PT_FLOAT_KERNEL("tanh", 1, Tanh),
    PT_FLOAT_KERNEL("sigmoid", 1, Sigmoid),
    PT_FLOAT_KERNEL("log", 1, Log),
    PT_FLOAT_KERNEL("log2", 1, Log2),
    PT_FLOAT_KERNEL("log10", 1, Log10),
    PT_FLOAT_KERNEL("log1p", 1, Log1p),
    PT_FLOAT_KERNEL("asinh", 1, Asinh),
    PT_FLOAT_KERNEL("acosh", 1, Acosh),
    PT_FLOAT_KERNEL("atanh", 1, Atanh),
    {"pow",
     {nullptr, nullptr, nullptr, nullptr, PT_FN(&pow_kernel<int32_t>), PT_FN(&pow_kernel<int64_t>),
      nullptr, nullptr, PT_FN(&pow_kernel<float>), PT_FN(&pow_kernel<double>)}},
    PT_FLOAT_KERNEL("ldexp", 2, Ldexp),
    PT_FLOAT_KERNEL("ldexp_whole", 2, LdexpWhole),
    PT_FLOAT_KERNEL("logaddexp", 2, Logaddexp),
    PT_FLOAT_KERNEL("logaddexp2", 2, Logaddexp2),
    PT_FLOAT_KERNEL("xlogy", 2, Xlogy),
    PT_FLOAT_KERNEL("xlog1py", 2, Xlog1py),
    PT_FLOAT_KERNEL("entr", 1, Entr),
    PT_FLOAT_KERNEL("logit", 1, Logit),
    PT_FLOAT_KERNEL("logit_eps", 2, LogitEps),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
