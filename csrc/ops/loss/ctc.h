// Connectionist temporal classification: the loss of label sequences without alignment.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, "
    "int[] target_lengths, int blank=0, int reduction=0, bool zero_infinity=False) -> Tensor">
    ctc_loss;
inline constexpr Op<
    "ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, "
    "Tensor target_lengths, int blank=0, int reduction=0, bool zero_infinity=False) -> Tensor">
    ctc_loss_tensor;
inline constexpr Op<
    "_ctc_losses(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, "
    "int blank, bool zero_infinity) -> (Tensor losses, Tensor log_alpha)">
    ctc_losses;
inline constexpr Op<
    "_ctc_losses_backward(Tensor grad, Tensor log_probs, Tensor targets, int[] input_lengths, "
    "int[] target_lengths, Tensor log_alpha, int blank, bool zero_infinity) -> Tensor">
    ctc_losses_backward;

}  // namespace pt
