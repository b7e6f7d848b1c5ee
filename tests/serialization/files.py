"""Helpers for the tests of saving: objects to save, and files in memory."""

from __future__ import annotations

import io

import pytensor

DTYPES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
]  # fmt: skip


def saved(obj, save=pytensor.save, **kwargs) -> bytes:
    file = io.BytesIO()
    save(obj, file, **kwargs)
    return file.getvalue()


def loaded(data: bytes, load=pytensor.load, **kwargs):
    return load(io.BytesIO(data), **kwargs)


def roundtrip(obj, **kwargs):
    return loaded(saved(obj), **kwargs)


def samples(T) -> dict:
    """Tensors of every kind, made with library T."""
    T.manual_seed(3)
    base = T.arange(24.0).view(4, 6)
    out = {name: (T.randn(2, 3) * 50).abs().to(getattr(T, name)) for name in DTYPES}
    out["bool"] = T.tensor([True, False, True])
    out |= {
        "scalar": T.tensor(2.5),
        "empty": T.empty(0),
        "no rows": T.zeros(0, 3),
        "no columns": T.zeros(3, 0),
        "base": base,
        "transposed": base.t(),
        "part": base[1:3, 2:],
        "steps": base[:, ::2],
        "expanded": T.ones(1, 3).expand(1000, 3),
        "grad": T.ones(3, requires_grad=True),
        "parameter": T.nn.Parameter(T.ones(2)),
        "frozen": T.nn.Parameter(T.ones(2), requires_grad=False),
    }
    return out
