"""Libraries of CUDA's makers that are used where they are installed.

cuBLASLt computes matrix products, cuDNN convolutions (see ``pytensor.backends.cudnn``). They are
found when such a call first asks: in the folders of the environment variable
``PYTENSOR_CUDA_LIBRARIES``, in the loader's paths, and in NVIDIA's packages (the extra ``cuda``).
``PYTENSOR_CUDA_LIBRARIES=0`` uses none of them.
"""

from __future__ import annotations

from pytensor import _C

__all__ = ["prefer", "version"]


def version(name: str = "cublasLt") -> int | None:
    """The version of a library as its own number; None where it is not used.

    13.2 of cuBLASLt is 130200, 9.28 of cuDNN is 92800.

    Args:
        name: "cublasLt" or "cudnn".
    """
    if _C.cuda_device_count() == 0:
        return None
    return _C.cuda_library_version(name) or None


def prefer(on: bool) -> None:
    """Whether libraries are used where they are installed. Default: True.

    The kernels here give the same bits wherever they run; a library's depend on its version.
    """
    if _C.cuda_device_count() > 0:
        _C.cuda_prefer_libraries(on)
