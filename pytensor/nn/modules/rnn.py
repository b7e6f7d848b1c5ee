"""Recurrent layers: ``RNN``, ``LSTM`` and ``GRU`` over whole sequences.

Single steps are in ``rnn_cell``. The arithmetic is the ops ``lstm``, ``gru``, ``rnn_tanh`` and
``rnn_relu``; this file holds parameters and checks shapes.
"""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import pytensor
from pytensor import Tensor, _ops
from pytensor.nn import init
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter
from pytensor.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What ``RNN``, ``LSTM`` and ``GRU`` share: parameters, their initial values, and checks.

    Args:
        mode: ``"LSTM"``, ``"GRU"``, ``"RNN_TANH"`` or ``"RNN_RELU"``.
        input_size: features of each step.
        hidden_size: features of the state.
        num_layers: how many layers are stacked. Default: 1.
        bias: whether there are biases. Default: ``True``.
        batch_first: input and output are ``(batch, seq, feature)``. Default: ``False``.
        dropout: probability of dropping an output of every layer but the last. Default: 0.
        bidirectional: whether a second set of layers reads backwards. Default: ``False``.
        proj_size: size to which an LSTM's hidden state is projected, 0 for none. Default: 0.
        device, dtype: of the parameters. Default: the default device and dtype.

    Raises:
        TypeError, ValueError: for sizes and probabilities that are none.
    """

    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_arguments(dropout)

        width = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        gates = _GATES[mode] * hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            features = input_size if layer == 0 else width * directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (gates, features),
                "weight_hh": (gates, width),
            }
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values()):
                    weight = pytensor.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(name, Parameter(weight))
                self._all_weights.append(names)
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self.reset_parameters()

    def _check_arguments(self, dropout: Any) -> None:
        if (
            not isinstance(dropout, numbers.Number)
            or not 0 <= self.dropout <= 1
            or isinstance(dropout, bool)
        ):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:  # type: ignore[operator]
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name in ("input_size", "hidden_size"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    @property
    def _flat_weights(self) -> list[Any]:
        # A parametrized weight is no parameter of this module, but an attribute all the same.
        found = self._parameters
        return [
            weight if (weight := found.get(name)) is not None else getattr(self, name)
            for name in self._flat_weights_names
        ]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self) -> None:
        """Draws new initial values, uniform in ``+-1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: parameters need not lie side by side. Programs call it."""

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises unless the input's dtype and shape fit."""
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: "
                f"model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.size(-1)}"
            )

    def _expected_size(self, input: Tensor, batch_sizes: Tensor | None, width: int) -> Any:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return (self.num_layers * (2 if self.bidirectional else 1), batch, width)

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape that the hidden state must have."""
        size: tuple[int, int, int] = self._expected_size(
            input, batch_sizes, self.proj_size or self.hidden_size
        )
        return size

    def check_hidden_size(
        self, hx: Tensor, expected: tuple[int, ...], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raises unless a state has the expected shape."""
        if tuple(hx.shape) != tuple(expected):
            raise RuntimeError(msg.format(expected, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises unless input and state fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text

    # --- what the forward methods of the three layers share ---

    def _one_sequence(self, hx: Any) -> Any:
        """The states of an input without batch dimension, given one."""
        if hx.dim() != 2:
            raise RuntimeError(
                f"For unbatched 2-D input, hx should also be 2-D but got {hx.dim()}-D tensor"
            )
        return hx.unsqueeze(1)

    def _check_batched(self, hx: Any) -> None:
        if hx.dim() != 3:
            raise RuntimeError(
                f"For batched 3-D input, hx should also be 3-D but got {hx.dim()}-D tensor"
            )

    def _zero_state(self, like: Tensor, batch: int) -> Any:
        layers = self.num_layers * (2 if self.bidirectional else 1)
        width = self.proj_size or self.hidden_size
        return pytensor.zeros(layers, batch, width, dtype=like.dtype, device=like.device)

    def _call(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        """The op's outputs and last state."""
        op = {"GRU": _ops.gru, "RNN_TANH": _ops.rnn_tanh, "RNN_RELU": _ops.rnn_relu}[self.mode]
        options = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if batch_sizes is None:
            output, last = op(input, hx, self._flat_weights, *options, self.batch_first)
        else:
            output, last = op(input, batch_sizes, hx, self._flat_weights, *options)
        return output, last

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            if hx is None:
                hx = self._zero_state(data, int(sizes[0]))
            else:
                hx = self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, sizes)
            output, last = self._call(data, sizes, hx)
            return PackedSequence(output, sizes, order, back), self.permute_hidden(last, back)
        dim = input.dim()
        if dim not in (2, 3):
            tensor = " tensor" if self.mode.startswith("RNN") else ""
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {dim}D{tensor} instead"
            )
        batch_dim = 0 if self.batch_first else 1
        if dim == 2:
            input = input.unsqueeze(batch_dim)
            if hx is not None:
                hx = self._one_sequence(hx)
        elif hx is not None:
            self._check_batched(hx)
        if hx is None:
            hx = self._zero_state(input, input.size(batch_dim))
        self.check_forward_args(input, hx, None)
        output, last = self._call(input, None, hx)
        if dim == 2:
            output = output.squeeze(batch_dim)
            last = self._without_batch(last)
        return output, last

    def _without_batch(self, last: Any) -> Any:
        return last.squeeze(1)


class RNN(RNNBase):
    """Elman's network: ``h' = tanh(w_ih x + b_ih + w_hh h + b_hh)`` at each step.

    Args:
        input_size: features of each step.
        hidden_size: features of the state.
        num_layers: how many layers are stacked. Default: 1.
        nonlinearity: ``"tanh"`` or ``"relu"``. Default: ``"tanh"``.
        bias: whether there are biases. Default: ``True``.
        batch_first: input and output are ``(batch, seq, feature)``. Default: ``False``.
        dropout: probability of dropping an output of every layer but the last. Default: 0.
        bidirectional: whether a second set of layers reads backwards. Default: ``False``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(L, N, input_size)`` or ``(L, input_size)``, or a ``PackedSequence``, and a state
        ``(layers * directions, N, hidden_size)``, zeros if not given; to ``(L, N, directions *
        hidden_size)`` and the last state.

    Example::

        >>> output, h = pytensor.nn.RNN(3, 4)(pytensor.ones(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__("RNN_" + self.nonlinearity.upper(), *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory: a state guarded by an input, a forget and an output gate.

    Hochreiter and Schmidhuber, "Long short-term memory", 1997.

    Args:
        input_size: features of each step.
        hidden_size: features of the state.
        num_layers: how many layers are stacked. Default: 1.
        bias: whether there are biases. Default: ``True``.
        batch_first: input and output are ``(batch, seq, feature)``. Default: ``False``.
        dropout: probability of dropping an output of every layer but the last. Default: 0.
        bidirectional: whether a second set of layers reads backwards. Default: ``False``.
        proj_size: size to which the hidden state is projected, 0 for none. Default: 0.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(L, N, input_size)`` or ``(L, input_size)``, or a ``PackedSequence``, and the states
        ``(h, c)``, each ``(layers * directions, N, hidden_size)`` (``proj_size`` for h), zeros if
        not given; to ``(L, N, directions * hidden_size)`` and the last states.

    Example::

        >>> output, (h, c) = pytensor.nn.LSTM(3, 4, num_layers=2)(pytensor.ones(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape that the cell state must have."""
        size: tuple[int, int, int] = self._expected_size(input, batch_sizes, self.hidden_size)
        return size

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        self.check_hidden_size(
            hidden[0],
            self.get_expected_hidden_size(input, batch_sizes),
            "Expected hidden[0] size {}, got {}",
        )
        self.check_hidden_size(
            hidden[1],
            self.get_expected_cell_size(input, batch_sizes),
            "Expected hidden[1] size {}, got {}",
        )

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        if permutation is None:
            return hx
        return hx[0].index_select(1, permutation), hx[1].index_select(1, permutation)

    def _one_sequence(self, hx: Any) -> Any:
        if hx[0].dim() != 2 or hx[1].dim() != 2:
            raise RuntimeError(
                "For unbatched 2-D input, hx and cx should also be 2-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
        return hx[0].unsqueeze(1), hx[1].unsqueeze(1)

    def _check_batched(self, hx: Any) -> None:
        if hx[0].dim() != 3 or hx[1].dim() != 3:
            raise RuntimeError(
                "For batched 3-D input, hx and cx should also be 3-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def _zero_state(self, like: Tensor, batch: int) -> Any:
        h = super()._zero_state(like, batch)
        c = pytensor.zeros(h.size(0), batch, self.hidden_size, dtype=h.dtype, device=h.device)
        return h, c

    def _call(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        options = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if batch_sizes is None:
            output, h, c = _ops.lstm(input, hx, self._flat_weights, *options, self.batch_first)
        else:
            output, h, c = _ops.lstm(input, batch_sizes, hx, self._flat_weights, *options)
        return output, (h, c)

    def _without_batch(self, last: Any) -> Any:
        return last[0].squeeze(1), last[1].squeeze(1)


class GRU(RNNBase):
    """Gated recurrent units: a reset and an update gate guard the state.

    The reset gate applies to the state's product with its weight, bias included, as cuDNN has it.
    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    Args:
        input_size: features of each step.
        hidden_size: features of the state.
        num_layers: how many layers are stacked. Default: 1.
        bias: whether there are biases. Default: ``True``.
        batch_first: input and output are ``(batch, seq, feature)``. Default: ``False``.
        dropout: probability of dropping an output of every layer but the last. Default: 0.
        bidirectional: whether a second set of layers reads backwards. Default: ``False``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        As of ``RNN``.

    Example::

        >>> output, h = pytensor.nn.GRU(3, 4, bidirectional=True)(pytensor.ones(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)
