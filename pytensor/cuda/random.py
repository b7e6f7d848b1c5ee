"""The generators of the devices: each has a seed and counts what it has drawn.

Numbers depend on the seed alone, not on the model of the device; they are not PyTorch's, whose
streams differ from device to device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor import _C
from pytensor.cuda._device import device_count, index_of, is_available

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytensor import Generator, Tensor

__all__ = [
    "get_rng_state",
    "get_rng_state_all",
    "initial_seed",
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "set_rng_state",
    "set_rng_state_all",
]


def _generator(device: Any = None) -> Generator:
    return _C.default_generator(index_of(device))


def manual_seed(seed: int) -> None:
    """Seeds the generator of the current device; without a device it does nothing.

    Args:
        seed: an integer from -2**63 to 2**64 - 1.

    Example::

        >>> pytensor.cuda.manual_seed(1)
    """
    if is_available():
        _generator().manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seeds the generators of all devices.

    Args:
        seed: an integer from -2**63 to 2**64 - 1.

    Example::

        >>> pytensor.cuda.manual_seed_all(1)
    """
    for index in range(device_count()):
        _generator(index).manual_seed(int(seed))


def seed() -> None:
    """Seeds the generator of the current device with a number that differs from run to run."""
    if is_available():
        _generator().seed()


def seed_all() -> None:
    """The same for all devices, with one number."""
    if is_available():
        manual_seed_all(_generator(0).seed())


def initial_seed() -> int:
    """The seed of the current device's generator.

    Raises:
        AssertionError: when there is no CUDA library.
    """
    return _generator().initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """The state of a device's generator: its seed and its counter, as bytes of the CPU.

    Args:
        device: index or name; the current one by default.
    """
    return _generator(device).get_state()


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Puts a device's generator back into a state that get_rng_state() returned.

    Args:
        new_state: the tensor of bytes.
        device: index or name; the current one by default.
    """
    _generator(device).set_state(new_state)


def get_rng_state_all() -> list[Tensor]:
    """The states of all devices' generators."""
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Restores the generators of all devices.

    Args:
        new_states: what get_rng_state_all() returned.
    """
    for index, state in enumerate(new_states):
        set_rng_state(state, index)
