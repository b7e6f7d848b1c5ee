"""``MultiheadAttention``."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn import init
from pytensor.nn.modules.linear import NonDynamicallyQuantizableLinear
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads, each to a part of the features.

    Vaswani et al., "Attention is all you need", 2017.

    Args:
        embed_dim: features of query and output; a multiple of ``num_heads``.
        num_heads: how many heads share them.
        dropout: probability of dropping a weight in training. Default: 0.
        bias: whether the projections have biases. Default: ``True``.
        add_bias_kv: whether there is one more, learnt, key and value. Default: ``False``.
        add_zero_attn: whether there is one more key and value of zeros. Default: ``False``.
        kdim, vdim: features of key and value. Default: ``embed_dim``.
        batch_first: tensors are ``(batch, seq, feature)``. Default: ``False``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        query ``(L, N, embed_dim)``, key ``(S, N, kdim)`` and value ``(S, N, vdim)``, or all without
        ``N``, to an output ``(L, N, embed_dim)`` and weights ``(N, L, S)``.

    Raises:
        ValueError, AssertionError: for sizes that do not fit.

    Example::

        >>> x = pytensor.ones(5, 2, 8)
        >>> output, weights = pytensor.nn.MultiheadAttention(8, 4)(x, x, x)
        >>> output.shape, weights.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = kdim if kdim is not None else embed_dim
        self.vdim = vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def made(*shape: int) -> Parameter:
            return Parameter(pytensor.empty(shape, device=device, dtype=dtype))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = made(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = made(embed_dim, embed_dim)
            self.k_proj_weight = made(embed_dim, self.kdim)
            self.v_proj_weight = made(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = made(3 * embed_dim)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        self.bias_k = made(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = made(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draws new initial values, but for the output's weight."""
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Output and, with ``need_weights``, weights.

        Args:
            query, key, value: what attends, to what, and what is passed on.
            key_padding_mask: ``(N, S)``: True where a key counts for nothing, or numbers to add.
            need_weights: whether to return weights; without them it is faster.
            attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``: likewise for single scores.
            average_attn_weights: return the mean of the heads' weights.
            is_causal: a hint that ``attn_mask`` is the causal mask.
        """
        swap = self.batch_first and query.dim() == 3
        if swap:
            # One projection serves what is the same tensor: it must stay the same.
            same_qk, same_kv = query is key, key is value
            query = query.transpose(1, 0)
            key = query if same_qk else key.transpose(1, 0)
            value = key if same_kv else value.transpose(1, 0)
        separate = not self._qkv_same_embed_dim
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=separate,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(1, 0) if swap else output), weights

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Both masks as one of shape ``(N, num_heads, L, L)``, and what it was made of.

        The number is None without masks, 0 for an ``attn_mask`` alone, 1 for a
        ``key_padding_mask`` alone and 2 for an ``attn_mask`` that was expanded.
        """
        kind: int | None = None
        merged: Tensor | None = None
        if key_padding_mask is not None:
            kind, merged = 1, key_padding_mask
        if attn_mask is not None:
            batch, length = query.shape[0], query.shape[1]
            kind = 2
            if attn_mask.dim() == 3:
                expanded = attn_mask.view(batch, -1, length, length)
            else:
                expanded = attn_mask.view(1, 1, length, length).expand(
                    batch, self.num_heads, -1, -1
                )
            merged = expanded
            if key_padding_mask is not None:
                padding = key_padding_mask.view(batch, 1, 1, length)
                merged = expanded + padding.expand(-1, self.num_heads, -1, -1)
        return merged, kind
