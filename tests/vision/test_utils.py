"""make_grid and save_image."""

from __future__ import annotations

import io

import numpy as np
import pytest

import pytensor
from pytensor.vision.utils import make_grid, save_image

RNG = np.random.default_rng(0)


def test_make_grid():
    images = RNG.standard_normal((5, 3, 4, 6)).astype("float32")
    grid = make_grid(pytensor.tensor(images), nrow=3, padding=1, pad_value=0.5).numpy()
    assert grid.shape == (3, 11, 22)
    want = np.full((3, 11, 22), 0.5, dtype="float32")
    for i in range(5):
        row, column = divmod(i, 3)
        top, left = 1 + row * 5, 1 + column * 7
        want[:, top : top + 4, left : left + 6] = images[i]
    np.testing.assert_array_equal(grid, want)
    listed = make_grid([pytensor.tensor(i) for i in images], nrow=3, padding=1, pad_value=0.5)
    np.testing.assert_array_equal(listed.numpy(), want)


def test_single_and_gray_images():
    assert make_grid(pytensor.ones(4, 6)).shape == (3, 4, 6)
    assert make_grid(pytensor.ones(1, 4, 6)).shape == (3, 4, 6)
    assert make_grid(pytensor.ones(2, 1, 4, 6)).shape == (3, 8, 18)


def test_normalize():
    x = pytensor.tensor([[[[1.0, 3.0]]], [[[2.0, 5.0]]]])
    assert make_grid(x, padding=0, normalize=True)[0, 0].tolist() == [0.0, 0.5, 0.25, 1.0]
    each = make_grid(x, padding=0, normalize=True, scale_each=True)
    assert each[0, 0].tolist() == [0.0, 1.0, 0.0, 1.0]
    ranged = make_grid(x, padding=0, normalize=True, value_range=(0.0, 4.0))
    assert ranged[0, 0].tolist() == [0.25, 0.75, 0.5, 1.0]
    assert x.tolist() == [[[[1.0, 3.0]]], [[[2.0, 5.0]]]]
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        make_grid(x, normalize=True, value_range=[0, 1])


def test_other_things():
    with pytest.raises(TypeError, match="tensor or list of tensors expected, got <class 'int'>"):
        make_grid(3)
    with pytest.raises(TypeError, match="got a list containing <class 'int'>"):
        make_grid([1])


def test_save_image(tmp_path):
    image = pytest.importorskip("PIL.Image")
    x = pytensor.tensor(RNG.uniform(-0.2, 1.2, (2, 3, 4, 6)).astype("float32"), requires_grad=True)
    save_image(x, tmp_path / "grid.png", padding=0)
    read = np.asarray(image.open(tmp_path / "grid.png"))
    both = np.concatenate(list(x.detach().numpy()), axis=2).transpose(1, 2, 0)
    np.testing.assert_array_equal(read, np.floor(np.clip(both * 255 + 0.5, 0, 255)))
    memory = io.BytesIO()
    save_image(pytensor.ones(1, 5, 5), memory, format="png")
    memory.seek(0)
    assert image.open(memory).size == (5, 5)
