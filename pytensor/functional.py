"""The functions of ``pytensor.*`` that are written in Python on top of the registry's ops.

Gathers the families in ``pytensor.composites``. TENSOR_METHODS names those that are methods of
Tensor as well.
"""

from __future__ import annotations

from pytensor.composites.arrange import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    block_diag,
    column_stack,
    dsplit,
    dstack,
    fliplr,
    flipud,
    hsplit,
    hstack,
    rot90,
    row_stack,
    tensor_split,
    vsplit,
    vstack,
)
from pytensor.composites.calculus import (
    cumulative_trapezoid,
    diff,
    gradient,
    trapezoid,
    trapz,
    vander,
)
from pytensor.composites.einsum import chain_matmul, cross, einsum, tensordot
from pytensor.composites.grids import broadcast_tensors, is_same_size, meshgrid
from pytensor.composites.indices import (
    broadcast_shapes,
    cartesian_prod,
    combinations,
    nonzero,
    tril_indices,
    triu_indices,
    unravel_index,
)
from pytensor.composites.matrices import matrix_power
from pytensor.composites.norms import (
    cdist,
    cosine_similarity,
    norm,
    pairwise_distance,
    pdist,
    renorm,
)
from pytensor.composites.statistics import (
    corrcoef,
    cov,
    histogram,
    nanmean,
    nanquantile,
    quantile,
)
from pytensor.composites.unique import unique, unique_consecutive
from pytensor.composites.windows import (
    bartlett_window,
    blackman_window,
    hamming_window,
    hann_window,
    kaiser_window,
)

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "bartlett_window",
    "blackman_window",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "cdist",
    "chain_matmul",
    "column_stack",
    "combinations",
    "corrcoef",
    "cosine_similarity",
    "cov",
    "cross",
    "cumulative_trapezoid",
    "diff",
    "dsplit",
    "dstack",
    "einsum",
    "fliplr",
    "flipud",
    "gradient",
    "hamming_window",
    "hann_window",
    "histogram",
    "hsplit",
    "hstack",
    "is_same_size",
    "kaiser_window",
    "matrix_power",
    "meshgrid",
    "nanmean",
    "nanquantile",
    "nonzero",
    "norm",
    "pairwise_distance",
    "pdist",
    "quantile",
    "renorm",
    "rot90",
    "row_stack",
    "tensor_split",
    "tensordot",
    "trapezoid",
    "trapz",
    "tril_indices",
    "triu_indices",
    "unique",
    "unique_consecutive",
    "unravel_index",
    "vander",
    "vsplit",
    "vstack",
]

TENSOR_METHODS = (
    "corrcoef",
    "cov",
    "cross",
    "diff",
    "dsplit",
    "fliplr",
    "flipud",
    "histogram",
    "hsplit",
    "is_same_size",
    "matrix_power",
    "nanmean",
    "nanquantile",
    "nonzero",
    "norm",
    "quantile",
    "renorm",
    "rot90",
    "tensor_split",
    "unique",
    "unique_consecutive",
    "vsplit",
)
