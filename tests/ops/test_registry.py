"""Every op of the registry, tested from its own declaration.

Each sample of each op is called with pytensor and with torch over element types and layouts; its
variants (method, in-place, out=), gradients and memory are checked. The test's id names op and
sample, the failure text element type and layout.
"""

from __future__ import annotations

import gc
import warnings

import pytest

import pytensor
from tests.ops import registry
from tests.ops.registry import Raised, Variation, arguments, call, difference, outcome

needs_torch = pytest.mark.skipif(registry.torch is None, reason="compares with torch")
torch = registry.torch

SAMPLES = [pytest.param(s, id=s.id) for s in registry.samples()]
ENTRIES = [pytest.param(e, id=registry.label_of(e)) for e in registry.main_entries()]
ALIASES = [
    pytest.param(e, id=f"{e['name']}-{registry.label_of(e)}")
    for e in registry.describe()
    if e["name"] != e["op"]
]


ALWAYS_RAISES = {"imag"}  # for every element type there is


def differentiable(sample) -> bool:
    return bool(
        sample.op["differentiable"]
        and "nograd" not in sample.options
        and sample.makers() & set("RPUS")
    )


DIFFERENTIABLE = [pytest.param(s, id=s.id) for s in registry.samples() if differentiable(s)]


@pytest.fixture(scope="module", autouse=True)
def _few_objects_to_collect():
    """What lives already is left out of the many collections that follow."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Problems:
    """What went wrong for one sample; the same text is told once, with all its variations."""

    def __init__(self, sample):
        self.sample = sample
        self.found: dict[str, list[str]] = {}

    def add(self, variation, text, prefix=""):
        if text and not registry.deviates(self.sample, variation, prefix + text):
            self.found.setdefault(prefix + text, []).append(str(variation))

    def report(self):
        if not self.found:
            return
        lines = [f"{self.sample.id}: {self.sample.name}({self.sample.text})"]
        for text, where in self.found.items():
            more = f" and {len(where) - 4} more" if len(where) > 4 else ""
            lines.append(f"  [{', '.join(where[:4])}{more}] {text}")
        pytest.fail("\n".join(lines), pytrace=False)


@needs_torch
@pytest.mark.parametrize("sample", SAMPLES)
def test_values(sample):
    """Values, element types, shapes and strides are torch's, and so are classes of errors."""
    reference = reference_of(sample)
    problems = Problems(sample)
    for variation in [*registry.variations(sample), *registry.odd_sizes(sample)]:
        got = outcome(pytensor, sample, variation)
        want = reference(outcome, sample, variation)
        problems.add(variation, registry.disagreement(sample, variation, got, want))
    problems.report()


def reference_of(sample):
    """reference(f, ...) calls f(library, ...) with torch or, on a device, for ops that torch does
    not have, with pytensor on the cpu."""
    if not sample.op["internal"] or registry.in_torch(sample.name):
        return lambda f, *args: f(torch, *args)
    if registry.DEVICE == "cpu":
        pytest.skip("internal, torch has no such function")

    def on_cpu(f, *args):
        with registry.on_cpu():
            return f(pytensor, *args)

    return on_cpu


@needs_torch
@pytest.mark.parametrize("sample", SAMPLES)
def test_variants(sample):
    """Function, method, in-place and out= agree."""
    entry = sample.op
    if entry["internal"]:
        pytest.skip("internal: has no variants")
    problems = Problems(sample)
    numbers = "arbitrary" not in sample.options
    for variation in registry.variations(sample):
        if variation.layout != "contiguous":
            continue
        plain = outcome(pytensor, sample, variation)
        try:
            first = arguments(pytensor, sample, variation)[0]
        except RuntimeError:
            continue  # an op in the sample's own text has no such element type
        takes_self = bool(first) and registry.is_tensor(first[0])
        if entry["function"] and entry["method"] and takes_self:
            got = outcome(pytensor, sample, variation, "method")
            problems.add(variation, same_outcome(got, plain, numbers), "as method ")
        if entry["has_inplace"] and takes_self:
            got = outcome(pytensor, sample, variation, "inplace")
            want = outcome(torch, sample, variation, "inplace")
            found = registry.disagreement(sample, variation, got, want)
            problems.add(variation, found, "in-place ")
        if entry["has_out"] and not isinstance(plain, Raised):
            problems.add(variation, check_out(sample, variation, plain), "out= ")
    problems.report()


def same_outcome(got, want, numbers):
    if isinstance(got, Raised) or isinstance(want, Raised):
        same = isinstance(got, Raised) and isinstance(want, Raised)
        return "" if same else f"{got}, else {want}"
    return difference(got, want, strides=True, numbers=numbers)


def check_out(sample, variation, plain):
    several = isinstance(plain, tuple)
    expected = plain if several else (plain,)
    args, kwargs, _ = arguments(pytensor, sample, variation)

    def into(outs):
        return call(pytensor, sample, args, {**kwargs, "out": outs if several else outs[0]})

    outs = tuple(pytensor.empty(0, dtype=t.dtype, device=t.device) for t in expected)
    # a destination of the right shape that is not contiguous is written where it lies
    strided = tuple(
        pytensor.empty((*t.shape, 2), dtype=t.dtype, device=t.device)[..., 0] for t in expected
    )
    try:
        got = into(outs)
        into(strided)
    except Exception as error:
        if registry.lacks_kernel(error):
            raise
        return f"raises {Raised(error)}"
    if any(g is not o for g, o in zip(got if several else (got,), outs)):
        return "returns another tensor than the one given"
    numbers = "arbitrary" not in sample.options
    return difference(outs, expected, numbers=numbers) or difference(
        strided, expected, numbers=numbers
    )


def backward(library, sample, variation, how):
    """(outputs require a gradient?, gradients of a fixed projection of the outputs)"""
    args, kwargs, leaves = arguments(library, sample, variation)
    leaves = [t.detach().requires_grad_() for t in leaves]
    args, kwargs, _ = arguments(library, sample, variation, leaves)
    outputs = registry.float_outputs(call(library, sample, args, kwargs, how))
    loss = None
    for t in outputs:
        if t.requires_grad and t.numel():
            numbers = library.arange(t.numel(), dtype=t.dtype, device=t.device)
            weight = (numbers + 1).cos().reshape(t.shape)
            term = (t * weight).sum()
            loss = term if loss is None else loss + term
    if loss is not None:
        loss.backward()
    zeros = [library.zeros_like(t) for t in leaves]  # torch's grad may be a symbol for zeros
    grads = [z if t.grad is None else z + t.grad for z, t in zip(zeros, leaves)]
    return [t.requires_grad for t in outputs], grads


@needs_torch
@pytest.mark.parametrize("sample", DIFFERENTIABLE)
def test_gradients(sample):
    """Gradients are torch's, for contiguous and other layouts, plain and in-place."""
    reference = reference_of(sample)
    problems = Problems(sample)
    hows = ["function"]
    first = arguments(pytensor, sample, Variation("float64"))[0]
    in_place = sample.op["has_inplace"] and not sample.op["inplace_only"]
    if in_place and first and registry.is_tensor(first[0]):
        hows.append("inplace")
    for how in hows:
        for layout in registry.layouts(sample):
            variation = Variation("float64", layout)
            got = tried_backward(pytensor, sample, variation, how)
            want = reference(tried_backward, sample, variation, how)
            if isinstance(got, Raised) or isinstance(want, Raised):
                found = registry.disagreement(sample, variation, got, want)
            elif got[0] != want[0]:
                found = f"outputs require a gradient: {got[0]}, expected {want[0]}"
            else:
                found = difference(got[1], want[1], tolerance=sample.tolerance or 1e-7)
            problems.add(variation, found, f"{how}: ")
    problems.report()


def tried_backward(library, sample, variation, how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return backward(library, sample, variation, how)
        except RuntimeError as error:
            if registry.lacks_kernel(error):
                raise
            return Raised(error)


@pytest.mark.parametrize("sample", DIFFERENTIABLE)
def test_gradcheck(sample):
    """Gradients, and gradients of gradients, agree with finite differences."""
    if registry.DEVICE != "cpu":
        pytest.skip("the formulas are those of the cpu")
    variation = Variation("float64")
    leaves = [t.detach().requires_grad_() for t in arguments(pytensor, sample, variation)[2]]

    def function(*given):
        args, kwargs, _ = arguments(pytensor, sample, variation, given)
        outputs = registry.float_outputs(call(pytensor, sample, args, kwargs))
        return tuple(t for t in outputs if t.requires_grad)

    if not function(*leaves):
        pytest.skip("no output depends on a floating-point argument")
    assert pytensor.autograd.gradcheck(function, leaves)
    assert pytensor.autograd.gradgradcheck(function, leaves)


@pytest.mark.parametrize("sample", SAMPLES)
def test_frees_what_it_makes(sample):
    """After a call and its backward no tensor, storage or node is left."""

    def run():
        if differentiable(sample):
            backward(pytensor, sample, Variation("float64"), "function")
        else:
            outcome(pytensor, sample, Variation("float32"))

    run()  # constants made at the first call stay
    gc.collect()
    before = pytensor._C._live()
    run()
    gc.collect()
    assert pytensor._C._live() == before


@pytest.mark.parametrize("entry", ENTRIES)
def test_declaration(entry):
    """A public op is documented, has a sample, and torch knows its name and its parameters."""
    if entry["internal"] and not entry["inplace_only"]:
        return
    name = registry.inplace_name(entry) if entry["inplace_only"] else entry["name"]
    docs = [e["doc"] for e in registry.describe() if e["op"] == entry["op"]]
    assert any(d.strip() for d in docs), f"{name} has no doc"
    assert entry["samples"] or name in ALWAYS_RAISES, f"{entry['schema']} has no sample"
    if torch is not None:
        assert registry.in_torch(name), f"torch has no {name}"
    if entry["method"]:
        assert hasattr(pytensor.Tensor, name)
    if entry["has_inplace"] and registry.inplace_entry(entry)["method"]:
        assert hasattr(pytensor.Tensor, registry.inplace_name(entry))


@pytest.mark.parametrize("entry", ALIASES)
def test_alias(entry):
    """An alias exists wherever the op does and torch has it too."""
    if entry["function"] and not entry["inplace"]:
        assert hasattr(pytensor, entry["name"])
    if entry["method"]:
        assert hasattr(pytensor.Tensor, entry["name"])
    if torch is not None:
        assert registry.in_torch(entry["name"])
    for sample in registry.samples():
        if sample.op["schema"] == entry["schema"] and not entry["inplace"]:
            args, kwargs, _ = arguments(pytensor, sample, Variation())
            if entry["function"]:
                got = getattr(pytensor, entry["name"])(*args, **kwargs)
            else:
                got = getattr(args[0], entry["name"])(*args[1:], **kwargs)
            want = outcome(pytensor, sample, Variation())
            assert "random" in sample.options or not difference(got, want, strides=True)
