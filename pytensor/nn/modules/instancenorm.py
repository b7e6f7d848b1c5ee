"""Instance norm layers (Ulyanov et al. 2016)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pytensor.nn import functional as F
from pytensor.nn.modules._norm_base import _LazyNormBase, _NormBase

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    """Normalizes each sample with its own statistics, or with running ones outside training."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _get_no_batch_dim(self) -> int:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self._get_no_batch_dim()
        channels = input.shape[0 if single else 1]
        if channels != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={0 if single else 1} to match num_features "
                    f"({self.num_features}), but got: {channels}."
                )
            warnings.warn(
                f"input's size at dim={0 if single else 1} does not match num_features. You can "
                "silence this warning by not passing in num_features, which is not used because "
                "affine=False",
                stacklevel=2,
            )
        result = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return result.squeeze(0) if single else result

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        if local_metadata.get("version") is None and not self.track_running_stats:
            names = ("running_mean", "running_var")
            found = [n for n in names if prefix + n in state_dict]
            if found:
                listed = " and ".join(f'"{n}"' for n in found)
                name = type(self).__name__
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {listed} for {name} with "
                    "track_running_stats=False. Remove them from the state_dict, or set "
                    f"track_running_stats=True in {name} if they are needed."
                )
                for n in found:
                    state_dict.pop(prefix + n)
        super()._load_from_state_dict(
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each sample over space.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``False``.
        track_running_stats: whether there are running statistics. Default: ``False``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C, L)`` or ``(C, L)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, of channels with `affine`, or a
            single element in each channel.

    Example::

        >>> pytensor.nn.InstanceNorm1d(3)(pytensor.randn(2, 3, 4)).shape
        torch.Size([2, 3, 4])
    """

    def _get_no_batch_dim(self) -> int:
        return 2

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class InstanceNorm2d(_InstanceNorm):
    """Normalizes each channel of each sample over space.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``False``.
        track_running_stats: whether there are running statistics. Default: ``False``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, of channels with `affine`, or a
            single element in each channel.

    Example::

        >>> pytensor.nn.InstanceNorm2d(3)(pytensor.randn(2, 3, 4, 4)).shape
        torch.Size([2, 3, 4, 4])
    """

    def _get_no_batch_dim(self) -> int:
        return 3

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (3, 4):
            raise ValueError(f"expected 3D or 4D input (got {input.dim()}D input)")


class InstanceNorm3d(_InstanceNorm):
    """Normalizes each channel of each sample over space.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``False``.
        track_running_stats: whether there are running statistics. Default: ``False``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, of channels with `affine`, or a
            single element in each channel.

    Example::

        >>> pytensor.nn.InstanceNorm3d(3)(pytensor.randn(2, 3, 2, 2, 2)).shape
        torch.Size([2, 3, 2, 2, 2])
    """

    def _get_no_batch_dim(self) -> int:
        return 4

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (4, 5):
            raise ValueError(f"expected 4D or 5D input (got {input.dim()}D input)")


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """An ``InstanceNorm1d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``InstanceNorm1d``,
            but `affine` and `track_running_stats` are ``True`` by default.

    Example::

        >>> layer = pytensor.nn.LazyInstanceNorm1d()
        >>> _ = layer(pytensor.randn(2, 3, 4))
        >>> type(layer).__name__, layer.num_features
        ('InstanceNorm1d', 3)
    """

    cls_to_become = InstanceNorm1d

    def _get_no_batch_dim(self) -> int:
        return 2

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """An ``InstanceNorm2d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``InstanceNorm2d``,
            but `affine` and `track_running_stats` are ``True`` by default.

    Example::

        >>> layer = pytensor.nn.LazyInstanceNorm2d()
        >>> _ = layer(pytensor.randn(2, 3, 4, 4))
        >>> type(layer).__name__, layer.num_features
        ('InstanceNorm2d', 3)
    """

    cls_to_become = InstanceNorm2d

    def _get_no_batch_dim(self) -> int:
        return 3

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (3, 4):
            raise ValueError(f"expected 3D or 4D input (got {input.dim()}D input)")


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """An ``InstanceNorm3d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``InstanceNorm3d``,
            but `affine` and `track_running_stats` are ``True`` by default.

    Example::

        >>> layer = pytensor.nn.LazyInstanceNorm3d()
        >>> _ = layer(pytensor.randn(2, 3, 2, 2, 2))
        >>> type(layer).__name__, layer.num_features
        ('InstanceNorm3d', 3)
    """

    cls_to_become = InstanceNorm3d

    def _get_no_batch_dim(self) -> int:
        return 4

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (4, 5):
            raise ValueError(f"expected 4D or 5D input (got {input.dim()}D input)")
