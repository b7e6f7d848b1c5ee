// Checks of values that a device makes while nobody waits for it: what may be wrong, and the
// arguments of the kernel.
#pragma once

#include <cstdint>

namespace pt {

// What a kernel reports (cuda/index/bounds.h); the texts are in cuda/runtime/api.cu.
enum class OutOfBounds : int {
  kIndex,
  kProbability,
  kInput,
  kTarget,
  kClass,      // targets that are classes
  kLabels,     // targets that are lists of classes
  kRate,       // of a Poisson distribution
  kWeights,    // of a multinomial distribution
  kWeightSum,  // of a row of them
};

// "device_interval", slot of the dtype: reports an element outside of [low, high] of the n of `in`
// as a RuntimeError. NaN is outside.
struct DeviceInterval {
  const void* in = nullptr;
  int64_t n = 0;
  double low = 0, high = 0;
  OutOfBounds what = OutOfBounds::kInput;
};
using DeviceIntervalFn = void(const DeviceInterval&);

}  // namespace pt
