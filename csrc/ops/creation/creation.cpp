// Ops that make tensors from sizes and numbers.
#include "ops/creation/creation.h"

#include "op/copy.h"
#include "op/define.h"

namespace pt {

namespace {
Device cpu_or(const std::optional<Device>& device) {
  PT_CHECK_KIND(ErrorKind::kAssertion, !device || device->is_cpu(),
                "Torch not compiled with CUDA enabled");
  return {};
}
Tensor like(const Tensor& self, const std::optional<DType>& dtype) {
  const DType t = dtype.value_or(self.dtype());
  if (is_non_overlapping_and_dense(self.impl()))
    return empty_strided_tensor(self.sizes(), self.strides(), t);
  return empty_tensor(self.sizes(), t);
}
}  // namespace

PT_OP(empty)
    .impl([](IntList size, std::optional<DType> dtype, auto, std::optional<Device> device,
             std::optional<bool>, std::optional<MemoryFormat>) {
      return empty_tensor(size, dtype.value_or(default_dtype()), cpu_or(device));
    })
    .nondifferentiable()
    .function_only();

PT_OP(zeros)
    .impl([](IntList size, std::optional<DType> dtype, auto, std::optional<Device> device,
             std::optional<bool>) {
      return zeros_tensor(size, dtype.value_or(default_dtype()), cpu_or(device));
    })
    .nondifferentiable()
    .function_only()
    .out();

PT_OP(ones)
    .impl([](IntList size, std::optional<DType> dtype, auto, std::optional<Device> device,
             std::optional<bool>) {
      Tensor t = empty_tensor(size, dtype.value_or(default_dtype()), cpu_or(device));
      fill_with(t, 1);
      return t;
    })
    .nondifferentiable()
    .function_only()
    .out();

PT_OP(ones_like)
    .impl([](const Tensor& self, std::optional<DType> dtype, auto, std::optional<Device> device,
             std::optional<bool>, std::optional<MemoryFormat>) {
      cpu_or(device);
      Tensor t = like(self, dtype);
      fill_with(t, 1);
      return t;
    })
    .nondifferentiable()
    .function_only();

}  // namespace pt
