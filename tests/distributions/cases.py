"""Every family with parameters, built alike in pytensor and torch. Not a test itself."""

from __future__ import annotations

from tests.python.torch_pair import to_pytensor, torch

T = torch.tensor
_TRIL = T([[1.0, 0.0], [0.5, 2.0]])
_COV = _TRIL @ _TRIL.T

# family: lists of arguments; a dict holds keyword arguments
CASES = {
    "Bernoulli": [[T([0.2, 0.5, 0.9])], {"logits": T([[-1.0], [2.0]])}],
    "Beta": [[T([0.5, 2.0]), T([1.5, 0.7])], [2.0, 3.0]],
    "Binomial": [[T([5.0, 40.0]), T([0.3, 0.9])], {"total_count": 7, "logits": T([-0.4, 1.0])}],
    "Categorical": [[T([[0.2, 0.3, 0.5], [1.0, 0.5, 0.1]])], {"logits": T([0.1, -1.0, 2.0])}],
    "Cauchy": [[T([0.0, 1.0]), T([1.0, 3.0])]],
    "Chi2": [[T([1.0, 7.0])], [3.0]],
    "ContinuousBernoulli": [[T([0.1, 0.4999, 0.8])], {"logits": T([-2.0, 1.0])}],
    "Dirichlet": [[T([[0.5, 1.0, 4.0], [2.0, 2.0, 3.0]])]],
    "Exponential": [[T([0.5, 2.0])], [1.5]],
    "FisherSnedecor": [[T([5.0, 3.0]), T([6.0, 9.0])]],
    "Gamma": [[T([0.5, 9.0]), T([1.0, 2.0])]],
    "GeneralizedPareto": [[T([0.0, 1.0, 0.0]), T([1.0, 2.0, 1.0]), T([0.2, -0.3, 0.0])]],
    "Geometric": [[T([0.2, 0.9])], {"logits": T([-1.0, 1.0])}],
    "Gumbel": [[T([0.0, 1.0]), T([1.0, 3.0])]],
    "HalfCauchy": [[T([1.0, 3.0])]],
    "HalfNormal": [[T([1.0, 3.0])]],
    "InverseGamma": [[T([3.0, 4.5]), T([1.0, 2.0])]],
    "Kumaraswamy": [[T([1.5, 3.0]), T([2.0, 1.2])]],
    "LKJCholesky": [[3, T([0.5, 2.0])], [2, 1.0]],
    "Laplace": [[T([0.0, 1.0]), T([1.0, 3.0])]],
    "LogNormal": [[T([0.0, 1.0]), T([1.0, 0.3])]],
    "LogisticNormal": [[T([0.0, 1.0]), T([1.0, 0.3])]],
    "LowRankMultivariateNormal": [
        [T([0.0, 1.0, 2.0]), T([[1.0], [0.5], [2.0]]), T([1.0, 2.0, 0.5])],
        [torch.zeros(4, 2), T([[1.0], [0.5]]), T([1.0, 2.0])],
    ],
    "Multinomial": [
        [4, T([[0.2, 0.3, 0.5], [1.0, 0.5, 0.1]])],
        {"total_count": 3, "logits": T([0.1, -1.0])},
    ],
    "MultivariateNormal": [
        [T([0.0, 1.0]), _COV],
        {"loc": torch.zeros(3, 2), "precision_matrix": _COV},
        {"loc": torch.zeros(3, 2), "scale_tril": torch.stack([_TRIL, 2 * _TRIL, _TRIL])},
    ],
    "NegativeBinomial": [
        [T([3.0, 9.0]), T([0.3, 0.6])],
        {"total_count": 4.0, "logits": T([-0.4, 1.0])},
    ],
    "Normal": [[T([0.0, 1.0]), T([1.0, 3.0])], [0.0, 1.0], [T([[0.0], [2.0]]).double(), 2.0]],
    "OneHotCategorical": [[T([[0.2, 0.3, 0.5], [1.0, 0.5, 0.1]])]],
    "OneHotCategoricalStraightThrough": [[T([[0.2, 0.3, 0.5], [1.0, 0.5, 0.1]])]],
    "Pareto": [[T([1.0, 2.0]), T([3.0, 4.0])]],
    "Poisson": [[T([0.5, 20.0])]],
    "RelaxedBernoulli": [[T(0.7), T([0.2, 0.9])], {"temperature": T(2.0), "logits": T([0.2, 0.9])}],
    "RelaxedOneHotCategorical": [[T(0.7), T([[0.2, 0.3, 0.5], [1.0, 0.5, 0.1]])]],
    "StudentT": [[T([3.0, 5.0]), T([0.0, 1.0]), T([1.0, 2.0])], [4.0]],
    "Uniform": [[T([0.0, 1.0]), T([1.0, 3.0])]],
    "VonMises": [[T([0.0, 1.0]), T([0.5, 4.0])]],
    "Weibull": [[T([1.0, 2.0]), T([1.5, 3.0])]],
    "Wishart": [[T(5.0), _COV], {"df": T([4.0, 6.0]), "precision_matrix": _COV}],
}

LISTED = [(family, i) for family, cases in CASES.items() for i in range(len(cases))]


def build(family, index, grad=True, **options):
    """The distribution in pytensor and torch, and the pairs of their tensor arguments."""
    import pytensor

    case = CASES[family][index]
    given = dict(case) if isinstance(case, dict) else dict(enumerate(case))
    theirs = {
        k: v.clone().requires_grad_(grad) if isinstance(v, torch.Tensor) else v
        for k, v in given.items()
    }
    ours = {k: to_pytensor(v) for k, v in theirs.items()}
    pairs = [(ours[k], theirs[k]) for k in given if isinstance(theirs[k], torch.Tensor)]

    def make(library, arguments):
        positional = [v for k, v in arguments.items() if isinstance(k, int)]
        named = {k: v for k, v in arguments.items() if isinstance(k, str)}
        return getattr(library.distributions, family)(*positional, **named, **options)

    return make(pytensor, ours), make(torch, theirs), pairs
