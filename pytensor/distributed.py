"""``torch.distributed``: one process only. Programs that ask ``is_available()`` learn so."""

from __future__ import annotations

from typing import Any

from pytensor._absent import absent, no

is_available = no
is_initialized = no
is_gloo_available = no
is_mpi_available = no
is_nccl_available = no
is_torchelastic_launched = no

_unavailable: Any = absent(
    RuntimeError,
    "pytensor trains in one process: torch.distributed.is_available() is False. Start the program "
    "without a launcher, and skip its distributed part",
)
all_gather = _unavailable
all_reduce = _unavailable
barrier = _unavailable
broadcast = _unavailable
destroy_process_group = _unavailable
get_backend = _unavailable
get_rank = _unavailable
get_world_size = _unavailable
init_process_group = _unavailable
new_group = _unavailable
reduce = _unavailable
