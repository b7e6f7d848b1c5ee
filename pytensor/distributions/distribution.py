"""``Distribution``: the base of all."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.utils import broadcast_all, lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A probability distribution, or a batch of them.

    A sample has the shape ``sample_shape + batch_shape + event_shape``: one event for each
    distribution of the batch, as often as asked for.

    Args:
        batch_shape: of the parameters.
        event_shape: of one event.
        validate_args: whether parameters and values are checked. Default: as
            ``set_default_validate_args`` says.

    Example::

        >>> normal = pytensor.distributions.Normal(pytensor.zeros(3), 1.0)
        >>> normal.batch_shape, normal.event_shape
        (torch.Size([3]), torch.Size([]))
        >>> normal.sample((2,)).shape
        torch.Size([2, 3])
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = __debug__
    arg_constraints: ClassVar[Any]
    support: Any

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check parameters and values unless told otherwise.

        Args:
            value: True or False. Checks are on by default, except under ``python -O``.

        Raises:
            ValueError: for anything else.
        """
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()

    def _validate_parameters(self) -> None:
        try:
            known = self.arg_constraints
        except (AttributeError, NotImplementedError):
            known = {}
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set "
                "`arg_constraints = {}` or initialize the distribution with "
                "`validate_args=False` to turn off validation.",
                stacklevel=4,
            )
        for name, constraint in known.items():
            if constraints.is_dependent(constraint):
                continue
            lazy = isinstance(getattr(type(self), name, None), lazy_property)
            if lazy and name not in self.__dict__:
                continue  # made from the other parameters
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} "
                    f"({type(value).__name__} of shape {tuple(value.shape)}) "
                    f"of distribution {self!r} to satisfy the constraint {constraint!r}, "
                    f"but found invalid values:\n{value}"
                )

    def _set_parameters(self, validate_args: bool | None, **values: Any) -> None:
        """Broadcasts parameters of scalar events, sets them as attributes, and checks them."""
        tensors = broadcast_all(*values.values())
        for name, tensor in zip(values, tensors):
            setattr(self, name, tensor)
        Distribution.__init__(self, tensors[0].shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded to a batch; nothing is copied.

        Args:
            batch_shape: the new batch shape, to which the old one can be expanded.

        Raises:
            RuntimeError: if it can't.
        """
        new = self._get_checked_instance(type(self), _instance)
        batch_shape = Size(batch_shape)
        new.__dict__.update(self.__dict__)
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if isinstance(value, Tensor):
                # An instance's own set may be dependent; those are of scalars.
                events = 0 if constraints.is_dependent(constraint) else constraint.event_dim
                new.__dict__[name] = value.expand(
                    (*batch_shape, *value.shape[value.dim() - events :])
                )
        new._batch_shape = batch_shape
        self._expand_parts(new, batch_shape)
        return new

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        """For classes that hold more than parameters: expands that of `self` into `new`."""

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom "
                "__init__ method must also define a custom .expand() method."
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws samples, without gradients.

        Args:
            sample_shape: how many, as a shape.
        """
        with pytensor.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws samples through which gradients reach the parameters.

        Args:
            sample_shape: how many, as a shape.

        Raises:
            NotImplementedError: where ``has_rsample`` is False.
        """
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """n samples; the old name of ``sample((n,))``."""
        warnings.warn(
            "sample_n(n) will be deprecated. Use .sample((n,)) instead.",
            UserWarning,
            stacklevel=2,
        )
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at a value.

        Args:
            value: of a shape that broadcasts with batch and event shape.

        Raises:
            ValueError: if checks are on and the value is outside of the support.
        """
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one.

        Args:
            value: as for ``log_prob``.
        """
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile: the inverse of ``cdf``.

        Args:
            value: probabilities.
        """
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension.

        Args:
            expand: whether the batch's dimensions are expanded, or of size 1.
        """
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy, in nats, for each distribution of the batch."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _enumerate(self, values: Tensor, expand: bool) -> Tensor:
        """Scalar values along a first dimension, before the batch's."""
        values = values.reshape((-1, *(1,) * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values

    def _validate_sample(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        events = value.dim() - len(self._event_shape)
        if value.shape[max(events, 0) :] != self._event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        expected = self._extended_shape()
        for have, want in zip(reversed(value.shape), reversed(expected)):
            if have != 1 and want != 1 and have != want:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.shape} vs {expected}."
                )
        try:
            support = self.support
        except (AttributeError, NotImplementedError):
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                "Expected value argument "
                f"({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, "
                f"but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        parameters = []
        for name in getattr(self, "arg_constraints", {}):
            if name in self.__dict__:
                value = self.__dict__[name]
                parameters.append(f"{name}: {value if value.numel() == 1 else value.shape}")
        return f"{type(self).__name__}({', '.join(parameters)})"
