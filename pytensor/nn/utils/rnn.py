"""Sequences of different lengths: padded into one tensor, or packed without the padding."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytensor
from pytensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _PackedFields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_PackedFields):
    """Sequences without padding: the rows of all first steps, then those of all second steps...

    Longer sequences come first. Usually made by ``pack_padded_sequence`` or ``pack_sequence``.

    Args:
        data: ``(total length, *)``.
        batch_sizes: how many sequences have a first step, a second step..., int64.
        sorted_indices: the order in which sequences were taken, or None for the given one.
        unsorted_indices: the inverse permutation.

    Example::

        >>> pytensor.nn.utils.rnn.pack_sequence([pytensor.ones(2), pytensor.zeros(1)]).data
        tensor([1., 0., 1.])
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        assert batch_sizes is not None
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence "
                "and pack_padded_sequences in nn.utils.rnn."
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with_data(self, data: Tensor) -> PackedSequence:
        if data is self.data:
            return self
        orders = self.sorted_indices, self.unsorted_indices
        moved = [None if order is None else order.to(data.device) for order in orders]
        return type(self)(data, self.batch_sizes, *moved)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences with ``data`` converted as ``Tensor.to`` does."""
        return self._with_data(self.data.to(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences in the CPU's memory."""
        return self.to("cpu", *args, **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences in a GPU's memory."""
        return self._with_data(self.data.cuda(*args, **kwargs))

    def pin_memory(self) -> PackedSequence:
        """The sequences in memory that a GPU can read directly."""
        return self._with_data(self.data.pin_memory())

    def double(self) -> PackedSequence:
        """``to(pytensor.float64)``"""
        return self.to(pytensor.float64)

    def float(self) -> PackedSequence:
        """``to(pytensor.float32)``"""
        return self.to(pytensor.float32)

    def half(self) -> PackedSequence:
        """``to(pytensor.float16)``"""
        return self.to(pytensor.float16)

    def long(self) -> PackedSequence:
        """``to(pytensor.int64)``"""
        return self.to(pytensor.int64)

    def int(self) -> PackedSequence:
        """``to(pytensor.int32)``"""
        return self.to(pytensor.int32)

    def short(self) -> PackedSequence:
        """``to(pytensor.int16)``"""
        return self.to(pytensor.int16)

    def char(self) -> PackedSequence:
        """``to(pytensor.int8)``"""
        return self.to(pytensor.int8)

    def byte(self) -> PackedSequence:
        """``to(pytensor.uint8)``"""
        return self.to(pytensor.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is in a GPU's memory."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Whether ``data`` is in memory that a GPU can read directly."""
        return bool(self.data.is_pinned())


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one.

    Args:
        permutation: a vector of the numbers 0 to n - 1, or None.

    Example::

        >>> pytensor.nn.utils.rnn.invert_permutation(pytensor.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    output = pytensor.empty_like(permutation)
    order = pytensor.arange(permutation.numel(), dtype=permutation.dtype, device=permutation.device)
    return output.scatter_(0, permutation, order)


def _present(steps: int, lengths: Tensor) -> Tensor:
    """Which sequences (columns) reach each step (rows)."""
    return pytensor.arange(steps, device=lengths.device).unsqueeze(1) < lengths.unsqueeze(0)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Packs padded sequences.

    Args:
        input: ``(T, B, *)``, or ``(B, T, *)`` with ``batch_first``.
        lengths: of the ``B`` sequences, each from 1 to ``T``.
        batch_first: whether the batch is the first dimension. Default: ``False``.
        enforce_sorted: lengths must not grow; ``False`` sorts. Default: ``True``.

    Raises:
        RuntimeError: for lengths that are not sorted, not positive, or too many.

    Example::

        >>> packed = pytensor.nn.utils.rnn.pack_padded_sequence(pytensor.ones(3, 2), [3, 1])
        >>> packed.batch_sizes
        tensor([2, 1, 1])
    """
    if not isinstance(lengths, Tensor):
        lengths = pytensor.tensor(lengths, dtype=pytensor.int64)
    lengths = lengths.to(pytensor.int64)
    if lengths.dim() != 1 or lengths.device.type != "cpu":
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.dim()}D {lengths.device} Long tensor"
        )
    sorted_indices = None
    if not enforce_sorted:
        lengths, order = pytensor.sort(lengths, descending=True)
        sorted_indices = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if batch_first:
        input = input.transpose(0, 1)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    batch = input.size(1)
    if lengths.numel() != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {lengths.numel()} "
            f"(batch_size={batch})"
        )
    given = lengths.tolist()
    if min(given) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if any(a < b for a, b in itertools.pairwise(given)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if given[0] > input.size(0):
        raise RuntimeError(
            f"pack_padded_sequence(): a length of {given[0]} is more than the {input.size(0)} "
            "steps of the input"
        )
    present = _present(given[0], lengths)
    data = input[: given[0]][present.to(input.device)]
    return PackedSequence(data, present.sum(1), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Pads packed sequences: the inverse of ``pack_padded_sequence``.

    Args:
        sequence: the sequences.
        batch_first: whether the result has the batch as first dimension. Default: ``False``.
        padding_value: what fills the steps that a sequence lacks. Default: 0.
        total_length: length of the result. Default: that of the longest sequence.

    Returns:
        The sequences, ``(T, B, *)`` or ``(B, T, *)``, and their lengths.

    Example::

        >>> packed = pytensor.nn.utils.rnn.pack_sequence([pytensor.ones(2), pytensor.ones(1)])
        >>> pytensor.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)[0]
        tensor([[1., 1.],
                [1., 0.]])
    """
    sizes, data = sequence.batch_sizes, sequence.data
    steps, batch = sizes.size(0), int(sizes[0])
    length = steps
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being {steps}"
            )
        length = total_length
    # Sequence b reaches step t when more than b sequences do.
    present = pytensor.arange(batch).unsqueeze(0) < sizes.unsqueeze(1)
    lengths = present.sum(0)
    if length > steps:
        present = pytensor.cat(
            [present, pytensor.zeros(length - steps, batch, dtype=pytensor.bool)]
        )
    padded = data.new_full((length, batch, *data.shape[1:]), padding_value)
    padded[present.to(data.device)] = data
    if batch_first:
        padded = padded.transpose(0, 1)
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices
        return padded.index_select(0 if batch_first else 1, order), lengths[order.cpu()]
    return padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Joins sequences of different lengths into one padded tensor.

    Args:
        sequences: tensors ``(L, *)`` that differ in ``L`` alone.
        batch_first: ``(B, T, *)`` instead of ``(T, B, *)``. Default: ``False``.
        padding_value: what fills the rest. Default: 0.
        padding_side: ``"right"`` or ``"left"``. Default: ``"right"``.

    Example::

        >>> pytensor.nn.utils.rnn.pad_sequence([pytensor.ones(2), pytensor.ones(1)])
        tensor([[1., 1.],
                [1., 0.]])
    """
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    sequences = tuple(sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if sequences[0].dim() == 0:
        raise RuntimeError("pad_sequence: Expected sequences of at least one dimension")
    longest = max(s.size(0) for s in sequences)
    shape = (len(sequences), longest, *sequences[0].shape[1:])
    padded = sequences[0].new_full(shape, padding_value)
    for row, s in enumerate(sequences):
        n = s.size(0)
        start = longest - n if padding_side == "left" else 0
        padded[row, start : start + n] = s
    return padded if batch_first else padded.transpose(0, 1).contiguous()


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded tensor: the inverse of ``pad_sequence``.

    Args:
        padded_sequences: ``(T, B, *)``, or ``(B, T, *)`` with ``batch_first``.
        lengths: of the sequences.
        batch_first: whether the batch is the first dimension. Default: ``False``.

    Example::

        >>> two = pytensor.nn.utils.rnn.unpad_sequence(pytensor.ones(2, 2), pytensor.tensor([2, 1]))
        >>> [len(s) for s in two]
        [2, 1]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [s[:n] for s, n in zip(padded_sequences, lengths.tolist())]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs tensors of different lengths.

    Args:
        sequences: tensors ``(L, *)`` that differ in ``L`` alone.
        enforce_sorted: lengths must not grow; ``False`` sorts. Default: ``True``.

    Example::

        >>> pytensor.nn.utils.rnn.pack_sequence([pytensor.ones(2), pytensor.ones(1)]).batch_sizes
        tensor([2, 1])
    """
    lengths = pytensor.tensor([s.size(0) for s in sequences], dtype=pytensor.int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a ``PackedSequence``: the inverse of ``pack_sequence``.

    Args:
        packed_sequences: the sequences.

    Example::

        >>> packed = pytensor.nn.utils.rnn.pack_sequence([pytensor.ones(2), pytensor.zeros(1)])
        >>> pytensor.nn.utils.rnn.unpack_sequence(packed)
        [tensor([1., 1.]), tensor([0.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
