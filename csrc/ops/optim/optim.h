// The steps of the optimizers, each one call for all parameters of a group, and the norm of a list
// of tensors for gradient clipping. Called by pytensor.optim and nn.utils.clip_grad.
//
// Steps change parameters and states in place, outside autograd. `steps` hold one number per
// parameter, which the call advances; an empty list stands for a state that is not in use.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "optim_sgd(Tensor[] params, Tensor[] grads, Tensor[] momentum_buffers, float lr, "
    "float momentum, float dampening, float weight_decay, bool nesterov, bool maximize, "
    "bool first) -> ()">
    optim_sgd;
inline constexpr Op<
    "optim_asgd(Tensor[] params, Tensor[] grads, Tensor[] axs, Tensor[] mus, Tensor[] etas, "
    "Tensor[] steps, float lr, float lambd, float alpha, float t0, float weight_decay, "
    "bool maximize) -> ()">
    optim_asgd;
inline constexpr Op<
    "optim_rprop(Tensor[] params, Tensor[] grads, Tensor[] prevs, Tensor[] step_sizes, "
    "Tensor[] steps, float eta_minus, float eta_plus, float min, float max, bool maximize) -> ()">
    optim_rprop;

inline constexpr Op<
    "optim_adam(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, "
    "Tensor[] max_exp_avg_sqs, Tensor[] steps, float lr, float beta1, float beta2, "
    "float weight_decay, float eps, bool decoupled, bool maximize, Tensor? lr_there=None) -> ()">
    optim_adam;
inline constexpr Op<
    "optim_nadam(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, "
    "Tensor[] mu_products, Tensor[] steps, float lr, float beta1, float beta2, "
    "float weight_decay, float momentum_decay, float eps, bool decoupled, bool maximize) -> ()">
    optim_nadam;
inline constexpr Op<
    "optim_radam(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, "
    "Tensor[] steps, float lr, float beta1, float beta2, float weight_decay, float eps, "
    "bool decoupled, bool maximize) -> ()">
    optim_radam;
inline constexpr Op<
    "optim_adamax(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_infs, "
    "Tensor[] steps, float lr, float beta1, float beta2, float weight_decay, float eps, "
    "bool maximize) -> ()">
    optim_adamax;

inline constexpr Op<
    "optim_adagrad(Tensor[] params, Tensor[] grads, Tensor[] sums, Tensor[] steps, float lr, "
    "float lr_decay, float weight_decay, float eps, bool maximize) -> ()">
    optim_adagrad;
inline constexpr Op<
    "optim_adadelta(Tensor[] params, Tensor[] grads, Tensor[] square_avgs, Tensor[] acc_deltas, "
    "Tensor[] steps, float lr, float rho, float weight_decay, float eps, bool maximize) -> ()">
    optim_adadelta;
inline constexpr Op<
    "optim_rmsprop(Tensor[] params, Tensor[] grads, Tensor[] square_avgs, "
    "Tensor[] momentum_buffers, Tensor[] grad_avgs, Tensor[] steps, float lr, float alpha, "
    "float weight_decay, float eps, float momentum, bool maximize) -> ()">
    optim_rmsprop;

// The p-norm of the p-norms of the tensors.
inline constexpr Op<"optim_total_norm(Tensor[] tensors, float p) -> Tensor"> optim_total_norm;

}  // namespace pt
