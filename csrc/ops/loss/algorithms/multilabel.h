// The multilabel margin loss of rows, below ops.
#pragma once

#include "core/tensor.h"

namespace pt {

// Rows of n scores (float or double) and of n class indices, which end at the first -1.
struct LabelledRows {
  int64_t rows = 0, n = 0;
  const void* in = nullptr;
  const int64_t* labels = nullptr;
};

// losses[r] = sum over labels l and other classes c of max(0, 1 - x[l] + x[c]) / n
void multilabel_margin_losses(const LabelledRows& r, DType dtype, void* losses);
// out = grad[r] * slope
void multilabel_margin_gradient(const LabelledRows& r, DType dtype, const void* grad, void* out);

}  // namespace pt
