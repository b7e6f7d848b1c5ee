"""What NVIDIA's management library measures, through the package nvidia-ml-py where it is there."""

from __future__ import annotations

import uuid
from typing import Any

from pytensor.cuda._device import get_device_properties


def _asked(function: str, device: Any, *args: Any) -> Any:
    """The answer of a function of pynvml about a device."""
    try:
        import pynvml  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "nvidia-ml-py does not seem to be installed or it can't be imported."
        ) from error
    pynvml.nvmlInit()
    name = f"GPU-{uuid.UUID(bytes=get_device_properties(device).uuid)}"  # type: ignore[attr-defined]
    return getattr(pynvml, function)(pynvml.nvmlDeviceGetHandleByUUID(name), *args)


def utilization(device: Any = None) -> int:
    """Percent of the last second or so in which the device computed.

    Raises:
        ModuleNotFoundError: nvidia-ml-py is not installed.
    """
    return int(_asked("nvmlDeviceGetUtilizationRates", device).gpu)


def memory_usage(device: Any = None) -> int:
    """Percent of the last second or so in which the device's memory was read or written."""
    return int(_asked("nvmlDeviceGetUtilizationRates", device).memory)


def device_memory_used(device: Any = None) -> int:
    """Bytes of the device that all processes use."""
    return int(_asked("nvmlDeviceGetMemoryInfo", device).used)


def temperature(device: Any = None) -> int:
    """Degrees Celsius."""
    return int(_asked("nvmlDeviceGetTemperature", device, 0))


def power_draw(device: Any = None) -> int:
    """Milliwatts."""
    return int(_asked("nvmlDeviceGetPowerUsage", device))


def clock_rate(device: Any = None) -> int:
    """Megahertz of the processors."""
    return int(_asked("nvmlDeviceGetClockInfo", device, 1))
