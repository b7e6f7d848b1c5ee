// Elementwise arithmetic on two operands, and the C++ operators for it.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> add;
inline constexpr InplaceOp<decltype(add)> add_;
inline constexpr Op<"sub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> sub;
inline constexpr InplaceOp<decltype(sub)> sub_;
inline constexpr Op<"rsub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> rsub;
inline constexpr Op<"mul(Tensor self, Tensor other) -> Tensor"> mul;
inline constexpr InplaceOp<decltype(mul)> mul_;
inline constexpr Op<"div(Tensor self, Tensor other, *, str? rounding_mode=None) -> Tensor"> div;
inline constexpr InplaceOp<decltype(div)> div_;
inline constexpr Op<"floor_divide(Tensor self, Tensor other) -> Tensor"> floor_divide;
inline constexpr Op<"remainder(Tensor self, Tensor other) -> Tensor"> remainder;
inline constexpr Op<"fmod(Tensor self, Tensor other) -> Tensor"> fmod;
inline constexpr Op<"neg(Tensor self) -> Tensor"> neg;
inline constexpr Op<"pow(Tensor self, Tensor exponent) -> Tensor"> pow;
inline constexpr Op<"float_power(Tensor self, Tensor exponent) -> Tensor"> float_power;

// self + value * tensor1 * tensor2, self + value * tensor1 / tensor2.
inline constexpr Op<
    "addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> "
    "Tensor">
    addcmul;
inline constexpr InplaceOp<decltype(addcmul)> addcmul_;
inline constexpr Op<
    "addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> "
    "Tensor">
    addcdiv;
inline constexpr InplaceOp<decltype(addcdiv)> addcdiv_;
inline constexpr Op<"lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor"> lerp;
inline constexpr InplaceOp<decltype(lerp)> lerp_;
inline constexpr Op<"lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor"> lerp_tensor;

template <class B>
concept TensorOrNumber =
    std::is_same_v<B, Tensor> || std::is_same_v<B, Scalar> || std::is_arithmetic_v<B>;

template <TensorOrNumber B>
Tensor operator+(const Tensor& a, const B& b) {
  return add(a, b);
}
template <TensorOrNumber B>
Tensor operator-(const Tensor& a, const B& b) {
  return sub(a, b);
}
template <TensorOrNumber B>
Tensor operator*(const Tensor& a, const B& b) {
  return mul(a, b);
}
template <TensorOrNumber B>
Tensor operator/(const Tensor& a, const B& b) {
  return div(a, b);
}
inline Tensor operator-(const Tensor& a) { return neg(a); }
template <class A>
  requires(std::is_arithmetic_v<A>)
Tensor operator-(A a, const Tensor& b) {
  return rsub(b, a);
}
template <class A>
  requires(std::is_arithmetic_v<A>)
Tensor operator+(A a, const Tensor& b) {
  return add(b, a);
}
template <class A>
  requires(std::is_arithmetic_v<A>)
Tensor operator*(A a, const Tensor& b) {
  return mul(b, a);
}

}  // namespace pt
