// Special functions: error, gamma and Bessel families. Those that PyTorch has in torch.special only
// carry the prefix special_.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"erf(Tensor self) -> Tensor"> erf;
inline constexpr Op<"erfc(Tensor self) -> Tensor"> erfc;
inline constexpr Op<"erfinv(Tensor self) -> Tensor"> erfinv;
inline constexpr Op<"lgamma(Tensor self) -> Tensor"> lgamma;
inline constexpr Op<"digamma(Tensor self) -> Tensor"> digamma;
inline constexpr Op<"i0(Tensor self) -> Tensor"> i0;
inline constexpr Op<"polygamma(int n, Tensor self) -> Tensor"> polygamma;
inline constexpr Op<"polygamma.method(Tensor self, int n) -> Tensor"> polygamma_method;
inline constexpr Op<"mvlgamma(Tensor self, int p) -> Tensor"> mvlgamma;
inline constexpr Op<"igamma(Tensor self, Tensor other) -> Tensor"> igamma;
inline constexpr Op<"igammac(Tensor self, Tensor other) -> Tensor"> igammac;
inline constexpr Op<"special_zeta(Tensor self, Tensor other) -> Tensor"> special_zeta;
inline constexpr Op<"special_erfcx(Tensor self) -> Tensor"> special_erfcx;
inline constexpr Op<"special_ndtr(Tensor self) -> Tensor"> special_ndtr;
inline constexpr Op<"special_ndtri(Tensor self) -> Tensor"> special_ndtri;
inline constexpr Op<"special_log_ndtr(Tensor self) -> Tensor"> special_log_ndtr;
inline constexpr Op<"special_entr(Tensor self) -> Tensor"> special_entr;
inline constexpr Op<"special_i0e(Tensor self) -> Tensor"> special_i0e;
inline constexpr Op<"special_i1(Tensor self) -> Tensor"> special_i1;
inline constexpr Op<"special_i1e(Tensor self) -> Tensor"> special_i1e;
inline constexpr Op<"special_bessel_j0(Tensor self) -> Tensor"> special_bessel_j0;
inline constexpr Op<"special_bessel_j1(Tensor self) -> Tensor"> special_bessel_j1;
inline constexpr Op<"special_bessel_y0(Tensor self) -> Tensor"> special_bessel_y0;
inline constexpr Op<"special_bessel_y1(Tensor self) -> Tensor"> special_bessel_y1;

}  // namespace pt
