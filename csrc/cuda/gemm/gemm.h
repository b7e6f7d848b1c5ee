// The products of floating-point matrices by dtype: gemm.cu has float and double, and the files
// beside this one what runs on tensor cores. Used by gemm.cu and by convolutions of 1x1.
#pragma once

#include "cpu/gemm_args.h"

namespace pt::cuda {

// T: Half, BFloat16, or float, whose operands are rounded to tf32. Sums are made in float.
template <class T>
void tensor_core_gemm(const GemmArgs& g);

// By cuBLASLt, where it is wanted, or here. T: float, double and the half types.
template <class T>
void gemm_of(const GemmArgs& g);

}  // namespace pt::cuda
