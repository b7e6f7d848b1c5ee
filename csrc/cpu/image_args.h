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

// Which elements along a dimension make up each output element, and how much of them: those from
// offset[j] to offset[j + 1]. Weights are float, or double for kernels that compute in double.
struct TapTable {
  const int64_t* offset = nullptr;
  const int32_t* index = nullptr;
  const void* weight = nullptr;
};

inline constexpr int64_t kEvenLine = 16;  // lanes of any vector of float

// out[p, z, y, x] = sums over the taps of each dimension of weights times in.
struct ResampleArgs {
  const void* in = nullptr;
  void* out = nullptr;
  int64_t planes = 0;
  int64_t in_size[3] = {1, 1, 1}, out_size[3] = {1, 1, 1};
  TapTable taps[3];
  // Where every output element of a row has the same number of taps: tap k of element j at
  // [k * even_stride + j]. Lines are filled up to a multiple of kEvenLine with taps of no weight.
  int64_t even_taps = 0, even_stride = 0;
  const int32_t* even_index = nullptr;
  const void* even_weight = nullptr;
  // Nearest only: each element of a row stands twice, or every second one is left out.
  bool doubles_rows = false, halves_rows = false;
};
// "resample", and "resample_nearest" for tables of one tap each: a copy, in the slot of the DType
// that has the element's size.
using ResampleFn = void(const ResampleArgs&);

// Weighted sums of elements named by place: `in` is [batch, channels, in_size], `out` [batch,
// channels, points], `weights` and `places` [batch, taps, points]; a place outside the plane
// stands for nothing, and weights of 16-bit floats are float. "sample" makes out[c, p] = sum over k
// of weights[k, p] * in[c, places[k, p]]; "sample_add" adds the same products to `in` and
// "sample_dot" makes weights[k, p] = sum over c of out[c, p] * in[c, places[k, p]].
struct SampleArgs {
  void* in = nullptr;
  void* out = nullptr;
  void* weights = nullptr;
  const int32_t* places = nullptr;
  int64_t batch = 0, channels = 0, in_size = 0, points = 0, taps = 0;
};
using SampleFn = void(const SampleArgs&);

// What grid_sampler's numbers mean.
namespace grid_modes {
enum Mode : int { kBilinear, kNearest, kBicubic };
enum Padding : int { kZeros, kBorder, kReflection };
}  // namespace grid_modes

// A grid of points, [batch, points, dims] of float or double, and the planes it samples.
struct GridArgs {
  const void* grid = nullptr;
  int dims = 2;
  int64_t batch = 0, points = 0;
  int64_t size[3] = {1, 1, 1};  // of a plane: x, y, z
  int mode = 0, padding = 0;    // grid_sampler's
  bool align_corners = false;
  int order[3] = {0, 0, 0};  // how often weights are differentiated by x, y, z
  int axis_taps = 2;
  int64_t taps = 4;
  // "grid_taps", in the slot of the grid's dtype: [batch, taps, points], either may be null.
  void* weights = nullptr;
  int32_t* places = nullptr;
  // "grid_sample", in the slot of the planes' dtype: [batch, channels, in_size] to [.., points].
  const void* in = nullptr;
  void* out = nullptr;
  int64_t channels = 0, in_size = 0;
  // "grid_sample_backward", in the slot of the planes' dtype: from the gradient of `out` those of
  // `in` and of the grid (in its dtype); either may be null.
  const void* grad = nullptr;
  void* grad_in = nullptr;
  void* grad_grid = nullptr;
};
using GridFn = void(const GridArgs&);

}  // namespace pt
