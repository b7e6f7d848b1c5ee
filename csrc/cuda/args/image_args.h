// What devices need besides cpu/image_args.h.
#pragma once

#include "cpu/image_args.h"

namespace pt {

// SampleArgs' "sample_add" where the entries (batch, tap, point) come sorted by the place in
// [batch, in_size] that they go to: those of place r are order[starts[r]] .. order[starts[r + 1]].
// Name "device_sample_add".
struct DeviceSampleAdd {
  SampleArgs sample;
  const int64_t* order = nullptr;
  const int64_t* starts = nullptr;
};
using DeviceSampleAddFn = void(const DeviceSampleAdd&);

}  // namespace pt
