"""cuDNN's convolutions beside those of the kernels here, on a machine that has it.

Of a fake cuDNN (fakes/cudnn.cpp) they hold, too: PYTENSOR_CUDA_LIBRARIES may name its folder.
"""

from __future__ import annotations

import pytest

import pytensor as torch
from pytensor.nn import functional as F

cudnn = torch.backends.cudnn
pytestmark = pytest.mark.skipif(
    not (torch.cuda.is_available() and cudnn.is_available()), reason="no cuDNN for a cuda device"
)

# Of results to 100: the transforms of cuDNN's algorithms round whole numbers, too.
TOLERANCE = {"float32": 1e-3, "tf32": 0.1, "float64": 1e-9, "float16": 0.2, "bfloat16": 1.0}
KINDS = [
    (F.conv1d, (4, 16, 21), (8, 16, 3), {}),
    (F.conv2d, (4, 16, 13, 17), (24, 16, 3, 3), {"padding": 1}),
    (F.conv2d, (4, 16, 13, 17), (24, 4, 3, 3), {"padding": 1, "groups": 4, "stride": 2}),
    (F.conv2d, (2, 8, 16, 16), (8, 8, 1, 1), {}),
    (F.conv2d, (2, 3, 23, 17), (8, 3, 5, 3), {"dilation": 2, "padding": (4, 1)}),
    (F.conv3d, (2, 4, 5, 6, 7), (6, 4, 2, 3, 3), {"padding": 1}),
    (F.conv_transpose2d, (2, 8, 6, 7), (8, 4, 3, 3), {"stride": 2, "padding": 1}),
]


def results(convolve, x, w, b, settings):
    operands = [t.clone().requires_grad_() for t in (x, w, b)]
    out = convolve(*operands, **settings)
    out.backward(torch.ones_like(out))
    return [t.detach().cpu().double() for t in (out, *(o.grad for o in operands))]


@pytest.mark.parametrize("name", TOLERANCE)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].__name__)
def test_values(kind, name):
    convolve, image, weight, settings = kind
    dtype = torch.float32 if name == "tf32" else getattr(torch, name)
    made = torch.Generator().manual_seed(5)
    channels = weight[1] if convolve is F.conv_transpose2d else weight[0]
    x, w, b = (
        torch.randint(-2, 3, size, generator=made).to(dtype).cuda()
        for size in (image, weight, (channels,))
    )
    with cudnn.flags(enabled=False, allow_tf32=name == "tf32"):
        want = results(convolve, x, w, b, settings)
    for benchmark in (False, True):
        with cudnn.flags(enabled=True, benchmark=benchmark, allow_tf32=name == "tf32"):
            got = results(convolve, x, w, b, settings)
            again = results(convolve, x, w, b, settings)
        for a, g, r in zip(want, got, again, strict=True):
            assert torch.equal(g, r)
            limit = TOLERANCE[name] * max(1.0, a.abs().max().item() / 100)
            assert (a - g).abs().max().item() <= limit


def test_in_a_graph():
    x, w = torch.randn(2, 8, 9, 9).cuda(), torch.randn(16, 8, 3, 3).cuda()
    with cudnn.flags(enabled=True):
        want = F.conv2d(x, w)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = F.conv2d(x, w)
        graph.replay()
        assert torch.equal(y, want)
        x.neg_()
        graph.replay()
        assert torch.equal(y, -want)
