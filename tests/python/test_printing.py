"""The text of tensors must be PyTorch's, character for character (but for the library's name)."""

from __future__ import annotations

import math
import time

import pytest

import pytensor
from pytensor._printing import tensor_format, tensor_repr
from tests.python.torch_pair import plain, to_pytensor, torch

nan, inf = math.nan, math.inf


@pytest.fixture(autouse=True)
def _default_options():
    yield
    pytensor.set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


def check(t) -> None:
    assert plain(tensor_repr(to_pytensor(t))) == plain(repr(t))


torch.manual_seed(0)
CASES = {
    "scalar": torch.tensor(3.14159),
    "scalar_int": torch.tensor(7),
    "scalar_bool": torch.tensor(True),
    "scalar_large": torch.tensor(1e10),
    "scalar_small": torch.tensor(1e-6),
    "scalar_nan": torch.tensor(nan),
    "scalar_zero": torch.tensor(0.0),
    "scalar_negative": torch.tensor(-2.0),
    "vector": torch.tensor([1.0, 2.5, -3.25]),
    "integral": torch.tensor([1.0, 2.0, 300.0]),
    "integral_wide": torch.tensor([1.0, 20000.0]),
    "integral_huge": torch.tensor([2e8, 3e8]),
    "spread": torch.tensor([0.001, 5.0]),
    "spread_ints": torch.tensor([1.0, 1001.0]),
    "tiny": torch.tensor([0.00001, 0.00002]),
    "zeros": torch.zeros(3),
    "negative_zero": torch.tensor([-0.0, 1.0]),
    "nan_inf": torch.tensor([nan, inf, -inf]),
    "nan_and_int": torch.tensor([nan, 1.0, inf]),
    "nan_and_frac": torch.tensor([nan, 1.5, -inf]),
    "nan_and_sci": torch.tensor([nan, 1.5e-9, -inf, 1e5]),
    "denormal": torch.tensor([1e-40, 1.0]),
    "overflow_ratio": torch.tensor([1e-320, 1e308], dtype=torch.float64),
    "matrix": torch.randn(3, 4),
    "matrix_wide": torch.randn(3, 17),
    "cube": torch.randn(2, 3, 4),
    "four": torch.randn(2, 1, 2, 2),
    "five": torch.randn(1, 2, 1, 2, 2),
    "ints": torch.arange(24).reshape(2, 3, 4),
    "ints_negative": torch.tensor([-5, 100, 3]),
    "int32": torch.arange(5, dtype=torch.int32),
    "int16": torch.arange(5, dtype=torch.int16),
    "int8": torch.arange(5, dtype=torch.int8),
    "uint8": torch.arange(5, dtype=torch.uint8),
    "bool": torch.tensor([[True, False], [False, False]]),
    "float64": torch.randn(3, dtype=torch.float64),
    "float16": torch.randn(3).half(),
    "bfloat16": torch.randn(2, 3).bfloat16(),
    "half_max": torch.tensor([65504.0, 1.0], dtype=torch.float16),
    "empty": torch.empty(0),
    "empty_2d": torch.empty(0, 3),
    "empty_3d": torch.empty(2, 0, 3, dtype=torch.float64),
    "empty_int": torch.empty(0, dtype=torch.int64),
    "empty_int_2d": torch.empty(2, 0, dtype=torch.int64),
    "summary_1d": torch.arange(1001),
    "summary_1d_float": torch.randn(2000),
    "no_summary": torch.arange(1000.0),
    "summary_2d": torch.randn(50, 40),
    "summary_thin": torch.randn(2, 600),
    "summary_tall": torch.randn(600, 2),
    "summary_3d": torch.randn(20, 20, 20),
    "summary_4d": torch.randn(2, 7, 20, 20),
    "summary_bool": torch.randn(40, 40) > 0,
    "summary_float64": torch.randn(40, 40, dtype=torch.float64),
    "summary_edge_hides_wide": torch.cat([torch.ones(5), torch.full((2000,), 1e9), torch.ones(5)]),
    "six": torch.randn(6, 200),
    "seven": torch.randn(7, 200),
    "transposed": torch.randn(4, 3).t(),
    "leaf": torch.randn(2, requires_grad=True),
    "leaf_float64": torch.randn(2, dtype=torch.float64, requires_grad=True),
    "leaf_wide": torch.randn(6, dtype=torch.float64, requires_grad=True),
    "leaf_empty": torch.empty(0, requires_grad=True),
    "leaf_empty_2d": torch.empty(0, 5, dtype=torch.float64, requires_grad=True),
}


@pytest.mark.parametrize("name", CASES)
def test_like_torch(name):
    check(CASES[name])


OPTIONS = [
    {"precision": 2},
    {"precision": 8},
    {"sci_mode": True},
    {"sci_mode": False},
    {"edgeitems": 1},
    {"edgeitems": 5, "threshold": 20},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 0},
    {"linewidth": 30},
    {"linewidth": 200},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 6},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_options_like_torch(options, name):
    if options.get("profile") == "full" and CASES[name].numel() > 2000:
        pytest.skip("long text, nothing new in it")
    pytensor.set_printoptions(**options)
    torch.set_printoptions(**options)
    check(CASES[name])


def test_random_tensors_like_torch():
    generator = torch.Generator().manual_seed(1)
    for trial in range(200):
        dims = int(torch.randint(0, 5, (1,), generator=generator))
        shape = torch.randint(0, 9, (dims,), generator=generator).tolist()
        scale = 10.0 ** float(torch.randint(-6, 7, (1,), generator=generator))
        t = torch.randn(shape, generator=generator) * scale
        check(t.round() if trial % 3 == 0 else t)


def test_grad_fn_names():
    x = pytensor.ones(2, requires_grad=True)
    w = torch.ones(2, requires_grad=True)
    for ours, theirs in [(x + 1, w + 1), (x * 2, w * 2), (x.exp(), w.exp()), (x.sum(), w.sum())]:
        assert tensor_repr(ours) == repr(theirs)
    assert tensor_repr(x.detach()) == "tensor([1., 1.])"


def test_default_dtype_has_no_suffix():
    pytensor.set_default_dtype(pytensor.float64)
    try:
        assert tensor_repr(pytensor.tensor([1.5])) == "tensor([1.5000])"
        single = tensor_repr(pytensor.tensor([1.5], dtype=pytensor.float32))
        assert plain(single) == "tensor([1.5000], dtype=float32)"
    finally:
        pytensor.set_default_dtype(pytensor.float32)


def test_repr_and_str_use_it():
    t = pytensor.arange(6.0).reshape(2, 3)
    assert repr(t) == str(t) == tensor_repr(t)


def test_parameter():
    class Parameter(pytensor.Tensor):
        pass

    p = pytensor.ones(2, requires_grad=True).as_subclass(Parameter)
    assert tensor_repr(p).startswith("Parameter containing:\ntensor([1., 1.]")


def test_subclass_shows_its_name():
    class Image(pytensor.Tensor):
        pass

    assert tensor_repr(pytensor.ones(2).as_subclass(Image)) == "Image([1., 1.])"


def test_format():
    assert tensor_format(pytensor.tensor(0.125), ".2f") == "0.12"
    assert tensor_format(pytensor.tensor(3), "04d") == "0003"
    assert tensor_format(pytensor.ones(2), "") == "tensor([1., 1.])"
    with pytest.raises(TypeError):
        tensor_format(pytensor.ones(2), ".2f")


def test_large_tensor_is_quick():
    t = pytensor.zeros(4000, 4000).t()
    tensor_repr(t)
    start = time.perf_counter()
    tensor_repr(t)
    assert time.perf_counter() - start < 0.05
