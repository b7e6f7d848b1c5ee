"""Which of PyTorch's names pytensor has, of those that programs use (tests/data/surface.json).

Tier 1 are the names that nearly every program uses, tier 2 the common ones. A name that is missing
must be on the list below, with the part of the library that will bring it; a name that is there
must not be on the list.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pytensor

SURFACE = json.loads((Path(__file__).parent / "data" / "surface.json").read_text())

MISSING = {
    "jit": [
        "jit.ScriptModule",
        "jit.ignore",
        "jit.load",
        "jit.save",
        "jit.script",
        "jit.trace",
        "jit.unused",
        "SymBool",
        "SymFloat",
        "SymInt",
        "sym_min",
    ],
    "8-bit floats": ["float8_e4m3fn"],
    "complex numbers": ["Tensor.imag", "complex", "polar", "view_as_complex", "view_as_real"],
    "fft": [
        "stft",
        "fft.fft",
        "fft.fftn",
        "fft.fftshift",
        "fft.ifft",
        "fft.ifftn",
        "fft.ifftshift",
        "fft.irfft",
        "fft.rfft",
    ],
    "function transforms": ["vmap"],
    "sparse tensors": [
        "Tensor.indices",
        "Tensor.to_dense",
        "Tensor.to_sparse",
        "sparse_coo_tensor",
    ],
    "quantized tensors": ["Tensor.dequantize", "Tensor.q_scale"],
    "unsigned integers": ["uint16", "uint32"],
}


def holder(group: str):
    """What has the names of a group; None where there is no such room yet."""
    if group == "torch":
        return pytensor
    place = pytensor
    for part in group.split("."):
        place = getattr(place, part, None)
    return place


def full_name(group: str, name: str) -> str:
    return name if group == "torch" else f"{group}.{name}"


@pytest.mark.parametrize(
    ("tier", "group"), [(tier, group) for tier, groups in SURFACE.items() for group in groups]
)
def test_names(tier, group):
    expected = {name for names in MISSING.values() for name in names}
    place = holder(group)
    missing, surplus = [], []
    for name in SURFACE[tier][group]:
        full = full_name(group, name)
        if not hasattr(place, name):
            missing.append(full)
        elif full in expected:
            surplus.append(full)
    assert not sorted(set(missing) - expected), "missing and not on the list"
    assert not surplus, "on the list of missing names, but there"


def test_list_names_only_known_ones():
    known = {
        full_name(group, name)
        for groups in SURFACE.values()
        for group, names in groups.items()
        for name in names
    }
    listed = [name for names in MISSING.values() for name in names]
    assert set(listed) <= known
    assert len(listed) == len(set(listed))
