// Plain arguments of the reduction kernels; the only thing op code and kernels share.
//
// The op layer brings every reduction to three levels, out[o, i] = reduce over r of in[o, r, i],
// collapsing dimensions where strides permit and copying where they do not.
#pragma once

#include <cstdint>

namespace pt {

struct ReduceArgs {
  const void* in = nullptr;
  void* out = nullptr;
  void* out2 = nullptr;  // second result, addressed like `out` (indices: int64)
  int64_t outer = 1, n = 0, inner = 1;
  int64_t in_outer = 0, in_n = 0, in_inner = 0;  // strides in elements, any value
  int64_t out_outer = 0, out_inner = 0;
  double p = 0;  // norm: p; var, std, var_mean: correction; else unused
};
using ReduceFn = void(const ReduceArgs&);

// out = sum over i of a[i] * b[i]; `out` has the inputs' dtype.
struct DotArgs {
  const void* a = nullptr;
  const void* b = nullptr;
  void* out = nullptr;
  int64_t n = 0, a_stride = 1, b_stride = 1;
};
using DotFn = void(const DotArgs&);

}  // namespace pt
