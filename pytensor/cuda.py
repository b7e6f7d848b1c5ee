"""``torch.cuda`` for a build without the CUDA backend: no device is ever available."""

from __future__ import annotations

from typing import Any, NoReturn

_MISSING = "Torch not compiled with CUDA enabled"


def is_available() -> bool:
    """False: this build has no CUDA backend."""
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialise."""
    return False


def device_count() -> int:
    """The number of CUDA devices: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing, as in PyTorch when no CUDA device is there."""


def manual_seed_all(seed: int) -> None:
    """Does nothing, as in PyTorch when no CUDA device is there."""


def empty_cache() -> None:
    """Does nothing: there is no CUDA memory."""


def _unavailable(*args: Any, **kwargs: Any) -> NoReturn:
    raise AssertionError(_MISSING)


current_device = _unavailable
get_device_name = _unavailable
get_device_capability = _unavailable
get_device_properties = _unavailable
set_device = _unavailable
synchronize = _unavailable
