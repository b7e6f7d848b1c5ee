// Convolutions of integers by plain loops. Used by products.cpp.
#pragma once

#include "core/dtype.h"
#include "cpu/conv_args.h"

namespace pt {

void direct_forward(DType dtype, const ConvArgs& args);
void direct_input_gradient(DType dtype, const ConvArgs& args);

}  // namespace pt
