"""Every layer and loss of torch.nn beside torch's: from the same seed the same weights, text,
results, gradients and buffers, in training and in evaluation. The table is cases.py."""

from __future__ import annotations

import gc
import inspect
import warnings

import numpy as np
import pytest

import pytensor
from tests.nn.cases import CASES, ELSEWHERE, Case
from tests.nn.twins import assert_close, tensors, torch

# rtol, atol: float32 sums in another order. Recurrent and attention layers chain many.
TOLERANCE = {"Transformer": (1e-3, 1e-4), "TransformerDecoder": (1e-3, 1e-4)}


class Numbers:
    """Inputs with the same numbers for both libraries."""

    def __init__(self, library) -> None:
        self.library = library
        self.random = np.random.default_rng(7)
        self.leaves: list = []

    def tensor(self, array, grad: bool):
        t = self.library.from_numpy(np.ascontiguousarray(array))
        if grad:
            self.leaves.append(t.requires_grad_())
        return t

    def evaluate(self, text: str):
        normal, uniform = self.random.standard_normal, self.random.random
        names = {
            "torch": self.library,
            "nn": self.library.nn,
            "R": lambda *s: self.tensor(normal(s, dtype=np.float32), True),
            "N": lambda *s: self.tensor(normal(s, dtype=np.float32), False),
            "P": lambda *s: self.tensor(uniform(s, dtype=np.float32) + 0.1, True),
            "U": lambda *s: self.tensor(uniform(s, dtype=np.float32) * 0.9 + 0.05, False),
            "I": lambda n, *s: self.tensor(self.random.integers(0, n, s), False),
            "S": lambda *s: self.tensor(
                (self.random.integers(0, 2, s) * 2 - 1).astype(np.float32), False
            ),
            "B": lambda *s: self.tensor(self.random.random(s) < 0.5, False),
        }
        return eval(f"({text},)", names)


def build(case: Case, library):
    library.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(f"nn.{case.name}({case.arguments})", {"torch": library, "nn": library.nn})


def run(case: Case, library, module) -> dict[str, list]:
    """Outputs, gradients and buffers of one forward and backward pass."""
    numbers = Numbers(library)
    inputs = numbers.evaluate(case.inputs)
    library.manual_seed(11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [t for t in tensors(module(*inputs)) if t is not None]
    total = 0
    for output in outputs:
        if output.is_floating_point() and output.requires_grad:
            weights = np.random.default_rng(5).standard_normal(tuple(output.shape))
            factor = library.from_numpy(np.asarray(weights, dtype=np.float32))
            total = total + (output * factor).sum()
    module.zero_grad()
    if not isinstance(total, int):
        total.backward()
    return {
        "outputs": outputs,
        "input gradients": [t.grad for t in numbers.leaves if t.grad is not None],
        "parameter gradients": [p.grad for p in module.parameters() if p.grad is not None],
        "state": list(tensors(module.state_dict())),
        "draws after": [library.rand(3)],
    }


each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.name}({case.arguments})"[:60].replace(" ", "")
)


@each_case
def test_module(case):
    ours, theirs = build(case, pytensor), build(case, torch)
    assert repr(ours) == repr(theirs)
    tolerance = TOLERANCE.get(case.name, (1e-4, 1e-5))
    if "Lazy" not in case.name:
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for key, value in theirs.state_dict().items():
            np.testing.assert_array_equal(ours.state_dict()[key].numpy(), value.numpy(), key)
    for mode in ("train", "eval"):
        getattr(ours, mode)()
        getattr(theirs, mode)()
        got, want = run(case, pytensor, ours), run(case, torch, theirs)
        for part in want:
            assert_close(got[part], want[part], f"{mode}: {part}", *tolerance)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert type(ours).__name__ == type(theirs).__name__


@pytest.fixture(scope="module")
def few_objects_to_collect():
    """What lives already is left out of the many collections that follow."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@each_case
def test_frees_what_it_makes(case, few_objects_to_collect):
    """When a layer and the results of its passes are gone, no tensor, storage or node is left."""

    def live_afterwards():
        module = build(case, pytensor)
        run(case, pytensor, module.train())
        run(case, pytensor, module.eval())
        del module
        gc.collect()
        return pytensor._C._live()

    before = live_afterwards()  # constants made at the first call stay
    assert live_afterwards() == before


def layers_of(library) -> set[str]:
    classes = vars(library.nn).items()
    return {n for n, c in classes if inspect.isclass(c) and issubclass(c, library.nn.Module)}


def test_every_layer_of_torch_is_here_and_has_a_case():
    theirs = layers_of(torch)
    assert not theirs - layers_of(pytensor), "missing from pytensor.nn"
    assert not theirs - {case.name for case in CASES} - set(ELSEWHERE), "without a case"
    assert not set(ELSEWHERE) - theirs
