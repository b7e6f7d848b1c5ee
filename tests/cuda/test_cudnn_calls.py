"""cuDNN's handles and streams, its part in graphs, and what happens where it fails or is absent."""

from __future__ import annotations

import pytest

from tests.cuda.fake_cudnn import build, run
from tests.cuda.fake_library import needs_fake

pytestmark = needs_fake


@pytest.mark.parametrize("lazy", ["0", "1"])
def test_streams_devices_and_threads(fake_cudnn, lazy):
    run(
        fake_cudnn,
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


def test_graphs(fake_cudnn):
    run(
        fake_cudnn,
        """
w = numbers(4, 3, 3, 2).cuda()
b = numbers(4).cuda()
there = numbers(1, 3, 4, 5).cuda()
def captured():
    g = pt.cuda.CUDAGraph()
    pt.cuda.synchronize()
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
pt.cuda.synchronize()
assert fake.fake_measured() == 1
replay(*captured(), 1)
assert fake.fake_measured() == 1 and fake.fake_algorithm() == 5
assert fake.fake_complaint() == b""
""",
    )


def test_a_stream_that_the_library_does_not_take(fake_cudnn):
    run(
        fake_cudnn,
        """
x, w = numbers(1, 3, 4, 5), numbers(4, 3, 3, 2)
want, a, b = F.conv2d(x, w), x.cuda(), w.cuda()
F.conv2d(a, b)
stream = pt.cuda.Stream()
def on_stream(by_library):
    before = fake.fake_calls()
    with pt.cuda.stream(stream):
        got = F.conv2d(a, b)
        stream.synchronize()
    assert pt.equal(got.cpu(), want)
    assert fake.fake_calls() - before == by_library
fake.fake_fail_streams(2000)
on_stream(0)
F.conv2d(numbers(2, 3, 4, 5).cuda(), b)
fake.fake_fail_streams(0)
on_stream(1)
""",
        PYTENSOR_EMU_LAZY="0",
    )


def test_failures(fake_cudnn):
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
    a = numbers(status // 1000, 3, 4, 5).cuda()  # a plan of its own
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
    assert len(run(fake_cudnn, program, PYTENSOR_EMU_LAZY="0")) == 1
    assert len(run(fake_cudnn, program, PYTENSOR_EMU_LAZY="1")) == 2


@pytest.mark.parametrize(("version", "usable"), [(90_100, True), (8_907, False), (100_000, False)])
def test_versions(tmp_path, version, usable):
    library = build(tmp_path / "it's here", "libcudnn.so.9", version)
    program = f"""
print(libraries.version("cudnn"), cudnn.is_available())
check("", F.conv1d, numbers(1, 2, 5), numbers(3, 2, 2), calls=({usable:d},) * 3)
"""
    found = [f"{version} True" if usable else "None False"]
    assert run(library, program, f"/nowhere:{library.parent}") == found


def test_without_the_library(fake_cudnn):
    program = """
assert not cudnn.is_available() and cudnn.version() is None and cudnn.enabled
check("", F.conv1d, numbers(1, 2, 5), numbers(3, 2, 2), calls=(0, 0, 0))
"""
    for setting in ("0", "", "/nowhere"):
        run(fake_cudnn, program, setting)
