// Copies between images and columns of blocks. Used by unfold.cpp.
#pragma once

#include "core/dtype.h"

namespace pt {

// image is [planes, size], columns is [planes, kernel, blocks], both contiguous.
struct ColumnsArgs {
  int64_t planes = 0;
  int64_t size[2], kernel[2], dilation[2], padding[2], stride[2], blocks[2];
  void* image = nullptr;
  void* columns = nullptr;
};

void image_to_columns(DType dtype, const ColumnsArgs& args);  // zeros outside the image
void columns_to_image(DType dtype, const ColumnsArgs& args);  // adds up; bools are or-ed

}  // namespace pt
