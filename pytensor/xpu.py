"""``torch.xpu``: Intel's GPUs, which no build has."""

from __future__ import annotations

from pytensor._absent import absent, no, nothing, zero

_unavailable = absent(AssertionError, "Torch not compiled with XPU enabled")

is_available = no
is_initialized = no
is_bf16_supported = no
device_count = zero
empty_cache = nothing
manual_seed = nothing
manual_seed_all = nothing

current_device = _unavailable
get_device_name = _unavailable
get_device_properties = _unavailable
set_device = _unavailable
synchronize = _unavailable
