// Pieces of gradient formulas that the reductions and scans of this folder share.
#pragma once

#include "op/reduction.h"
#include "ops/view/view.h"

namespace pt {

// A reduced tensor that broadcasts against what it was made from (only self's sizes are read).
inline Tensor restored(const Tensor& reduced, const Tensor& self, const DimSet& dims,
                       bool keepdim) {
  if (keepdim || reduced.dim() == self.dim()) return reduced;
  return reshape(reduced, reduced_shape(self, dims, true));
}

}  // namespace pt
