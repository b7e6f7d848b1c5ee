// Plain arguments of the copies between images and columns of blocks (im2col, col2im).
#pragma once

#include <cstdint>

namespace pt {

// image is [planes, size], columns is [planes, kernel, blocks], both contiguous.
struct ColumnsArgs {
  int64_t planes = 0;
  int64_t size[2], kernel[2], dilation[2], padding[2], stride[2], blocks[2];
  void* image = nullptr;
  void* columns = nullptr;
};
// Kernels of devices: "image_to_columns", zeros outside the image, and "columns_to_image", which
// adds up; bools are or-ed.
using ColumnsFn = void(const ColumnsArgs&);

}  // namespace pt
