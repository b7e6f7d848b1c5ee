// One step of a recurrent layer on a device: everything but its matrix products, which are made by
// "gemm". Matrices are row-major without gaps; see cpu/rnn_args.h for the meaning of the gates.
#pragma once

#include "cpu/rnn_args.h"

namespace pt {

// The state before a step: rows [0, split) are `steps`', the others those of the initial state.
struct RnnBefore {
  const void* steps = nullptr;
  const void* initial = nullptr;
  int64_t split = 0;
};

// Pointers are to the first row of the step.
struct RnnStepArgs {
  RnnMode mode = RnnMode::kTanh;
  int64_t rows = 0, hidden = 0;
  void* gates = nullptr;  // [rows, G hidden]: sums of both products and the biases; then activated
  void* cells = nullptr;  // [rows, hidden]: lstm: becomes c; gru: w_hn h + b_hn
  RnnBefore before;       // lstm: of c; gru: of h
  void* h = nullptr;      // [rows, hidden]
};

struct RnnStepBackwardArgs {
  RnnMode mode = RnnMode::kTanh;
  int64_t rows = 0, hidden = 0;
  const void* gates = nullptr;
  const void* cells = nullptr;
  RnnBefore before;
  const void* h = nullptr;            // the step's own, for tanh and relu
  const void* grad_output = nullptr;  // [rows, hidden], added to grad_h; or null
  void* grad_h = nullptr;             // [rows, hidden]; gru: becomes what does not go by the gates
  void* grad_c = nullptr;             // [rows, hidden], lstm
  void* grad_gates = nullptr;         // [rows, G hidden], before the activations
  void* grad_hn = nullptr;            // [rows, hidden], gru
  void* raw = nullptr;                // [rows, hidden], lstm: h before a projection; or null
};

using RnnStepFn = void(const RnnStepArgs&);                  // name "device_rnn_step"
using RnnStepBackwardFn = void(const RnnStepBackwardArgs&);  // "device_rnn_step_backward"

}  // namespace pt
