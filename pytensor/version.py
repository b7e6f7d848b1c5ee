"""``torch.version``: the version, and which toolkits the build has.

``Version`` is the text ``__version__``, ordered as versions are and not as texts.
"""

from __future__ import annotations

import re
from typing import Any

from pytensor._C import __version__ as _own

__all__ = ["Version", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]


class Version(str):
    """A version that compares by its numbers, with texts and with tuples of numbers.

    Example::

        >>> from pytensor.version import Version
        >>> Version("2.13.0+pytensor") >= "2.4"
        True
        >>> Version("2.13.0") < (2, 2)
        False
    """

    @staticmethod
    def _numbers(version: Any) -> tuple[int, ...]:
        if isinstance(version, str):
            release = re.match(r"v?(\d+(?:\.\d+)*)", version)
            numbers = tuple(map(int, release[1].split("."))) if release else ()
        else:
            numbers = tuple(int(n) for n in version if str(n).isdigit())
        while numbers and numbers[-1] == 0:
            numbers = numbers[:-1]
        return numbers

    def __lt__(self, other: Any) -> bool:
        return self._numbers(self) < self._numbers(other)

    def __le__(self, other: Any) -> bool:
        return self._numbers(self) <= self._numbers(other)

    def __gt__(self, other: Any) -> bool:
        return self._numbers(self) > self._numbers(other)

    def __ge__(self, other: Any) -> bool:
        return self._numbers(self) >= self._numbers(other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (tuple, list)):
            return self._numbers(self) == self._numbers(other)
        return str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


__version__ = Version(_own)
debug = False
cuda: str | None = None
hip: str | None = None
rocm: str | None = None
xpu: str | None = None
git_version = "Unknown"
