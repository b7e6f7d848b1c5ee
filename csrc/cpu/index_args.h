// Plain arguments of the indexing kernels (index.cpp).
#pragma once

#include <cstdint>

namespace pt {

inline constexpr int kMaxIndices = 64;

// offsets[i] = sum over k of index[k][i] * stride[k], for n contiguous indices each. wrap[k] is
// added to negative indices: the dimension's size, or 0 where they are not allowed. Returns false
// when an index is out of bounds. Kernel table name "index_offsets", slot kInt64.
struct IndexOffsets {
  const int64_t* const* index;
  const int64_t* size;
  const int64_t* wrap;
  const int64_t* stride;
  int count;
  int64_t n;
  int64_t* offsets;
};
using IndexOffsetsFn = bool(const IndexOffsets&);

// Whether 0 <= index[i] < size for all n indices: name "index_in_range", slot kInt64.
using IndexInRangeFn = bool(const int64_t* index, int64_t n, int64_t size);

// dst[i] = src[offsets[i]]: name "index_gather", in the slot of the DType that has the element's
// size (kUInt8, kInt16, kInt32, kInt64).
using IndexGatherFn = void(const void* src, const int64_t* offsets, void* dst, int64_t n);

// dst[i] = src[index[i] * step + i * stride] for 0 <= index[i] < size: a line of gather(). Returns
// false, with dst undefined, when an index is out of bounds. Name "gather_line", slots as above.
struct GatherLine {
  const void* src;
  const int64_t* index;
  void* dst;
  int64_t n, size, step, stride;
};
using GatherLineFn = bool(const GatherLine&);

}  // namespace pt
