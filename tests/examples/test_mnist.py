"""The main job: what it leaves behind, that it repeats itself, and its checkpoint under torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pytensor as pt
from examples import mnist

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.mnist", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of a run of one epoch, and what it printed."""
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("mnist")
    done = run("--epochs", "1", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_what_it_leaves(results):
    out, printed = results
    assert sorted(path.name for path in out.iterdir()) == [
        "mispredicted.png",
        "mnist.pt",
        "training.png",
    ]
    accuracy = float(re.findall(r"test accuracy ([\d.]+)%", printed)[-1])
    assert accuracy > 90


def test_same_seed_same_accuracy(results, tmp_path):
    again = run("--epochs", "1", "--out", str(tmp_path))
    lines = [
        re.sub(r"[\d,]+ images/s|after .*| in .*", "", text) for text in (results[1], again.stdout)
    ]
    assert lines[0] == lines[1]


def test_torch_computes_the_same_logits_from_the_checkpoint(results):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    checkpoint = torch.load(results[0] / "mnist.pt", weights_only=True)
    theirs = nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    theirs.load_state_dict(dict(zip(theirs.state_dict(), checkpoint["model"].values())))
    ours = mnist.LeNet().eval()
    ours.load_state_dict(pt.load(results[0] / "mnist.pt")["model"])
    images = mnist.load(mnist.DATA, "t10k").tensors[0]
    with pt.no_grad(), torch.no_grad():
        got, want = ours(images).numpy(), theirs(torch.from_numpy(images.numpy())).numpy()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_help_and_errors():
    assert "--data" in run("--help").stdout
    done = run("--data", "/nowhere")
    assert done.returncode == 1
    assert "no train-images-idx3-ubyte.gz in /nowhere; --data says where" in done.stderr
    assert run("--epochs", "0").returncode == 2
