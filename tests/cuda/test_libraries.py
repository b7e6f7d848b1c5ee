"""cuBLASLt: how it is found, and that it is told the truth about every matrix.

A fake (fakes/cublaslt.cpp) takes its place, checks the descriptions it gets and multiplies on the
host. Operands are whole numbers, so that results are exact.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.cuda import fake_library
from tests.cuda.fake_library import needs_fake

pytestmark = needs_fake

build = partial(fake_library.build, "cublaslt.cpp")
run = partial(
    fake_library.run,
    """
def numbers(*shape, dtype=pt.float32):
    return pt.randint(-3, 4, shape).to(dtype)
def check(name, f, *operands, by_library=True):
    before = fake.fake_calls()
    want = f(*operands)
    got = f(*(o.cuda() if o.device.type == "cpu" else o for o in operands))
    pt.cuda.synchronize()
    assert fake.fake_complaint() == b"", (name, fake.fake_complaint())
    assert pt.equal(got.cpu(), want), (name, got, want)
    assert (fake.fake_calls() - before > 0) == by_library, (name, fake.fake_calls() - before)
""",
)


@pytest.fixture(scope="module")
def fake(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("libraries"), "libcublasLt.so.13", 130200)


def test_layouts_of_all_kinds(fake):
    run(
        fake,
        """
sizes = [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 1), (17, 9, 33), (1, 7, 1), (7, 1, 1)]
for m, k, n in sizes:
    a, b = numbers(m, k), numbers(k, n)
    check("nn", pt.mm, a, b)
    check("tn", lambda x, y: x.t() @ y, a.t().contiguous(), b)
    check("nt", lambda x, y: x @ y.t(), a, b.t().contiguous())
    check("tt", lambda x, y: x.t() @ y.t(), a.t().contiguous(), b.t().contiguous())
    wide = numbers(m, k + 3)
    check("leading dimension", lambda x, y: x[:, 1 : k + 1] @ y, wide, b)
    tall = numbers(k, n + 2)
    check("both", lambda x, y: x[:, 2 : k + 2] @ y[:, 1 : n + 1], wide, tall)
    out = pt.zeros(m, n + 4).cuda()
    pt.mm(a.cuda(), b.cuda(), out=out[:, 2 : n + 2])
    assert pt.equal(out[:, 2 : n + 2].cpu(), a @ b)
    assert out[:, n + 2 :].abs().sum().item() == 0
    column = pt.zeros(n, m).cuda()
    pt.mm(a.cuda(), b.cuda(), out=column.t())
    assert pt.equal(column.t().cpu(), a @ b)
assert fake.fake_complaint() == b""
""",
    )


def test_types(fake):
    run(
        fake,
        """
for dtype in (pt.float32, pt.float64, pt.float16, pt.bfloat16):
    check(str(dtype), pt.mm, numbers(6, 5, dtype=dtype), numbers(5, 7, dtype=dtype))
    bias = numbers(7, dtype=dtype)
    check("bias", pt.addmm, bias, numbers(6, 5, dtype=dtype), numbers(5, 7, dtype=dtype))
check("integers", pt.mm, numbers(3, 4, dtype=pt.int64), numbers(4, 2, dtype=pt.int64),
      by_library=False)
""",
    )


def test_batches(fake):
    run(
        fake,
        """
a, b = numbers(4, 3, 5), numbers(4, 5, 6)
check("bmm", pt.bmm, a, b)
check("transposed", lambda x, y: pt.bmm(x.mT, y.mT), a.mT.contiguous(), b.mT.contiguous())
check("one for all", lambda x, y: x @ y, a, numbers(5, 6))
check("broadcast", lambda x, y: x @ y, numbers(1, 3, 5).expand(4, 3, 5), b)
check("slices", lambda x, y: pt.bmm(x[::2], y[1::2]), a, b)
check("four dimensions", lambda x, y: x @ y, numbers(2, 3, 4, 5), numbers(2, 3, 5, 2))
""",
    )


def test_factors_and_biases(fake):
    run(
        fake,
        """
a, b, c = numbers(5, 3), numbers(3, 4), numbers(5, 4)
for alpha, beta in ((1, 1), (2, 0), (-1, 3), (0.5, 0.25), (0, 1)):
    check("addmm", lambda x, y, z: pt.addmm(z, x, y, alpha=alpha, beta=beta), a, b, c)
    check("vector", lambda x, y, z: pt.addmm(z, x, y, alpha=alpha, beta=beta), a, b, numbers(4))
    check("baddbmm", lambda x, y, z: pt.baddbmm(z, x, y, alpha=alpha, beta=beta),
          numbers(2, 5, 3), numbers(2, 3, 4), numbers(2, 5, 4))
check("linear", pt.nn.functional.linear, a, numbers(6, 3), numbers(6))
check("mv", pt.mv, a, numbers(3))
z = c.cuda()
z.addmm_(a.cuda(), b.cuda())
assert pt.equal(z.cpu(), c + a @ b)
""",
    )


def test_what_the_library_declines_is_done_here(fake):
    run(
        fake,
        """
check("not supported", pt.mm, numbers(5, 3), numbers(3, 13), by_library=False)
check("strides", lambda x, y: x[:, ::2] @ y, numbers(4, 6), numbers(3, 5),
      by_library=False)
check("empty", pt.mm, numbers(0, 3), numbers(3, 5), by_library=False)
check("no terms", pt.mm, numbers(2, 0), numbers(0, 5), by_library=False)
""",
    )


def test_products_in_a_model_and_in_a_graph(fake):
    run(
        fake,
        """
net = pt.nn.Sequential(pt.nn.Linear(6, 8), pt.nn.ReLU(), pt.nn.Linear(8, 3))
for p in net.parameters():
    p.data = numbers(*p.shape)
x = numbers(5, 6)
def gradients(net, x):
    net.zero_grad()
    net(x).square().sum().backward()
    return [p.grad.cpu() for p in net.parameters()]
want = gradients(net, x)
got = gradients(net.cuda(), x.cuda())
assert all(pt.equal(a, b) for a, b in zip(want, got))
there = x.cuda()
g = pt.cuda.CUDAGraph()
with pt.no_grad(), pt.cuda.graph(g):
    y = net(there)
for _ in range(3):
    there.copy_(numbers(5, 6))
    before = fake.fake_calls()
    g.replay()
    pt.cuda.synchronize()
    assert fake.fake_calls() == before + 2
    with pt.no_grad():
        assert pt.equal(y, net(there))
assert fake.fake_complaint() == b""
plans = fake.fake_plans()
with pt.no_grad():
    net(there)
assert fake.fake_plans() == plans
""",
    )


def test_switches(fake):
    program = """
print(libraries.version(), libraries.version("other"))
libraries.prefer(False)
check("own kernels", pt.mm, numbers(3, 4), numbers(4, 5), by_library=False)
libraries.prefer(True)
check("library", pt.mm, numbers(3, 4), numbers(4, 5))
"""
    assert run(fake, program) == ["130200 None"]
    off = """
print(libraries.version())
check("", pt.mm, numbers(3, 4), numbers(4, 5), by_library=False)
"""
    assert run(fake, off, "0") == ["None"]
    assert run(fake, off, "/nowhere:") == ["None"]
    assert run(fake, off, "") == ["None"]


@pytest.mark.parametrize(
    ("version", "name", "usable"),
    [
        (120_803, "libcublasLt.so.12", True),
        (110_500, "libcublasLt.so.12", False),
        (140_000, "libcublasLt.so.13", False),
    ],
)
def test_versions(tmp_path, version, name, usable):
    library = build(tmp_path / "it's here", name, version)
    program = f"""
print(libraries.version())
check("", pt.mm, numbers(3, 4), numbers(4, 5), by_library={usable})
"""
    setting = f"/nowhere:{library.parent}"
    assert run(library, program, setting) == [str(version if usable else None)]
