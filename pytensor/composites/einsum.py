"""einsum, tensordot, chain_matmul and cross: sums of products of tensors' elements.

An equation is compiled once for the shapes it meets into a list of steps (diagonals, sums, and
one batched matrix product or broadcast product for each pair of operands); the plan is kept, so
that a call in a loop only runs the steps. Pairs are chosen greedily by their number of products.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.shared import wrap_dim, wrap_dims, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

    Label = int | str  # a letter, or -1, -2, ... for the dimensions under an ellipsis
    Shape = tuple[int, ...]

__all__ = ["chain_matmul", "cross", "einsum", "tensordot"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MAX_PLANS = 512
_plans: dict[tuple[str, tuple[Shape, ...]], _Plan] = {}


def einsum(*args: Any) -> Tensor:
    """Sums products of elements along dimensions named by letters (Einstein's notation).

    Args:
        args: ``einsum(equation, *operands)`` with an equation like ``"bij,bjk->bik"``: a letter
            for each dimension, ``...`` for any number of dimensions that broadcast, the result's
            letters after ``->`` (without it: those that occur once, sorted). Or
            ``einsum(operand, subscripts, operand, subscripts, ..., [result])`` with lists of
            integers from 0 to 51 and Ellipsis in place of letters.

    Shape:
        One dimension for each letter of the result.

    Raises:
        RuntimeError: for an equation that is malformed or does not fit the operands.

    Example::

        >>> a, b = pytensor.ones(2, 3), pytensor.ones(3, 4)
        >>> pytensor.einsum("ij,jk->ik", a, b).shape
        torch.Size([2, 4])
        >>> pytensor.einsum("ii", pytensor.eye(3))
        tensor(3.)
    """
    equation, operands = _split_arguments(args)
    shapes = tuple([tuple(t.shape) for t in operands])
    plan = _plans.get((equation, shapes))
    if plan is None:
        if len(_plans) >= _MAX_PLANS:
            _plans.clear()
        plan = _plans[equation, shapes] = _Plan(equation, shapes)
    return plan.run(operands)


def _split_arguments(args: tuple[Any, ...]) -> tuple[str, list[Tensor]]:
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], str):
        equation, operands = args[0], args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
    else:
        operands = args[: len(args) // 2 * 2 : 2]
        equation = ",".join(_subscripts_text(s) for s in args[1::2])
        if len(args) % 2:
            equation += "->" + _subscripts_text(args[-1])
    for index, t in enumerate(operands):
        if not isinstance(t, _C.Tensor):
            raise TypeError(
                f"expected Tensor as element {index} in argument 1, but got {type(t).__name__}"
            )
    return equation, list(operands)


def _subscripts_text(subscripts: Sequence[Any]) -> str:
    text = ""
    for s in subscripts:
        if s is Ellipsis:
            text += "..."
        elif 0 <= s < len(_LETTERS):
            text += _LETTERS[s]
        else:
            raise ValueError(
                "einsum(): subscript in subscript list is not within the valid range [0, 52)"
            )
    return text


def _tokens(text: str, offset: int, where: str, note: str = "") -> list[str]:
    """Letters and "..." of one operand's or the result's part of an equation."""
    tokens: list[str] = []
    i = 0
    while i < len(text):
        c = text[i]
        if c == ".":
            if "..." in tokens:
                raise RuntimeError(
                    f"einsum(): found '.' for {where} for which an ellipsis was already found"
                )
            if text[i : i + 3] != "...":
                raise RuntimeError(
                    f"einsum(): found '.' for {where} that is not part of any ellipsis{note}"
                )
            tokens.append("...")
            i += 2
        elif c in _LETTERS:
            tokens.append(c)
        elif c != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {offset + i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        i += 1
    return tokens


class _Plan:
    """An equation compiled for operands of given shapes."""

    def __init__(self, equation: str, shapes: Sequence[Shape]) -> None:
        left, arrow, right = equation.partition("->")
        parts = left.split(",")
        if len(parts) != len(shapes):
            few = "fewer" if len(shapes) < len(parts) else "more"
            raise RuntimeError(
                f"einsum(): {few} operands were provided than specified in the equation"
            )
        labels: list[list[Label]] = []
        offset = 0
        for i, (part, shape) in enumerate(zip(parts, shapes)):
            labels.append(_operand_labels(_tokens(part, offset, f"operand {i}"), shape, i))
            offset += len(part) + 1
        self.sizes = _label_sizes(labels, shapes)
        if arrow:
            tokens = _tokens(right, len(left) + 2, "output", " (...)")
            self.output = _output_labels(tokens, self.sizes)
        else:
            once = [
                s for s in self.sizes if isinstance(s, str) and sum(x.count(s) for x in labels) == 1
            ]
            covered = sorted(s for s in self.sizes if isinstance(s, int))
            self.output = [*covered, *sorted(once)]
        self._compile(labels, [list(shape) for shape in shapes])

    def _compile(self, labels: list[list[Label]], shapes: list[list[int]]) -> None:
        self.diagonals = [_take_diagonals(x, s) for x, s in zip(labels, shapes)]
        has_diagonals = any(self.diagonals)
        self.steps: list[tuple[int, int, _Pair]] = []
        pending = [(tuple(x), tuple(s)) for x, s in zip(labels, shapes)]
        while len(pending) > 1:
            i, j = self._cheapest(pending)
            keep = set(self.output).union(
                *(x for k, (x, _) in enumerate(pending) if k not in (i, j))
            )
            pair = _Pair(*pending[i], *pending[j], keep)
            self.steps.append((i, j, pair))
            del pending[j], pending[i]
            pending.append((pair.labels, pair.shape))
        last, _ = pending[0]
        self.last_sum = tuple(d for d, label in enumerate(last) if label not in self.output)
        rest = [label for label in last if label in self.output]
        order = tuple(rest.index(label) for label in self.output)
        self.last_order = None if order == tuple(range(len(order))) else order
        if not has_diagonals:
            self.diagonals = []

    def _cheapest(self, pending: list[tuple[tuple[Label, ...], Shape]]) -> tuple[int, int]:
        best, choice = None, (0, 1)
        if len(pending) == 2:
            return choice
        for j in range(1, len(pending)):
            for i in range(j):
                cost = 1
                for label in set(pending[i][0]).union(pending[j][0]):
                    cost *= self.sizes[label]
                if best is None or cost < best:
                    best, choice = cost, (i, j)
        return choice

    def run(self, operands: list[Tensor]) -> Tensor:
        for k, diagonals in enumerate(self.diagonals):
            for d1, d2 in diagonals:
                operands[k] = operands[k].diagonal(0, d1, d2)
        for i, j, pair in self.steps:
            b, a = operands.pop(j), operands.pop(i)
            operands.append(pair.run(a, b))
        result = operands[0]
        if self.last_sum:
            result = result.sum(self.last_sum)
        return result if self.last_order is None else result.permute(self.last_order)


def _operand_labels(tokens: list[str], shape: Shape, index: int) -> list[Label]:
    letters = len(tokens) - ("..." in tokens)
    if "..." not in tokens and letters != len(shape):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({letters}) does not match the "
            f"number of dimensions ({len(shape)}) for operand {index} and no ellipsis was given"
        )
    if letters > len(shape):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({letters}) is more than the "
            f"number of dimensions ({len(shape)}) for operand {index}"
        )
    labels: list[Label] = []
    for token in tokens:
        if token == "...":
            labels.extend(range(letters - len(shape), 0))
        else:
            labels.append(token)
    return labels


def _label_sizes(labels: list[list[Label]], shapes: Sequence[Shape]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for i, (operand, shape) in enumerate(zip(labels, shapes)):
        own: dict[Label, int] = {}
        for dim, (label, size) in enumerate(zip(operand, shape)):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't "
                    f"match, {size} != {own[label]}"
                )
            seen = sizes.setdefault(label, size)
            if seen != size and seen != 1 and size != 1:
                if isinstance(label, int):
                    raise RuntimeError(
                        f"einsum(): dimension {dim} covered by ellipsis in operand {i} has size "
                        f"{size} which does not broadcast with previously seen ellipsis with size "
                        f"{seen} for the respective dimension"
                    )
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {i} which does not "
                    f"broadcast with previously seen size {seen}"
                )
            if seen == 1:
                sizes[label] = size
    return sizes


def _output_labels(tokens: list[str], sizes: dict[Label, int]) -> list[Label]:
    labels: list[Label] = []
    for token in tokens:
        if token == "...":
            labels.extend(sorted(s for s in sizes if isinstance(s, int)))
        elif token in labels:
            raise RuntimeError(
                f"einsum(): output subscript {token} appears more than once in the output"
            )
        elif token not in sizes:
            raise RuntimeError(
                f"einsum(): output subscript {token} does not appear in the equation for any "
                "input operand"
            )
        else:
            labels.append(token)
    return labels


def _take_diagonals(labels: list[Label], shape: list[int]) -> list[tuple[int, int]]:
    """The diagonals that merge an operand's repeated labels; updates its labels and shape."""
    taken = []
    for label in list(dict.fromkeys(labels)):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            taken.append((first, second))
            size = shape[first]
            for d in (second, first):
                del labels[d], shape[d]
            labels.append(label)
            shape.append(size)
    return taken


class _Pair:
    """The product of two operands, summed over the labels that nothing after it needs."""

    def __init__(
        self,
        a: tuple[Label, ...],
        a_shape: Shape,
        b: tuple[Label, ...],
        b_shape: Shape,
        keep: set[Label],
    ) -> None:
        a_size, b_size = dict(zip(a, a_shape)), dict(zip(b, b_shape))
        # A dimension of size 1 that the other operand has too only broadcasts: leave it out.
        a_only_broadcasts = [s for s in a if s in b_size and a_size[s] == 1]
        b_only_broadcasts = [
            s for s in b if s in a_size and b_size[s] == 1 and s not in a_only_broadcasts
        ]
        a_has = [s for s in a if s not in a_only_broadcasts]
        b_has = [s for s in b if s not in b_only_broadcasts]
        shared = [s for s in a_has if s in b_has]
        batch = [s for s in shared if s in keep]
        summed = [s for s in shared if s not in keep]
        left = [s for s in a_has if s not in shared and s in keep]
        right = [s for s in b_has if s not in shared and s in keep]
        self.labels = (*batch, *left, *right)
        self.shape = tuple(a_size[s] if s in a_has else b_size[s] for s in self.labels)
        sizes = {**a_size, **{s: b_size[s] for s in b_has}}

        def volume(names: list[Label]) -> int:
            product = 1
            for s in names:
                product *= sizes[s]
            return product

        batch_shape = tuple(sizes[s] for s in batch)
        if summed:
            lead = (volume(batch),) if batch else ()
            a_order, a_view = [*batch, *left, *summed], (*lead, volume(left), volume(summed))
            b_order, b_view = [*batch, *summed, *right], (*lead, volume(summed), volume(right))
            self.product: Any = _C.Tensor.bmm if batch else _C.Tensor.mm
        else:
            left_shape = tuple(sizes[s] for s in left)
            right_shape = tuple(sizes[s] for s in right)
            a_order, a_view = [*batch, *left], batch_shape + left_shape + (1,) * len(right)
            b_order, b_view = [*batch, *right], batch_shape + (1,) * len(left) + right_shape
            self.product = _C.Tensor.mul
        self.a_steps = _preparation(a, a_shape, a_order, a_only_broadcasts, a_view)
        self.b_steps = _preparation(b, b_shape, b_order, b_only_broadcasts, b_view)

    def run(self, a: Tensor, b: Tensor) -> Tensor:
        return self.product(_prepared(a, self.a_steps), _prepared(b, self.b_steps)).reshape(
            self.shape
        )


def _preparation(
    labels: tuple[Label, ...], shape: Shape, order: list[Label], dropped: list[Label], view: Shape
) -> tuple[tuple[int, ...], tuple[int, ...] | None, Shape]:
    """Dimensions to sum first, then the permutation, then the shape for the product."""
    sums = tuple(d for d, s in enumerate(labels) if s not in order and s not in dropped)
    rest = [s for d, s in enumerate(labels) if d not in sums]
    permutation = tuple(rest.index(s) for s in [*order, *dropped])
    identity = permutation == tuple(range(len(permutation)))
    return sums, None if identity else permutation, view


def _prepared(t: Tensor, steps: tuple[tuple[int, ...], tuple[int, ...] | None, Shape]) -> Tensor:
    sums, permutation, view = steps
    if sums:
        t = t.sum(sums)
    if permutation is not None:
        t = t.permute(permutation)
    return t.reshape(view)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """Sums products of two tensors over several of their dimensions.

    Args:
        a: the left tensor.
        b: the right tensor.
        dims: how many of the last dimensions of ``a`` and first of ``b`` are summed over; or two
            lists of dimensions, of ``a`` and of ``b``, as a pair or as a tensor.
        out: the tensor to write the result into.

    Shape:
        The dimensions of ``a`` that are left, then those of ``b``.

    Raises:
        RuntimeError: when the dimensions do not match.

    Example::

        >>> a, b = pytensor.ones(3, 4, 5), pytensor.ones(4, 3, 2)
        >>> pytensor.tensordot(a, b, dims=([1, 0], [0, 1])).shape
        torch.Size([5, 2])
    """
    if isinstance(dims, _C.Tensor):
        dims = dims.tolist()
    if isinstance(dims, (tuple, list)):
        dims_a, dims_b = dims
        if isinstance(dims_a, int) or isinstance(dims_b, int):
            raise TypeError(
                "tensordot(): argument 'dims_self' (position 3) must be tuple of ints, not int"
            )
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims_a, dims_b = range(a.dim() - dims, a.dim()), range(dims)
    if len(dims_a) != len(dims_b):
        raise RuntimeError("both dimension lists should have same length")
    dims_a, dims_b = wrap_dims(dims_a, a.dim()), wrap_dims(dims_b, b.dim())
    for da, db in zip(dims_a, dims_b):
        if a.size(da) == b.size(db):
            continue
        if a.size(da) == 1:
            b = b.sum(db, keepdim=True)
        elif b.size(db) == 1:
            a = a.sum(da, keepdim=True)
        else:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.size(da)} in dim "
                f"{da} and second has size {b.size(db)} in dim {db}"
            )
    free_a = [d for d in range(a.dim()) if d not in dims_a]
    free_b = [d for d in range(b.dim()) if d not in dims_b]
    depth = rows = columns = 1
    for d in dims_a:
        depth *= a.size(d)
    for d in free_a:
        rows *= a.size(d)
    for d in free_b:
        columns *= b.size(d)
    left = a.permute([*free_a, *dims_a]).reshape(rows, depth)
    right = b.permute([*dims_b, *free_b]).reshape(depth, columns)
    shape = [a.size(d) for d in free_a] + [b.size(d) for d in free_b]
    return write_out(left.mm(right).reshape(shape), out)


def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """The product of several matrices, in the order of multiplications that costs least.

    Args:
        matrices: two-dimensional tensors whose shapes fit.
        out: the tensor to write the result into.

    Shape:
        Rows of the first by columns of the last matrix.

    Raises:
        RuntimeError: without matrices, or when shapes do not fit.

    Example::

        >>> a, b, c = pytensor.ones(2, 9), pytensor.ones(9, 4), pytensor.ones(4, 3)
        >>> pytensor.chain_matmul(a, b, c).shape
        torch.Size([2, 3])
    """
    from pytensor.linalg import multi_dot

    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for t in matrices:
        if t.dim() != 2:
            raise RuntimeError(f"Tensor dimension is {t.dim()}, expected 2 instead.")
    return write_out(matrices[0] if len(matrices) == 1 else multi_dot(matrices), out)


def cross(
    input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Cross products of corresponding vectors of length 3.

    Args:
        input: the left vectors.
        other: the right vectors; both broadcast.
        dim: the dimension that makes up a vector; the first of size 3 when None.
        out: the tensor to write the result into.

    Shape:
        The broadcast shape.

    Raises:
        RuntimeError: when the dimension has not size 3.

    Example::

        >>> pytensor.cross(pytensor.tensor([1, 0, 0]), pytensor.tensor([0, 1, 0]))
        tensor([0, 0, 1])
    """
    if input.dim() != other.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if dim is None:
        if 3 not in tuple(input.shape):
            raise RuntimeError("no dimension of size 3 in input")
        dim = tuple(input.shape).index(3)
    wrapped = wrap_dim(dim, input.dim())
    if input.size(wrapped) != 3 or other.size(wrapped) != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.size(wrapped)} "
            f"and {other.size(wrapped)}"
        )
    product = input.roll(-1, wrapped) * other.roll(-2, wrapped)
    return write_out(product - input.roll(-2, wrapped) * other.roll(-1, wrapped), out)
