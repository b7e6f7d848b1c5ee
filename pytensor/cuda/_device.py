"""Devices: how many there are, which one is current, and what they are."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import _C


def index_of(device: Any, optional: bool = True) -> int:
    """The index meant by None, an index, a name or a device.

    Args:
        device: None stands for the current device.
        optional: whether a device without an index is taken for the current one.

    Raises:
        ValueError: it is no cuda device, or has no index.
    """
    if device is None:
        return _C.cuda_current_device()
    if isinstance(device, int):
        return device if device >= 0 else _C.cuda_current_device()
    if isinstance(device, str):
        device = pytensor.device(device)
    if not isinstance(device, pytensor.device) or device.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {device}")
    if device.index is not None:
        return int(device.index)
    if not optional:
        raise ValueError(f"Expected a torch.device with a specified index, but got: {device}")
    return _C.cuda_current_device()


def is_available() -> bool:
    """Whether the library has its CUDA part and the machine a device for it.

    Example::

        >>> device = "cuda" if pytensor.cuda.is_available() else "cpu"
    """
    return device_count() > 0


def is_initialized() -> bool:
    """Whether devices can be used, which needs no step of its own here."""
    return is_available()


def init() -> None:
    """Does nothing where there is a device: it is made ready when it is first used."""
    _C.cuda_current_device()


def device_count() -> int:
    """The number of devices; 0 without a driver."""
    return _C.cuda_device_count()


def current_device() -> int:
    """The index of the device that "cuda" means."""
    return _C.cuda_current_device()


def set_device(device: Any) -> None:
    """Makes a device the one that "cuda" means; a negative index changes nothing."""
    if isinstance(device, int) and device < 0:
        return
    _C.cuda_set_device(index_of(device))


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether a device can read the other's memory directly."""
    return _C.cuda_can_access_peer(index_of(device), index_of(peer_device))


class device:
    """Context in which a device is the one that "cuda" means.

    Args:
        device: an index, a name or a device; None or a negative index for no change.

    Raises:
        RuntimeError: when it is entered with a device and there is none.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._before: int | None = None

    def __enter__(self) -> None:
        if self._device is None or self._device == -1:
            return
        if not _C.cuda_built():
            raise RuntimeError("PyTorch was compiled without CUDA support")
        index = index_of(self._device)
        self._before = _C.cuda_current_device()
        _C.cuda_set_device(index)

    def __exit__(self, *exc: object) -> None:
        if self._before is not None:
            _C.cuda_set_device(self._before)
            self._before = None


class device_of(device):
    """Context in which the device of a tensor is the one that "cuda" means."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


class DeviceProperties:
    """What a device is: name, compute capability, memory, processors."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return (
            f"_CudaDeviceProperties(name='{self.name}', major={self.major}, minor={self.minor}, "
            f"total_memory={self.total_memory >> 20}MB, "
            f"multi_processor_count={self.multi_processor_count})"
        )


def get_device_properties(device: Any = None) -> DeviceProperties:
    """What a device is.

    Raises:
        AssertionError: there is no such device.
    """
    index = index_of(device)
    if index >= device_count():
        raise AssertionError("Invalid device id")
    return DeviceProperties(_C.cuda_properties(index))


def get_device_name(device: Any = None) -> str:
    """The name of a device."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device, such as (9, 0)."""
    properties = get_device_properties(device)
    return properties.major, properties.minor


def get_arch_list() -> list[str]:
    """The architectures that the build has code for."""
    return _C.cuda_architectures().split() if is_available() else []


def get_gencode_flags() -> str:
    """The architectures as arguments of CUDA's compiler."""
    pairs = ((a.split("_", 1)) for a in get_arch_list() if "_" in a)
    return " ".join(f"-gencode compute=compute_{n},code={kind}_{n}" for kind, n in pairs)


def is_tf32_supported() -> bool:
    """Whether the current device multiplies float32 with TF32: those of capability 8 and later."""
    return is_available() and get_device_properties().major >= 8


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a device: all that are supported compute with bfloat16."""
    return is_available()


def synchronize(device: Any = None) -> None:
    """Waits until a device has done all its work."""
    _C.cuda_synchronize(index_of(device))
