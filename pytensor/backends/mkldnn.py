"""``torch.backends.mkldnn``: Intel's oneDNN, which is not used."""

from __future__ import annotations

from pytensor._absent import no
from pytensor.backends._settings import restored

enabled = True
deterministic = False
allow_tf32 = True

is_available = no


class flags(restored):
    """Context in which settings have other values."""

    def __init__(
        self, enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True
    ) -> None:
        super().__init__(
            __name__, enabled=enabled, deterministic=deterministic, allow_tf32=allow_tf32
        )
