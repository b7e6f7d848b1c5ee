// What the losses share: the ways to reduce, and running an elementwise loss kernel. Included by
// the .cpp files of this folder only.
#pragma once

#include <initializer_list>

#include "cpu/kernel_table.h"
#include "cpu/loss_args.h"
#include "op/define.h"

namespace pt {

enum class LossReduction : int64_t { kNone = 0, kMean = 1, kSum = 2 };

inline LossReduction loss_reduction(int64_t reduction) {
  PT_CHECK_VALUE(reduction >= 0 && reduction <= 2, reduction,
                 " is not a valid value for reduction");
  return static_cast<LossReduction>(reduction);
}

// Losses of single elements, reduced, with recorded ops.
Tensor reduce_loss(const Tensor& losses, int64_t reduction);
// What multiplies the slope of each of n elements: grad, or for the mean grad / n.
Tensor element_grad(const Tensor& grad, int64_t reduction, int64_t n);
// The sum of n numbers, in an order that is always the same.
double sum_in_order(const double* v, int64_t n);
// The shape of the operands' broadcast.
Dims loss_shape(std::initializer_list<const Tensor*> operands);

using ElementLossKernel = Kernel<ElementLossFn>;

struct ElementLoss {
  const ElementLossKernel& kernel;
  const char* name;  // of the kernel, in messages: "mse_cpu"
  double parameter = 0;
  bool integers = false;  // are converted to the default dtype
  // Called when the sum of the losses is NaN, on a device always; raises if the input is at fault.
  void (*on_nan)(const Tensor& self, const Tensor& target) = nullptr;
};

// The loss of self, target and, if defined, `extra`; times weight, if defined.
Tensor run_loss(const ElementLoss& loss, int64_t reduction, const Tensor& self,
                const Tensor& target, const Tensor& weight = {}, const Tensor& extra = {});
// The gradient of self, of the operands' broadcast shape.
Tensor run_loss_slope(const ElementLoss& loss, const Tensor& grad, int64_t reduction,
                      const Tensor& self, const Tensor& target, const Tensor& weight = {},
                      const Tensor& extra = {});

}  // namespace pt
