// How exact float32 products must be: set_float32_matmul_precision(). Asked by matrix products and
// convolutions.
#pragma once

#include <cstdint>

namespace pt {

enum class Float32Precision : uint8_t { kHighest, kHigh, kMedium };

Float32Precision float32_precision();
void set_float32_precision(Float32Precision p);

}  // namespace pt
