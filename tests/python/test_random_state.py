"""Seeding, saving and restoring the random number generators; DLPack both ways."""

from __future__ import annotations

import pytest

import pytensor
from tests.python.torch_pair import torch


def test_seed_gives_torchs_numbers():
    for seed in (0, 1, 2**40, 2**64 - 1, -5):
        pytensor.manual_seed(seed)
        ours = pytensor.rand(5).tolist(), pytensor.initial_seed()
        torch.manual_seed(seed)
        assert ours == (torch.rand(5).tolist(), torch.initial_seed())


def test_seed_out_of_range():
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError):
            pytensor.manual_seed(seed)


def test_seed_differs():
    first, second = pytensor.seed(), pytensor.seed()
    assert first != second
    assert pytensor.initial_seed() == second


def test_state_can_be_restored():
    state = pytensor.get_rng_state()
    first = pytensor.rand(7).tolist()
    pytensor.set_rng_state(state)
    assert pytensor.rand(7).tolist() == first
    assert state.dtype == pytensor.uint8
    assert state.numel() == torch.get_rng_state().numel()


def test_state_is_torchs():
    pytensor.manual_seed(5)
    pytensor.rand(3)
    ours = pytensor.get_rng_state().tolist()
    torch.manual_seed(5)
    torch.rand(3)
    assert ours == torch.get_rng_state().tolist()


def test_fork_rng():
    pytensor.manual_seed(1)
    expected = pytensor.rand(3).tolist()
    pytensor.manual_seed(1)
    with pytensor.random.fork_rng():
        pytensor.manual_seed(9)
        pytensor.rand(100)
    assert pytensor.rand(3).tolist() == expected
    with pytensor.random.fork_rng(enabled=False):
        pytensor.manual_seed(9)
    assert pytensor.initial_seed() == 9
    with pytest.raises(RuntimeError):
        pytensor.random.fork_rng(device_type="nonsense")


def test_dlpack_shares_memory():
    dlpack = pytensor.utils.dlpack
    t = pytensor.ones(3)
    shared = dlpack.from_dlpack(dlpack.to_dlpack(t))
    shared[0] = 5
    assert t.tolist() == [5.0, 1.0, 1.0]
    other = torch.zeros(2, 3).t()
    mine = dlpack.from_dlpack(other)
    mine[0, 1] = 7
    assert other[0, 1].item() == 7
    back = torch.from_dlpack(t)
    back[1] = 9
    assert t.tolist() == [5.0, 9.0, 1.0]
    assert dlpack.to_dlpack(pytensor.ones(2, requires_grad=True)) is not None
