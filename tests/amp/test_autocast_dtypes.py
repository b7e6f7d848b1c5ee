"""The dtypes that operations give under autocast, beside torch's, for every kind of input."""

from __future__ import annotations

import pytest

import pytensor
from tests.python.torch_pair import torch

# R: standard normal, P: in (0.1, 0.9), of the dtype under test; L: class numbers; F: nn.functional.
EXPRESSIONS = """
mm(R(3, 4), R(4, 5)) | bmm(R(2, 3, 4), R(2, 4, 5)) | matmul(R(3, 4), R(4)) | mv(R(3, 4), R(4))
R(3, 4) @ R(4, 5) | dot(R(4), R(4)) | addmm(R(5), R(3, 4), R(4, 5)) | addmv(R(3), R(3, 4), R(4))
addbmm(R(5), R(2, 3, 4), R(2, 4, 5)) | baddbmm(R(5), R(2, 3, 4), R(2, 4, 5)) | outer(R(3), R(3))
einsum("ij,jk->ik", R(3, 4), R(4, 5)) | tensordot(R(3, 4), R(4, 5), 1) | inner(R(3, 4), R(2, 4))
mm(R(3, 4), R(4, 5), out=T.empty(3, 5, dtype=D)) | R(3, 5).addmm_(R(3, 4), R(4, 5))
addr(R(3, 4), R(3), R(4)) | kron(R(2, 2), R(2, 2)) | linalg.multi_dot([R(2, 3), R(3, 4), R(4, 2)])
F.linear(R(3, 4), R(5, 4), R(5)) | F.prelu(R(3, 4), R(1)) | linalg.matrix_power(R(3, 3), 2)
F.conv1d(R(1, 2, 5), R(3, 2, 2)) | F.conv2d(R(1, 2, 5, 5), R(3, 2, 2, 2), R(3))
F.conv3d(R(1, 2, 5, 5, 5), R(3, 2, 2, 2, 2)) | F.conv_transpose1d(R(1, 2, 5), R(2, 3, 2))
F.conv2d(R(1, 2, 5, 5), R(3, 2, 2, 2), padding="same") | conv_tbc(R(5, 2, 3), R(2, 3, 4), R(4))
F.conv_transpose2d(R(1, 2, 5, 5), R(2, 3, 2, 2))
F.conv_transpose3d(R(1, 2, 5, 5, 5), R(2, 3, 2, 2, 2))
F.scaled_dot_product_attention(R(1, 2, 3, 4), R(1, 2, 3, 4), R(1, 2, 3, 4))
nn.RNNCell(3, 4).to(D)(R(2, 3)) | nn.LSTMCell(3, 4).to(D)(R(2, 3))
nn.GRUCell(3, 4).to(D)(R(2, 3)) | nn.RNN(3, 4).to(D)(R(5, 2, 3)) | nn.GRU(3, 4).to(D)(R(5, 2, 3))
nn.MultiheadAttention(4, 2).to(D)(R(3, 1, 4), R(3, 1, 4), R(3, 1, 4))
nn.TransformerEncoderLayer(4, 2, 8).to(D)(R(3, 1, 4))
F.batch_norm(R(4, 3), None, None, training=True) | F.layer_norm(R(4, 3), (3,))
F.group_norm(R(4, 4, 3), 2) | F.instance_norm(R(2, 3, 5)) | F.rms_norm(R(4, 3), (3,))
F.relu(R(3)) | F.gelu(R(3)) | sigmoid(R(3)) | softmax(R(3, 4), 1) | log_softmax(R(3, 4), 1)
exp(R(3)) | pow(P(3), 2.0) | sum(R(3)) | mean(R(3)) | prod(R(3)) | cumsum(R(3), 0) | norm(R(3))
logsumexp(R(3, 4), 1) | std(R(3)) | dist(R(3), R(3)) | cumprod(R(3), 0) | trace(R(3, 3))
F.cross_entropy(R(3, 4), L) | F.nll_loss(R(3, 4), L) | F.mse_loss(R(3), R(3))
F.l1_loss(R(3), R(3)) | F.nll_loss(R(1, 3, 2, 2), T.zeros(1, 2, 2, dtype=T.long))
F.smooth_l1_loss(R(3), R(3)) | F.huber_loss(R(3), R(3)) | F.binary_cross_entropy(P(3), P(3))
F.kl_div(R(3), P(3)) | F.binary_cross_entropy_with_logits(R(3), P(3))
F.poisson_nll_loss(R(3), P(3)) | F.gaussian_nll_loss(R(3), R(3), P(3))
F.hinge_embedding_loss(R(3), T.ones(3)) | F.cosine_embedding_loss(R(3, 4), R(3, 4), T.ones(3))
F.soft_margin_loss(R(3), T.ones(3)) | F.margin_ranking_loss(R(3), R(3), T.ones(3))
F.triplet_margin_loss(R(3, 4), R(3, 4), R(3, 4)) | F.multi_margin_loss(R(3, 4), L)
F.multilabel_soft_margin_loss(R(3, 4), P(3, 4))
F.multilabel_margin_loss(R(3, 4), T.zeros(3, 4, dtype=T.long))
F.ctc_loss(T.log_softmax(R(6, 1, 4), 2), T.tensor([[1, 2]]), T.tensor([6]), T.tensor([2]))
F.avg_pool1d(R(1, 2, 4), 2) | F.avg_pool2d(R(1, 2, 4, 4), 2) | F.avg_pool3d(R(1, 2, 4, 4, 4), 2)
F.max_pool1d(R(1, 2, 4), 2) | F.max_pool2d(R(1, 2, 4, 4), 2) | F.max_pool3d(R(1, 2, 4, 4, 4), 2)
F.adaptive_avg_pool2d(R(1, 2, 4, 4), 2) | F.adaptive_avg_pool3d(R(1, 2, 4, 4, 4), 2)
F.adaptive_max_pool2d(R(1, 2, 4, 4), 2) | F.adaptive_max_pool3d(R(1, 2, 4, 4, 4), 2)
F.fractional_max_pool2d(R(1, 2, 6, 6), 2, output_size=3)
F.max_unpool2d(*F.max_pool2d(R(1, 2, 4, 4), 2, return_indices=True), 2)
F.interpolate(R(1, 2, 4, 4), scale_factor=2, mode="bilinear")
F.grid_sample(R(1, 2, 4, 4), R(1, 3, 3, 2)) | F.pad(R(1, 2, 4, 4), (1, 1, 1, 1), mode="reflect")
F.pad(R(1, 2, 4, 4), (1, 1, 1, 1), mode="replicate") | F.pad(R(1, 2), (1, 1))
F.embedding(L, R(5, 3)) | F.dropout(R(3)) | R(3) + T.ones(3) | cat([R(3), T.ones(3)])
stack([R(3), T.ones(3)]) | lerp(R(3), R(3), R(3)) | linalg.cholesky(T.eye(3, dtype=D))
linalg.qr(R(3, 3)) | linalg.inv(T.eye(3, dtype=D)) | linalg.solve(T.eye(3, dtype=D), R(3))
linalg.svd(R(3, 3)) | linalg.eigh(T.eye(3, dtype=D)) | linalg.lstsq(R(3, 3), R(3, 2))
cholesky_inverse(T.eye(3, dtype=D)) | F.bilinear(R(3, 4), R(3, 5), R(2, 4, 5), R(2))
F.bilinear(R(3, 4), R(3, 5), R(2, 4, 5)) | nn.Bilinear(3, 4, 5).to(D)(R(2, 3), R(2, 4))
F.local_response_norm(R(1, 4, 5, 5), 2) | F.local_response_norm(R(2, 4, 5), 2)
cdist(R(3, 4), R(2, 4)) | cdist(R(3, 4), R(2, 4), p=1.0) | cdist(R(30, 4), R(2, 4))
quantile(R(5), 0.5) | nanquantile(R(5), 0.5) | quantile(R(5, 3), T.tensor([0.1, 0.5]), dim=0)
linalg.vecdot(R(3, 4), R(3, 4)) | F.pairwise_distance(R(3, 4), R(3, 4))
"""
CASES = [part.strip() for line in EXPRESSIONS.strip().splitlines() for part in line.split(" | ")]


def names_of(result) -> str:
    """The dtypes of a tensor or of all tensors of a tuple."""
    if isinstance(result, tuple):
        return ", ".join(names_of(part) for part in result)
    return str(result.dtype) if hasattr(result, "dtype") else type(result).__name__


def dtypes(T, expression: str, dtype: str, target: str) -> str:
    kind = getattr(T, dtype)
    names = {
        "T": T,
        "D": kind,
        "F": T.nn.functional,
        "R": lambda *shape: T.randn(*shape).to(kind),
        "P": lambda *shape: (T.rand(*shape) * 0.8 + 0.1).to(kind),
        "L": T.tensor([1, 0, 2]),
    }
    own = expression.startswith(("F.", "R("))
    with T.autocast("cpu", dtype=getattr(T, target)):
        return names_of(eval(expression if own else f"T.{expression}", names))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", CASES)
def test_same_dtypes(expression):
    for dtype in ("float32", "bfloat16", "float64"):
        for target in ("bfloat16", "float16"):
            try:
                want = dtypes(torch, expression, dtype, target)
            except (RuntimeError, NotImplementedError):
                continue  # torch has no such kernel
            assert dtypes(pytensor, expression, dtype, target) == want, (dtype, target)
