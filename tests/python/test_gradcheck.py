"""gradcheck and gradgradcheck accept right gradients and say what is wrong with others."""

from __future__ import annotations

import warnings

import pytest

import pytensor
from pytensor.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck

MODES = [False, True]


def leaf(*shape):
    pytensor.manual_seed(3)
    return pytensor.randn(shape, dtype=pytensor.float64).add(2).requires_grad_()


class WrongSquare(pytensor.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * x


class WrongSecond(pytensor.autograd.Function):
    """x**3 whose gradient is right but looks constant to the next backward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * (3 * x * x).detach()


class IgnoresGradOutput(pytensor.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad_output):
        return pytensor.ones_like(grad_output)


class Random(pytensor.autograd.Function):
    calls = 0

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad_output):
        Random.calls += 1
        return grad_output * (1 + 1e-7 * Random.calls)


@pytest.mark.parametrize("fast_mode", MODES)
@pytest.mark.parametrize(
    "func",
    [
        lambda x, y: x * y,
        lambda x, y: (x.exp(), (x * y).sum()),
        lambda x, y: x @ y.t(),
        lambda x, y: x.sum(0),
        lambda x, y: (x.log() / y, x.detach()),
        lambda x, y: x[:, 1:].pow(3),
    ],
)
def test_right_gradients(func, fast_mode):
    inputs = (leaf(2, 3), leaf(2, 3))
    assert gradcheck(func, inputs, fast_mode=fast_mode)
    assert gradgradcheck(func, inputs, fast_mode=fast_mode)


def test_inputs_are_left_as_they_were():
    x = leaf(3)
    before = x.tolist()
    gradcheck(pytensor.exp, x)
    gradcheck(pytensor.exp, x, fast_mode=True)
    assert x.tolist() == before
    assert x.grad is None


def test_not_contiguous_input():
    x = leaf(3, 2).detach().t().requires_grad_()
    assert gradcheck(lambda x: x.sin(), (x,))
    assert gradgradcheck(lambda x: x.sin(), (x,), gen_non_contig_grad_outputs=True)


def test_scalar_and_empty_inputs():
    assert gradcheck(lambda x: x * x, (leaf(),))
    assert gradcheck(lambda x: x * x, (leaf(0, 2),))
    assert gradcheck(lambda x: x.sum(), (leaf(0),))


def test_other_arguments_pass_through():
    assert gradcheck(lambda x, power, y: x**power, (leaf(2), 3, pytensor.ones(2)))


@pytest.mark.parametrize("fast_mode", MODES)
def test_wrong_gradient(fast_mode):
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to inp"):
        gradcheck(WrongSquare.apply, (leaf(2),), fast_mode=fast_mode)
    assert not gradcheck(WrongSquare.apply, (leaf(2),), raise_exception=False, fast_mode=fast_mode)


def test_wrong_second_derivative():
    assert gradcheck(WrongSecond.apply, (leaf(2),))
    assert not gradgradcheck(WrongSecond.apply, (leaf(2),), raise_exception=False)


@pytest.mark.parametrize("fast_mode", MODES)
def test_gradient_lost(fast_mode):
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, (leaf(2),), fast_mode=fast_mode)
    assert gradcheck(lambda x: pytensor.ones(2), (leaf(2),), fast_mode=fast_mode)


def test_backward_that_ignores_grad_output():
    with pytest.raises(GradcheckError):
        gradcheck(IgnoresGradOutput.apply, (leaf(1),))


@pytest.mark.parametrize("fast_mode", MODES)
def test_backward_that_differs_from_call_to_call(fast_mode):
    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(Random.apply, (leaf(2),), fast_mode=fast_mode)
    assert gradcheck(Random.apply, (leaf(2),), nondet_tol=1e-2, fast_mode=fast_mode)


def test_refuses_inputs_it_cannot_check():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(pytensor.exp, (pytensor.ones(2),))
    expanded = pytensor.ones(1, dtype=pytensor.float64).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(pytensor.exp, (expanded,))
    with pytest.raises(NotImplementedError):
        gradcheck(pytensor.exp, (leaf(1),), check_forward_ad=True)


def test_warns_of_single_precision():
    x = pytensor.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(pytensor.exp, (x,), atol=1e-1, eps=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradcheck(pytensor.exp, (leaf(2),))
