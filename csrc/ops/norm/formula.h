// Pieces that the normalizations of this folder share: arrays of numbers for channels, and the
// gradient of their gradient.
#pragma once

#include "op/define.h"

namespace pt {

// A vector of doubles, the form in which statistics are worked on.
Tensor numbers(const Tensor& t);
inline double* values(const Tensor& t) { return t.data<double>(); }
inline DType accumulate_type(DType t) { return is_half(t) ? DType::kFloat32 : t; }
// PyTorch's rule: parameters have input's dtype, or float32 for 16-bit inputs. Returns theirs.
DType check_parameters(const Tensor& input, std::initializer_list<const Tensor*> parameters);

// y = (x - mean) * rstd * weight with statistics over `dims`; weight, if defined, broadcasts to x.
struct Normalization {
  Tensor x, weight;
  IntList dims;
  double eps;
  bool centred;
};

// For the gradients of x (y's gradient being `grad`), of the weight and of a bias: what comes from
// their gradients v, v_weight and v_bias (any undefined), the last two broadcasting to x.
struct SecondGradient {
  Tensor grad, x, weight;  // weight: still to be summed to its shape
};
SecondGradient second_gradient(const Normalization& n, const Tensor& grad, const Tensor& v,
                               const Tensor& v_weight, const Tensor& v_bias);

}  // namespace pt
