// Elementwise calls: dtype rule, broadcast, allocation, kernel. Families with an op that is not a
// plain "all operands through one kernel" call run_pointwise() themselves.
#pragma once

#include <initializer_list>

#include "op/dispatch.h"
#include "op/promote.h"

namespace pt {

// A kernel by name, looked up once.
class PointwiseKernel {
 public:
  constexpr explicit PointwiseKernel(const char* name) : name_(name) {}
  const KernelEntry& entry() const;  // of the table of the call's device
  const char* name() const { return name_; }

 private:
  const char* name_;
  mutable const KernelEntry* entry_ = nullptr;
  mutable const KernelEntry* device_entry_ = nullptr;
};

// Operands are tensors and numbers. The result is allocated, or written to out.dest[0].
Tensor run_pointwise(const Out& out, const KernelEntry& kernel, Promote promote,
                     const Value* operands, int count);

template <class... A>
Tensor run_pointwise(const Out& out, const PointwiseKernel& kernel, Promote promote,
                     const A&... operands) {
  const Value v[] = {Value::of(operands)...};
  return run_pointwise(out, kernel.entry(), promote, v, sizeof...(A));
}

// The same with the dtype already decided: operands are computed in `compute`, result is `result`.
Tensor run_pointwise_as(const Out& out, const KernelEntry& kernel, DType compute, DType result,
                        const Value* operands, int count);

// Two outputs of the compute dtype (frexp is not among them).
std::pair<Tensor, Tensor> run_pointwise2(const KernelEntry& kernel, DType compute, DType result0,
                                         DType result1, const Value* operands, int count);

// Checks that a result of dtype `from` may go to an in-place or out= destination.
void check_destination(const Out& out, DType from, IntList shape);

}  // namespace pt
