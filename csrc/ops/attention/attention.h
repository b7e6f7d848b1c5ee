// Scaled dot product attention.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
    "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> "
    "Tensor">
    scaled_dot_product_attention;

// The fused kernel, for (batch, heads, length, size) tensors of one floating dtype and a mask
// (bool, or of that dtype) of (batch, heads, length, keys). key and value may have fewer heads.
// logsumexp is what the gradient needs.
inline constexpr Op<
    "_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask, bool is_causal, "
    "float scale) -> (Tensor output, Tensor logsumexp)">
    attention;

}  // namespace pt
