// Plain arguments of the kernels for padding, resampling and sampling of images; the only thing
// ops/image and cpu/image*.cpp share.
#pragma once

#include <cstdint>

namespace pt {

inline constexpr int kMaxPadDims = 64;

// Padding: out[i, j, ...] = in[map0[i], map1[j], ...]. A null map stands for 0, 1, 2..., -1 in a
// map for the fill value.
struct PadArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* fill = nullptr;  // one element
  int ndim = 0;                // at least 1; the last dimension of `in` has stride 1
  int64_t rows = 0;            // product of out_size without the last
  int64_t out_size[kMaxPadDims];
  int64_t in_stride[kMaxPadDims];  // in elements
  const int64_t* map[kMaxPadDims];
  // out[..., first .. last) are consecutive elements of in.
  int64_t first = 0, last = 0;
};
// "pad_copy", in the slot of the DType that has the element's size (as "copy2d").
using PadFn = void(const PadArgs&);

// The gradient of padding three dimensions of [planes, z, y, x]: grad_in[map] += grad.
struct PadBackwardArgs {
  const void* grad = nullptr;
  void* grad_in = nullptr;
  int64_t planes = 0;
  int64_t in_size[3] = {1, 1, 1}, out_size[3] = {1, 1, 1};
  const int64_t* map[3] = {};
  int64_t first = 0, last = 0;
};
using PadBackwardFn = void(const PadBackwardArgs&);

}  // namespace pt
