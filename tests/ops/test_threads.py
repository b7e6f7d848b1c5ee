"""Results and gradients are bitwise the same for any number of threads.

The samples of the registry are enlarged until parallel loops are taken: every size of a sample
above one is multiplied by one factor, in its tensors and in the tuples of sizes it names.
"""

from __future__ import annotations

import math
import re

import pytest

import pytensor
from tests.ops import registry
from tests.ops.registry import Sample, Variation, arguments, call

ELEMENTS = 150_000  # of the largest tensor, about

# What costs the cube of a size is enlarged less.
DENSE = re.compile(
    r"linalg|cholesky|svd|qr|inverse|det|eig|matrix_exp|lstsq|solve|multi_dot|conv|_rnn"
)
DENSER = re.compile(r"conv.*3d")
# Indices in these samples are written out: tensors beside them must keep their sizes.
FIXED = {"_gather_sum"}
# Tuples of sizes, but not the arguments of a helper.
SIZES = re.compile(r"(?<![A-Z])\((\d+(?:, ?\d+)+|\d+,)\)")
SAMPLES = [
    pytest.param(s, id=s.id)
    for s in registry.samples()
    if (s.makers() & set("RPUIS") or SIZES.search(s.text)) and s.op["name"] not in FIXED
]


@pytest.fixture(autouse=True)
def _threads():
    before = pytensor.get_num_threads()
    yield
    pytensor.set_num_threads(before)


class TooLarge(Exception):
    pass


def scaled(sample, factor):
    """(sample, variation, elements of the result) or None where the sizes do not scale."""
    makers = sample.makers()

    def resize(shape):
        shape = tuple(n * factor if n > 1 else n for n in shape)
        if math.prod(shape) > 8 * ELEMENTS:
            raise TooLarge
        return shape

    def numbers(match):
        return "(" + re.sub(r"\d+", lambda d: str(int(d[0]) * factor), match[1]) + ")"

    dtype = "float32" if makers & set("RPUS") else "int64"
    variation = Variation(dtype, resize=resize, limit=lambda n: n * factor)
    texts = [sample.text] if makers else []
    for text in dict.fromkeys([*texts, SIZES.sub(numbers, sample.text)]):
        candidate = Sample(sample.op, text, sample.id)
        try:
            args, kwargs, _ = arguments(pytensor, candidate, variation)
            result = call(pytensor, candidate, args, kwargs)
        except Exception:
            continue
        return candidate, variation, sum(t.numel() for t in tensors(result))
    return None


def enlarged(sample):
    """The largest allowed scaling, or None."""
    best = None
    name = sample.op["name"]
    factors = (6,) if DENSER.search(name) else (6, 24) if DENSE.search(name) else (6, 24, 96)
    for factor in factors:
        found = scaled(sample, factor)
        if found is not None:
            best = found[:2]
        if found is None or found[2] * 64 > 16 * ELEMENTS:
            break
    return best


def run(sample, variation, threads):
    """The bytes of the outputs and of the gradients."""
    pytensor.set_num_threads(threads)
    args, kwargs, leaves = arguments(pytensor, sample, variation)
    track = sample.op["differentiable"] and leaves and "nograd" not in sample.options
    if track:
        leaves = [t.detach().requires_grad_() for t in leaves]
        args, kwargs, _ = arguments(pytensor, sample, variation, leaves)
    result = call(pytensor, sample, args, kwargs)
    outputs = [t for t in registry.float_outputs(result) if t.requires_grad and t.numel()]
    if track and outputs:
        pytensor.autograd.backward(outputs, [pytensor.ones_like(t) for t in outputs])
    grads = [t.grad for t in leaves if t.grad is not None]
    return [data(t) for t in tensors(result) + grads]


def tensors(result):
    if registry.is_tensor(result):
        return [result]
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in tensors(r)]
    return []


def data(t):
    return registry.to_numpy(t).tobytes()


@pytest.mark.parametrize("sample", SAMPLES)
def test_threads_do_not_change_results(sample):
    found = enlarged(sample)
    if found is None:
        pytest.skip("its sizes cannot be scaled")
    if "arbitrary" in sample.options:
        pytest.skip("the contents are arbitrary")
    one = run(*found, 1)
    several = run(*found, 2)
    assert len(one) == len(several)
    for i, (a, b) in enumerate(zip(one, several)):
        assert a == b, f"output {i} of {sample.name}({found[0].text}) depends on the threads"
