// Losses of pairs of elements. `reduction` is 0 for none, 1 for the mean, 2 for the sum. The
// functions of PyTorch's top level reduce only when asked to.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"_mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor"> mse_loss;
inline constexpr Op<"_l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor"> l1_loss;
inline constexpr Op<
    "_smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.0) -> Tensor">
    smooth_l1_loss;
inline constexpr Op<
    "_huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.0) -> Tensor">
    huber_loss;
inline constexpr Op<
    "_binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) "
    "-> Tensor">
    binary_cross_entropy;
inline constexpr Op<
    "binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, "
    "Tensor? pos_weight=None, int reduction=0) -> Tensor">
    binary_cross_entropy_with_logits;
inline constexpr Op<"_soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor">
    soft_margin_loss;
inline constexpr Op<
    "hinge_embedding_loss(Tensor self, Tensor target, float margin=1.0, int reduction=0) -> Tensor">
    hinge_embedding_loss;
inline constexpr Op<
    "kl_div(Tensor self, Tensor target, int reduction=0, *, bool log_target=False) -> Tensor">
    kl_div;
inline constexpr Op<
    "poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, "
    "int reduction) -> Tensor">
    poisson_nll_loss;

// The gradients of self: grad * slope, for the mean divided by the number of elements. `grad` is
// one number or, without reduction, has the shape of the loss.
inline constexpr Op<
    "_mse_loss_backward(Tensor grad, Tensor self, Tensor target, int reduction) -> Tensor">
    mse_loss_backward;
inline constexpr Op<
    "_l1_loss_backward(Tensor grad, Tensor self, Tensor target, int reduction) -> Tensor">
    l1_loss_backward;
inline constexpr Op<
    "_smooth_l1_loss_backward(Tensor grad, Tensor self, Tensor target, int reduction, float beta) "
    "-> Tensor">
    smooth_l1_loss_backward;
inline constexpr Op<
    "_huber_loss_backward(Tensor grad, Tensor self, Tensor target, int reduction, float delta) "
    "-> Tensor">
    huber_loss_backward;
inline constexpr Op<
    "_binary_cross_entropy_backward(Tensor grad, Tensor self, Tensor target, Tensor? weight, "
    "int reduction) -> Tensor">
    binary_cross_entropy_backward;
inline constexpr Op<
    "_binary_cross_entropy_with_logits_backward(Tensor grad, Tensor self, Tensor target, "
    "Tensor? weight, Tensor? pos_weight, int reduction) -> Tensor">
    binary_cross_entropy_with_logits_backward;
inline constexpr Op<
    "_soft_margin_loss_backward(Tensor grad, Tensor self, Tensor target, int reduction) -> Tensor">
    soft_margin_loss_backward;
inline constexpr Op<
    "_hinge_embedding_loss_backward(Tensor grad, Tensor self, Tensor target, float margin, "
    "int reduction) -> Tensor">
    hinge_embedding_loss_backward;
inline constexpr Op<
    "_kl_div_backward(Tensor grad, Tensor self, Tensor target, int reduction, bool log_target) "
    "-> Tensor">
    kl_div_backward;
inline constexpr Op<
    "_poisson_nll_loss_backward(Tensor grad, Tensor input, Tensor target, bool log_input, "
    "float eps, int reduction) -> Tensor">
    poisson_nll_loss_backward;

}  // namespace pt
