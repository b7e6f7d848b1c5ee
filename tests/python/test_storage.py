"""Storages, dtype views and the in-place ops that change sizes and strides."""

from __future__ import annotations

import pickle

import pytest

import pytensor


def test_tensors_of_one_storage():
    x = pytensor.arange(6.0)
    part = x[2:].untyped_storage()
    assert part.data_ptr() == x.untyped_storage().data_ptr() == x.data_ptr()
    assert len(part) == part.nbytes() == 24
    assert x[2:].storage().tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    x.storage()[1] = 7.0
    assert x[1].item() == 7.0
    assert pytensor.is_storage(part)
    assert not pytensor.is_storage(x)


def test_view_as_another_dtype_shares_memory():
    x = pytensor.tensor([1.0, -2.0])
    bits = x.view(pytensor.int32)
    assert bits.tolist() == [0x3F800000, -0x40000000]
    bits[0] = 0
    assert x.tolist() == [0.0, -2.0]
    assert x.view(pytensor.uint8).shape == (8,)
    with pytest.raises(RuntimeError, match="divisible by 2"):
        pytensor.zeros(3).view(pytensor.float64)


def test_bfloat16_pickles():
    x = pytensor.randn(5).bfloat16()
    assert pytensor.equal(pickle.loads(pickle.dumps(x)), x)


def test_resize_keeps_elements():
    x = pytensor.arange(4.0)
    assert x.resize_(2, 2).tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert x.resize_(100)[:4].tolist() == [0.0, 1.0, 2.0, 3.0]
    x = pytensor.ones(2, requires_grad=True)
    with pytensor.no_grad(), pytest.raises(RuntimeError, match="cannot resize variables"):
        x.resize_(3)


def test_set_looks_at_another_tensor():
    x, y = pytensor.empty(0), pytensor.zeros(2, 2)
    x.set_(y)[0, 1] = 3.0
    assert y.tolist() == [[0.0, 3.0], [0.0, 0.0]]


def test_transpose_in_place_has_a_gradient():
    x = pytensor.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 2
    assert y.t_() is y
    assert y.shape == (3, 2)
    (y * pytensor.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad.tolist() == [[0.0, 4.0, 8.0], [2.0, 6.0, 10.0]]


def test_transposed_view_writes_to_its_base():
    x = pytensor.ones(3, 2, requires_grad=True)
    y = x * 2
    z = y[1:]
    z.t_()
    z.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [6.0, 6.0], [6.0, 6.0]]


def test_gradient_of_a_write_into_a_transposed_base():
    x = pytensor.ones(3, 2, requires_grad=True)
    y = x.t().clone()  # keeps the strides of the transposed tensor
    y[0] = 0
    (y * pytensor.arange(6.0).reshape(2, 3)).sum().backward()
    assert x.grad.tolist() == [[0.0, 3.0], [0.0, 4.0], [0.0, 5.0]]


def test_leaf_is_not_reshaped_in_place():
    with pytest.raises(RuntimeError, match="leaf Variable"):
        pytensor.ones(2, 3, requires_grad=True).t_()
