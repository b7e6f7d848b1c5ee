// Plain arguments of the softmax kernels; the only thing op code and kernels share.
#pragma once

#include "cpu/scan_args.h"

namespace pt {

// out[o, :, i] = softmax or log_softmax of in[o, :, i].
struct SoftmaxArgs {
  const void* in = nullptr;
  void* out = nullptr;
  int64_t outer = 1, n = 0, inner = 1;
  LineStrides in_stride, out_stride;
};
using SoftmaxFn = void(const SoftmaxArgs&);

// grad_in from the gradient of the result and the result itself.
struct SoftmaxBackwardArgs {
  const void* grad = nullptr;
  const void* output = nullptr;
  void* grad_in = nullptr;
  int64_t outer = 1, n = 0, inner = 1;
  LineStrides grad_stride, output_stride, grad_in_stride;
};
using SoftmaxBackwardFn = void(const SoftmaxBackwardArgs&);

}  // namespace pt
