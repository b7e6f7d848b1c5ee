// Membership and counting as devices do them, on contiguous arrays in device memory.
#pragma once

#include <cstdint>

namespace pt {

// out[i] = elements[i] is among the sorted tests (is not, if `invert`). NaN is never found. Name
// "device_is_in", slot of the dtype.
struct DeviceIsIn {
  const void* elements = nullptr;
  const void* tests = nullptr;
  int64_t n = 0, m = 0;
  bool invert = false;
  bool* out = nullptr;
};
using DeviceIsInFn = void(const DeviceIsIn&);

// counts[b], zero before, grows by the elements in bin b. "device_bin_count": the bin is the
// element, an integer. "device_histogram": bins of equal width over [low, high], floating slots.
struct DeviceBins {
  const void* source = nullptr;
  int64_t n = 0, bins = 0;
  double low = 0, high = 0;
  int64_t* counts = nullptr;
};
using DeviceBinsFn = void(const DeviceBins&);

}  // namespace pt
