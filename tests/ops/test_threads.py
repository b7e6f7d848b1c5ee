"""Results and gradients are bitwise the same for any number of threads.

The samples of the registry are enlarged until parallel loops are taken: every size of a sample
above one is multiplied by one factor, in its tensors and in the tuples of sizes it names.
"""

from __future__ import annotations

import re

import pytest

import pytensor
from tests.ops import registry
from tests.ops.registry import Sample, Variation, arguments, call

ELEMENTS = 150_000  # of the largest tensor, about
LINALG_SIZE = 96  # a dimension's limit where the cost is cubic

DENSE = re.compile(r"linalg|cholesky|svd|qr|inverse|det|eig|matrix_exp|lstsq|solve|multi_dot")
SAMPLES = [
    pytest.param(s, id=s.id)
    for s in registry.samples()
    if s.makers() & set("RPUIS") or re.search(r"\(\d+, \d+\)", s.text)
]


@pytest.fixture(autouse=True)
def _threads():
    before = pytensor.get_num_threads()
    yield
    pytensor.set_num_threads(before)


def enlarged(sample):
    """(sample, variation) with sizes multiplied as far as allowed, or None where sizes are part
    of other arguments in a way that does not scale."""
    makers = sample.makers()
    integers = not makers & set("RPUS")
    dtype = "int64" if integers else "float32"
    dense = bool(DENSE.search(sample.op["name"]))
    for factor in (64, 16, 8):
        if dense and factor > LINALG_SIZE // 4:
            continue

        def resize(shape, factor=factor):
            shape = [n * factor if n > 1 else n for n in shape]
            size = 1
            for n in shape:
                size *= n
            return tuple(shape)

        def number(n, factor=factor):
            return n * factor

        text = re.sub(
            r"\((\d+(?:, ?\d+)+|\d+,)\)",
            lambda m: "(" + re.sub(r"\d+", lambda d: str(int(d[0]) * factor), m[1]) + ")",
            sample.text,
        )
        candidates = [Sample(sample.op, t, sample.id) for t in dict.fromkeys((sample.text, text))]
        for candidate in candidates:
            if not makers and candidate.text == sample.text:
                continue
            variation = Variation(dtype, resize=resize, limit=number)
            try:
                args, kwargs, leaves = arguments(pytensor, candidate, variation)
                if sum(t.numel() for t in leaves) > 4 * ELEMENTS:
                    continue
                call(pytensor, candidate, args, kwargs)
            except Exception:
                continue
            return candidate, variation
    return None


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
    t = t.detach().contiguous()
    return (t.view(pytensor.int16) if registry.short(t.dtype) == "bfloat16" else t).numpy().tobytes()


@pytest.mark.parametrize("sample", SAMPLES)
def test_threads_do_not_change_results(sample):
    found = enlarged(sample)
    if found is None:
        pytest.skip("its sizes cannot be scaled")
    if sample.op["name"].startswith(("empty", "new_empty")):
        pytest.skip("the contents are arbitrary")
    one = run(*found, 1)
    several = run(*found, 2)
    assert len(one) == len(several)
    for i, (a, b) in enumerate(zip(one, several)):
        assert a == b, f"output {i} of {sample.name}({found[0].text}) depends on the threads"
