"""A cuDNN made for tests (fakes/cudnn.cpp), and what programs that use it are given.

``check`` compares a convolution and its gradients with the cpu's and with those of the kernels
here. Operands are whole numbers, so that results are exact.
"""

from __future__ import annotations

from functools import partial

from tests.cuda import fake_library

build = partial(fake_library.build, "cudnn.cpp")
run = partial(
    fake_library.run,
    """
F = pt.nn.functional
cudnn = pt.backends.cudnn
fake.fake_stream.restype = ctypes.c_void_p
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
