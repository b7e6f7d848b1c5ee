"""The registry's samples as calls: shared by the tests of this folder.

A sample is the text of an op's arguments, such as ``R(3, 4), dim=-1``. It is evaluated for a
library (pytensor or torch) under a Variation (element type, memory layout, sizes), always with the
same numbers. Outcomes of two libraries are then compared: values, or classes of exceptions.

Options of a definition's .test("..."): `nograd` (finite differences do not apply), `contiguous`
(this layout only), `tol=1e-3`, `random` (the generator is seeded before each call; numbers are
compared all the same), `arbitrary` (contents are undefined: no numbers are compared), `unstable`
(rounding grows with the sizes: numbers are compared at the sample's own).

With PYTENSOR_TEST_DEVICE=cuda pytensor's tensors are on that device; ops that have no kernel there
are skipped, which the tests' summary counts.
"""

from __future__ import annotations

import os
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import pytensor

try:
    import torch
except ImportError:  # the tests that compare with it are skipped
    torch = None

DEVICE = os.environ.get("PYTENSOR_TEST_DEVICE", "cpu")
if DEVICE != "cpu":
    pytensor.backends.cudnn.allow_tf32 = False  # the tolerances are those of float32
    pytensor.backends.cudnn.enabled = False  # the kernels here are to be tested
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTS = ("int64", "int32", "uint8", "bool")
LAYOUTS = ("contiguous", "transposed", "sliced", "expanded")
# rtol, atol. Numbers in samples are around one.
TOLERANCES = {
    "float64": (1e-9, 1e-9),
    "float32": (1e-5, 1e-5),
    "float16": (2e-3, 1e-3),
    "bfloat16": (1.6e-2, 1e-2),
}
# torch raises these for want of a kernel, a copy or a formula, and not by a rule.
LACKS = ("view size is not compatible", "derivative for", "returned an invalid gradient")
LACKS_KERNEL = ("float16", "bfloat16", "bool")  # "not implemented for" is no rule for these

# Ops whose strides in torch are those of LAPACK's columns or of an internal buffer.
OTHER_STRIDES = re.compile(r"linalg_|cholesky|inverse|^qr|^svd|lstsq|solve|nonzero|argwhere")
# Factors that are unique up to signs, or not at all for singular matrices.
NOT_UNIQUE = re.compile(r"qr$|svd$|eigh$")

# Where pytensor differs on purpose: (op, part of the variation or of the failure's text): reason.
DEVIATIONS = {
    ("special_bessel_j0", "require a gradient"): "torch has no derivative",
    ("special_bessel_j1", "require a gradient"): "torch has no derivative",
    ("special_bessel_y0", "require a gradient"): "torch has no derivative",
    ("special_bessel_y1", "require a gradient"): "torch has no derivative",
    ("clamp", "uint8"): "torch wraps negative limits around",
    ("fmod", "uint8"): "torch wraps a negative divisor around",
    ("ldexp.Tensor", "function: output"): "torch's gradient is 0 where the exponent is negative",
    ("ldexp.Tensor", "inplace: output"): "torch's gradient is 0 where the exponent is negative",
    ("std.dim", "expanded"): "the gradient at a deviation of zero is noise",
    ("std_mean.dim", "expanded"): "the gradient at a deviation of zero is noise",
    ("as_strided_scatter", "function: output"): "torch's gradient is that of another geometry",
    ("linalg_matrix_exp", "float16"): "torch computes in half precision",
    ("matrix_exp", "float16"): "torch computes in half precision",
    ("resize", "size"): "new elements are undefined",
    ("resize", "0-dim"): "new elements are undefined",
    ("resize_as", "size"): "new elements are undefined",
    ("resize_as", "0-dim"): "new elements are undefined",
    ("view.dtype", "made 0"): "torch looks at the strides of an empty tensor",
    ("grid_sampler", "float16"): "torch computes in half precision",
    ("pixel_unshuffle", "made 0"): "torch leaves the shape of an empty tensor as it was",
    ("instance_norm", "size 3 made 0"): "torch fails on an empty batch",
    ("native_group_norm", "require a gradient"): "torch marks outputs that have no derivative",
    ("addmm", "For integral input"): "torch drops the fractions of beta and alpha silently",
    ("baddbmm", "For integral input"): "torch drops the fractions of beta and alpha silently",
}

if DEVICE != "cpu":
    # torch's tensor lies in NumPy's memory, pytensor's in memory of its own
    DEVIATIONS["set.source_Tensor_storage_offset", "0-dim"] = "the storage can grow"
    # torch asserts on the device, which ends its use
    DEVIATIONS["_plane_gather", "does not raise"] = "places are those of a pool"


@dataclass(frozen=True)
class Variation:
    """How the tensors of a sample are made."""

    dtype: str = "float32"
    layout: str = "contiguous"
    resize: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None
    limit: Callable[[int], int] | None = None  # for the n of J(n, ...) and S(n)
    label: str = ""

    def __str__(self) -> str:
        return " ".join(s for s in (self.dtype, self.layout, self.label) if s)


@dataclass(frozen=True)
class Sample:
    """One argument list of one op."""

    op: dict[str, Any] = field(repr=False, hash=False, compare=False)
    text: str
    id: str

    @property
    def options(self) -> list[str]:
        return self.op["test"].split()

    @property
    def tolerance(self) -> float | None:
        return next((float(o[4:]) for o in self.options if o.startswith("tol=")), None)

    @property
    def name(self) -> str:
        """The public name that takes the sample's arguments."""
        return inplace_name(self.op) if self.op["inplace_only"] else self.op["name"]

    def makers(self) -> set[str]:
        """Which of the helpers R, P, U, I, J, B and S the text calls."""
        return {name for name in "RPUIJBS" if name in compile_text(self.text).co_names}


@cache
def describe() -> list[dict[str, Any]]:
    return pytensor._C.describe_registry()


def main_entries() -> list[dict[str, Any]]:
    """Each op once: no aliases, no in-place variants."""
    return [e for e in describe() if not e["inplace"] and e["name"] == e["op"]]


@cache
def _inplace_entries() -> dict[str, dict[str, Any]]:
    return {e["schema"]: e for e in describe() if e["inplace"] and e["name"] == e["op"]}


def inplace_entry(entry: dict[str, Any]) -> dict[str, Any]:
    return _inplace_entries()[entry["schema"]]


def inplace_name(entry: dict[str, Any]) -> str:
    return inplace_entry(entry)["name"]


def label_of(entry: dict[str, Any]) -> str:
    return entry["op"] + ("." + entry["overload"] if entry["overload"] else "")


@cache
def samples() -> tuple[Sample, ...]:
    return tuple(
        Sample(e, text, f"{label_of(e)}-{i}")
        for e in main_entries()
        for i, text in enumerate(e["samples"])
    )


@cache
def compile_text(text: str):
    return compile(f"collect({text})", text, "eval")


# --- arguments -----------------------------------------------------------------------------------


class Maker:
    """The helpers of one evaluation. `leaves` are the floating-point tensors made, in order."""

    def __init__(self, library, sample: Sample, variation: Variation, given=None):
        self.library = library
        self.variation = variation
        self.random = np.random.default_rng(zlib.crc32(sample.text.encode()))
        self.given = given
        self.leaves: list[Any] = []

    def namespace(self) -> dict[str, Any]:
        names = {name: getattr(self, name) for name in "RPUIJBS"}
        return {"torch": placed(self.library), "collect": lambda *a, **k: (a, k), **names}

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.variation.resize(shape) if self.variation.resize else shape

    def _number(self, n: int) -> int:
        return self.variation.limit(n) if self.variation.limit else n

    def _floats(self, array: np.ndarray, whole: np.ndarray, positive_definite=False):
        """`array` in the variation's floating-point type, or `whole` in its integer type."""
        dtype = self.variation.dtype
        if dtype in FLOATS:
            if self.given is not None:
                leaf = self.given[len(self.leaves)]
                self.leaves.append(leaf)
                return (leaf + leaf.mT) / 2 if positive_definite else leaf
            exact = array if dtype == "float64" else array.astype(np.float32)
            self.leaves.append(self._tensor(exact, dtype, expand=not positive_definite))
            return self.leaves[-1]
        return self._whole(whole, dtype)

    def _whole(self, array: np.ndarray, dtype: str):
        if dtype == "uint8":
            array = abs(array)
        return self._tensor(array.astype(dtype), dtype)

    def _tensor(self, array: np.ndarray, dtype: str, expand=True):
        layout = self.variation.layout
        lib = self.library

        def plain(a):
            t = on_device(lib, lib.from_numpy(np.array(a, order="C")))
            return t if str(a.dtype) == dtype else t.to(getattr(lib, dtype))

        if layout == "transposed" and array.ndim >= 2:
            return plain(np.swapaxes(array, 0, -1)).transpose(0, -1)
        if layout == "sliced" and array.ndim >= 1:
            return plain(np.repeat(array, 2, -1))[..., ::2]
        if layout == "expanded" and expand and array.ndim >= 1 and array.size:
            return plain(array[:1]).expand(array.shape)
        return plain(array)

    def R(self, *shape):
        shape = self._shape(shape)
        return self._floats(self.random.standard_normal(shape), self.random.integers(-4, 5, shape))

    def P(self, *shape):
        shape = self._shape(shape)
        return self._floats(self.random.uniform(0.5, 1.5, shape), self.random.integers(1, 5, shape))

    def U(self, *shape):
        shape = self._shape(shape)
        return self._floats(
            self.random.uniform(-0.9, 0.9, shape), self.random.integers(-1, 2, shape)
        )

    def S(self, n):
        n = self._number(n)
        a = self.random.standard_normal((n, n))
        a = a @ a.T / max(n, 1) + np.eye(n)
        return self._floats(a, np.round(a).astype(np.int64), positive_definite=True)

    def I(self, *shape):  # noqa: E743
        dtype = self.variation.dtype
        array = self.random.integers(-9, 10, self._shape(shape))
        return self._whole(array, dtype if dtype in INTS else "int64")

    def J(self, n, *shape):
        array = self.random.integers(0, max(1, self._number(n)), self._shape(shape))
        return self._tensor(array, "int64")

    def B(self, *shape):
        return self._tensor(self.random.integers(0, 2, self._shape(shape)) > 0, "bool")


def layouts(sample: Sample) -> tuple[str, ...]:
    fixed = "contiguous" in sample.options or NOT_UNIQUE.search(sample.op["name"])
    return LAYOUTS[:1] if fixed or not sample.makers() else LAYOUTS


def variations(sample: Sample) -> Iterator[Variation]:
    """Element types and layouts under which the sample is worth calling."""
    makers = sample.makers()
    if makers & set("RPUS"):
        dtypes = FLOATS + INTS
    elif "I" in makers:
        dtypes = INTS
    else:
        dtypes = ("float32",)
    for layout in layouts(sample):
        for dtype in dtypes:
            yield Variation(dtype, layout)


def odd_sizes(sample: Sample) -> Iterator[Variation]:
    """The sample with one of its sizes set to zero, and with tensors of no dimension."""
    shapes: list[tuple[int, ...]] = []

    def note(shape):
        shapes.append(shape)
        return shape

    dtype = "float32" if sample.makers() & set("RPUS") else "int64"
    try:
        arguments(pytensor, sample, Variation(dtype, resize=note))
    except Exception:
        return  # the test of values reports it
    sizes = {shapes[0][0], shapes[0][-1]} - {1} if shapes and shapes[0] else set()
    for size in sorted(sizes):

        def cut(n, size=size):
            return 0 if n == size else n

        def resize(shape, cut=cut):
            return tuple(cut(n) for n in shape)

        yield Variation(dtype, resize=resize, limit=cut, label=f"size {size} made 0")
    if shapes:
        yield Variation(dtype, resize=lambda shape: (), label="0-dim")


def arguments(library, sample: Sample, variation: Variation, given=None):
    """(args, kwargs, floating-point tensors among them)"""
    maker = Maker(library, sample, variation, given)
    args, kwargs = eval(compile_text(sample.text), maker.namespace())
    return on_device(library, args), on_device(library, kwargs), maker.leaves


def on_device(library, value):
    """The same with pytensor's tensors on the device that is tested."""
    if library is not pytensor or DEVICE == "cpu":
        return value
    if is_tensor(value):
        return value.to(DEVICE)
    if isinstance(value, dict):
        return {k: on_device(library, v) for k, v in value.items()}
    if type(value) in (tuple, list):
        return type(value)(on_device(library, v) for v in value)
    return value


class Placed:
    """The library with functions whose tensors come to lie on the device that is tested."""

    def __getattr__(self, name):
        value = getattr(pytensor, name)
        if not callable(value) or isinstance(value, type):
            return value
        return lambda *args, **kwargs: on_device(pytensor, value(*args, **kwargs))


def placed(library):
    return library if library is not pytensor or DEVICE == "cpu" else Placed()


class NoKernel(Exception):
    """The op cannot run on the device that is tested."""


# --- calls ---------------------------------------------------------------------------------------


def find_function(library, name: str):
    """The function of that name, wherever the library keeps it."""
    if library is pytensor:
        return getattr(pytensor, name, None) or pytensor._C.internal.get(name)
    for prefix in ("linalg", "special"):
        if name.startswith(prefix + "_"):
            found = getattr(getattr(torch, prefix), name[len(prefix) + 1 :], None)
            if found is not None:
                return found
    for place in (torch, torch.nn.functional, torch._C._nn, torch._C._VariableFunctions):
        if hasattr(place, name):
            return getattr(place, name)
    try:
        return getattr(torch.ops.aten, name)
    except AttributeError:
        return None


def in_torch(name: str) -> bool:
    return find_function(torch, name) is not None or hasattr(torch.Tensor, name)


def call(library, sample: Sample, args, kwargs, how: str = "function"):
    """Calls the op as a function, method, in-place on a clone of its first argument, or out=."""
    entry = sample.op
    if "random" in sample.options:
        library.manual_seed(5)
    if entry["inplace_only"] or how == "inplace":
        variant, target = inplace_entry(entry), args[0].clone()
        if variant["method"]:
            result = getattr(target, variant["name"])(*args[1:], **kwargs)
        else:
            result = find_function(library, variant["name"])(target, *args[1:], **kwargs)
        if result is not target:
            raise AssertionError("an in-place call returns another tensor than its own")
        return result
    if how == "method" or not (entry["function"] or entry["internal"]):
        return getattr(args[0], entry["name"])(*args[1:], **kwargs)
    function = find_function(library, entry["name"])
    if function is None:
        raise AssertionError(f"{library.__name__} has no {entry['name']}")
    return function(*args, **kwargs)


class Raised:
    """The outcome of a call that raised."""

    def __init__(self, error: Exception):
        self.error = error

    def __str__(self) -> str:
        text = str(self.error).strip().split("\n")[0]
        return f"{type(self.error).__name__}: {text[:160]}"


def outcome(library, sample: Sample, variation: Variation, how: str = "function"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            args, kwargs, _ = arguments(library, sample, variation)
            result = call(library, sample, args, kwargs, how)
            if library is pytensor and DEVICE != "cpu":
                pytensor.cuda.synchronize()  # indices out of bounds are reported there
            return result
        except AssertionError:
            raise
        except Exception as error:
            if lacks_kernel(error):
                raise NoKernel(str(error)) from None
            return Raised(error)


@contextmanager
def on_cpu() -> Iterator[None]:
    """Calls inside are made on the cpu, whatever device is tested."""
    global DEVICE
    before, DEVICE = DEVICE, "cpu"
    try:
        yield
    finally:
        DEVICE = before


def lacks_kernel(error: Exception) -> bool:
    return (
        DEVICE != "cpu"
        and isinstance(error, NotImplementedError)
        and "from the 'CUDA' backend" in str(error)
    )


# --- comparison ----------------------------------------------------------------------------------


def is_tensor(x) -> bool:
    return hasattr(x, "requires_grad") and hasattr(x, "stride")


def short(dtype) -> str:
    return str(dtype).rsplit(".", 1)[-1]


def to_numpy(t) -> np.ndarray:
    t = t.detach().cpu()
    return (t.float() if short(t.dtype) == "bfloat16" else t).numpy()


def compatible(ours: Exception, theirs: Exception) -> bool:
    if type(theirs).__name__.lstrip("_") == type(ours).__name__:
        return True
    return isinstance(ours, type(theirs)) or isinstance(theirs, type(ours))


def same_numbers(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> str:
    if a.dtype.kind == "f":
        with np.errstate(all="ignore"):
            x, y = a.astype(np.float64), b.astype(np.float64)
            good = (x == y) | (abs(x - y) <= atol + rtol * abs(y)) | (np.isnan(x) & np.isnan(y))
    else:
        good = a == b
    if good.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~good)[0])
    return f"{(~good).sum()} of {good.size} differ; at {list(at)} {a[at]}, expected {b[at]}"


def difference(got, want, *, tolerance=None, strides=False, signs=True, numbers=True) -> str:
    """What differs between two results, in words; empty when they agree.

    `signs=False` compares absolute values, `numbers=False` only what describes a tensor.
    """
    if is_tensor(want):
        if not is_tensor(got):
            return f"a {type(got).__name__}, not a tensor"
        if short(got.dtype) != short(want.dtype):
            return f"dtype {short(got.dtype)}, expected {short(want.dtype)}"
        if tuple(got.shape) != tuple(want.shape):
            return f"shape {tuple(got.shape)}, expected {tuple(want.shape)}"
        if strides and want.numel() > 1 and got.stride() != want.stride():
            return f"strides {got.stride()}, expected {want.stride()}"
        rtol, atol = TOLERANCES.get(short(want.dtype), (0.0, 0.0))
        if tolerance is not None:
            rtol, atol = max(rtol, tolerance), max(atol, tolerance)
        if not numbers:
            return ""
        arrays = to_numpy(got), to_numpy(want)
        return same_numbers(*(arrays if signs else map(abs, arrays)), rtol, atol)
    if isinstance(want, (tuple, list)) and type(want).__name__ != "Size":
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            return f"{got!r}, expected {len(want)} values"
        for i, (g, w) in enumerate(zip(got, want)):
            found = difference(
                g, w, tolerance=tolerance, strides=strides, signs=signs, numbers=numbers
            )
            if found:
                return f"output {i}: {found}"
        return ""
    if isinstance(want, float):
        rtol = 1e-6 if tolerance is None else tolerance
        if isinstance(got, float) and np.isclose(got, want, rtol, rtol, equal_nan=True):
            return ""
    elif type(got).__name__ == type(want).__name__ and str(got).replace(
        "pytensor.", "torch."
    ) == str(want):
        return ""
    return f"{got!r}, expected {want!r}"


def torch_lacks(variation: Variation, error: Exception) -> bool:
    """Whether torch raises for want of a kernel or of a copy, and not by a rule."""
    text = str(error)
    if any(lack in text for lack in LACKS):
        return True
    return variation.dtype in LACKS_KERNEL and "not implemented for" in text


def deviates(sample: Sample, variation: Variation, text: str) -> bool:
    """Whether the failure is one of the known, wanted ones."""
    name = label_of(sample.op)
    where = f"{variation} {text}"
    return any(op == name and part in where for op, part in DEVIATIONS)


def disagreement(sample: Sample, variation: Variation, got, want) -> str:
    """What differs between pytensor's and torch's outcome; empty when they agree."""
    if isinstance(want, Raised):
        if isinstance(got, Raised):
            # Which of several faults of odd sizes is found first is left open.
            if variation.label or compatible(got.error, want.error):
                return ""
            return f"raises {got}\n      torch: {want}"
        return "" if torch_lacks(variation, want.error) else f"does not raise\n      torch: {want}"
    if isinstance(got, Raised):
        return f"raises {got}"
    return difference(
        got,
        want,
        tolerance=sample.tolerance,
        strides=variation.layout == "contiguous"
        and not variation.label
        and not OTHER_STRIDES.search(sample.op["name"]),
        signs=not NOT_UNIQUE.search(sample.op["name"]),
        # the numbers that a device draws are its own
        numbers="arbitrary" not in sample.options
        and not (DEVICE != "cpu" and "random" in sample.options),
    )


def float_outputs(result) -> list[Any]:
    """The tensors of a result that can carry a gradient."""
    if is_tensor(result):
        return [result] if result.is_floating_point() else []
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in float_outputs(r)]
    return []
