"""Spectral normalization as a forward pre-hook. Part of ``pytensor.nn.utils``.

Miyato et al., "Spectral normalization for generative adversarial networks", 2018: the weight is
divided by its largest singular value, which power iterations follow. The newer form is in
``parametrizations.py``.
"""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.parameter import Parameter, is_lazy

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


def default_dim(module: Any) -> int:
    """The dimension of the output channels in a layer's weight."""
    from pytensor import nn

    transposed = ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
    kinds = tuple(getattr(nn, name) for name in transposed if hasattr(nn, name))
    return 1 if isinstance(module, kinds) else 0


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight with `dim` first and the other dimensions merged."""
    if dim != 0:
        weight = weight.permute(dim, *[i for i in range(weight.dim()) if i != dim])
    return weight.reshape(weight.shape[0], -1)


class SpectralNorm:
    """The hook: computes the normalized weight before each forward.

    Args:
        name: of the weight; the module keeps ``name_orig``, ``name_u`` and ``name_v``.
        n_power_iterations: steps per forward in training. Default: 1.
        dim: the dimension of the outputs. Default: 0.
        eps: the least length to divide by. Default: 1e-12.
    """

    _version = 1

    def __init__(
        self,
        name: str = "weight",
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but "
                f"got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix with a row for each output."""
        return as_matrix(weight, self.dim)

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """The weight divided by its largest singular value, after power iterations."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with pytensor.no_grad():
                for _ in range(self.n_power_iterations):
                    F.normalize(matrix.t().mv(u), dim=0, eps=self.eps, out=v)
                    F.normalize(matrix.mv(v), dim=0, eps=self.eps, out=u)
                # Copies, so that backward sees these values after further forwards.
                u, v = u.clone(), v.clone()
        return weight / pytensor.dot(u, matrix.mv(v))

    @staticmethod
    def apply(
        module: Any, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Puts the hook on a module's weight."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        norm = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization"
            )
        with pytensor.no_grad():
            height, width = as_matrix(weight, dim).shape
            u = F.normalize(weight.new_empty(height).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(width).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(norm)
        module._register_state_dict_hook(_NoteVersion(norm))
        module._register_load_state_dict_pre_hook(_LoadOldVersion(norm))
        return norm

    def remove(self, module: Any) -> None:
        """Makes the present weight a parameter again."""
        with pytensor.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def _solve_v(self, matrix: Tensor, u: Tensor, sigma: Tensor) -> Tensor:
        """The ``v`` that belongs to a ``u`` and a singular value: least squares, rescaled."""
        v = pytensor.linalg.pinv(matrix.t() @ matrix) @ (matrix.t() @ u)
        return v * (sigma / pytensor.dot(u, matrix.mv(v)))


class _NoteVersion:
    """State-dict hook: notes in the metadata that ``name_v`` is saved."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(self, module: Any, state_dict: Any, prefix: str, local_metadata: Any) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.norm.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.norm._version


class _LoadOldVersion:
    """Load hook: computes ``name_v`` for files that were saved without it."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        norm = self.norm
        version = local_metadata.get("spectral_norm", {}).get(norm.name + ".version")
        if version is not None and version >= 1:
            return
        key = prefix + norm.name
        current = all(key + suffix in state_dict for suffix in ("_orig", "_u", "_v"))
        if version is None and current and key not in state_dict:
            return
        missing = [key + suffix for suffix in ("_orig", "", "_u") if key + suffix not in state_dict]
        if missing:
            if strict:
                missing_keys.extend(missing)
            return
        with pytensor.no_grad():
            original, weight = state_dict[key + "_orig"], state_dict.pop(key)
            sigma = (original / weight).mean()
            matrix = as_matrix(original, norm.dim)
            state_dict[key + "_v"] = norm._solve_v(matrix, state_dict[key + "_u"], sigma)


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divides a weight by its largest singular value before each forward.

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
        n_power_iterations: steps per forward in training. Default: 1.
        eps: the least length to divide by. Default: 1e-12.
        dim: the dimension of the outputs. Default: 1 for transposed convolutions, else 0.
    """
    dim = default_dim(module) if dim is None else dim
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Undoes ``spectral_norm``; the weight keeps its present value.

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for hooks, kind in (
        (module._state_dict_hooks, _NoteVersion),
        (module._load_state_dict_pre_hooks, _LoadOldVersion),
    ):
        for key, hook in list(hooks.items()):
            if isinstance(hook, kind) and hook.norm.name == name:
                del hooks[key]
    return module
