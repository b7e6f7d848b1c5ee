// Matrix products.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"mm(Tensor self, Tensor mat2) -> Tensor"> mm;
inline constexpr Op<"bmm(Tensor self, Tensor mat2) -> Tensor"> bmm;
inline constexpr Op<"mv(Tensor self, Tensor vec) -> Tensor"> mv;
inline constexpr Op<"dot(Tensor self, Tensor tensor) -> Tensor"> dot;
inline constexpr Op<"outer(Tensor self, Tensor vec2) -> Tensor"> outer;
inline constexpr Op<"matmul(Tensor self, Tensor other) -> Tensor"> matmul;
inline constexpr Op<"inner(Tensor self, Tensor other) -> Tensor"> inner;
inline constexpr Op<"linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"> linear;
inline constexpr Op<"kron(Tensor self, Tensor other) -> Tensor"> kron;

inline constexpr Op<
    "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor">
    addmm;
inline constexpr Op<
    "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> "
    "Tensor">
    baddbmm;
inline constexpr Op<
    "addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor">
    addbmm;
inline constexpr Op<
    "addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor">
    addmv;
inline constexpr Op<
    "addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor">
    addr;

}  // namespace pt
