// Pointwise kernels: arithmetic, rounding, minimum and maximum. Name: inputs.
//   add sub mul: a, b            add_alpha sub_alpha: a, b, alpha (a +- alpha b)
//   rsub_alpha: a, b, alpha (b - alpha a)
//   div: a, b (float)            div_floor div_trunc remainder fmod: a, b
//   neg abs sign sgn square: x   reciprocal sqrt rsqrt floor ceil trunc round frac: x (float)
//   round_decimals: x, 10^|decimals|, nonzero if decimals < 0
//   maximum minimum: a, b        fmax fmin: a, b (float)
//   clamp: x, min, max           clamp_min: x, min       clamp_max: x, max
//   lerp: start, end, weight     addcmul addcdiv: self, a, b, value
//   copysign: a, sign of b       heaviside: x, value at 0
//   nan_to_num: x, nan, posinf, neginf
//   deg2rad rad2deg: x           hypot nextafter: a, b   gcd lcm: a, b (integer)
//   frexp: x -> mantissa, int32 exponent (two outputs)
#include "cpu/pointwise.h"
#include "ops/functors/arithmetic.h"

namespace pt::PT_ISA {
namespace {

template <class T>
void frexp_kernel(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  const T* x = static_cast<const T*>(in[0]);
  T* mantissa = static_cast<T*>(out[0]);
  int32_t* exponent = static_cast<int32_t*>(out[1]);
  const int64_t step = (mask & 1) ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) {
    int e = 0;
    const T v = x[i * step];
    if constexpr (kIsDouble<T>) {
      mantissa[i] = __builtin_frexp(v, &e);
    } else {
      mantissa[i] = __builtin_frexpf(v, &e);
    }
    exponent[i] = math::abs(v) < math::kInf<T> ? e : 0;
  }
}

constexpr PointwiseEntry frexp_entry() {
  return PointwiseEntry{}
      .set(DType::kFloat32, &frexp_kernel<float>)
      .set(DType::kFloat64, &frexp_kernel<double>);
}

// bool orders like uint8.
template <class F>
constexpr PointwiseEntry order_kernel() {
  PointwiseEntry entry = kernel<2, F, float, double, int32_t, int64_t, uint8_t, int8_t>();
  return entry.set(DType::kBool, entry.slot(DType::kUInt8));
}

// Integers are their own rounding.
template <class F>
constexpr PointwiseEntry rounding() {
  return float_kernel<1, F>().or_else(integer_kernel<1, Identity>());
}

const KernelEntry kernels[] = {
    PT_POINTWISE("add", number_kernel<2, Add>()),
    PT_POINTWISE("sub", number_kernel<2, Sub>()),
    PT_POINTWISE("mul", number_kernel<2, Mul>()),
    PT_POINTWISE("add_alpha", number_kernel<3, AddAlpha>()),
    PT_POINTWISE("sub_alpha", number_kernel<3, SubAlpha>()),
    PT_POINTWISE("rsub_alpha", number_kernel<3, RsubAlpha>()),
    PT_POINTWISE("div", float_kernel<2, Div>()),
    PT_POINTWISE("div_floor",
                 float_kernel<2, DivFloor>().or_else(integer_kernel<2, DivFloorInteger>())),
    PT_POINTWISE("div_trunc", number_kernel<2, DivTrunc>()),
    PT_POINTWISE("remainder",
                 float_kernel<2, Remainder>().or_else(integer_kernel<2, RemainderInteger>())),
    PT_POINTWISE("fmod", float_kernel<2, Fmod>().or_else(integer_kernel<2, FmodInteger>())),
    PT_POINTWISE("neg", number_kernel<1, Neg>()),
    PT_POINTWISE("abs", number_kernel<1, Abs>()),
    PT_POINTWISE("sign", number_kernel<1, Sign>()),
    PT_POINTWISE("sgn", number_kernel<1, Sign>()),
    PT_POINTWISE("square", number_kernel<1, Square>()),
    PT_POINTWISE("reciprocal", float_kernel<1, Reciprocal>()),
    PT_POINTWISE("sqrt", float_kernel<1, Sqrt>()),
    PT_POINTWISE("rsqrt", float_kernel<1, Rsqrt>()),
    PT_POINTWISE("floor", rounding<Floor>()),
    PT_POINTWISE("ceil", rounding<Ceil>()),
    PT_POINTWISE("trunc", rounding<Trunc>()),
    PT_POINTWISE("round", rounding<Round>()),
    PT_POINTWISE("frac", float_kernel<1, Frac>()),
    PT_POINTWISE("round_decimals", float_kernel<3, RoundDecimals>()),
    PT_POINTWISE("maximum", order_kernel<Maximum>()),
    PT_POINTWISE("minimum", order_kernel<Minimum>()),
    PT_POINTWISE("fmax", float_kernel<2, Fmax>()),
    PT_POINTWISE("fmin", float_kernel<2, Fmin>()),
    PT_POINTWISE("clamp", number_kernel<3, Clamp>()),
    PT_POINTWISE("clamp_min", number_kernel<2, ClampMin>()),
    PT_POINTWISE("clamp_max", number_kernel<2, ClampMax>()),
    PT_POINTWISE("lerp", float_kernel<3, Lerp>()),
    PT_POINTWISE("addcmul", number_kernel<4, Addcmul>()),
    PT_POINTWISE("addcdiv", float_kernel<4, Addcdiv>()),
    PT_POINTWISE("copysign", float_kernel<2, Copysign>()),
    PT_POINTWISE("heaviside", number_kernel<2, Heaviside>()),
    PT_POINTWISE("nan_to_num", float_kernel<4, NanToNum>()),
    PT_POINTWISE("deg2rad", float_kernel<1, Deg2rad>()),
    PT_POINTWISE("rad2deg", float_kernel<1, Rad2deg>()),
    PT_POINTWISE("hypot", float_kernel<2, Hypot>()),
    PT_POINTWISE("nextafter", float_kernel<2, Nextafter>()),
    PT_POINTWISE("gcd", integer_kernel<2, Gcd>()),
    PT_POINTWISE("lcm", integer_kernel<2, Lcm>()),
    PT_POINTWISE("frexp", frexp_entry()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
