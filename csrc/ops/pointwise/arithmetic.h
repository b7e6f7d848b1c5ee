// Elementwise arithmetic on two operands, and the C++ operators for it.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> add;
inline constexpr InplaceOp<decltype(add)> add_;
inline constexpr Op<"sub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> sub;
inline constexpr Op<"rsub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"> rsub;
inline constexpr Op<"mul(Tensor self, Tensor other) -> Tensor"> mul;
inline constexpr InplaceOp<decltype(mul)> mul_;
inline constexpr Op<"div(Tensor self, Tensor other, *, str? rounding_mode=None) -> Tensor"> div;
inline constexpr Op<"neg(Tensor self) -> Tensor"> neg;
inline constexpr Op<"pow(Tensor self, Tensor exponent) -> Tensor"> pow;

template <class B>
concept TensorOrNumber = std::is_same_v<B, Tensor> || std::is_same_v<B, Scalar> ||
                         std::is_arithmetic_v<B>;

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
