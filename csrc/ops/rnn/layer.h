// One recurrent layer in one direction: its arguments, checked, and the two ways to compute it.
#pragma once

#include "core/tensor.h"
#include "cpu/rnn_args.h"

namespace pt::rnn {

// Undefined tensors are those a layer does not have.
struct Layer {
  Tensor input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr;
  RnnMode mode;
  IntList batch_sizes;
  bool reverse;
};
struct LayerState {
  Tensor output, h_n, c_n;
};
// In the order of Layer's tensors.
struct LayerGradients {
  Tensor input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr;
};

// Raises unless all shapes and dtypes fit.
void check_layer(const Layer& l);

// The layer as a formula of ops that autograd records: for 16-bit floats and, backward, for
// gradients of gradients.
LayerState formula_forward(const Layer& l);
LayerGradients formula_backward(const Layer& l, const Tensor& grad_output, const Tensor& grad_h,
                                const Tensor& grad_c);

}  // namespace pt::rnn
