// How exact float32 products must be: set_float32_matmul_precision(). Asked by matrix products and
// convolutions.
#pragma once

#include <cstdint>

namespace pt {

enum class Float32Precision : uint8_t { kHighest, kHigh, kMedium };

Float32Precision float32_precision();
void set_float32_precision(Float32Precision p);

// Whether a device may round the operands of float32 convolutions to tf32 (ten bits of mantissa):
// torch.backends.cudnn.allow_tf32.
bool convolution_tf32();
void set_convolution_tf32(bool allowed);

}  // namespace pt
