// Pointwise kernels: arithmetic, rounding, minimum and maximum, as in cpu/pointwise_arithmetic.cpp.
#include "cuda/pointwise/loops.h"
#include "ops/functors/arithmetic.h"

namespace pt::device {
namespace {

// Two outputs: the mantissa, and the exponent as int32.
template <class T>
__global__ void __launch_bounds__(kThreads) frexp_kernel(StridedCall<3> c) {
  const uint32_t step = gridDim.x * blockDim.x;
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < c.n; i += step) {
    int64_t offsets[3];
    offsets_of(c, i, offsets);
    const T v = load_operand<T>(c.operands[2], offsets[2]);
    int e = 0;
    T mantissa;
    if constexpr (kIsDouble<T>) {
      mantissa = ::frexp(v, &e);
    } else {
      mantissa = ::frexpf(v, &e);
    }
    store_as<T>(c.operands[0].data + offsets[0], c.operands[0].dtype, mantissa);
    store_as<int32_t>(c.operands[1].data + offsets[1], c.operands[1].dtype,
                      math::abs(v) < math::kInf<T> ? e : 0);
  }
}
template <class T>
void frexp_call(const DevicePointwise& p) {
  PT_LAUNCH((frexp_kernel<T>), cuda::blocks_for(p.n, kThreads), kThreads, 0, strided_call<3>(p));
}

// The next number of a half type, as a float.
template <class Half>
struct NextHalf {
  PT_INLINE float operator()(float a, float b) const {
    if (math::is_nan(a) || math::is_nan(b)) return a + b;
    if (a == b) return b;
    Half next = Half(a);
    if (a == 0.0f) {
      next.bits = static_cast<uint16_t>(math::sign_bit(b) ? 0x8001u : 0x0001u);
    } else {
      next.bits = static_cast<uint16_t>(next.bits + ((a < b) == (a > 0.0f) ? 1 : -1));
    }
    return static_cast<float>(next);
  }
};
#define PT_NEXT_HALF(name, T)                                                             \
  PT_KERNEL_ROW(name, 2, NextHalf<T>, float, nullptr, nullptr, nullptr, nullptr, nullptr, \
                PT_POINTWISE(2, NextHalf<T>, float), nullptr)

const KernelEntry kernels[] = {
#include "ops/functors/rows_arithmetic.h"
    PT_FLOAT_KERNEL("sqrt", 1, Sqrt),
    PT_NEXT_HALF("nextafter_float16", Half),
    PT_NEXT_HALF("nextafter_bfloat16", BFloat16),
    {"frexp",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&frexp_call<float>), PT_FN(&frexp_call<double>)}},
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
