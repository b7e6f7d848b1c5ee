"""The state of the random number generators as a whole: seeding, saving and restoring.

The numbers themselves come from ops (rand, randn, ...), which draw from the generator that
``_C.default_generator()`` returns unless they are given another.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pytensor import Generator, Tensor

__all__ = [
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def _cuda() -> Any:
    """The cuda package if the program has loaded it and a device is there, else None."""
    import sys

    cuda = sys.modules.get("pytensor.cuda")
    return cuda if cuda is not None and cuda.is_available() else None


def manual_seed(seed: int) -> Generator:
    """Seeds the generators of all devices; the same seed gives the same numbers as in PyTorch.

    Args:
        seed: an integer from -2**63 to 2**64 - 1.

    Raises:
        ValueError: when the seed is outside of that range.

    Example::

        >>> generator = pytensor.manual_seed(0)
        >>> pytensor.rand(2)
        tensor([0.4963, 0.7682])
    """
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long")
    cuda = _cuda()
    if cuda is not None:
        cuda.manual_seed_all(seed)
    return _C.default_generator().manual_seed(seed)


def seed() -> int:
    """Seeds all generators with a number that differs from run to run; returns it.

    Example::

        >>> pytensor.seed() == pytensor.initial_seed()
        True
    """
    chosen = _C.default_generator().seed()
    cuda = _cuda()
    if cuda is not None:
        cuda.manual_seed_all(chosen)
    return chosen


def initial_seed() -> int:
    """The seed that the CPU's generator was last seeded with.

    Example::

        >>> generator = pytensor.manual_seed(42)
        >>> pytensor.initial_seed()
        42
    """
    return _C.default_generator().initial_seed()


def get_rng_state() -> Tensor:
    """The state of the CPU's generator as a tensor of bytes, laid out as PyTorch's.

    Example::

        >>> state = pytensor.get_rng_state()
        >>> state.dtype
        torch.uint8
    """
    return _C.default_generator().get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Puts the CPU's generator back into a state that get_rng_state() returned.

    Args:
        new_state: the tensor of bytes.

    Example::

        >>> state = pytensor.get_rng_state()
        >>> a = pytensor.rand(3)
        >>> pytensor.set_rng_state(state)
        >>> bool((pytensor.rand(3) == a).all())
        True
    """
    _C.default_generator().set_state(new_state)


class fork_rng:
    """Context after which the generators are in the state they had before it.

    Args:
        devices: indices of the accelerators whose generators are also restored; all when None.
        enabled: False makes the context do nothing.
        device_type: kind of those accelerators.

    Raises:
        RuntimeError: for an unknown kind of accelerator.

    Example::

        >>> with pytensor.random.fork_rng():
        ...     generator = pytensor.manual_seed(1)
    """

    def __init__(
        self,
        devices: Iterable[int] | None = None,
        enabled: bool = True,
        device_type: str = "cuda",
    ) -> None:
        if device_type not in ("cpu", "cuda"):
            raise RuntimeError(f"fork_rng: no accelerator of type `{device_type}`")
        self._devices = devices
        self._enabled = enabled
        self._cuda: Any = _cuda() if device_type == "cuda" else None

    def __enter__(self) -> None:
        if not self._enabled:
            return
        self._state = get_rng_state()
        self._device_states = []
        if self._cuda is not None:
            devices = self._devices
            indices = range(self._cuda.device_count()) if devices is None else devices
            self._device_states = [(self._cuda.get_rng_state(i), i) for i in indices]

    def __exit__(self, *exc: object) -> None:
        if not self._enabled:
            return
        set_rng_state(self._state)
        for state, index in self._device_states:
            self._cuda.set_rng_state(state, index)
