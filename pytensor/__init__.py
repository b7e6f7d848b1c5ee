"""Tensors with automatic differentiation, with PyTorch's API: ``import pytensor as torch``.

The core is the compiled module ``pytensor._C``. Importing this package stays cheap: numpy and
the larger parts (``nn``, ``optim``, ``linalg`` ...) are imported when they are first used.
"""

from __future__ import annotations

from pytensor import _conflict

_conflict.check()

import math as _math
from typing import TYPE_CHECKING, Any

from pytensor import _C, _tensor
from pytensor._C import (
    Generator,
    Size,
    Tensor,
    as_tensor,
    asarray,
    bfloat16,
    can_cast,
    channels_last,
    channels_last_3d,
    complex64,
    complex128,
    contiguous_format,
    device,
    dtype,
    float16,
    float32,
    float64,
    from_dlpack,
    from_numpy,
    frombuffer,
    get_default_dtype,
    get_num_threads,
    int8,
    int16,
    int32,
    int64,
    layout,
    memory_format,
    preserve_format,
    promote_types,
    result_type,
    scalar_tensor,
    set_num_threads,
    strided,
    tensor,
    uint8,
)
from pytensor._C import __version__ as __version__
from pytensor._C import bool as bool
from pytensor._finfo import finfo, iinfo
from pytensor._printing import set_printoptions
from pytensor._settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_complex,
    is_floating_point,
    is_grad_enabled,
    is_inference_mode_enabled,
    is_nonzero,
    is_storage,
    is_tensor,
    numel,
    set_default_device,
    set_default_dtype,
    set_default_tensor_type,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    typename,
    use_deterministic_algorithms,
)
from pytensor.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
)
from pytensor.random import (
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

float = float32
double = float64
half = float16
int = int32
long = int64
short = int16
cfloat = complex64
cdouble = complex128

inf = _math.inf
nan = _math.nan
pi = _math.pi
e = _math.e
newaxis = None
legacy_contiguous_format = contiguous_format

default_generator = _C.default_generator()

# Every op of the registry is a function here.
for _name, _function in _C.functions.items():
    if not _name.startswith("_"):
        globals().setdefault(_name, _function)
del _name, _function

from pytensor import functional as functional

for _name in functional.__all__:
    globals()[_name] = getattr(functional, _name)
del _name
_tensor.attach(Tensor)

_LEGACY_TYPES = (
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "ShortTensor",
    "IntTensor",
    "LongTensor",
    "HalfTensor",
    "BFloat16Tensor",
    "FloatTensor",
    "DoubleTensor",
)
for _name in _LEGACY_TYPES:
    globals()[_name] = getattr(_C, _name)
del _name

_SUBMODULES = frozenset(
    {
        "accelerator",
        "amp",
        "autograd",
        "backends",
        "compat",
        "compiler",
        "cpu",
        "cuda",
        "distributed",
        "distributions",
        "hub",
        "linalg",
        "masked",
        "mps",
        "multiprocessing",
        "nn",
        "optim",
        "profiler",
        "serialization",
        "signal",
        "special",
        "storage",
        "utils",
        "version",
        "vision",
        "xpu",
    }
)
# Functions and classes whose modules are imported when they are first used.
_LATE = {
    "OutOfMemoryError": "cuda",
    "UntypedStorage": "storage",
    "TypedStorage": "storage",
    "autocast": "amp",
    "compile": "_compile",
    "get_autocast_dtype": "amp.autocast_mode",
    "get_device_module": "_settings",
    "is_autocast_cpu_enabled": "amp.autocast_mode",
    "set_autocast_enabled": "amp.autocast_mode",
    "set_autocast_dtype": "amp.autocast_mode",
    "set_autocast_cache_enabled": "amp.autocast_mode",
    "is_autocast_cache_enabled": "amp.autocast_mode",
    "clear_autocast_cache": "amp.autocast_mode",
    "is_autocast_enabled": "amp.autocast_mode",
    "load": "serialization",
    "save": "serialization",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _LATE:
        return getattr(importlib.import_module(f"pytensor.{_LATE[name]}"), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"pytensor.{name}")
    raise AttributeError(f"module 'pytensor' has no attribute {name!r}")


if TYPE_CHECKING:
    from pytensor import (
        accelerator,
        amp,
        autograd,
        backends,
        compat,
        compiler,
        cpu,
        cuda,
        distributed,
        distributions,
        hub,
        linalg,
        masked,
        mps,
        multiprocessing,
        nn,
        optim,
        profiler,
        serialization,
        signal,
        special,
        storage,
        utils,
        version,
        vision,
        xpu,
    )
    from pytensor._compile import compile
    from pytensor._settings import get_device_module
    from pytensor.amp import autocast
    from pytensor.amp.autocast_mode import (
        get_autocast_dtype,
        is_autocast_cpu_enabled,
        set_autocast_enabled,
        set_autocast_dtype,
        set_autocast_cache_enabled,
        is_autocast_cache_enabled,
        clear_autocast_cache,
        is_autocast_enabled,
    )
    from pytensor.cuda import OutOfMemoryError
    from pytensor.serialization import load, save
    from pytensor.storage import TypedStorage, UntypedStorage
