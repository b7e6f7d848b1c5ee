// A layer's steps on a device: a matrix product and a kernel for each. Used by layer.cpp.
#pragma once

#include "ops/rnn/parts.h"

namespace pt::rnn::device {

// Contiguous; undefined what the layer does not have. See RnnForwardArgs and RnnBackwardArgs.
struct Steps {
  Tensor h0, c0, b_hn, gates, cells, output;
};
struct StepGradients {
  Tensor output, h, c, gates, hn, raw, width;
};

// `gates` has the input's part. Fills gates, cells and output.
void run_steps(const Layer& l, const Geometry& geometry, const Steps& s);
// Fills the gradients of gates, hn and width, and raw; h and c become those of the initial state.
void run_steps_backward(const Layer& l, const Geometry& geometry, const Steps& s,
                        const StepGradients& g);

}  // namespace pt::rnn::device
