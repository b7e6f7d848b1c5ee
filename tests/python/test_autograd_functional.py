"""autograd.functional against torch's: values, structures, strict mode and errors."""

from __future__ import annotations

import pytest

import pytensor
from pytensor.autograd import functional as ours
from tests.python.torch_pair import assert_same, to_pytensor, to_torch, torch

theirs = torch.autograd.functional

torch.manual_seed(0)
X, Y = torch.rand(2, 3, dtype=torch.float64), torch.rand(3, dtype=torch.float64)
S = torch.rand((), dtype=torch.float64)

FUNCTIONS = {
    "one": (lambda x: x.exp() * x, X),
    "to_scalar": (lambda x: (x * x).sum(), X),
    "scalar": (lambda s: s * s * s, S),
    "two": (lambda x, y: x @ y, (X, Y)),
    "two_to_two": (lambda x, y: (x * y, y.sum()), (X, Y)),
    "tuple_of_one": (lambda y: (y * 2,), (Y,)),
    "unused": (lambda x, y: x * 2, (X, Y)),
    "constant": (lambda y: y.detach() * 2, Y),
}
SCALAR_FUNCTIONS = {
    "square": (lambda x: (x**3).sum(), X),
    "scalar": (lambda s: s**3, S),
    "one_element": (lambda x: (x**3).sum().reshape(1, 1), X),
    "two": (lambda x, y: ((x @ y) ** 2).sum(), (X, Y)),
    "linear": (lambda x: x.sum(), X),
    "unused": (lambda x, y: (x**2).sum(), (X, Y)),
}


def like(value):
    if isinstance(value, tuple):
        return tuple(like(v) for v in value)
    return torch.rand(value.shape, dtype=value.dtype)


def both(name, func, inputs, *rest, **options):
    """Calls both; each gives its result or the class of its error."""
    outcomes = []
    for module, convert in ((ours, to_pytensor), (theirs, lambda v: v)):
        try:
            call = getattr(module, name)
            outcomes.append(call(func, convert(inputs), *convert(tuple(rest)), **options))
        except RuntimeError as error:
            outcomes.append(str(error).replace("torch.autograd.functional.", ""))
    got, want = outcomes
    if isinstance(want, str):
        assert isinstance(got, str), f"torch says: {want}"
        assert got.replace("pytensor", "torch") == want
    else:
        assert_same(got, want)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian(name, strict):
    both("jacobian", *FUNCTIONS[name], strict=strict)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_vjp_and_jvp(name, strict):
    func, inputs = FUNCTIONS[name]
    outputs = func(*inputs) if isinstance(inputs, tuple) else func(inputs)
    both("vjp", func, inputs, like(outputs), strict=strict)
    both("jvp", func, inputs, like(inputs), strict=strict)
    both("vjp", func, inputs, strict=strict)
    both("jvp", func, inputs, strict=strict)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_second_derivatives(name, strict):
    func, inputs = SCALAR_FUNCTIONS[name]
    both("hessian", func, inputs, strict=strict)
    for product in ("vhp", "hvp"):
        both(product, func, inputs, like(inputs), strict=strict)
        both(product, func, inputs, strict=strict)


@pytest.mark.parametrize("product", ["hessian", "vhp", "hvp"])
def test_function_must_return_one_element(product):
    both(product, lambda x: x * 2, X)
    both(product, lambda x: (x.sum(), x.sum()), X)


def test_wrong_v():
    both("vjp", lambda x: x * 2, X, Y)
    both("jvp", lambda x: x * 2, X, Y)
    both("jvp", lambda x, y: x @ y, (X, Y), (X,))
    both("vjp", lambda x: x * 2, X, (X, X))
    with pytest.raises(TypeError, match="must be either a Tensor or a tuple of Tensors"):
        ours.jacobian(lambda x: x, [1.0])


def test_results_are_cut_off_or_not():
    x = to_pytensor(X).requires_grad_()
    assert not ours.jacobian(lambda x: x**3, x).requires_grad
    jacobian = ours.jacobian(lambda x: (x**3).sum(), x, create_graph=True)
    jacobian.sum().backward()
    assert_same(x.grad, 6 * X)
    assert ours.hvp(lambda x: (x**3).sum(), x, to_pytensor(X), create_graph=True)[1].requires_grad


def test_works_under_no_grad():
    with pytensor.no_grad():
        assert_same(ours.jacobian(lambda x: x * x, to_pytensor(Y)), torch.diag(2 * Y))


def test_strategies_and_vectorize_give_the_same():
    x = to_pytensor(X)
    plain = ours.jacobian(lambda x: x.exp(), x)
    for options in ({"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        assert_same(ours.jacobian(lambda x: x.exp(), x, **options), to_torch(plain))
    with pytest.raises(AssertionError):
        ours.jacobian(lambda x: x, x, strategy="sideways")
