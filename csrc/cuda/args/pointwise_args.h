// How a device's pointwise kernels are called. Unlike the cpu's they walk strided operands and
// convert element types themselves: one launch per call, nothing is gathered.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace pt {

// Dimensions and operands of one launch; more dimensions are walked by several launches.
inline constexpr int kDeviceDims = 8;
inline constexpr int kDeviceOperands = 8;

struct DeviceOperand {
  char* data = nullptr;  // device memory; null: the number in `value`, of the type that is computed
  alignas(8) unsigned char value[8] = {};
  DType dtype{};                      // of the memory
  int64_t strides[kDeviceDims] = {};  // in bytes
};

// Outputs first. Less than 2^31 elements; `dense` says that every operand in memory has `n`
// consecutive elements.
struct DevicePointwise {
  int64_t n = 0;
  int ndim = 0;
  int64_t sizes[kDeviceDims] = {};  // innermost first
  int num_outputs = 0, num_operands = 0;
  bool dense = false;
  DeviceOperand operands[kDeviceOperands];
};
using DevicePointwiseFn = void(const DevicePointwise&);

// Copies and converts between two strided operands: operands[0] is the destination. Table name
// "device_copy", slot of the destination's dtype; the source may be a number of that dtype.
// Strided and dense fills are copies of a number.

}  // namespace pt
