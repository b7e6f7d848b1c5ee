"""Libraries of CUDA's makers that are used where they are installed: cuBLASLt for matrix products.

They are found when a product first asks: in the folders of the environment variable
``PYTENSOR_CUDA_LIBRARIES``, in the loader's paths, and in NVIDIA's packages (the extra ``cuda``).
``PYTENSOR_CUDA_LIBRARIES=0`` uses none of them.
"""

from __future__ import annotations

from pytensor import _C

__all__ = ["prefer", "version"]


def version(name: str = "cublasLt") -> int | None:
    """The version of a library as its own number, 130200 for 13.2; None where it is not used.

    Args:
        name: "cublasLt".
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
