"""How the library under test runs, from the environment. See docs/cuda.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytensor

CHECKED_LIBRARY = Path(pytensor._C.__file__).parent / "lib" / "libpytensor_cuda_checked.so"
# The checked library switches the cache off by itself.
IS_CHECKED = "checked" in os.environ.get("PYTENSOR_CUDA_LIBRARY", "")
CACHED = os.environ.get("PYTENSOR_CUDA_CACHE", "1") != "0" and not IS_CHECKED
# Streams run as late as they may.
LAZY = os.environ.get("PYTENSOR_EMU_LAZY") == "1"
EMULATED = pytensor.cuda.is_available() and "emulated" in pytensor.cuda.get_device_name()
# Whether work is still waiting right after the call; None: without the cache the driver's frees
# wait for streams, and a real device is as fast as it is.
QUEUED = (LAZY if CACHED or not LAZY else None) if EMULATED else None
