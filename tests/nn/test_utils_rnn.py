"""Packed and padded sequences beside torch's."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.twins import assert_same_program, torch

HEAD = """
import importlib
U = importlib.import_module(torch.__name__ + ".nn.utils.rnn")
x = torch.arange(12.0).reshape(3, 4)
parts = [torch.arange(3.0), torch.arange(2.0), torch.arange(1.0)]
packed = U.pack_padded_sequence(x, [1, 2, 3, 1], enforce_sorted=False)
"""

PROGRAMS = [
    "print(U.pack_padded_sequence(x, [3, 2, 2, 1]))",
    "print(U.pack_padded_sequence(x.t(), torch.tensor([3, 2, 2, 1]), batch_first=True))",
    "print(packed)",
    "print(U.pack_padded_sequence(x, torch.tensor([2.0, 2, 1, 1])))",
    "print(U.pad_packed_sequence(packed))",
    "print(U.pad_packed_sequence(packed, True, -1.0, 5))",
    "print(U.pad_packed_sequence(U.pack_sequence(parts), total_length=3))",
    "print(U.pad_sequence(parts), U.pad_sequence(parts, True, 9.0, 'left'))",
    "print(U.pad_sequence(torch.arange(6).reshape(2, 3)))",
    "print(U.unpad_sequence(U.pad_sequence(parts), torch.tensor([3, 2, 1])))",
    "print(U.pack_sequence(parts), U.pack_sequence(parts[::-1], enforce_sorted=False))",
    "print(U.unpack_sequence(U.pack_sequence(parts[::-1], enforce_sorted=False)))",
    "print(U.invert_permutation(torch.tensor([2, 0, 1])), U.invert_permutation(None))",
    "print(U.PackedSequence((torch.arange(3.0), torch.tensor([2, 1]))))",
    "print(U.PackedSequence(torch.arange(3.0), torch.tensor([2, 1]), torch.tensor([1, 0])))",
    "print(packed.to(torch.float64), packed.long().data, packed.cpu() is packed, packed._fields)",
    "print(packed.half().data.dtype, packed.is_cuda, packed[1], packed.to(device='cpu') is packed)",
]

FAILURES = [
    "U.pack_padded_sequence(x, [1, 2, 2, 1])",
    "U.pack_padded_sequence(x, [3, 2, 0, 0])",
    "U.pack_padded_sequence(x, [3, 2, 1])",
    "U.pack_padded_sequence(torch.zeros(0, 4), [])",
    "U.pack_padded_sequence(x, torch.tensor(3))",
    "U.pad_packed_sequence(packed, total_length=2)",
    "U.pad_sequence(parts, padding_side='x')",
    "U.pad_sequence([])",
    "U.pad_sequence(3)",
    "U.pack_sequence(parts[::-1])",
    "U.PackedSequence(torch.arange(3.0))",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program):
    assert_same_program(HEAD + program)


@pytest.mark.parametrize("program", FAILURES)
def test_failures(program):
    assert_same_program(HEAD + program, fails=True)


def test_a_length_beyond_the_input_is_refused():
    """torch returns batch sizes there that its data does not have."""
    with pytest.raises(RuntimeError, match="more than the 3 steps"):
        pytensor.nn.utils.rnn.pack_padded_sequence(pytensor.zeros(3, 2), [4, 1])


def test_gradients_flow_through():
    grads = []
    for library in (torch, pytensor):
        x = library.arange(24.0).reshape(4, 3, 2).requires_grad_()
        utils = library.nn.utils.rnn
        packed = utils.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False)
        padded, _ = utils.pad_packed_sequence(packed._replace(data=packed.data**2))
        (padded * padded).sum().backward()
        again = utils.pad_sequence([x[:, 0, 0], x[:2, 1, 0]])
        (again**3).sum().backward()
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]
