// Plain arguments of the loss kernels; the only thing op code and kernels share.
#pragma once

#include "cpu/scan_args.h"

namespace pt {

// An elementwise loss over n elements: in[0] the input, in[1] the target, in[2] what a few losses
// take besides. All arrays are contiguous.
struct ElementLossArgs {
  const void* in[3] = {};
  const void* weight = nullptr;  // n factors, or null
  int64_t n = 0;
  double parameter = 0;
  // Value: n elements are written to `out`, their sum to `total`; either may be null.
  // Slope: out = slope * weight * grad * scale, with one grad or n of them.
  void* out = nullptr;
  double* total = nullptr;
  const void* grad = nullptr;
  bool single_grad = true;
  double scale = 1;
};
using ElementLossFn = void(const ElementLossArgs&);

// The cross entropy of softmax(in[o, :, i]) for each line of n classes. The target's part in class
// c is b[c] = w[c] * ((1 - smoothing) * p[c] + smoothing / n), where p is one-hot or given.
struct CrossEntropyArgs {
  const void* in = nullptr;
  int64_t outer = 1, n = 0, inner = 1;
  LineStrides in_stride, target_stride;
  const int64_t* classes = nullptr;     // outer x inner, each below n or ignored; or
  const void* probabilities = nullptr;  // with target_stride
  int64_t ignored = -1;                 // a class whose lines do not count
  const void* weight = nullptr;         // n of the type computed in, or null
  double smoothing = 0;
  // Of all classes; a device finds it in its memory.
  double weight_sum = 0;
  const double* device_weight_sum = nullptr;  // null: weight_sum
  // The maximum of each line and the logarithm of its sum of exponentials above it, outer x inner
  // of the type computed in. Forward makes them and the losses, backward reads them.
  void* max = nullptr;
  void* log_sum = nullptr;
  double* losses = nullptr;  // outer x inner
  // Backward: out = grad * scale * (sum(b) * softmax - b), with one grad or outer x inner of them.
  const void* grad = nullptr;
  bool single_grad = true;
  double scale = 1;
  void* out = nullptr;
  LineStrides out_stride;
};
using CrossEntropyFn = void(const CrossEntropyArgs&);

// What devices have for losses of classes besides (the cpu does this in the ops). Targets out of
// bounds make NaN there: nothing waits to report them.
struct ClassLossArgs {
  int64_t outer = 1, n = 0, inner = 1;
  const int64_t* classes = nullptr;  // outer x inner, or null
  int64_t ignored = -1;
  const double* weight = nullptr;  // n, or null
  // "class_total", in the slot of the loss's dtype: the sum of `losses`, divided if `mean` by the
  // sum of the classes' weights, or by `lines` without classes; and that divisor.
  const double* losses = nullptr;
  bool mean = false;
  void* total = nullptr;
  double* divisor = nullptr;
};
using ClassLossFn = void(const ClassLossArgs&);

// Connectionist temporal classification of log probabilities in[steps, batch, classes].
inline constexpr int64_t kCtcPadding = 64;  // doubles beside the states of a row of alpha
struct CtcArgs {
  const void* in = nullptr;
  int64_t steps = 0, batch = 0, classes = 0, blank = 0;
  const int64_t* targets = nullptr;  // of sequence n: from target_offsets[n] on
  const int64_t *target_offsets = nullptr, *target_lengths = nullptr, *input_lengths = nullptr;
  // Forward variables: for each sequence and step a row of max_states + kCtcPadding.
  double* alpha = nullptr;
  int64_t alpha_stride = 0, max_states = 1;
  void* losses = nullptr;  // batch
  // Backward.
  const void* grad = nullptr;
  bool single_grad = false, zero_infinity = false;
  void* out = nullptr;
};
using CtcFn = void(const CtcArgs&);

}  // namespace pt
