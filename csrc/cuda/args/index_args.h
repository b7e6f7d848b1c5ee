// How a device's indexing kernels are called: data movement and accumulation at places that index
// tensors name. Arrays are in device memory, strides in elements.
#pragma once

#include <cstdint>

namespace pt {

inline constexpr int kDeviceLevels = 8;
inline constexpr int kDeviceColumns = 16;
inline constexpr int kMostDims = 64;  // of a tensor
// The offset of an index point that is out of bounds: nothing is read or written there.
inline constexpr int64_t kNowhere = INT64_MIN;

// Some dimensions as they are walked, outermost first.
struct DeviceWalk {
  int ndim = 0;
  int64_t count = 1;
  int64_t sizes[kDeviceLevels] = {}, strides[kDeviceLevels] = {};
};

// offsets[i] (+)= sum over columns of index[i] * stride. An index out of bounds is reported, as an
// IndexError or as a RuntimeError. Name "device_index_offsets", slot kInt64.
struct DeviceIndexOffsets {
  struct Column {
    const int64_t* index;
    int64_t size, wrap, stride;  // wrap is added to negative indices
    int dim;                     // for messages
  };
  int count = 0;
  Column columns[kDeviceColumns];
  int64_t n = 0;
  int64_t* offsets = nullptr;
  bool add = false;
  bool runtime_error = false;
};
using DeviceIndexOffsetsFn = void(const DeviceIndexOffsets&);

// The elements [before, n, rows] of data that n index points select.
struct DevicePoints {
  void* data = nullptr;
  DeviceWalk before, rows;
  int64_t n = 1;
  const int64_t* offsets = nullptr;
};
// out[before, n, rows] = the elements; 0 where the index is out of bounds. Name
// "device_index_read", in the slot of the DType that has the element's size (kUInt8, kInt16,
// kInt32, kInt64).
struct DeviceIndexRead {
  DevicePoints points;
  void* out = nullptr;
};
using DeviceIndexReadFn = void(const DeviceIndexRead&);

enum class PlaceOp : uint8_t { kAssign, kAdd, kMultiply, kMax, kMin };
// The elements = (op) values[before, n, rows], in the order of the points where several name one
// place. Name "device_index_write", slot of the dtype.
struct DeviceIndexWrite {
  DevicePoints points;
  const void* values = nullptr;  // null: the number in `number`
  bool one = false;              // values has a single element
  alignas(8) unsigned char number[8] = {};
  PlaceOp op = PlaceOp::kAssign;
};
using DeviceIndexWriteFn = void(const DeviceIndexWrite&);

// gather and scatter along the middle of an index [outer, length, inner]: index element p belongs
// to self[walk(p) + index[p] * step], where walk's strides are 0 along the indexed dimension.
struct DeviceLines {
  void* self = nullptr;
  const int64_t* index = nullptr;
  void* other = nullptr;  // gather: the result; scatter: the source, null: `number`
  alignas(8) unsigned char number[8] = {};
  DeviceWalk walk;
  int64_t size = 0, step = 0, length = 1, inner = 1;
  int dim = 0;
  bool one = false;  // scatter: `other` has a single element
  PlaceOp op = PlaceOp::kAssign;
};
// "device_gather_lines" in slots by size, "device_scatter_lines" by dtype.
using DeviceLinesFn = void(const DeviceLines&);

// Positions of elements that are not zero: counts before each tile of kCompactTile elements and,
// last, of all go to `before`. Name "device_count_nonzero", slot of the dtype.
inline constexpr int kCompactTile = 1024;
struct DeviceNonzero {
  const void* source = nullptr;
  int64_t n = 0;
  int64_t* before = nullptr;
  // "device_nonzero": coordinate d of the k-th goes to out[d * stride + k].
  int64_t* out = nullptr;
  int64_t stride = 0;
  int ndim = 0;
  int64_t sizes[kMostDims] = {};
};
using DeviceNonzeroFn = void(const DeviceNonzero&);

// The elements where mask is true, packed: out[k] = in[i], or spread: out[i] = in[k]. Names
// "device_pack" and "device_spread", slots by size.
struct DeviceMasked {
  const uint8_t* mask = nullptr;
  const int64_t* before = nullptr;
  const void* in = nullptr;
  void* out = nullptr;
  int64_t n = 0;
};
using DeviceMaskedFn = void(const DeviceMasked&);

// out = in where it is on or below the diagonal (`lower`), or on or above it; else 0. Contiguous
// matrices of n elements in all. Name "device_triangle", slots by size.
struct DeviceTriangle {
  const void* in = nullptr;
  void* out = nullptr;
  int64_t n = 0, rows = 1, columns = 1, diagonal = 0;
  bool lower = true;
};
using DeviceTriangleFn = void(const DeviceTriangle&);

}  // namespace pt
