"""``torch.backends.mps``: Apple's GPUs, which no build has."""

from __future__ import annotations

from pytensor._absent import no

is_available = no
is_built = no
is_macos_or_newer = no
