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
#include "ops/functors/rows_exp.h"
    {"pow",
     {nullptr, nullptr, nullptr, nullptr, PT_FN(&pow_kernel<int32_t>), PT_FN(&pow_kernel<int64_t>),
      nullptr, nullptr, PT_FN(&pow_kernel<float>), PT_FN(&pow_kernel<double>)}},
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
