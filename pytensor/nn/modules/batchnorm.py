"""Batch norm layers (Ioffe and Szegedy 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor.nn import functional as F
from pytensor.nn.modules._norm_base import _LazyNormBase, _NormBase

if TYPE_CHECKING:
    from pytensor import Tensor
    from pytensor.nn.modules.module import Module

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]


class _BatchNorm(_NormBase):
    """Normalizes with the statistics of the batch in training, else with the running ones."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain average of all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        from_batch = self.training or (self.running_mean is None and self.running_var is None)
        # Running statistics that are not tracked are still used outside training.
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            from_batch,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel over the batch.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones; None averages over all
            batches. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``True``.
        track_running_stats: whether there are running statistics. Default: ``True``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C)`` or ``(N, C, L)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, or one value for each channel in
            training.

    Example::

        >>> pytensor.nn.BatchNorm1d(3)(pytensor.randn(4, 3)).shape
        torch.Size([4, 3])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Normalizes each channel over the batch and space.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones; None averages over all
            batches. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``True``.
        track_running_stats: whether there are running statistics. Default: ``True``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C, H, W)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, or one value for each channel in
            training.

    Example::

        >>> pytensor.nn.BatchNorm2d(3)(pytensor.randn(4, 3, 2, 2)).shape
        torch.Size([4, 3, 2, 2])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Normalizes each channel over the batch and space.

    Args:
        num_features: the number C of channels.
        eps: added to the variance. Default: 1e-5.
        momentum: the part of the new statistics in the running ones; None averages over all
            batches. Default: 0.1.
        affine: whether there is a weight, and a bias. Default: ``True``.
        track_running_stats: whether there are running statistics. Default: ``True``.
        device, dtype: of the members. Default: the default device and dtype.
        bias: whether there is a bias with `affine`. Default: ``True``.

    Shape:
        ``(N, C, D, H, W)`` to the same. `weight` starts at 1, `bias` at 0.

    Raises:
        ValueError: the input has another number of dimensions, or one value for each channel in
            training.

    Example::

        >>> pytensor.nn.BatchNorm3d(3)(pytensor.randn(4, 3, 2, 2, 2)).shape
        torch.Size([4, 3, 2, 2, 2])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """A ``BatchNorm1d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``BatchNorm1d``.

    Example::

        >>> layer = pytensor.nn.LazyBatchNorm1d()
        >>> _ = layer(pytensor.randn(4, 3))
        >>> type(layer).__name__, layer.num_features
        ('BatchNorm1d', 3)
    """

    cls_to_become = BatchNorm1d

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """A ``BatchNorm2d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``BatchNorm2d``.

    Example::

        >>> layer = pytensor.nn.LazyBatchNorm2d()
        >>> _ = layer(pytensor.randn(4, 3, 2, 2))
        >>> type(layer).__name__, layer.num_features
        ('BatchNorm2d', 3)
    """

    cls_to_become = BatchNorm2d

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """A ``BatchNorm3d`` that takes the number of channels from its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as of ``BatchNorm3d``.

    Example::

        >>> layer = pytensor.nn.LazyBatchNorm3d()
        >>> _ = layer(pytensor.randn(4, 3, 2, 2, 2))
        >>> type(layer).__name__, layer.num_features
        ('BatchNorm3d', 3)
    """

    cls_to_become = BatchNorm3d

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


class SyncBatchNorm(_BatchNorm):
    """The batch norm of several processes; with the one process there is, any ``BatchNorm``.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as of
            ``BatchNorm2d``.
        process_group: has no effect.

    Shape:
        ``(N, C, *)`` to the same.

    Example::

        >>> pytensor.nn.SyncBatchNorm(3)(pytensor.randn(4, 3, 2)).shape
        torch.Size([4, 3, 2])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Replaces the batch norms in a module, with their parameters and statistics."""
        result = module
        if isinstance(module, _BatchNorm):
            result = SyncBatchNorm(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            if module.affine:
                result.weight, result.bias = module.weight, module.bias
            result.running_mean = module.running_mean
            result.running_var = module.running_var
            result.num_batches_tracked = module.num_batches_tracked
            result.training = module.training
        for name, child in module.named_children():
            result.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return result
