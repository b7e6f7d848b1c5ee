// Windows of a pooling call, from its sizes: the tables of cpu/pool_args.h are the host's. Used by
// the files of this folder.
#pragma once

#include "cpu/pool_args.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {

inline constexpr int kPoolThreads = 256;

// The elements first + i * step, i < count, of a dimension; `size` counts the padding, too.
struct Window {
  int64_t first, count, size;
};

// Indices are I: int where all tensors are small. `sliding` windows follow from kernel, stride and
// padding, others share the dimension out.
template <class I>
struct Windows {
  const void* in;
  void* out;
  int64_t* indices;
  I planes;
  I in_size[3], out_size[3], kernel[3], stride[3], padding[3], dilation[3];
  bool sliding, padded_sizes;
  double divisor;            // or 0
  const int64_t* starts[3];  // of each plane, or null
};

template <class I>
PT_DEVICE Window window_of(const Windows<I>& w, int d, I j, I plane) {
  if (w.starts[d]) {
    const I k = w.kernel[d];
    return {w.starts[d][int64_t{plane} * w.out_size[d] + j], k, k};
  }
  if (!w.sliding) {
    const int64_t product = int64_t{j} * w.in_size[d];
    const int64_t first = product / w.out_size[d];
    const int64_t last = (product + w.in_size[d] + w.out_size[d] - 1) / w.out_size[d];
    return {first, last - first, last - first};
  }
  const I step = w.dilation[d], begin = j * w.stride[d] - w.padding[d];
  const I skipped = begin < 0 ? (-begin + step - 1) / step : 0;
  const I first = begin + skipped * step;
  const I fit = first < w.in_size[d] ? (w.in_size[d] - 1 - first) / step + 1 : 0;
  const I left = w.kernel[d] - skipped;
  const I count = left < 0 ? 0 : left < fit ? left : fit;
  const I room = w.in_size[d] + w.padding[d] - begin;
  return {first < w.in_size[d] ? first : w.in_size[d] - 1, count,
          w.padded_sizes ? (w.kernel[d] < room ? w.kernel[d] : room) : count};
}

// The windows of a sliding or adaptive call that an element lies in: first .. last.
template <class I>
PT_DEVICE void windows_over(const Windows<I>& w, int d, I x, I* first, I* last) {
  if (!w.sliding) {
    // Window j reaches from floor(j * in / out) to ceil((j + 1) * in / out).
    const int64_t in = w.in_size[d], out = w.out_size[d];
    *first = static_cast<I>(int64_t{x} * out / in);
    *last = static_cast<I>(((int64_t{x} + 1) * out - 1) / in);
    return;
  }
  const I reach = (w.kernel[d] - 1) * w.dilation[d], at = x + w.padding[d];
  *first = at <= reach ? 0 : (at - reach + w.stride[d] - 1) / w.stride[d];
  *last = at / w.stride[d];
  if (*last >= w.out_size[d]) *last = w.out_size[d] - 1;
}

template <class I>
Windows<I> windows_from(const PoolArgs& a) {
  Windows<I> w{};
  w.in = a.in;
  w.out = a.out;
  w.indices = a.indices;
  w.planes = static_cast<I>(a.planes);
  for (int d = 0; d < 3; ++d) {
    w.in_size[d] = static_cast<I>(a.in_size[d]);
    w.out_size[d] = static_cast<I>(a.out_size[d]);
    // Sizes of windows may be anything the padding allows; what is beyond the tensor is not read.
    w.kernel[d] = static_cast<I>(a.kernel[d]);
    w.stride[d] = static_cast<I>(a.stride[d]);
    w.padding[d] = static_cast<I>(a.padding[d]);
    w.dilation[d] = static_cast<I>(a.dilation[d]);
    w.padded_sizes = w.padded_sizes || a.size[d] != a.count[d];
  }
  w.sliding = a.regular;
  w.divisor = static_cast<double>(a.divisor);
  return w;
}

// Whether an int counts everything in a call.
inline bool small_pool(const PoolArgs& a) {
  constexpr double kMost = 1 << 30;
  double in = static_cast<double>(a.planes), out = in;
  for (int d = 0; d < 3; ++d) {
    in *= static_cast<double>(a.in_size[d]);
    out *= static_cast<double>(a.out_size[d]);
    const double reach = static_cast<double>(a.kernel[d]) * static_cast<double>(a.dilation[d]);
    if (reach > kMost / 4 || static_cast<double>(a.stride[d]) > kMost / 4 ||
        static_cast<double>(a.out_size[d]) * static_cast<double>(a.stride[d]) > kMost / 2)
      return false;
  }
  return in < kMost && out < kMost;
}

}  // namespace pt::cuda
