// Elementwise functions of one tensor.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"abs(Tensor self) -> Tensor"> abs;
inline constexpr Op<"positive(Tensor self) -> Tensor"> positive;
inline constexpr Op<"sign(Tensor self) -> Tensor"> sign;
inline constexpr Op<"sgn(Tensor self) -> Tensor"> sgn;
inline constexpr Op<"signbit(Tensor self) -> Tensor"> signbit;
inline constexpr Op<"floor(Tensor self) -> Tensor"> floor;
inline constexpr Op<"ceil(Tensor self) -> Tensor"> ceil;
inline constexpr Op<"trunc(Tensor self) -> Tensor"> trunc;
inline constexpr Op<"round(Tensor self) -> Tensor"> round;
inline constexpr Op<"round.decimals(Tensor self, *, int decimals) -> Tensor"> round_decimals;
inline constexpr Op<"frac(Tensor self) -> Tensor"> frac;
inline constexpr Op<"frexp(Tensor self) -> (Tensor mantissa, Tensor exponent)"> frexp;
inline constexpr Op<
    "nan_to_num(Tensor self, float? nan=None, float? posinf=None, "
    "float? neginf=None) -> Tensor">
    nan_to_num;
inline constexpr Op<"deg2rad(Tensor self) -> Tensor"> deg2rad;
inline constexpr Op<"rad2deg(Tensor self) -> Tensor"> rad2deg;

inline constexpr Op<"square(Tensor self) -> Tensor"> square;
inline constexpr Op<"reciprocal(Tensor self) -> Tensor"> reciprocal;
inline constexpr Op<"sqrt(Tensor self) -> Tensor"> sqrt;
inline constexpr Op<"rsqrt(Tensor self) -> Tensor"> rsqrt;

inline constexpr Op<"exp(Tensor self) -> Tensor"> exp;
inline constexpr InplaceOp<decltype(exp)> exp_;
inline constexpr Op<"exp2(Tensor self) -> Tensor"> exp2;
inline constexpr Op<"expm1(Tensor self) -> Tensor"> expm1;
inline constexpr Op<"log(Tensor self) -> Tensor"> log;
inline constexpr Op<"log2(Tensor self) -> Tensor"> log2;
inline constexpr Op<"log10(Tensor self) -> Tensor"> log10;
inline constexpr Op<"log1p(Tensor self) -> Tensor"> log1p;
inline constexpr Op<"sigmoid(Tensor self) -> Tensor"> sigmoid;
inline constexpr Op<"logit(Tensor self, float? eps=None) -> Tensor"> logit;

inline constexpr Op<"sin(Tensor self) -> Tensor"> sin;
inline constexpr Op<"cos(Tensor self) -> Tensor"> cos;
inline constexpr Op<"tan(Tensor self) -> Tensor"> tan;
inline constexpr Op<"asin(Tensor self) -> Tensor"> asin;
inline constexpr Op<"acos(Tensor self) -> Tensor"> acos;
inline constexpr Op<"atan(Tensor self) -> Tensor"> atan;
inline constexpr Op<"sinh(Tensor self) -> Tensor"> sinh;
inline constexpr Op<"cosh(Tensor self) -> Tensor"> cosh;
inline constexpr Op<"tanh(Tensor self) -> Tensor"> tanh;
inline constexpr Op<"asinh(Tensor self) -> Tensor"> asinh;
inline constexpr Op<"acosh(Tensor self) -> Tensor"> acosh;
inline constexpr Op<"atanh(Tensor self) -> Tensor"> atanh;
inline constexpr Op<"sinc(Tensor self) -> Tensor"> sinc;

inline constexpr Op<"relu(Tensor self) -> Tensor"> relu;
inline constexpr Op<"clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"> clamp;
inline constexpr InplaceOp<decltype(clamp)> clamp_;
inline constexpr Op<"clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor">
    clamp_tensor;
inline constexpr Op<"clamp_min(Tensor self, Scalar min) -> Tensor"> clamp_min;
inline constexpr Op<"clamp_min.Tensor(Tensor self, Tensor min) -> Tensor"> clamp_min_tensor;
inline constexpr Op<"clamp_max(Tensor self, Scalar max) -> Tensor"> clamp_max;
inline constexpr Op<"clamp_max.Tensor(Tensor self, Tensor max) -> Tensor"> clamp_max_tensor;

}  // namespace pt
