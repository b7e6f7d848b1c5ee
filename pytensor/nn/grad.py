"""Gradients of convolutions as functions of their own: ``pytensor.nn.grad``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor import _ops

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]

Sizes = int | Sequence[int]
Gradient = Callable[..., Any]


class _Sizes:
    """The arguments of a convolution of `count` dimensions, checked against its sizes."""

    def __init__(self, name: str, count: int, *sizes: Sizes) -> None:
        self._name = name
        self._count = count
        self.stride, self.padding, self.dilation = (
            self._numbers(argument, value)
            for argument, value in zip(("stride", "padding", "dilation"), sizes, strict=True)
        )

    def _numbers(self, argument: str, value: Sizes) -> list[int]:
        numbers = [value] * self._count if isinstance(value, int) else [int(v) for v in value]
        if len(numbers) == 1:
            numbers *= self._count
        if len(numbers) != self._count:
            raise RuntimeError(
                f"{self._name}(): {argument} must have {self._count} numbers, got {numbers}"
            )
        return numbers

    def check(
        self, input: Sequence[int], weight: Sequence[int], output: Sequence[int], groups: int
    ) -> None:
        """Raises RuntimeError unless a convolution of these sizes gives `output`."""
        for argument, size in (("input", input), ("weight", weight), ("grad_output", output)):
            if len(size) != self._count + 2:
                raise RuntimeError(
                    f"{self._name}(): expected {argument} of {self._count + 2} dimensions, got "
                    f"size {list(size)}"
                )
        expected = [input[0], weight[0]]
        for d in range(self._count):
            reach = self.dilation[d] * (weight[d + 2] - 1) + 1
            room = input[d + 2] + 2 * self.padding[d] - reach
            expected.append(room // self.stride[d] + 1 if self.stride[d] > 0 else -1)
        if input[1] != weight[1] * groups or list(output) != expected:
            raise RuntimeError(
                f"{self._name}(): a convolution of input {list(input)} and weight {list(weight)} "
                f"in {groups} groups gives {expected}, but grad_output has size {list(output)}"
            )


def _by_input(count: int) -> Gradient:
    name = f"conv{count}d_input"

    def function(
        input_size: Sequence[int],
        weight: Any,
        grad_output: Any,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Any:
        sizes = _Sizes(name, count, stride, padding, dilation)
        sizes.check(input_size, weight.shape, grad_output.shape, groups)
        return _ops.internal["conv_input_gradient"](
            grad_output,
            weight,
            None,
            sizes.stride,
            sizes.padding,
            sizes.dilation,
            list(input_size[2:]),
            groups,
        )

    _describe(
        function,
        count,
        "input",
        """input_size: the sizes of the input, ``(N, C_in, ...)``.
        weight: of the convolution, ``(C_out, C_in / groups, ...)``.""",
        "(1, 1{5}), pytensor.ones(1, 1{2})",
        "(1, 1{5})",
    )
    return function


def _by_weight(count: int) -> Gradient:
    name = f"conv{count}d_weight"

    def function(
        input: Any,
        weight_size: Sequence[int],
        grad_output: Any,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Any:
        sizes = _Sizes(name, count, stride, padding, dilation)
        sizes.check(input.shape, weight_size, grad_output.shape, groups)
        return _ops.internal["conv_weight_gradient"](
            grad_output,
            input,
            sizes.stride,
            sizes.padding,
            sizes.dilation,
            list(weight_size[2:]),
            groups,
        )

    _describe(
        function,
        count,
        "weight",
        """input: of the convolution, ``(N, C_in, ...)``.
        weight_size: the sizes of the weight, ``(C_out, C_in / groups, ...)``.""",
        "pytensor.ones(1, 1{5}), (1, 1{2})",
        "(1, 1{2})",
    )
    return function


def _describe(
    function: Any, count: int, subject: str, arguments: str, example: str, shape: str
) -> None:
    sizes = {n: f", {n}" * count for n in (2, 4, 5)}

    def sized(text: str) -> str:
        for n, size in sizes.items():
            text = text.replace(f"{{{n}}}", size)
        return text

    function.__name__ = function.__qualname__ = f"conv{count}d_{subject}"
    function.__doc__ = f"""The gradient of ``conv{count}d`` by its {subject}.

    Args:
        {arguments}
        grad_output: the gradient by the output, ``(N, C_out, ...)``.
        stride, padding, dilation, groups: of the convolution.

    Raises:
        RuntimeError: the sizes do not belong together.

    Example::

        >>> grad = pytensor.nn.grad.{function.__name__}(
        ...     {sized(example)},
        ...     pytensor.ones(1, 1{sizes[4]}),
        ... )
        >>> tuple(grad.shape)
        {sized(shape)}
    """


conv1d_input, conv2d_input, conv3d_input = (_by_input(n) for n in (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = (_by_weight(n) for n in (1, 2, 3))
