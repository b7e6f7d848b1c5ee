// One optimizer step over lists of tensors: the elements of all parameters are one range that
// threads share. Used by the ops of this folder.
#pragma once

#include <array>
#include <vector>

#include "core/tensor.h"
#include "cpu/kernel_table.h"
#include "cpu/optim_args.h"

namespace pt {

using OptimKernel = Kernel<OptimFn>;

struct ParamLists {
  const char* op;  // for messages
  TensorList params, grads;
  std::array<TensorList, OptimArgs::kStates> states;  // empty: the kernel gets null
  const AdamLive* live = nullptr;                     // one per parameter
};

// Raises unless every list has one tensor per parameter, of the parameter's shape.
void check_lists(const ParamLists& lists);

// Calls the kernel for all elements; numbers + i * stride are the numbers of parameter i. Changes
// parameters and states in place.
void sweep_raw(const OptimKernel& kernel, const ParamLists& lists, const char* numbers,
               size_t stride);
template <class Numbers>
void sweep(const OptimKernel& kernel, const ParamLists& lists,
           const std::vector<Numbers>& numbers) {
  sweep_raw(kernel, lists, reinterpret_cast<const char*>(numbers.data()), sizeof(Numbers));
}

// Tensors of one element that count or hold a number for each parameter.
double read_number(const Tensor& t);
void write_number(const Tensor& t, double value);
// Adds one to the steps of parameter i and returns the new count.
double advance(const ParamLists& lists, TensorList steps, size_t i);

}  // namespace pt
