// DevicePlan: an elementwise call as a device's kernel takes it. Orders and merges the dimensions
// of all operands like Plan, and cuts what is too large or has too many dimensions into launches.
#pragma once

#include "core/tensor.h"
#include "cuda/args/pointwise_args.h"

namespace pt {

class DevicePlan {
 public:
  // `shape` is the shape of the outputs.
  DevicePlan(IntList shape, int num_outputs);
  // Operands, outputs first: tensors of the device, broadcast to the shape, and numbers.
  void add(const Tensor& t);
  void add_number(const void* element, DType dtype);
  void run(DevicePointwiseFn* fn);

 private:
  struct Operand {
    char* data = nullptr;
    unsigned char value[8] = {};
    DType dtype{};
    int64_t strides[kMaxDims];  // in bytes
  };
  void order_and_merge();
  void launch(DevicePointwiseFn* fn, int ndim, char* const* data) const;
  void split(DevicePointwiseFn* fn, int ndim, char** data);

  int ndim_, num_outputs_;
  int num_operands_ = 0;
  int64_t sizes_[kMaxDims];
  Operand operands_[kDeviceOperands];
};

}  // namespace pt
