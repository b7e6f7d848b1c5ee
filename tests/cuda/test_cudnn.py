"""cuDNN: that it is told the truth about every convolution, and is not asked for what it cannot do.

A fake takes its place, checks the descriptions it gets and convolves on the host.
"""

from __future__ import annotations

from tests.cuda.fake_cudnn import run
from tests.cuda.fake_library import needs_fake

pytestmark = needs_fake


def test_shapes_of_all_kinds(fake_cudnn):
    run(
        fake_cudnn,
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


def test_types_and_how_they_are_multiplied(fake_cudnn):
    run(
        fake_cudnn,
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


def test_what_the_library_declines_is_done_here(fake_cudnn):
    run(
        fake_cudnn,
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


def test_settings(fake_cudnn):
    run(
        fake_cudnn,
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


def test_plans_are_kept_and_do_not_pile_up(fake_cudnn):
    run(
        fake_cudnn,
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
