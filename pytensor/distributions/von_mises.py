"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import lazy_property

__all__ = ["VonMises"]


def _log_i0(x: Tensor) -> Tensor:
    """log I0(x) without overflow, x >= 0."""
    return pytensor.special.i0e(x).log() + x


class VonMises(Distribution):
    """The von Mises distribution of angles, in radians.

    Args:
        loc: the mean angle.
        concentration: how narrow it is.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.VonMises(pytensor.tensor(1.0), pytensor.tensor(1.0)).mean
        tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "concentration": constraints.positive,
    }
    support = constraints.real
    has_rsample = False
    loc: Tensor
    concentration: Tensor

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._set_parameters(validate_args, loc=loc, concentration=concentration)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        for name in ("_proposal_r", "variance"):
            new.__dict__.pop(name, None)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance, 1 - I1/I0 of the concentration."""
        special = pytensor.special
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (
            self.concentration * (value - self.loc).cos()
            - math.log(2 * math.pi)
            - _log_i0(self.concentration)
        )

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """The parameter of the wrapped Cauchy distribution that proposals come from."""
        kappa = self.concentration.double()
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        r = (1 + rho**2) / (2 * rho)
        # for small concentrations the formula loses its digits: its series there
        return pytensor.where(kappa < 1e-5, 1 / kappa + kappa, r)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        # D. J. Best, N. I. Fisher, "Efficient simulation of the von Mises distribution", 1979.
        # In double, since rounding errors of small concentrations would bias the samples.
        with pytensor.no_grad():
            shape = self._extended_shape(sample_shape)
            loc, kappa = self.loc.double(), self.concentration.double().expand(shape)
            r = self._proposal_r.expand(shape)
            angle = pytensor.zeros(shape, dtype=pytensor.double, device=loc.device)
            done = pytensor.zeros(shape, dtype=pytensor.bool, device=loc.device)
            while not done.all():
                u = pytensor.rand((3, *shape), dtype=pytensor.double, device=loc.device)
                u1, u2, u3 = u.unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                angle = pytensor.where(accept, (u3 - 0.5).sign() * f.acos(), angle)
                done = done | accept
            return ((angle + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)
