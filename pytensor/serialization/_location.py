"""Where loaded storages go: the meaning of `map_location`. Used by `load`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor
from pytensor.storage import UntypedStorage

Restore = Callable[[Any, str], Any]


def _place(elements: Any, location: str) -> Any:
    """The bytes on the device called `location`."""
    kind = location.partition(":")[0]
    if kind == "cpu":
        return elements
    if kind == "cuda":
        from pytensor import cuda

        if not cuda.is_available():
            raise RuntimeError(
                "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() "
                "is False. If you are running on a CPU-only machine, please use torch.load with "
                "map_location=torch.device('cpu') to map your storages to the CPU."
            )
        return elements.to(location)
    raise RuntimeError(
        f"load(): don't know how to restore data location of a storage tagged with {location!r}: "
        "map_location='cpu' puts it into the CPU's memory"
    )


def restorer(map_location: Any) -> Restore:
    """A function of a storage's bytes and saved location that puts them where they belong.

    Args:
        map_location: None (where they were), a device, its name, a dict from saved locations to
            others, or a function of an UntypedStorage and its saved location that returns the
            storage to use, or None for the place where it was.

    Raises:
        TypeError: for anything else.
    """
    if map_location is None:
        return _place
    if isinstance(map_location, dict):
        return lambda elements, location: _place(
            elements, str(map_location.get(location, location))
        )
    if isinstance(map_location, (str, pytensor.device)):
        target = str(pytensor.device(map_location))
        return lambda elements, location: _place(elements, target)
    if not callable(map_location):
        raise TypeError(
            "load(): argument 'map_location' must be a device, its name, a dict or a function, "
            f"not {type(map_location).__name__}"
        )

    def restore(elements: Any, location: str) -> Any:
        made = map_location(UntypedStorage(elements), location)
        if made is None:
            return _place(elements, location)
        if not isinstance(made, UntypedStorage):
            raise TypeError(
                f"load(): map_location returned {type(made).__name__}, expected a storage or None"
            )
        return made._bytes()

    return restore
