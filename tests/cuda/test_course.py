"""The course's programs on a cuda device give torch's losses, and LeNet learns there.

The programs of examples/course run as they are, twice: under torch on the cpu, and under pytensor
with the tensors they make, their models and their batches on the device. Random numbers are those
of the cpu in both: a device's streams are its own, so the creating functions are called for the
cpu, and what they return is moved. A program's training stops after STEPS losses; Adam and what
follows it divide by small numbers, so that rounding grows.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytensor as pt
from pytensor import nn
from pytensor.vision.datasets.mnist import read_idx
from tests.course.test_course import PROGRAMS, RTOL, instrument

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")

STEPS = 60
DIGITS = Path(__file__).parents[2] / "examples" / "data"
CREATORS = ("randn", "rand", "rand_like", "ones_like", "tensor", "from_numpy", "ones", "zeros")


class Enough(Exception):
    """The program has made STEPS losses."""


@contextmanager
def everything_on_the_device(monkeypatch):
    """What programs create by name lies on the device; layers come to lie there, too."""

    def moved(create):
        def call(*args: Any, requires_grad: bool = False, device: Any = None, **kwargs: Any):
            args = tuple(a.cpu() if isinstance(a, pt.Tensor) else a for a in args)
            return create(*args, **kwargs).to("cuda").requires_grad_(requires_grad)

        return call

    def on_device(build):
        def init(self, *args: Any, **kwargs: Any) -> None:
            build(self, *args, **kwargs)
            self.to("cuda")

        return init

    with monkeypatch.context() as patch:
        for name in CREATORS:
            patch.setattr(pt, name, moved(getattr(pt, name)))
        patch.setattr(nn.Linear, "__init__", on_device(nn.Linear.__init__))
        yield


def run(path: Path, library: Any) -> tuple[dict[str, Any], list[float]]:
    """Tensors and weights assigned before the loop, and the loss of each step."""
    first: dict[str, Any] = {}
    losses: list[float] = []

    def keep(name: str, value: Any) -> None:
        if library is pt:
            assert value.is_cuda, name
        first[name] = value.detach().cpu().clone().numpy()

    def record(name: str, value: Any, in_loop: bool) -> None:
        if name == "loss":
            losses.append(value.item())
            if len(losses) == STEPS:
                raise Enough
        elif isinstance(value, library.Tensor) and not in_loop:
            keep(name, value)
        elif isinstance(value, library.nn.Module) and not in_loop:
            for key, weight in value.state_dict().items():
                keep(f"{name}.{key}", weight)

    library.manual_seed(0)
    with suppress(Enough):
        exec(instrument(path, library.__name__), {"record": record, "__name__": "course"})
    return first, losses


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program_gives_the_numbers_of_torch(path: Path, monkeypatch) -> None:
    expected_first, expected = run(path, torch)
    with everything_on_the_device(monkeypatch):
        first, losses = run(path, pt)
    assert first.keys() == expected_first.keys()
    for name, value in expected_first.items():
        np.testing.assert_array_equal(first[name], value, err_msg=name)
    assert len(losses) == len(expected)
    # As in tests/course: far below the first loss only rounding is left to compare.
    floor = 2e-11 * max(expected, default=0.0)
    rtol = RTOL.get(path.name[:2], 1e-4)
    np.testing.assert_allclose(losses, expected, rtol=rtol, atol=floor, equal_nan=True)


def lenet(library: Any) -> Any:
    n = library.nn
    return n.Sequential(
        n.Conv2d(1, 6, 5, padding=2), n.ReLU(), n.MaxPool2d(2),
        n.Conv2d(6, 16, 5), n.ReLU(), n.MaxPool2d(2), n.Flatten(),
        n.Linear(400, 120), n.ReLU(), n.Linear(120, 84), n.ReLU(), n.Linear(84, 10),
    )  # fmt: skip


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first handwritten digits of the course's data."""
    images = read_idx(DIGITS / "train-images-idx3-ubyte.gz")[:count]
    labels = read_idx(DIGITS / "train-labels-idx1-ubyte.gz")[:count]
    scaled = (images.float() / 255 - 0.1307) / 0.3081  # mean and deviation of all digits
    return scaled.unsqueeze(1).numpy(), labels.long().numpy()


def train(library: Any, device: str, steps: int) -> list[float]:
    library.manual_seed(0)
    data = library.utils.data
    images, labels = (library.from_numpy(x) for x in digits(16 * 40))
    loader = data.DataLoader(data.TensorDataset(images, labels), batch_size=16, shuffle=True)
    model = lenet(library).to(device)
    optimizer = library.optim.Adam(model.parameters(), lr=3e-3)
    losses: list[float] = []
    for x, y in loader:
        loss = library.nn.functional.cross_entropy(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) == steps:
            break
    return losses


def test_lenet_learns_the_digits() -> None:
    steps = 36
    losses = train(pt, "cuda", steps)
    assert losses[:10] == pytest.approx(train(torch, "cpu", 10), rel=1e-3)
    assert sum(losses[-6:]) < 0.6 * sum(losses[:6])
