// Plain arguments of the scans along a dimension; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// Strides of a three-level view [outer, n, inner], in elements, any value.
struct LineStrides {
  int64_t outer = 0, n = 0, inner = 0;
};

// out[o, k, i] = scan of in[o, 0..k, i].
struct ScanArgs {
  const void* in = nullptr;
  void* out = nullptr;
  void* out2 = nullptr;  // int64 indices of cummax and cummin, addressed like `out`
  int64_t outer = 1, n = 0, inner = 1;
  LineStrides in_stride, out_stride;
};
using ScanFn = void(const ScanArgs&);

}  // namespace pt
