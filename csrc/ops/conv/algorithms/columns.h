// Copies between images and columns of blocks. Used by unfold.cpp.
#pragma once

#include "core/dtype.h"
#include "cpu/columns_args.h"

namespace pt {

void image_to_columns(DType dtype, const ColumnsArgs& args);  // zeros outside the image
void columns_to_image(DType dtype, const ColumnsArgs& args);  // adds up; bools are or-ed

}  // namespace pt
