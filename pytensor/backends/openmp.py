"""``torch.backends.openmp``: not used; the library has threads of its own."""

from __future__ import annotations

from pytensor._absent import no

is_available = no
