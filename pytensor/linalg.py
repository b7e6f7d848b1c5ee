"""``pytensor.linalg``: factorisations and solvers of the registry, and what is built from them.

The primitives (inv, solve, qr, svd, ...) are the registry's ops named ``linalg_*`` and resolve
when first named; the others, in ``pytensor.composites``, use only them and Tensor ops, so that
their gradients come from the primitives'.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.matrices import (
    cross,
    diagonal,
    eigvalsh,
    matmul,
    matrix_power,
    matrix_rank,
    multi_dot,
    pinv,
    svdvals,
    vander,
    vecdot,
)
from pytensor.composites.matrix_norms import cond, matrix_norm, norm
from pytensor.composites.norms import vector_norm
from pytensor.composites.solvers import (
    cholesky_ex,
    inv_ex,
    lu,
    lu_solve,
    solve_ex,
    tensorinv,
    tensorsolve,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRIMITIVES = (
    "cholesky",
    "det",
    "eigh",
    "inv",
    "lstsq",
    "lu_factor",
    "lu_factor_ex",
    "matrix_exp",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
)

__all__ = [
    "LinAlgError",
    "cholesky_ex",
    "cond",
    "cross",
    "diagonal",
    "eigvalsh",
    "inv_ex",
    "lu",
    "lu_solve",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "solve_ex",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
    *_PRIMITIVES,
]

LinAlgError = _C.LinAlgError


def __getattr__(name: str) -> Any:
    if name in _PRIMITIVES:
        op = globals()[name] = getattr(_C, f"linalg_{name}")
        return op
    raise AttributeError(f"module 'pytensor.linalg' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PRIMITIVES})
