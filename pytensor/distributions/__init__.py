"""``pytensor.distributions``: probability distributions with samples, densities and gradients."""

from __future__ import annotations

from pytensor.distributions import constraints as constraints
from pytensor.distributions import kl as kl
from pytensor.distributions import transforms as transforms
from pytensor.distributions import utils as utils
from pytensor.distributions.bernoulli import Bernoulli
from pytensor.distributions.beta import Beta
from pytensor.distributions.binomial import Binomial
from pytensor.distributions.categorical import Categorical
from pytensor.distributions.cauchy import Cauchy
from pytensor.distributions.chi2 import Chi2
from pytensor.distributions.constraint_registry import biject_to, transform_to
from pytensor.distributions.continuous_bernoulli import ContinuousBernoulli
from pytensor.distributions.dirichlet import Dirichlet
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.exp_family import ExponentialFamily
from pytensor.distributions.exponential import Exponential
from pytensor.distributions.fishersnedecor import FisherSnedecor
from pytensor.distributions.gamma import Gamma
from pytensor.distributions.generalized_pareto import GeneralizedPareto
from pytensor.distributions.geometric import Geometric
from pytensor.distributions.gumbel import Gumbel
from pytensor.distributions.half_cauchy import HalfCauchy
from pytensor.distributions.half_normal import HalfNormal
from pytensor.distributions.independent import Independent
from pytensor.distributions.inverse_gamma import InverseGamma
from pytensor.distributions.kl import kl_divergence, register_kl
from pytensor.distributions.kumaraswamy import Kumaraswamy
from pytensor.distributions.laplace import Laplace
from pytensor.distributions.lkj_cholesky import LKJCholesky
from pytensor.distributions.log_normal import LogNormal
from pytensor.distributions.logistic_normal import LogisticNormal
from pytensor.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from pytensor.distributions.mixture_same_family import MixtureSameFamily
from pytensor.distributions.multinomial import Multinomial
from pytensor.distributions.multivariate_normal import MultivariateNormal
from pytensor.distributions.negative_binomial import NegativeBinomial
from pytensor.distributions.normal import Normal
from pytensor.distributions.one_hot_categorical import (
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from pytensor.distributions.pareto import Pareto
from pytensor.distributions.poisson import Poisson
from pytensor.distributions.relaxed_bernoulli import RelaxedBernoulli
from pytensor.distributions.relaxed_categorical import RelaxedOneHotCategorical
from pytensor.distributions.studentT import StudentT
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from pytensor.distributions.uniform import Uniform
from pytensor.distributions.von_mises import VonMises
from pytensor.distributions.weibull import Weibull
from pytensor.distributions.wishart import Wishart

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "CatTransform",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "IndependentTransform",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "LowerCholeskyTransform",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "identity_transform",
    "kl_divergence",
    "register_kl",
    "transform_to",
]
