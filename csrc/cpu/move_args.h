// Interfaces of the data movement kernels (move.cpp, cast.cpp): tiles of strided elements.
#pragma once

#include <cstdint>

namespace pt {

// Copies n1 rows of n0 elements of `item` bytes; strides in bytes, of any sign and 0 for sources.
// Kernel table name "copy2d", in the slot of the DType that has the item's size (kUInt8, kInt16,
// kInt32, kInt64).
struct Copy2d {
  const char* src;
  char* dst;
  int64_t n0, n1;
  int64_t src0, src1;
  int64_t dst0, dst1;
};
using Copy2dFn = void(const Copy2d&);

// Copies n bytes that do not overlap: name "copy_bytes", slot kUInt8.
using CopyBytesFn = void(const void* src, void* dst, int64_t n);

// Converts n contiguous elements: name "cast_from_<source dtype>", slot of the target dtype.
using CastFn = void(const void* src, void* dst, int64_t n);

// Stores one element n times: name "fill", slot by item size as for copy2d.
using FillFn = void(const void* element, void* dst, int64_t n);

}  // namespace pt
