"""Single steps of recurrent layers: ``RNNCell``, ``LSTMCell`` and ``GRUCell``."""

from __future__ import annotations

import math
from typing import Any

import pytensor
from pytensor import Tensor, _ops
from pytensor.nn import init
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases.
        num_chunks: gates, whose weights lie below one another.
        device, dtype: of the parameters. Default: the default device and dtype.
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size

        def made(*shape: int) -> Parameter:
            return Parameter(pytensor.empty(shape, device=device, dtype=dtype))

        self.weight_ih = made(rows, input_size)
        self.weight_hh = made(rows, hidden_size)
        if bias:
            self.bias_ih = made(rows)
            self.bias_hh = made(rows)
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values, uniform in ``+-1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _check_dim(self, x: Tensor, what: str) -> None:
        if x.dim() not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {x.dim()}D instead"
            )

    def _check_sizes(self, input: Tensor, *states: Tensor) -> None:
        """Of two-dimensional arguments."""
        if input.size(1) != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}"
            )
        for i, h in enumerate(states):
            if h.size(0) != input.size(0):
                raise RuntimeError(
                    f"Input batch size {input.size(0)} doesn't match hidden{i} batch size "
                    f"{h.size(0)}"
                )
            if h.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {h.size(1)}, expected "
                    f"{self.hidden_size}"
                )

    def _zeros(self, input: Tensor) -> Tensor:
        return pytensor.zeros(
            input.size(0), self.hidden_size, dtype=input.dtype, device=input.device
        )

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, op: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """A step of a cell whose state is one tensor."""
        self._check_dim(input, "input")
        if hx is not None:
            self._check_dim(hx, "hidden")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        h = self._zeros(x) if hx is None else hx
        if h.dim() == 1:
            h = h.unsqueeze(0)
        self._check_sizes(x, h)
        result: Tensor = op(x, h, *self._weights())
        return result if batched else result.squeeze(0)


class RNNCell(RNNCellBase):
    """``h' = tanh(w_ih x + b_ih + w_hh h + b_hh)``, or relu.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases. Default: ``True``.
        nonlinearity: ``"tanh"`` or ``"relu"``. Default: ``"tanh"``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, input_size)`` and ``(N, hidden_size)``, zeros if not given, to ``(N, hidden_size)``;
        or all without ``N``.

    Example::

        >>> pytensor.nn.RNNCell(3, 4)(pytensor.ones(2, 3)).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        op = _ops.rnn_tanh_cell if self.nonlinearity == "tanh" else _ops.rnn_relu_cell
        return self._step(op, input, hx)


class LSTMCell(RNNCellBase):
    """A step of an LSTM.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, input_size)`` and states ``(h, c)``, each ``(N, hidden_size)``, zeros if not given, to
        the new ``(h, c)``; or all without ``N``.

    Example::

        >>> h, c = pytensor.nn.LSTMCell(3, 4)(pytensor.ones(2, 3))
        >>> h.shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check_dim(input, "input")
        if hx is not None:
            for i, state in enumerate(hx):
                self._check_dim(state, f"hx[{i}]")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            zeros = self._zeros(x)
            states = (zeros, zeros)
        else:
            h, c = hx
            states = (h if h.dim() == 2 else h.unsqueeze(0), c if c.dim() == 2 else c.unsqueeze(0))
        self._check_sizes(x, *states)
        h, c = _ops.lstm_cell(x, states, *self._weights())
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """A step of a GRU.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        As of ``RNNCell``.

    Example::

        >>> pytensor.nn.GRUCell(3, 4)(pytensor.ones(2, 3)).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(_ops.gru_cell, input, hx)
