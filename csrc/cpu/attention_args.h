// Plain arguments of the attention kernels; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// A tensor [batch, heads, rows, columns] of any strides but the last, which is 1 (but for masks).
struct AttentionOperand {
  void* data = nullptr;
  int64_t batch = 0, head = 0, row = 0, column = 1;
};

// softmax(scale * q @ k.T + mask) @ v for every batch and head. Several heads of q in succession
// may share a head of k and v.
struct AttentionArgs {
  int64_t batch = 0, heads = 0, kv_heads = 0;
  int64_t rows = 0, keys = 0, size = 0, value_size = 0;
  AttentionOperand q, k, v, out;
  AttentionOperand mask;  // null, of the dtype of q (added), or bool (false: not attended)
  bool mask_is_bool = false;
  bool causal = false;  // key j is attended by rows from j on
  double scale = 1;
  void* logsumexp = nullptr;  // [batch, heads, rows], row-major
};

struct AttentionBackwardArgs {
  AttentionArgs forward;
  AttentionOperand grad_out, grad_q, grad_k, grad_v;
  void* dots = nullptr;  // [batch, heads, rows] workspace
};

using AttentionFn = void(const AttentionArgs&);                  // kernel table name: "attention"
using AttentionBackwardFn = void(const AttentionBackwardArgs&);  // "attention_backward"

}  // namespace pt
