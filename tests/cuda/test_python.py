"""Functions written in Python, and distributions, on a cuda device give what they give on the cpu.

They are ops composed; what can go wrong is a tensor made on the cpu beside those of the device.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import pytensor as pt
from tests.distributions.cases import CASES
from tests.python.torch_pair import to_pytensor

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")

# R(*shape): standard normal; P: positive; S(n): symmetric positive definite; I(n, *shape): indices.
CALLS = """
torch.atleast_3d(R(3))
torch.block_diag(R(2, 3), R(2))
torch.column_stack([R(3), R(3, 2)])
torch.tensor_split(R(7), 3)
torch.tensor_split(R(7), torch.tensor([2, 5]))
torch.rot90(R(2, 3))
torch.fliplr(R(2, 3))
torch.hstack([R(3), R(2)])
torch.diff(R(3, 5), n=2)
torch.diff(R(5), prepend=R(1))
torch.gradient(R(6), spacing=0.5)
torch.gradient(R(4, 4))
torch.gradient(R(6), spacing=(P(6).cumsum(0),))
torch.trapezoid(R(3, 5))
torch.trapezoid(R(5), P(5).cumsum(0))
torch.cumulative_trapezoid(R(3, 5), dx=0.3)
torch.vander(R(4), 3)
torch.einsum('bij,bjk->bik', R(2, 3, 4), R(2, 4, 5))
torch.einsum('ii->i', R(3, 3))
torch.einsum('...i,i', R(2, 3), R(3))
torch.tensordot(R(3, 4, 5), R(4, 5, 2), 2)
torch.linalg.multi_dot([R(3, 4), R(4, 5), R(5, 2)])
torch.linalg.cross(R(4, 3), R(4, 3))
torch.cross(R(4, 3), R(4, 3), dim=1)
torch.meshgrid(R(3), R(4), indexing='ij')
torch.cartesian_prod(R(2), R(3))
torch.combinations(R(4), 2)
torch.combinations(R(3), 2, with_replacement=True)
torch.nonzero(R(3, 4) > 0)
torch.nonzero(R(3, 4) > 0, as_tuple=True)
torch.unravel_index(I(24, 3), (2, 3, 4))
torch.broadcast_tensors(R(3, 1), R(4))
torch.linalg.eigvalsh(S(4))
torch.linalg.svdvals(R(4, 3))
torch.linalg.matrix_power(R(3, 3), 3)
torch.linalg.matrix_power(S(3), -2)
torch.linalg.matrix_rank(R(4, 3))
torch.linalg.pinv(R(4, 3))
torch.linalg.vander(R(2, 3))
torch.linalg.vecdot(R(4, 3), R(4, 3))
torch.linalg.diagonal(R(2, 3, 3))
torch.linalg.cond(S(3))
torch.linalg.cond(S(3), 1)
torch.linalg.matrix_norm(R(3, 4), 2)
torch.linalg.matrix_norm(R(3, 4), 'nuc')
torch.linalg.norm(R(3, 4))
torch.linalg.det(S(3)), torch.linalg.slogdet(S(3)), torch.linalg.inv(S(3))
torch.linalg.solve(S(3), R(3, 2)), torch.linalg.lstsq(R(5, 3), R(5, 2)).solution
torch.linalg.cholesky(S(4)), torch.linalg.cholesky_ex(S(4)), torch.linalg.inv_ex(S(3))
torch.linalg.lu(S(4)), torch.linalg.lu_factor(S(4))
torch.linalg.lu_solve(*torch.linalg.lu_factor(S(4)), R(4, 2))
torch.linalg.solve_ex(S(3), R(3, 2))
torch.linalg.tensorinv(R(4, 6, 8, 3), ind=2)
torch.linalg.tensorsolve(torch.eye(24).reshape(4, 6, 2, 3, 4).to(R().device), R(4, 6))
torch.linalg.matrix_exp(R(3, 3) * 0.3)
torch.norm(R(3, 4), dim=1), torch.renorm(R(3, 4), 2, 0, 1.0)
torch.dist(R(3), R(3)), torch.cdist(R(2, 3, 4), R(2, 5, 4)), torch.cdist(R(3, 4), R(5, 4), p=1.0)
torch.cdist(R(30, 4), R(30, 4)), torch.pdist(R(4, 3))
torch.nn.functional.normalize(R(3, 4)), torch.nn.functional.cosine_similarity(R(3, 4), R(3, 4))
torch.corrcoef(R(3, 5)), torch.cov(R(3, 5)), torch.cov(R(3, 5), aweights=P(5))
torch.histogram(R(20), 5), torch.histogram(R(20), bins=5, range=(-1.0, 1.0), weight=P(20))
torch.histc(R(20), 5), torch.bincount(I(5, 20)), torch.bincount(I(5, 20), P(20))
torch.nanmean(R(3, 4)), torch.quantile(R(3, 5), 0.3, dim=1), torch.nanquantile(R(9), 0.5)
torch.quantile(R(9), torch.tensor([0.1, 0.9]).to(R().device)), torch.median(R(9))
torch.unique(I(5, 20)), torch.unique(I(3, 9, 2), dim=0, return_inverse=True, return_counts=True)
torch.unique_consecutive(I(3, 20), return_counts=True)
torch.searchsorted(R(9).sort()[0], R(4)), torch.bucketize(R(9), P(3).cumsum(0) - 1)
torch.isin(I(5, 20), I(3, 4)), torch.kthvalue(R(9), 3), torch.mode(I(4, 9)), torch.topk(R(9), 3)
torch.repeat_interleave(R(3), I(4, 3)), torch.cummax(R(3, 5), 1), torch.logcumsumexp(R(3, 5), 1)
torch.nn.functional.affine_grid(R(2, 2, 3), (2, 1, 4, 5), False)
torch.nn.functional.affine_grid(R(1, 3, 4), (1, 1, 3, 1, 2), False)
torch.nn.functional.grid_sample(R(1, 2, 4, 5), R(1, 3, 2, 2), align_corners=True)
torch.nn.functional.one_hot(I(4, 5)), torch.nn.functional.pad(R(2, 3), (1, 2))
torch.nn.functional.unfold(R(1, 2, 5, 5), 3), torch.nn.functional.interpolate(R(1, 1, 5), 8)
torch.nn.functional.scaled_dot_product_attention(R(2, 5, 4), R(2, 6, 4), R(2, 6, 4))
torch.nn.functional.multilabel_margin_loss(R(2, 3), I(4, 2, 3) - 1)
torch.nn.utils.rnn.pad_sequence([R(3, 2), R(1, 2)])
torch.nn.utils.rnn.unpad_sequence(R(3, 2), torch.tensor([3, 1]))
torch.nn.utils.parameters_to_vector([R(2, 3), R(4)])
torch.autograd.functional.jacobian(lambda x: x.sin() * x.sum(), R(4))
torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), R(3))
torch.triu(R(4, 4), 1), torch.tril_indices(3, 3).to(R().device), torch.diag_embed(R(2, 3))
""".strip().splitlines()


class Makers:
    """The same numbers on any device."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.generator = pt.Generator().manual_seed(4)

    def R(self, *shape: int) -> Any:
        return pt.randn(shape, generator=self.generator).to(self.device)

    def P(self, *shape: int) -> Any:
        return (pt.rand(shape, generator=self.generator) + 0.1).to(self.device)

    def S(self, n: int) -> Any:
        a = pt.randn(n, n, generator=self.generator)
        return (a @ a.T + n * pt.eye(n)).to(self.device)

    def I(self, n: int, *shape: int) -> Any:  # noqa: E743
        return pt.randint(0, n, shape, generator=self.generator).to(self.device)


def flat(value: Any) -> list[Any]:
    if isinstance(value, pt.Tensor):
        return [value]
    return [t for v in value for t in flat(v)] if isinstance(value, (tuple, list)) else []


def evaluate(text: str, device: str) -> list[Any]:
    makers = Makers(device)
    names = {name: getattr(makers, name) for name in "RPSI"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return flat(eval(text, {"torch": pt, **names}))


@pytest.mark.parametrize("text", CALLS, ids=lambda text: text.replace("torch.", "")[:50])
def test_function(text):
    want, got = evaluate(text, "cpu"), evaluate(text, "cuda")
    assert len(got) == len(want) > 0
    for a, b in zip(got, want):
        assert a.is_cuda
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert pt.allclose(a.cpu().double(), b.double(), rtol=1e-4, atol=1e-4, equal_nan=True)


DISTRIBUTIONS = [(family, i) for family, cases in CASES.items() for i in range(len(cases))]


def distribution(family: str, index: int, device: str) -> Any:
    case = CASES[family][index]
    given = dict(case) if isinstance(case, dict) else dict(enumerate(case))

    def ready(v: Any) -> Any:
        return to_pytensor(v).to(device) if hasattr(v, "requires_grad") else v

    named = {k: ready(v) for k, v in given.items()}
    args = [v for k, v in named.items() if isinstance(k, int)]
    kwargs = {k: v for k, v in named.items() if isinstance(k, str)}
    return getattr(pt.distributions, family)(*args, **kwargs)


def has_tensors(family: str, index: int) -> bool:
    case = CASES[family][index]
    return any(hasattr(v, "shape") for v in (case.values() if isinstance(case, dict) else case))


@pytest.mark.parametrize(
    ("family", "index"), [d for d in DISTRIBUTIONS if has_tensors(*d)], ids=lambda x: str(x)
)
def test_distribution(family, index):
    here, there = (distribution(family, index, device) for device in ("cpu", "cuda"))
    pt.manual_seed(3)
    samples = here.sample((4,))
    pt.manual_seed(3)
    drawn = there.sample((4,))
    assert drawn.is_cuda
    assert (drawn.shape, drawn.dtype) == (samples.shape, samples.dtype)
    assert drawn.isfinite().all().item()
    if there.has_rsample:
        assert there.rsample((2,)).is_cuda
    same = [(here.log_prob(samples), there.log_prob(samples.to("cuda")))]
    for name in ("mean", "variance", "entropy"):
        try:
            value = getattr(here, name)
            value = value() if name == "entropy" else value
        except NotImplementedError:
            continue
        other = getattr(there, name)
        same.append((value, other() if name == "entropy" else other))
    for want, got in same:
        assert got.is_cuda
        assert pt.allclose(got.cpu(), want, rtol=1e-4, atol=1e-4, equal_nan=True)


# Mean and variance of many samples, per family whose sampler is a kernel of its own.
MOMENTS = {
    "Gamma": (lambda d, t: d.Gamma(t([0.3, 1.0, 9.0]), t([1.0, 2.0, 3.0]))),
    "Poisson": (lambda d, t: d.Poisson(t([0.5, 4.0, 30.0]))),
    "Binomial": (lambda d, t: d.Binomial(t([5.0, 40.0, 100.0]), t([0.3, 0.9, 0.02]))),
    "Dirichlet": (lambda d, t: d.Dirichlet(t([0.5, 1.0, 4.0]))),
    "Beta": (lambda d, t: d.Beta(t([0.5, 2.0]), t([1.5, 0.7]))),
}


@pytest.mark.parametrize("family", MOMENTS)
def test_moments(family):
    pt.manual_seed(6)
    made = MOMENTS[family](pt.distributions, lambda v: pt.tensor(v, device="cuda"))
    n = 4000
    samples = made.sample((n,)).double().cpu()
    mean, variance = made.mean.double().cpu(), made.variance.double().cpu()
    error = (samples.mean(0) - mean).abs() / (variance / n).sqrt()
    assert error.max().item() < 4.5
    assert ((samples.var(0) / variance - 1).abs() < 0.2).all().item()
    pt.manual_seed(6)
    assert pt.equal(made.sample((n,)).double().cpu(), samples)
