// Sums and products in the dtype that PyTorch gives them.
#pragma once

#include "op/copy.h"
#include "op/reduction.h"

namespace pt {

// Integers and bools are accumulated as int64 unless a dtype is asked for.
inline Tensor accumulate(const ReduceKernel& kernel, const Tensor& self, const DimSet& dims,
                         bool keepdim, std::optional<DType> dtype) {
  const DType own = self.dtype();
  const bool integral = is_integral(own, true);
  const DType result = dtype.value_or(integral ? DType::kInt64 : own);
  if (!is_integral(result, true))
    return run_reduction(
        {.kernel = kernel, .compute = result, .result = result, .splits = !is_half(result)}, self,
        dims, keepdim);
  const DType compute = integral && result == DType::kInt64 ? own : result;
  const Tensor total =
      run_reduction({.kernel = kernel, .compute = compute, .result = DType::kInt64, .splits = true},
                    self, dims, keepdim);
  return cast_to(total, result);
}

}  // namespace pt
