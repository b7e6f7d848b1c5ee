"""``Transformer`` and its encoder and decoder.

Vaswani et al., "Attention is all you need", 2017.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn import init
from pytensor.nn.functional.attention import _canonical_mask
from pytensor.nn.modules.activation import GELU, ReLU
from pytensor.nn.modules.attention import MultiheadAttention
from pytensor.nn.modules.container import ModuleList
from pytensor.nn.modules.dropout import Dropout
from pytensor.nn.modules.linear import Linear
from pytensor.nn.modules.module import Module
from pytensor.nn.modules.normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


def _causal_mask(size: int, dtype: Any = None, device: Any = None) -> Tensor:
    """-inf above the diagonal."""
    dtype = dtype or pytensor.get_default_dtype()
    return pytensor.full((size, size), float("-inf"), dtype=dtype, device=device).triu(1)


def _activation(name: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(name, str):
        return name
    if name not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {name}")
    function: Callable[[Tensor], Tensor] = F.relu if name == "relu" else F.gelu
    return function


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


def _is_causal(mask: Tensor | None, hint: bool | None, length: int | None) -> bool:
    """The hint or, without one, whether the mask is the causal mask."""
    if hint is not None or mask is None:
        return hint is True
    size = length if length is not None else mask.size(-2)
    causal = _causal_mask(size, mask.dtype if mask.is_floating_point() else None, mask.device)
    return mask.shape == causal.shape and bool((mask == causal).all())


def _length(x: Tensor, batch_first: bool) -> int | None:
    if x.dim() == 2:
        return x.size(0)
    return x.size(1 if batch_first else 0) if x.dim() == 3 else None


class _Layer(Module):
    """What the layers of encoder and decoder share: attention to itself and a small network."""

    self_attn: MultiheadAttention
    dropout1: Dropout

    def _add_network(
        self, d_model: int, dim_feedforward: int, dropout: float, bias: bool, factory: Any
    ) -> None:
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **factory)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **factory)

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        output: Tensor = self.self_attn(
            x,
            x,
            x,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )[0]
        result: Tensor = self.dropout1(output)
        return result


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then a network of two linear layers.

    Args:
        d_model: features of each step.
        nhead: heads of the attention.
        dim_feedforward: features between the linear layers. Default: 2048.
        dropout: probability of dropping. Default: 0.1.
        activation: ``"relu"``, ``"gelu"`` or a function. Default: relu.
        layer_norm_eps: of the normalizations. Default: 1e-5.
        batch_first: tensors are ``(batch, seq, feature)``. Default: ``False``.
        norm_first: normalize what goes into each part instead of the sum after it. Default:
            ``False``.
        bias: whether linear layers and normalizations have biases. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(S, N, d_model)`` or ``(S, d_model)`` to the same.

    Example::

        >>> layer = pytensor.nn.TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16)
        >>> layer(pytensor.ones(5, 2, 8)).shape
        torch.Size([5, 2, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **factory
        )
        self._add_network(d_model, dim_feedforward, dropout, bias, factory)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The encoded sequence; masks as of ``MultiheadAttention``."""
        padding = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", src_mask, "src_mask", src.dtype
        )
        mask = _canonical_mask(src_mask, "src_mask", None, "", src.dtype, False)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, mask, padding, is_causal))
        result: Tensor = self.norm2(x + self._ff_block(x))
        return result

    def _ff_block(self, x: Tensor) -> Tensor:
        x = self.linear2(self.dropout(self.activation(self.linear1(x))))
        result: Tensor = self.dropout2(x)
        return result


class TransformerEncoder(Module):
    """Encoder layers, one after the other.

    Args:
        encoder_layer: the layer, copied ``num_layers`` times.
        num_layers: how many.
        norm: normalization of the result, or None. Default: None.
        enable_nested_tensor: without gradients, results of padded steps are 0. Default: ``True``.
        mask_check: only where padding follows what it pads. Default: ``True``.

    Shape:
        As of ``TransformerEncoderLayer``.

    Example::

        >>> layer = pytensor.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> pytensor.nn.TransformerEncoder(layer, num_layers=2)(pytensor.ones(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        obstacle = self._obstacle(encoder_layer)
        if enable_nested_tensor and obstacle:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because "
                + obstacle,
                stacklevel=2,
            )
            self.use_nested_tensor = False

    @staticmethod
    def _obstacle(layer: Any) -> str:
        """Why results at padded steps are left as they are, if so."""
        if not isinstance(layer, TransformerEncoderLayer):
            return "encoder_layer was not TransformerEncoderLayer"
        attention = layer.self_attn
        checks = (
            (layer.norm_first, "encoder_layer.norm_first was True"),
            (
                not attention.batch_first,
                "encoder_layer.self_attn.batch_first was not True"
                "(use batch_first for better inference performance)",
            ),
            (
                not attention._qkv_same_embed_dim,
                "encoder_layer.self_attn._qkv_same_embed_dim was not True",
            ),
            (attention.in_proj_bias is None, "encoder_layer.self_attn was passed bias=False"),
            (
                layer.activation not in (F.relu, F.gelu)
                and not isinstance(layer.activation, (ReLU, GELU)),
                "encoder_layer.activation_relu_or_gelu was not True",
            ),
            (
                layer.norm1.eps != layer.norm2.eps,
                "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps",
            ),
            (attention.num_heads % 2 == 1, "encoder_layer.self_attn.num_heads is odd"),
        )
        return next((text for wrong, text in checks if wrong), "")

    def _blanks_padding(self, src: Tensor, mask: Tensor | None, padding: Tensor | None) -> bool:
        """Whether the results at padded steps become zero, as those of nested tensors do."""
        if not self.use_nested_tensor or padding is None or mask is not None or src.dim() != 3:
            return False
        if self.training or any(layer.training for layer in self.layers):
            return False
        if pytensor.is_grad_enabled() and (
            src.requires_grad or any(p.requires_grad for p in self.layers.parameters())
        ):
            return False
        if padding.dtype != pytensor.bool:
            return False
        return not self.mask_check or not bool((padding[:, :-1] & ~padding[:, 1:]).any())

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The encoded sequence; ``is_causal=None`` looks at the mask."""
        blanks = self._blanks_padding(src, mask, src_key_padding_mask)
        padding = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", mask, "mask", src.dtype
        )
        mask = _canonical_mask(mask, "mask", None, "", src.dtype, False)
        length = _length(src, self.layers[0].self_attn.batch_first)
        causal = _is_causal(mask, is_causal, length)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if blanks:
            assert src_key_padding_mask is not None
            output = output.masked_fill(src_key_padding_mask.unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself and to another one, then two linear layers.

    Args:
        d_model: features of each step.
        nhead: heads of the attentions.
        dim_feedforward: features between the linear layers. Default: 2048.
        dropout: probability of dropping. Default: 0.1.
        activation: ``"relu"``, ``"gelu"`` or a function. Default: relu.
        layer_norm_eps: of the normalizations. Default: 1e-5.
        batch_first: tensors are ``(batch, seq, feature)``. Default: ``False``.
        norm_first: normalize what goes into each part instead of the sum after it. Default:
            ``False``.
        bias: whether linear layers and normalizations have biases. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(T, N, d_model)`` and memory ``(S, N, d_model)`` to the former; or both without ``N``.

    Example::

        >>> layer = pytensor.nn.TransformerDecoderLayer(d_model=8, nhead=2, dim_feedforward=16)
        >>> layer(pytensor.ones(3, 2, 8), pytensor.ones(5, 2, 8)).shape
        torch.Size([3, 2, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **factory
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **factory
        )
        self._add_network(d_model, dim_feedforward, dropout, bias, factory)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequence; masks as of ``MultiheadAttention``."""
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        x = tgt
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, *other))
        result: Tensor = self.norm3(x + self._ff_block(x))
        return result

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        output: Tensor = self.multihead_attn(
            x,
            mem,
            mem,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )[0]
        result: Tensor = self.dropout2(output)
        return result

    def _ff_block(self, x: Tensor) -> Tensor:
        x = self.linear2(self.dropout(self.activation(self.linear1(x))))
        result: Tensor = self.dropout3(x)
        return result


class TransformerDecoder(Module):
    """Decoder layers, one after the other.

    Args:
        decoder_layer: the layer, copied ``num_layers`` times.
        num_layers: how many.
        norm: normalization of the result, or None. Default: None.

    Shape:
        As of ``TransformerDecoderLayer``.

    Example::

        >>> layer = pytensor.nn.TransformerDecoderLayer(8, 2, 16)
        >>> decoder = pytensor.nn.TransformerDecoder(layer, num_layers=2)
        >>> decoder(pytensor.ones(3, 2, 8), pytensor.ones(5, 2, 8)).shape
        torch.Size([3, 2, 8])
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequence; ``tgt_is_causal=None`` looks at the mask."""
        length = _length(tgt, self.layers[0].self_attn.batch_first)
        causal = _is_causal(tgt_mask, tgt_is_causal, length)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder and a decoder that attends to what the encoder makes.

    Args:
        d_model: features of each step. Default: 512.
        nhead: heads of the attentions. Default: 8.
        num_encoder_layers, num_decoder_layers: Default: 6.
        dim_feedforward: features between the linear layers. Default: 2048.
        dropout: probability of dropping. Default: 0.1.
        activation: ``"relu"``, ``"gelu"`` or a function. Default: relu.
        custom_encoder, custom_decoder: in the place of the usual ones. Default: None.
        layer_norm_eps: of the normalizations. Default: 1e-5.
        batch_first: tensors are ``(batch, seq, feature)``. Default: ``False``.
        norm_first: normalize what goes into each part instead of the sum after it. Default:
            ``False``.
        bias: whether linear layers and normalizations have biases. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(S, N, d_model)`` and ``(T, N, d_model)`` to the latter; or both without ``N``.

    Example::

        >>> model = pytensor.nn.Transformer(8, 2, 1, 1, 16)
        >>> model(pytensor.ones(5, 2, 8), pytensor.ones(3, 2, 8)).shape
        torch.Size([3, 2, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        shared = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        options = (batch_first, norm_first, bias, device, dtype)
        super().__init__()
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            self.encoder = TransformerEncoder(
                TransformerEncoderLayer(*shared, *options),
                num_encoder_layers,
                LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory),
            )
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            self.decoder = TransformerDecoder(
                TransformerDecoderLayer(*shared, *options),
                num_decoder_layers,
                LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **factory),
            )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded target; masks as of ``MultiheadAttention``."""
        if src.dim() == 3:
            batch_dim = 0 if self.batch_first else 1
            if src.size(batch_dim) != tgt.size(batch_dim):
                raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        output: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return output

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask: -inf above the diagonal, else 0.

        Example::

            >>> pytensor.nn.Transformer.generate_square_subsequent_mask(2)
            tensor([[0., -inf],
                    [0., 0.]])
        """
        return _causal_mask(sz, dtype)

    def _reset_parameters(self) -> None:
        """Draws new initial values for all weights."""
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
