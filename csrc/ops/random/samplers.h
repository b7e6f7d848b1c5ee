// The samplers behind torch.distributions and the gradients of their samples.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor">
    binomial;
inline constexpr Op<"_standard_gamma(Tensor self, Generator? generator=None) -> Tensor">
    standard_gamma;
inline constexpr Op<"_standard_gamma_grad(Tensor self, Tensor output) -> Tensor">
    standard_gamma_grad;
inline constexpr Op<"_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor">
    sample_dirichlet;
inline constexpr Op<"_dirichlet_grad(Tensor x, Tensor alpha, Tensor total) -> Tensor">
    dirichlet_grad;

}  // namespace pt
