// Plain arguments of the optimizer kernels; the only thing ops/optim and csrc/cpu/optim_*.cpp
// share.
//
// A kernel updates n contiguous elements of one parameter in one pass over its memory. Numbers are
// doubles, which the kernel rounds to the type it computes in.
#pragma once

#include <cstdint>

namespace pt {

struct OptimArgs {
  static constexpr int kStates = 3;
  void* param = nullptr;
  const void* grad = nullptr;
  void* state[kStates] = {};      // in the order of the op's lists; null where there is none
  const void* numbers = nullptr;  // one of the structs below, by kernel name
  int64_t n = 0;
  // Of Adam on a device that counts the steps: where the parameter's AdamLive lies, or null.
  const struct AdamLive* live = nullptr;
};
using OptimFn = void(const OptimArgs&);
// A device's kernels of the same names take the elements of many parameters at once, in few
// launches. The structs themselves and the numbers are in the host's memory.
struct DeviceOptim {
  const OptimArgs* params = nullptr;
  int64_t count = 0;
};
using DeviceOptimFn = void(const DeviceOptim&);

// "optim_sgd": state[0] is the momentum buffer, null without momentum.
struct SgdNumbers {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the buffer is new: it becomes the gradient
  friend bool operator==(const SgdNumbers&, const SgdNumbers&) = default;
};
// "optim_asgd": the average.
struct AsgdNumbers {
  double eta, decay, mu, weight_decay;  // decay multiplies the parameter
  bool maximize;
  friend bool operator==(const AsgdNumbers&, const AsgdNumbers&) = default;
};
// "optim_rprop": the last gradient, step sizes.
struct RpropNumbers {
  double eta_minus, eta_plus, min, max;
  bool maximize;
  friend bool operator==(const RpropNumbers&, const RpropNumbers&) = default;
};
// "optim_adam": exp_avg, exp_avg_sq, max_exp_avg_sq (null: no amsgrad).
struct AdamNumbers {
  double step_size, beta1, beta2, scale, eps;  // scale multiplies the root of exp_avg_sq
  double weight_decay, decay;                  // decay multiplies the parameter
  bool maximize;
  friend bool operator==(const AdamNumbers&, const AdamNumbers&) = default;
};
// Those that change from step to step; in a device's memory when the device counts the steps.
struct AdamLive {
  double step_size, scale, decay;
};
// "optim_adam_count", slot of the steps' dtype, devices only: advances the steps and sets `live`.
struct AdamCount {
  void* const* steps = nullptr;
  AdamLive* live = nullptr;
  int64_t count = 0;
  const void* lr_there = nullptr;  // null: lr
  bool lr_is_double = false;
  double lr = 0, beta1 = 0, beta2 = 0, weight_decay = 0;  // the last one if it is decoupled, or 0
};
using AdamCountFn = void(const AdamCount&);
// "optim_nadam": exp_avg, exp_avg_sq.
struct NadamNumbers {
  double beta1, beta2, bias2, eps;
  double grad_factor, average_factor;  // of the two parts of the update
  double weight_decay, decay;
  bool maximize;
  friend bool operator==(const NadamNumbers&, const NadamNumbers&) = default;
};
// "optim_radam": exp_avg, exp_avg_sq.
struct RadamNumbers {
  double beta1, beta2, eps;
  double factor;  // of exp_avg / (root of exp_avg_sq + eps), or of exp_avg when not rectified
  double weight_decay, decay;
  bool rectified, maximize;
  friend bool operator==(const RadamNumbers&, const RadamNumbers&) = default;
};
// "optim_adamax": exp_avg, exp_inf.
struct AdamaxNumbers {
  double step_size, beta1, beta2, eps, weight_decay;
  bool maximize;
  friend bool operator==(const AdamaxNumbers&, const AdamaxNumbers&) = default;
};
// "optim_adagrad": the sum of squares.
struct AdagradNumbers {
  double lr, eps, weight_decay;
  bool maximize;
  friend bool operator==(const AdagradNumbers&, const AdagradNumbers&) = default;
};
// "optim_adadelta": square_avg, acc_delta.
struct AdadeltaNumbers {
  double lr, rho, eps, weight_decay;
  bool maximize;
  friend bool operator==(const AdadeltaNumbers&, const AdadeltaNumbers&) = default;
};
// "optim_rmsprop": square_avg, momentum_buffer or null, grad_avg (null: not centered).
struct RmspropNumbers {
  double lr, alpha, eps, weight_decay, momentum;
  bool maximize;
  friend bool operator==(const RmspropNumbers&, const RmspropNumbers&) = default;
};

}  // namespace pt
