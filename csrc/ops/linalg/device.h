// Factorizations and triangular systems on a device, for batches of matrices: blocks by the kernels
// of csrc/cuda/linalg, what is between them by matrix products. Included by solve.cpp only.
//
// Tensors are contiguous, and float32 or float64. The results `info` (int32, one for each matrix)
// stay on the device: 0, or what linalg::cholesky and linalg::lu_factor would return.
#pragma once

#include "core/tensor.h"

namespace pt::linalg_ops::device {

// Overwrites a with its factor, whose other triangle is zeros; a may become another tensor.
Tensor cholesky(Tensor& a);
// Overwrites a with its factors.
Tensor lu_factor(const Tensor& a, const Tensor& pivots);

struct Shape {
  bool upper = false, unit = false;
};
// Overwrites x with the solution of a X = x, or with left == false of X a = x.
void solve_triangular(const Tensor& a, Shape shape, bool left, const Tensor& x);
void lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& x);

void lu_det(const Tensor& lu, const Tensor& pivots, const Tensor& det);
void lu_slogdet(const Tensor& lu, const Tensor& pivots, const Tensor& sign, const Tensor& log);

}  // namespace pt::linalg_ops::device
