// Convolutions by cuDNN, for conv/conv.cu.
#pragma once

#include "core/dtype.h"
#include "cpu/conv_args.h"

namespace pt::cuda {

enum class ConvWork : int { kForward, kInputGradient, kWeightGradient };

// Queues the convolution and returns true, if the library is there, wanted, and able to do it.
// False leaves it to the kernels here.
bool library_conv(ConvWork work, DType dtype, const ConvArgs& a);

}  // namespace pt::cuda
