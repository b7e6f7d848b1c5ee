"""einsum against torch's: equations, ellipses, broadcasting, gradients, plans, errors."""

from __future__ import annotations

import pytest

import pytensor
from tests.python.torch_pair import check_call, check_same_error, torch

torch.manual_seed(0)
EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ji,jk->ik", (3, 2), (3, 4)),
    ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("bhqk,bkhd->bqhd", (2, 3, 4, 5), (2, 5, 3, 6)),
    ("i,i->", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("i,j->ij", (3,), (4,)),
    ("i,j->ji", (3,), (4,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,j->i", (2, 3), (3,)),
    ("ij,j", (2, 3), (3,)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("...ii->...i", (2, 3, 3)),
    ("iij->ij", (3, 3, 2)),
    ("iijj->ij", (3, 3, 2, 2)),
    ("iii->i", (3, 3, 3)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("...->...", (2, 3)),
    ("...->", (2, 3)),
    ("i...->...", (2, 3)),
    ("i...->i", (2, 3, 4)),
    ("ba", (2, 3)),
    ("bA", (2, 3)),
    ("...ij,...jk->...ik", (2, 3, 4), (5, 1, 4, 2)),
    ("...ij,...jk->...ik", (3, 4), (5, 2, 4, 2)),
    ("...ij,jk", (2, 3, 4), (4, 5)),
    ("i...,i...->...", (2, 3), (2, 1)),
    ("ij...,jk...->ik...", (2, 3, 4), (3, 5, 4)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("ij,ij->i", (2, 1), (2, 3)),
    ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,ij->", (1, 1), (1, 1)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 5), (5, 2)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)),
    ("ij,ik,il->jkl", (2, 3), (2, 4), (2, 5)),
    ("ijk,ijl->kl", (2, 3, 4), (2, 3, 5)),
    ("abc,cd->abd", (2, 3, 4), (4, 5)),
    ("abcd,cdef->abef", (2, 3, 4, 2), (4, 2, 3, 2)),
    ("ijk,jil->kl", (2, 3, 4), (3, 2, 5)),
    ("ij,kl->ijkl", (2, 3), (4, 2)),
    ("ij,kl->", (2, 3), (4, 2)),
    ("ij,kl->lj", (2, 3), (4, 2)),
    ("i j , j k -> i k", (2, 3), (3, 4)),
    (",->", (), ()),
    (",i->i", (), (3,)),
    ("->", ()),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("zyx,xw->zyw", (2, 3, 4), (4, 2)),
]


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda c: f"{c[0]} {c[1:]}")
def test_like_torch(case):
    equation, *shapes = case
    operands = [torch.randn(s, dtype=torch.float64) for s in shapes]
    check_call(pytensor.einsum, torch.einsum, equation, *operands)
    check_call(pytensor.einsum, torch.einsum, equation, operands)


def test_random_equations():
    generator = torch.Generator().manual_seed(1)

    def draw(n):
        return int(torch.randint(0, n, (1,), generator=generator))

    sizes = dict(zip("abcdef", (2, 3, 1, 4, 2, 3)))
    for _ in range(300):
        parts = []
        for _ in range(1 + draw(4)):
            parts.append("".join("abcdef"[draw(6)] for _ in range(draw(4))))
        seen = sorted(set("".join(parts)))
        output = "".join(s for s in seen if draw(2))
        equation = ",".join(parts) + "->" + output
        operands = [torch.randn([sizes[s] for s in p], dtype=torch.float64) for p in parts]
        check_call(pytensor.einsum, torch.einsum, equation, *operands)


def test_lists_of_subscripts():
    a, b = torch.randn(2, 3).double(), torch.randn(3, 4).double()
    for args in [
        (a, [0, 1], b, [1, 2]),
        (a, [0, 1], b, [1, 2], [2, 0]),
        (a, [0, ...], b, [..., 2], [0, 2]),
        (a, [..., 0], [0, ...]),
        (a, [51, 30], b, [30, 2]),
    ]:
        twin = [to(x) for x in args]
        got = pytensor.einsum(*twin)
        assert torch.allclose(torch.tensor(got.tolist()).double(), torch.einsum(*args))
    with pytest.raises(ValueError, match="valid range"):
        pytensor.einsum(to(a), [0, 52])


def to(x):
    return pytensor.tensor(x.tolist(), dtype=pytensor.float64) if hasattr(x, "tolist") else x


def test_integers():
    a = torch.arange(6).reshape(2, 3)
    check_call(pytensor.einsum, torch.einsum, "ij,kj->ik", a, a)


def test_operands_are_not_changed():
    operands = [pytensor.ones(2, 2), pytensor.ones(2, 2)]
    pytensor.einsum("ii,ij->j", operands)
    assert len(operands) == 2
    assert operands[0].dim() == 2


def test_second_derivatives():
    from pytensor.autograd.gradcheck import gradgradcheck

    a = pytensor.randn(2, 3, dtype=pytensor.float64).requires_grad_()
    b = pytensor.randn(3, 2, dtype=pytensor.float64).requires_grad_()
    assert gradgradcheck(lambda a, b: pytensor.einsum("ij,jk->ki", a, b), (a, b))


A, B, V, C = torch.randn(2, 3), torch.randn(3, 4), torch.randn(3), torch.randn(2, 2)
ERRORS = [
    ("ij,jk", A),
    ("ij", A, B),
    ("ij,jk->il", A, B),
    ("ij,jk->ii", A, B),
    ("i1,jk", A, B),
    ("ijk,jk", A, B),
    ("ij,kj->ik", A, B),
    ("ii", A),
    ("i.j", A),
    ("i...j...", A),
    ("->",),
    ("ij,jk->ik->", A, B),
    ("ij->ik", A),
    ("i->ii", V),
    ("i", A),
    ("...i", torch.tensor(1.0)),
    ("ij,", A),
    ("ij,jk->i-k", A, B),
    ("...,...", A, B),
    ("...->i...", A),
    ("ij->ji.", A),
    ("ij",),
    ("ij,jk", A, 3),
]


@pytest.mark.parametrize("args", ERRORS, ids=lambda a: a[0])
def test_errors_like_torch(args):
    message = check_same_error(pytensor.einsum, torch.einsum, *args)
    assert message.startswith("einsum()") or "expected Tensor" in message
