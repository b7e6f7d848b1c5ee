// Negative log likelihoods on a device: lines [outer, n, inner] and the class of each.
#pragma once

#include "cpu/scan_args.h"

namespace pt {

// "device_pick": losses[line] = -in[class] * weight[class] and weights[line] = weight[class], 0 for
// lines whose class is ignored. A class that is no index of a line is reported as an IndexError.
// "device_place": out[class of line] = -grad * weight[class] / divisor. Floating slots.
struct DevicePicks {
  int64_t outer = 1, n = 0, inner = 1;
  LineStrides strides;
  const int64_t* classes = nullptr;
  int64_t ignored = -1;
  const double* weight = nullptr;  // null: 1
  const void* in = nullptr;
  double *losses = nullptr, *weights = nullptr;
  const void* grad = nullptr;
  bool single = false;              // one grad for all lines
  const double* divisor = nullptr;  // null: 1
  void* out = nullptr;
};
using DevicePicksFn = void(const DevicePicks&);

// The multilabel margin loss of rows of n scores; the labels of a row end at its first negative
// one. Names "device_multilabel_margin" (losses, one for a row) and
// "device_multilabel_margin_backward" (out = grad of the row * slope).
struct DeviceLabelledRows {
  int64_t rows = 0, n = 0;
  const void* in = nullptr;
  const int64_t* labels = nullptr;
  const void* grad = nullptr;
  void* out = nullptr;
};
using DeviceLabelledRowsFn = void(const DeviceLabelledRows&);

}  // namespace pt
