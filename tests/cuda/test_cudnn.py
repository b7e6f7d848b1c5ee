"""cuDNN: that it is told the truth about every convolution, and what happens where it refuses.

A fake (fakes/cudnn.cpp) takes its place, checks the descriptions it gets and convolves on the
host. Operands are whole numbers, so that results are exact. What is declared of the real library
is compared with NVIDIA's headers where they are installed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.cuda import fake_library
from tests.cuda.fake_library import needs_fake

pytestmark = needs_fake

build = partial(fake_library.build, "cudnn.cpp")
run = partial(
    fake_library.run,
    """
F = pt.nn.functional
cudnn = pt.backends.cudnn
fake.fake_stream.restype = ctypes.c_void_p
FORWARD, DATA, FILTER = range(3)
def numbers(*shape, dtype=pt.float32):
    return pt.randint(-2, 3, shape).to(dtype)
def count():
    return [fake.fake_calls_of(way) for way in range(3)]
# f's result and the gradients of its operands, and how often the library did each of its ways.
def results(f, *operands):
    before = count()
    operands = [o.detach().requires_grad_() for o in operands]
    out = f(*operands)
    out.backward(pt.arange(out.numel(), device=out.device).reshape(out.shape).to(out.dtype) % 3)
    pt.cuda.synchronize()
    return [out, *(o.grad for o in operands)], [b - a for a, b in zip(before, count())]
def check(name, f, *operands, calls=(1, 1, 1)):
    want, none = results(f, *operands)
    assert none == [0, 0, 0]
    there = [o.cuda() for o in operands]
    got, done = results(f, *there)
    assert fake.fake_complaint() == b"", (name, fake.fake_complaint())
    assert done == list(calls), (name, done)
    with cudnn.flags(enabled=False, allow_tf32=cudnn.allow_tf32):
        own, none = results(f, *there)
        assert none == [0, 0, 0], name
    for a, b, c in zip(want, got, own):
        assert b.dtype == a.dtype and pt.equal(a, b.cpu()), (name, a, b)
        assert pt.equal(b, c), (name, b, c)
""",
)


@pytest.fixture(scope="module")
def fake(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("libraries"), "libcudnn.so.9", 92800)


def test_shapes_of_all_kinds(fake):
    run(
        fake,
        """
convolutions = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
transposed = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
sizes, kernel = (7, 6, 5), (3, 2, 3)
settings = [
    dict(), dict(padding=1), dict(stride=2), dict(dilation=2, padding=2), dict(groups=2),
    dict(stride=2, padding=1, groups=2),
]
for dims in (1, 2, 3):
    for s in settings:
        groups = s.get("groups", 1)
        x, w = numbers(2, 4, *sizes[:dims]), numbers(6, 4 // groups, *kernel[:dims])
        check(("bias", dims, s), lambda x, w, b: convolutions[dims](x, w, b, **s), x, w, numbers(6))
        check(("none", dims, s), lambda x, w: convolutions[dims](x, w, **s), x, w)
        y, v = numbers(2, 4, *sizes[:dims]), numbers(4, 6 // groups, *kernel[:dims])
        t = s | (dict(output_padding=1) if s.get("stride") else {})
        check(("transposed", dims, t), lambda y, v, b: transposed[dims](y, v, b, **t),
              y, v, numbers(6))
check("each its own", lambda x, w: F.conv2d(x, w, stride=(1, 2), padding=(2, 0), dilation=(1, 3)),
      numbers(1, 3, 6, 9), numbers(2, 3, 3, 2))
check("flat", F.conv3d, numbers(2, 3, 1, 5, 4), numbers(4, 3, 1, 2, 3))
check("1x1", F.conv2d, numbers(2, 3, 8, 8), numbers(4, 3, 1, 1), numbers(4))
check("no step", lambda x, w: F.conv2d(x, w, stride=2), numbers(2, 3, 4, 4), numbers(4, 3, 3, 3))
check("one of all", F.conv1d, numbers(1, 2, 1), numbers(1, 2, 1))
check("layout", lambda x, w: F.conv2d(x.mT, w), numbers(2, 3, 5, 4), numbers(4, 3, 2, 3))
assert fake.fake_additions() > 0
""",
    )


def test_types_and_how_they_are_multiplied(fake):
    run(
        fake,
        """
FMA, TENSOR_CORES = 3, 1
def math(dtype, allow):
    with cudnn.flags(enabled=True, allow_tf32=allow):
        for f, shape in ((F.conv2d, (4, 3, 3, 2)), (F.conv_transpose2d, (3, 4, 3, 2))):
            check(str(dtype), lambda x, w, b: f(x, w, b, padding=1),
                  numbers(1, 3, 4, 5, dtype=dtype), numbers(*shape, dtype=dtype),
                  numbers(4, dtype=dtype))
    return fake.fake_math()
assert math(pt.float32, False) == FMA
assert fake.fake_algorithm() == 1
assert math(pt.float32, True) == TENSOR_CORES
assert fake.fake_algorithm() == 6
for dtype in (pt.float16, pt.bfloat16, pt.float64):
    assert math(dtype, False) == math(dtype, True) == TENSOR_CORES
""",
    )


def test_what_the_library_declines_is_done_here(fake):
    run(
        fake,
        """
none = (0, 0, 0)
check("not supported", F.conv2d, numbers(1, 3, 4, 4), numbers(13, 3, 2, 2), calls=none)
plans = fake.fake_plans()
check("asked once", F.conv2d, numbers(1, 3, 4, 4), numbers(13, 3, 2, 2), calls=none)
assert fake.fake_plans() == plans
check("depthwise", lambda x, w: F.conv2d(x, w, groups=4), numbers(2, 4, 5, 5), numbers(4, 1, 3, 3),
      calls=none)
x, w = numbers(1, 3, 6, 6).cuda(), numbers(4, 3, 3, 3).cuda()
storage = numbers(1 + x.numel()).cuda()
skewed = storage[1:].view(x.shape)
skewed.copy_(x)
before = fake.fake_calls()
assert pt.equal(F.conv2d(skewed, w), F.conv2d(x, w))
assert fake.fake_calls() == before + 1
assert pt.equal(F.conv2d(x.to(pt.int64), w.to(pt.int64)).to(pt.float32), F.conv2d(x, w))
assert F.conv2d(x[:0], w).shape == (0, 4, 4, 4)
assert fake.fake_calls() == before + 2 and fake.fake_complaint() == b""
# Padding at one end alone.
from pytensor import _ops
forward = _ops.internal["conv_forward"]
a, b = numbers(1, 1, 4), numbers(1, 1, 3)
want = forward(a, b, None, [1], [1], [1], [3], 1)
assert pt.equal(forward(a.cuda(), b.cuda(), None, [1], [1], [1], [3], 1).cpu(), want)
assert fake.fake_calls() == before + 2
""",
    )


def test_settings(fake):
    run(
        fake,
        """
x, w = numbers(1, 3, 4, 5), numbers(4, 3, 3, 2)
assert cudnn.is_available() and cudnn.version() == libraries.version("cudnn") == 92800
assert libraries.version() is None
assert cudnn.is_acceptable(x.cuda()) and not cudnn.is_acceptable(x)
assert not cudnn.is_acceptable(x.cuda().long())
with cudnn.flags(enabled=False):
    assert cudnn.is_available() and not cudnn.is_acceptable(x.cuda())
assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, False, False)
check("guess", F.conv2d, x, w)
assert fake.fake_algorithm() == 6 and fake.fake_measured() == 0
cudnn.benchmark = True
check("measured", F.conv2d, x, w)
assert fake.fake_algorithm() == 5 and fake.fake_measured() == 3
check("once", F.conv2d, x, w)
assert fake.fake_algorithm() == 5 and fake.fake_measured() == 3
cudnn.deterministic = True
check("as before", F.conv2d, x, w)
assert fake.fake_algorithm() == 6 and fake.fake_measured() == 3
libraries.prefer(False)
check("none", F.conv2d, x, w, calls=(0, 0, 0))
""",
    )


def test_plans_are_kept_and_do_not_pile_up(fake):
    run(
        fake,
        """
x, w = numbers(1, 3, 4, 5), numbers(4, 3, 3, 2)
check("first", F.conv2d, x, w)
assert fake.fake_plans() == 3
for _ in range(3):
    check("again", F.conv2d, numbers(1, 3, 4, 5), numbers(4, 3, 3, 2))
assert fake.fake_plans() == 3
check("others", F.conv2d, numbers(1, 3, 4, 6), w)
assert fake.fake_plans() == 6
a, b = pt.ones(1, 1, 2).cuda(), pt.ones(1, 1, 2).cuda()
for padding in range(2100):
    F.conv1d(a, b, padding=padding, stride=5000)
pt.cuda.synchronize()
assert fake.fake_plans() == 2106 and fake.fake_complaint() == b""
assert 4 <= fake.fake_descriptors() < 4 * 2100
""",
    )


@pytest.mark.parametrize("lazy", ["0", "1"])
def test_streams_devices_and_threads(fake, lazy):
    run(
        fake,
        """
import threading
x, w = numbers(1, 3, 4, 5), numbers(4, 3, 3, 2)
want = F.conv2d(x, w)
streams = [pt.cuda.Stream() for _ in range(3)] + [pt.cuda.default_stream()]
for s in streams + streams:
    with pt.cuda.stream(s):
        got = F.conv2d(x.cuda(), w.cuda())
        s.synchronize()
        assert (fake.fake_stream() or 0) == s.cuda_stream
        assert pt.equal(got.cpu(), want)
assert fake.fake_handles() == 1
with pt.cuda.device(1):
    assert pt.equal(F.conv2d(x.cuda(), w.cuda()).cpu(), want)
assert fake.fake_handles() == 2
def work():
    with pt.cuda.stream(pt.cuda.Stream()):
        for _ in range(10):
            assert pt.equal(F.conv2d(x.cuda(), w.cuda(), numbers(4).cuda() * 0).cpu(), want)
            passed.append(1)
passed = []
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert len(passed) == 40 and fake.fake_handles() == 2 and fake.fake_complaint() == b""
""",
        PYTENSOR_EMU_DEVICES="2",
        PYTENSOR_EMU_LAZY=lazy,
    )


def test_graphs(fake):
    run(
        fake,
        """
w = numbers(4, 3, 3, 2).cuda()
b = numbers(4).cuda()
there = numbers(1, 3, 4, 5).cuda()
def captured():
    g = pt.cuda.CUDAGraph()
    before = fake.fake_calls()
    with pt.cuda.graph(g):
        y = F.conv2d(there, w, b)
    assert fake.fake_calls() == before
    return g, y
def replay(g, y, calls):
    for _ in range(3):
        there.copy_(numbers(1, 3, 4, 5))
        before = fake.fake_calls()
        g.replay()
        pt.cuda.synchronize()
        assert fake.fake_calls() == before + calls
        assert pt.equal(y.cpu(), F.conv2d(there.cpu(), w.cpu(), b.cpu()))
# A handle cannot be made meanwhile.
early = captured()
assert fake.fake_handles() == 0
replay(*early, 0)
F.conv2d(there, w)
replay(*captured(), 1)
# Nothing is timed meanwhile, but what has been timed is used.
cudnn.benchmark = True
replay(*captured(), 1)
assert fake.fake_measured() == 0 and fake.fake_algorithm() == 6
F.conv2d(there, w, b)
assert fake.fake_measured() == 1
replay(*captured(), 1)
assert fake.fake_measured() == 1 and fake.fake_algorithm() == 5
assert fake.fake_complaint() == b""
""",
    )


def test_failures(fake):
    program = """
x, w = numbers(1, 3, 4, 5), numbers(4, 3, 3, 2)
want, a, b = F.conv2d(x, w), x.cuda(), w.cuda()
LATE = os.environ["PYTENSOR_EMU_LAZY"] == "1"
for status, text in ((3000, "CUDNN_STATUS_NOT_SUPPORTED"), (5000, "CUDNN_STATUS_EXECUTION_FAILED")):
    if status == 3000 and not LATE:
        # Refused at the last moment: done here, and not tried again.
        before = fake.fake_calls()
        fake.fake_fail(status)
        assert pt.equal(F.conv2d(a, b).cpu(), want) and pt.equal(F.conv2d(a, b).cpu(), want)
        assert fake.fake_calls() == before
        continue
    x, a = numbers(2, 3, 4, 5), numbers(2, 3, 4, 5).cuda()
    fake.fake_fail(status)
    try:
        F.conv2d(a, b)
        pt.cuda.synchronize()
    except RuntimeError as e:
        print(e)
        assert "a convolution by cuDNN" in str(e) and text in str(e)
    else:
        raise AssertionError("no error")
assert pt.equal(F.conv2d(a, b).cpu(), F.conv2d(a.cpu(), w))
"""
    assert len(run(fake, program, PYTENSOR_EMU_LAZY="0")) == 1
    assert len(run(fake, program, PYTENSOR_EMU_LAZY="1")) == 2


@pytest.mark.parametrize(("version", "usable"), [(90_100, True), (8_907, False), (100_000, False)])
def test_versions(tmp_path, version, usable):
    library = build(tmp_path / "it's here", "libcudnn.so.9", version)
    program = f"""
print(libraries.version("cudnn"), cudnn.is_available())
check("", F.conv1d, numbers(1, 2, 5), numbers(3, 2, 2), calls=({usable:d},) * 3)
"""
    found = [f"{version} True" if usable else "None False"]
    assert run(library, program, f"/nowhere:{library.parent}") == found


def test_without_the_library(fake):
    program = """
assert not cudnn.is_available() and cudnn.version() is None and cudnn.enabled
check("", F.conv1d, numbers(1, 2, 5), numbers(3, 2, 2), calls=(0, 0, 0))
"""
    for setting in ("0", "", "/nowhere"):
        run(fake, program, setting)
