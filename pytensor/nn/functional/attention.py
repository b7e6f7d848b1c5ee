"""Attention: ``scaled_dot_product_attention`` and ``multi_head_attention_forward``.

Part of ``pytensor.nn.functional``. Vaswani et al., "Attention is all you need", 2017.
"""

from __future__ import annotations

import math
import warnings

import pytensor
from pytensor import Tensor, _ops
from pytensor.nn.functional.dropout import dropout
from pytensor.nn.functional.linear import linear

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

scaled_dot_product_attention = _ops.internal["scaled_dot_product_attention"]


def _canonical_mask(
    mask: Tensor | None,
    name: str,
    other: Tensor | None,
    other_name: str,
    dtype: pytensor.dtype,
    check_other: bool = True,
) -> Tensor | None:
    """A mask of numbers to add: -inf where a mask of bools says True."""
    if mask is None:
        return None
    if mask.dtype != pytensor.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for "
            "both instead.",
            stacklevel=3,
        )
    if mask.is_floating_point():
        return mask
    return pytensor.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(mask, -math.inf)


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Raises unless dimensions fit; whether there is a batch dimension."""

    def check(good: bool, text: str) -> None:
        if not good:
            raise AssertionError(text)

    dim = query.dim()
    check(
        dim in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {dim}-D query tensor",
    )
    kind = "batched" if dim == 3 else "unbatched"
    check(
        key.dim() == dim and value.dim() == dim,
        f"For {kind} ({dim}-D) `query`, expected `key` and `value` to be {dim}-D but found "
        f"{key.dim()}-D and {value.dim()}-D tensors respectively",
    )
    if key_padding_mask is not None:
        check(
            key_padding_mask.dim() == dim - 1,
            f"For {kind} ({dim}-D) `query`, expected `key_padding_mask` to be `None` or "
            f"{dim - 1}-D but found {key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        check(
            attn_mask.dim() in (2, 3),
            f"For {kind} ({dim}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but "
            f"found {attn_mask.dim()}-D tensor instead",
        )
        if dim == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            check(
                tuple(attn_mask.shape) == expected,
                f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}",
            )
    return dim == 3


def _project_packed(
    q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value by the three parts of one weight, in as few products as possible."""
    size = q.size(-1)
    if k is v and q is k:
        all_q, all_k, all_v = linear(q, weight, bias).unflatten(-1, (3, size)).unbind(-2)
        return all_q, all_k, all_v
    w_q, w_kv = weight.split([size, 2 * size])
    b_q, b_kv = (None, None) if bias is None else bias.split([size, 2 * size])
    if k is v:
        projected_k, projected_v = linear(k, w_kv, b_kv).unflatten(-1, (2, size)).unbind(-2)
        return linear(q, w_q, b_q), projected_k, projected_v
    w_k, w_v = w_kv.chunk(2)
    b_k, b_v = (None, None) if b_kv is None else b_kv.chunk(2)
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _project(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    weights: tuple[Tensor | None, Tensor | None, Tensor | None],
    bias: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value by a weight of their own each."""
    size = q.size(-1)
    for x, w, name in zip((q, k, v), weights, ("q", "k", "v")):
        if w is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        if tuple(w.shape) != (size, x.size(-1)):
            long = {"q": "query", "k": "key", "v": "value"}[name]
            raise AssertionError(
                f"expecting {long} weights shape of {(size, x.size(-1))}, but got {w.shape}"
            )
    biases = (None, None, None) if bias is None else bias.chunk(3)
    w_q, w_k, w_v = weights
    assert w_q is not None
    assert w_k is not None
    assert w_v is not None
    return linear(q, w_q, biases[0]), linear(k, w_k, biases[1]), linear(v, w_v, biases[2])


def _one_more(mask: Tensor | None) -> Tensor | None:
    """The mask with one more key, which everything attends to."""
    if mask is None:
        return None
    return pytensor.cat([mask, mask.new_zeros((*mask.shape[:-1], 1))], -1)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads with its projections; see ``MultiheadAttention``.

    Args:
        query: ``(L, N, E)`` or ``(L, E)``.
        key, value: ``(S, N, E)`` or ``(S, E)``; other sizes than E with separate weights.
        embed_dim_to_check: E.
        num_heads: how many heads share E.
        in_proj_weight, in_proj_bias: ``(3 E, E)`` and ``(3 E)``, of query, key and value.
        bias_k, bias_v: ``(1, 1, E)``, one more key and value for all, or None.
        add_zero_attn: whether there is one more key and value of zeros.
        dropout_p: probability of dropping a weight, while ``training``.
        out_proj_weight, out_proj_bias: ``(E, E)`` and ``(E)``.
        key_padding_mask: ``(N, S)`` or ``(S)``: True where a key counts for nothing, or added.
        need_weights: whether to return the weights.
        attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``: likewise for single scores.
        use_separate_proj_weight: ``q_proj_weight`` and so on replace ``in_proj_weight``.
        static_k, static_v: ``(N * num_heads, S, E / num_heads)``, in place of the projections.
        average_attn_weights: return the mean of the heads' weights.
        is_causal: a hint that ``attn_mask`` is the causal mask.

    Returns:
        The output, shaped like the query, and the weights, ``(N, L, S)`` or ``(N, heads, L, S)``.

    Raises:
        AssertionError, RuntimeError: for shapes that do not fit.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_qk, same_kv = query is key, key is value
        query = query.unsqueeze(1)
        key = query if same_qk else key.unsqueeze(1)
        value = key if same_kv else value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, embed_dim = query.shape
    keys = key.shape[0]

    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the attention itself is causal
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        is_causal = False
    if embed_dim != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}"
        )
    head_dim = embed_dim // num_heads
    if head_dim * num_heads != embed_dim:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's "
                f"{value.shape[:2]}"
            )
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _project(query, key, value, weights, in_proj_bias)
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _project_packed(query, key, value, in_proj_weight, in_proj_bias)

    if attn_mask is not None:
        if attn_mask.dim() == 2:
            expected: tuple[int, ...] = (length, keys)
        else:
            expected = (batch * num_heads, length, keys)
        if tuple(attn_mask.shape) != expected:
            raise RuntimeError(
                f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should "
                f"be {expected}."
            )
        if attn_mask.dim() == 2:
            attn_mask = attn_mask.unsqueeze(0)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v must both be tensors or both be None")
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k = pytensor.cat([k, bias_k.repeat(1, batch, 1)])
        v = pytensor.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)

    def heads(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], batch * num_heads, head_dim).transpose(0, 1)

    def given(x: Tensor, name: str) -> Tensor:
        for d, size in ((0, batch * num_heads), (2, head_dim)):
            if x.size(d) != size:
                raise AssertionError(f"expecting {name}.size({d}) of {size}, but got {x.size(d)}")
        return x

    q = heads(q)
    k = heads(k) if static_k is None else given(static_k, "static_k")
    v = heads(v) if static_v is None else given(static_v, "static_v")
    if add_zero_attn:
        zeros = k.new_zeros((batch * num_heads, 1, head_dim))
        k, v = pytensor.cat([k, zeros], 1), pytensor.cat([v, zeros], 1)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    keys = k.size(1)

    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, keys):
            what = 0 if key_padding_mask.shape[0] != batch else 1
            raise AssertionError(
                f"Expected key_padded_mask.shape[{what}] to be {(batch, keys)[what]}, but got "
                f"{key_padding_mask.shape[what]}"
            )
        padding = (
            key_padding_mask.view(batch, 1, 1, keys)
            .expand(-1, num_heads, -1, -1)
            .reshape(batch * num_heads, 1, keys)
        )
        attn_mask = padding if attn_mask is None else attn_mask + padding
    if not training:
        dropout_p = 0.0

    if need_weights:
        scores = q * math.sqrt(1.0 / head_dim)
        if attn_mask is not None:
            scores = pytensor.baddbmm(attn_mask, scores, k.transpose(-2, -1))
        else:
            scores = pytensor.bmm(scores, k.transpose(-2, -1))
        w = scores.softmax(-1)
        if dropout_p > 0.0:
            w = dropout(w, dropout_p)
        output = pytensor.bmm(w, v).transpose(0, 1).reshape(length, batch, embed_dim)
        output = linear(output, out_proj_weight, out_proj_bias)
        w = w.view(batch, num_heads, length, keys)
        if average_attn_weights:
            w = w.mean(1)
        return (output, w) if batched else (output.squeeze(1), w.squeeze(0))

    if attn_mask is not None:
        if attn_mask.size(0) == 1:
            attn_mask = attn_mask.unsqueeze(0)
        else:
            attn_mask = attn_mask.view(batch, num_heads, -1, keys)
    q, k, v = (x.reshape(batch, num_heads, x.size(1), head_dim) for x in (q, k, v))
    output = scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    output = output.permute(2, 0, 1, 3).reshape(length, batch, embed_dim)
    output = linear(output, out_proj_weight, out_proj_bias)
    return (output if batched else output.squeeze(1)), None
