"""``torch.backends.mkl``: Intel's library, which is not used."""

from __future__ import annotations

from pytensor._absent import no

is_available = no
