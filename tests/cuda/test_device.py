"""Tensors on cuda devices: where calls run, what is refused, how data gets there and back.

Needs a device; a build with PYTENSOR_CUDA=EMULATE has one on any machine.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")


@pytest.fixture
def x():
    return pt.arange(12, dtype=pt.float32).reshape(3, 4)


def test_there_and_back(x):
    there = x.cuda()
    assert there.device == pt.device("cuda", 0)
    assert there.is_cuda
    assert pt.equal(there.cpu(), x)
    assert there.cuda() is there
    assert there.cpu().device.type == "cpu"
    assert pt.equal(x.to("cuda:0", pt.float64).cpu(), x.double())


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "float64"])
def test_conversions_are_those_of_the_cpu(x, dtype):
    t = getattr(pt, dtype)
    assert pt.equal(x.cuda().to(t).cpu(), x.to(t))
    assert pt.equal(x.to(t).cuda().float().cpu(), x.to(t).float())


def test_strides_survive_the_journey(x):
    assert x.t().cuda().stride() == x.t().stride()
    assert pt.equal(x[:, ::2].cuda().cpu(), x[:, ::2])
    assert pt.equal(x[0].expand(5, 4).cuda().cpu(), x[0].expand(5, 4))


def test_copies_between_places(x):
    there = pt.zeros(3, 4, device="cuda")
    there.copy_(x)
    there[1] = pt.ones(4)
    there[:, 0] = 7
    here = pt.empty(4, 3).t()
    here.copy_(there)
    x[1] = 1
    x[:, 0] = 7
    assert pt.equal(here, x)


def test_new_tensors_are_where_they_are_asked_for(x):
    there = x.cuda()
    for made in (
        pt.ones(3, device="cuda"),
        pt.arange(5, device="cuda"),
        pt.tensor([1, 2], device="cuda"),
        pt.zeros_like(there),
        there.new_ones(2),
        there.new_tensor([1.0]),
        there + 1,
        there.sum(),
        pt.cat([there, there]),
    ):
        assert made.device == pt.device("cuda", 0)
    assert pt.zeros_like(there, device="cpu").device.type == "cpu"
    assert pt.zeros_like(x, device="cuda").is_cuda


def test_tensors_of_two_devices_are_refused(x):
    with pytest.raises(RuntimeError, match="same device, but found at least two devices, cuda:0"):
        x.cuda() + x
    with pytest.raises(RuntimeError, match="cuda:0 and cpu"):
        pt.mm(x, x.t().cuda())
    with pytest.raises(RuntimeError, match="same device"):
        x.cuda().softmax(0).mv(pt.ones(4))


def test_numbers_of_the_cpu_mix_with_any_device(x):
    number = pt.tensor(2.0, requires_grad=True)
    y = x.cuda() * number
    assert y.is_cuda
    y.sum().backward()
    assert number.grad is not None
    assert number.grad.device.type == "cpu"
    assert number.grad.item() == x.sum().item()


def test_an_op_that_has_no_kernel_goes_by_way_of_the_host(x):
    there = pt.linalg.svdvals(x.cuda())
    assert there.is_cuda
    assert pt.allclose(there.cpu(), pt.linalg.svdvals(x), atol=1e-5)


def test_gradients_stay_on_the_device_and_cross_it(x):
    weight = x.clone().requires_grad_()
    there = x.cuda().requires_grad_()
    (weight.cuda() @ there.t()).tanh().sum().backward()
    assert there.grad.is_cuda
    assert weight.grad.device.type == "cpu"
    twin = x.clone().requires_grad_()
    other = x.clone().requires_grad_()
    (twin @ other.t()).tanh().sum().backward()
    assert pt.allclose(weight.grad, twin.grad, atol=1e-6)
    assert pt.allclose(there.grad.cpu(), other.grad, atol=1e-6)


def test_python_reads_through_a_copy(x):
    there = x.cuda()
    assert there.tolist() == x.tolist()
    assert there[1, 2].item() == 6
    assert repr(pt.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"
    with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy"):
        there.numpy()


def test_memory_is_counted_and_given_back():
    pt.cuda.empty_cache()
    before = pt.cuda.memory_allocated()
    t = pt.empty(1000, 1000, device="cuda")
    assert pt.cuda.memory_allocated() - before >= 4_000_000
    del t
    assert pt.cuda.memory_allocated() == before
    assert pt.cuda.max_memory_allocated() >= before + 4_000_000


def test_exhausted_memory():
    with pytest.raises(pt.cuda.OutOfMemoryError, match=r"CUDA out of memory\. Tried to allocate"):
        pt.empty(1 << 45, device="cuda")


def test_streams_and_events(x):
    stream, done = pt.cuda.Stream(), pt.cuda.Event(enable_timing=True)
    start = pt.cuda.Event(enable_timing=True)
    start.record()
    there = x.cuda()
    stream.wait_stream(pt.cuda.current_stream())
    with pt.cuda.stream(stream):
        assert pt.cuda.current_stream() == stream
        y = there * 2
        done.record()
    done.synchronize()
    assert done.query()
    assert start.elapsed_time(done) >= 0
    assert pt.equal(y.cpu(), x * 2)
    assert pt.cuda.current_stream() == pt.cuda.default_stream()


@pytest.mark.parametrize("order", ["reverse", "random"])
def test_results_depend_neither_on_the_order_of_threads_nor_on_when_streams_run(order):
    if "emulated" not in pt.cuda.get_device_name():
        pytest.skip("a real device chooses its own order")
    program = """
import pytensor as pt
pt.manual_seed(1)
x = pt.randn(70, 300)
y = x.cuda()
z = (y @ y.t()).softmax(1).log().sum(0) + y.var(1) + y.max(1)[0] + y.logsumexp(1) + y.mean()
print(z.double().sum().item().hex())
"""

    def run(**settings: str) -> str:
        command = [sys.executable, "-c", program]
        env = {"PYTENSOR_CUDA_CACHE": "0", **settings}
        done = subprocess.run(
            command, env={**os.environ, **env}, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert run(PYTENSOR_EMU_ORDER=order, PYTENSOR_EMU_LAZY="1") == run()
