"""DataParallel without GPUs is the module itself, under another name."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.twins import assert_same_program


def test_is_the_module():
    assert_same_program("""
        net = nn.DataParallel(nn.Linear(2, 2))
        print(net, list(net.state_dict()), net(torch.ones(1, 2)), net.module.weight)
    """)


def test_functional():
    got = pytensor.nn.parallel.data_parallel(pytensor.nn.ReLU(), pytensor.tensor([-1.0, 2.0]))
    assert got.tolist() == [0.0, 2.0]


def test_refuses_several_devices():
    with pytest.raises(RuntimeError, match="device_ids"):
        pytensor.nn.DataParallel(pytensor.nn.ReLU(), device_ids=[0, 1])
