// Losses of class scores: the checks of input [N, C, *], target [N, *] and weight [C] that they
// share. Included by the .cpp files of this folder only.
#pragma once

#include "cpu/kernel_table.h"
#include "cpu/loss_args.h"
#include "op/define.h"

namespace pt {

// Class scores as [outer, n, inner] and the classes of outer x inner of them.
struct ClassTargets {
  Tensor index;  // contiguous int64, defined unless it was not asked for
  int class_dim = 0;
  int64_t outer = 1, n = 1, inner = 1;
  Dims shape;  // of the losses

  const int64_t* data() const { return index.data<int64_t>(); }
  int64_t count() const { return outer * inner; }
};

ClassTargets class_targets(const Tensor& self, const Tensor& target, const Tensor& weight);
// The levels of self alone.
ClassTargets class_levels(const Tensor& self);
void check_class_weight(const char* prefix, const Tensor& self, const Tensor& weight, int64_t n);

// The sum of the weights of the classes that are not ignored. IndexError for one out of bounds.
double total_class_weight(const ClassTargets& targets, const Tensor& weight, int64_t ignore_index);

// A device's kernels for losses of classes: their arguments.
class DeviceClasses {
 public:
  // The targets' index is undefined where classes have probabilities.
  DeviceClasses(const ClassTargets& targets, const Tensor& weight, int64_t ignore_index);

  // The sum or mean of the losses of the lines, of type double, and what the mean divides by.
  std::tuple<Tensor, Tensor> total(const Tensor& losses, DType dtype, bool mean);

  ClassLossArgs a;

 private:
  Tensor index_, weight_;
};

}  // namespace pt
