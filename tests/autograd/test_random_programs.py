"""Random programs of views, in-place changes and products: the same gradients as torch's.

A program is a list of steps drawn from a seed; both libraries run it. Where one refuses a step or
the backward pass, so must the other.
"""

from __future__ import annotations

import random

import pytest

from tests.autograd.pair import agree

STEPS = {
    "mul": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "sin": lambda a, b: a.sin(),
    "transposed": lambda a, b: a.t(),
    "row": lambda a, b: a[1],
    "reshaped": lambda a, b: a.reshape(-1),
    "summed": lambda a, b: a.sum(0, keepdim=True),
    "detached": lambda a, b: a.detach(),
    "add_": lambda a, b: a.add_(b),
    "mul_": lambda a, b: a.mul_(b if b is not a else 2),  # torch can't go back through a.mul_(a)
    "sin_": lambda a, b: a.sin_(),
    "zero_": lambda a, b: a.zero_(),
    "copy_": lambda a, b: a.copy_(b),
    "row_mul_": lambda a, b: a[0].mul_(3),
    "transposed_add_": lambda a, b: a.t()[:1].add_(b.sum()),
    "retain_grad": lambda a, b: a.retain_grad(),
}

# A view made before its base got a history: torch takes it for a leaf until its grad_fn is read,
# and so does not retain its gradient.
TORCH_DIFFERS = {203}


def program(seed: int):
    def run(t):
        draw = random.Random(seed)
        leaves = [
            t.tensor([[draw.uniform(-1, 1) for _ in range(3)] for _ in range(2)], dtype=t.float64)
            for _ in range(3)
        ]
        for x in leaves[: draw.choice((1, 2, 3))]:
            x.requires_grad_()
        values = [x * 1 for x in leaves]
        refused = []
        for i in range(draw.randint(1, 10)):
            name = draw.choice(list(STEPS))
            a, b = draw.choice(values), draw.choice(values)
            try:
                result = STEPS[name](a, b)
            except (RuntimeError, IndexError):
                refused.append((i, name))
            else:
                if hasattr(result, "requires_grad"):
                    values.append(result)
        total = sum((v * v).sum() for v in values)
        tracked = [x for x in leaves if x.requires_grad]
        try:
            if draw.random() < 0.5:
                total.backward()
                gradients = [x.grad for x in tracked]
            else:
                first = t.autograd.grad(total, tracked, create_graph=True, allow_unused=True)
                gradients = [g if g is None else g.detach() for g in first]
                again = sum((g * g).sum() for g in first if g is not None)
                if hasattr(again, "backward"):
                    again.backward()
                gradients += [x.grad for x in tracked]
            retained = [v.grad for v in values if v.retains_grad]
        except RuntimeError as error:
            return refused, "modified" in str(error)
        return refused, gradients, [g if g is None else g.detach() for g in retained]

    return run


@pytest.mark.parametrize("block", range(20))
def test_same_gradients(block) -> None:
    for seed in set(range(block * 20, block * 20 + 20)) - TORCH_DIFFERS:
        agree(program(seed), tolerance=1e-9)
