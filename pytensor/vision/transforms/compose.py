"""Transforms of transforms: in a row, at random, in random order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytensor
from pytensor import nn

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]

Transform = Callable[[Any], Any]


def _lines(name: str, transforms: Any) -> str:
    return "\n".join([f"{name}(", *(f"    {t}" for t in transforms), ")"])


class Compose:
    """One transform after the other.

    Args:
        transforms: a list of them.

    Example::

        >>> T = pytensor.vision.transforms
        >>> T.Compose([T.ToTensor(), T.Normalize([0.5], [0.5])])
        Compose(
            ToTensor()
            Normalize(mean=[0.5], std=[0.5])
        )
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for t in self.transforms:
            img = t(img)
        return img

    def __repr__(self) -> str:
        return _lines(type(self).__name__, self.transforms)


class Lambda:
    """A function as a transform.

    Args:
        lambd: the function.

    Raises:
        TypeError: it cannot be called.
    """

    def __init__(self, lambd: Transform) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Several:
    """Base of choices among transforms."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _lines(type(self).__name__, self.transforms)


class RandomOrder(_Several):
    """All transforms, in an order drawn from Python's ``random``.

    Args:
        transforms: a list of them.
    """

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(_Several):
    """One of several transforms, drawn from Python's ``random``.

    Args:
        transforms: a list of them.
        p: their weights. Default: equal ones.
    """

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, img: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class RandomApply(nn.Module):
    """All of some transforms, or none.

    Args:
        transforms: a list of them, or a ``ModuleList``.
        p: probability that they are applied. Default: 0.5.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        if self.p < pytensor.rand(1).item():
            return img
        for t in self.transforms:
            img = t(img)
        return img

    def __repr__(self) -> str:
        head, rest = _lines(type(self).__name__, self.transforms).split("\n", 1)
        return f"{head}\n    p={self.p}\n{rest}"
