"""``torch.mps``: Apple's GPUs, which no build has."""

from __future__ import annotations

from pytensor._absent import absent, no, nothing, zero

_unavailable = absent(RuntimeError, "Cannot use the MPS device: this build has no MPS backend.")

is_available = no
device_count = zero
manual_seed = nothing
seed = nothing

current_allocated_memory = _unavailable
driver_allocated_memory = _unavailable
empty_cache = _unavailable
get_rng_state = _unavailable
set_per_process_memory_fraction = _unavailable
set_rng_state = _unavailable
synchronize = _unavailable
