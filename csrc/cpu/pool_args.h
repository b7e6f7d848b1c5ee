// Plain arguments of the pooling kernels; the only thing ops/pool and cpu/pool*.cpp share.
//
// Everything is [planes, z, y, x] and contiguous: pooling over fewer dimensions has sizes of one.
// Window j along dimension d reads the elements start[d][j] + i * dilation[d] for i < count[d][j],
// all of which exist: padding is left out.
#pragma once

#include <cstdint>

namespace pt {

struct PoolArgs {
  const void* in = nullptr;
  void* out = nullptr;
  int64_t* indices = nullptr;  // max only, may be null: places in the plane
  int64_t planes = 0;
  int64_t in_size[3] = {1, 1, 1}, out_size[3] = {1, 1, 1};
  int64_t dilation[3] = {1, 1, 1};
  const int64_t* start[3] = {};
  const int64_t* count[3] = {};
  bool own_starts = false;  // each plane has its own starts, one table after the other

  // Windows of one size at equal distances, for the vectorised loops: start and count follow from
  // these, but for what padding cuts off.
  bool regular = false;
  int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0};

  // Averages: sums are divided by the product of the sizes, or by `divisor` unless that is 0.
  const int64_t* size[3] = {};
  int64_t divisor = 0;
};

// "max_pool": out and indices from in. "avg_pool": out from in; "avg_pool_backward": in is the
// gradient of the result and has out_size, out is the gradient of the input and has in_size.
using PoolFn = void(const PoolArgs&);

// Elements of a plane moved by place: "plane_gather" out[i] = in[index[i]], "plane_add"
// out[index[i]] += in[i] and "plane_put" out[index[i]] = in[i] where out starts as zeros.
struct PlaneIndexArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const int64_t* indices = nullptr;
  int64_t planes = 0, in_size = 0, out_size = 0;  // elements of a plane
  int64_t* bad_index = nullptr;                   // set to an index outside its plane, if any
};
using PlaneIndexFn = void(const PlaneIndexArgs&);

}  // namespace pt
