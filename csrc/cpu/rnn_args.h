// Plain arguments of the recurrent kernels; the only thing op code and kernels share.
//
// A layer sees rows: all rows of step 0, then those of step 1, and so on. Step t has
// batch_sizes[t] rows from row offsets[t] on; sizes never grow, and row r of a step belongs to
// sequence r. With `reverse` the steps are gone through from the last to the first; a sequence then
// joins, with its initial state, at its own last step.
//
// Every matrix is row-major without gaps. A layer has G gates: 1 (rnn), 3 (gru: r z n) or 4 (lstm:
// i f g o); `width` is the size of h, which a projection makes differ from `hidden`.
#pragma once

#include <cstdint>

namespace pt {

enum class RnnMode : uint8_t { kTanh, kRelu, kLstm, kGru };

// Elements of workspace for a packed matrix whose packed side is `columns`.
inline constexpr int64_t rnn_packed_size(int64_t depth, int64_t columns) {
  return depth * ((columns + 31) / 32 * 32);
}

struct RnnShape {
  RnnMode mode = RnnMode::kTanh;
  bool reverse = false;
  int64_t steps = 0, batch = 0, hidden = 0, width = 0;
  const int64_t* batch_sizes = nullptr;
  const int64_t* offsets = nullptr;
  int64_t gates() const { return mode == RnnMode::kLstm ? 4 : mode == RnnMode::kGru ? 3 : 1; }
};

struct RnnForwardArgs {
  RnnShape shape;
  const void* h0 = nullptr;    // [batch, width]
  const void* c0 = nullptr;    // [batch, hidden], lstm
  const void* w_hh = nullptr;  // [G hidden, width]; null: its products are in `gates` already
  const void* w_hr = nullptr;  // [width, hidden] or null
  const void* b_hn = nullptr;  // [hidden] or null: gru's bias inside the reset gate
  void* gates = nullptr;       // [rows, G hidden]: from the input's part to the activated gates
  void* cells = nullptr;       // [rows, hidden]: lstm's c; gru's w_hn h + b_hn
  void* output = nullptr;      // [rows, width]
  void* raw = nullptr;         // [batch, hidden] workspace for h before a projection
  void* packed_hh = nullptr;   // workspace: G of rnn_packed_size(width, hidden)
  void* packed_hr = nullptr;   // workspace: rnn_packed_size(hidden, width)
};

struct RnnBackwardArgs {
  RnnShape shape;
  const void* h0 = nullptr;
  const void* c0 = nullptr;
  const void* w_hh = nullptr;  // null: what flows into h by it is left to the caller
  const void* w_hr = nullptr;
  const void* gates = nullptr;  // what the forward kernel left
  const void* cells = nullptr;
  const void* output = nullptr;
  const void* grad_output = nullptr;  // [rows, width] or null
  void* grad_h = nullptr;             // [batch, width]: from the gradient of h_n to that of h0
  void* grad_c = nullptr;             // [batch, hidden], lstm: the same for c
  void* grad_gates = nullptr;         // [rows, G hidden], before the activations
  void* grad_hn = nullptr;            // [rows, hidden], gru: of w_hn h + b_hn
  void* raw = nullptr;                // [rows, hidden]: h before the projection
  void* grad_width = nullptr;         // [rows, width]: the gradient of the projected h
  void* grad_raw = nullptr;           // [batch, hidden] workspace of a projection
  void* packed_hh = nullptr;          // workspace: rnn_packed_size(G hidden, width)
  void* packed_hr = nullptr;          // workspace: rnn_packed_size(width, hidden)
};

using RnnForwardFn = void(const RnnForwardArgs&);    // kernel table name: "rnn_forward"
using RnnBackwardFn = void(const RnnBackwardArgs&);  // "rnn_backward"

}  // namespace pt
