"""Functions and transforms of images give what torchvision gave when the record was made."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("PIL")

import numpy as np
from PIL import Image

import pytensor
from pytensor import nn
from pytensor.vision import transforms
from pytensor.vision.transforms import functional as F
from tests.vision import cases

RECORDED = json.loads(cases.RECORD.read_text())
# Sums of antialiased resizing are rounded to bytes after another order of additions.
ROUNDED = {"T.RandomResizedCrop(12)"}
# Texts in which torchvision names things that pytensor's users need not know.
OWN_WORDS = {"rotate_fill_error"}


def compare(got, want, name):
    for kind in want:
        w, g = want[kind], got[kind]
        if isinstance(w, str) and isinstance(g, str):
            if name in OWN_WORDS:
                w, g = w.partition(":")[0], g.partition(":")[0]
            w, g = (t.replace("pytensor", "torch") for t in (w, g))
        if name in ROUNDED and kind.endswith("uint8"):
            assert all(
                abs(a - b) <= 3 for u, v in zip(g[1:4], w[1:4]) for a, b in zip(u[3:], v[3:])
            )
            continue
        assert cases.same(g, w), f"{kind}: {g} instead of {w}"


@pytest.mark.parametrize("name", cases.FUNCTIONS)
def test_function(name):
    got = cases.run_function(cases.FUNCTIONS[name], F, pytensor)
    compare(got, RECORDED["functions"][name], name)


@pytest.mark.parametrize("text", cases.TRANSFORMS)
def test_transform(text):
    compare(cases.run_transform(text, transforms, pytensor), RECORDED["transforms"][text], text)


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "I", "F", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"]
)
def test_to_tensor_of_all_modes(mode):
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (5, 4, 3)).astype("uint8")).convert(mode)
    array = np.asarray(image)
    if mode == "1":
        array = array.astype("uint8") * 255
    array = array[..., None] if array.ndim == 2 else array
    t = F.to_tensor(image)
    want = array.transpose(2, 0, 1)
    if array.dtype == np.uint8:
        want = want.astype("float32") / 255
    assert t.is_contiguous()
    np.testing.assert_array_equal(t.numpy(), want)
    if mode in ("L", "RGB", "RGBA", "F", "I"):
        again = F.to_pil_image(F.pil_to_tensor(image), "F" if mode == "F" else None)
        assert again.mode == mode
        np.testing.assert_array_equal(np.asarray(again), np.asarray(image))


def test_to_tensor_of_arrays():
    a = np.arange(24).reshape(2, 4, 3)
    assert F.to_tensor(a).shape == (3, 2, 4)
    assert F.to_tensor(a).dtype == pytensor.int64
    assert F.to_tensor(a[..., 0].astype("float64")).shape == (1, 2, 4)
    with pytest.raises(ValueError, match="2/3 dimensional"):
        F.to_tensor(np.zeros(3))
    with pytest.raises(TypeError, match="PIL Image or ndarray"):
        F.to_tensor([1, 2])


def test_normalize_in_place():
    t = pytensor.ones(3, 2, 2)
    again = F.normalize(t, [0.5, 0.25, 0.0], [0.5, 0.5, 2.0], inplace=True)
    assert again is t
    assert t[:, 0, 0].tolist() == [1.0, 1.5, 0.5]
    assert F.normalize(t, (0.0,), (1.0,)) is not t
    with pytest.raises(TypeError, match="float tensor"):
        F.normalize(pytensor.ones(1, 2, 2, dtype=pytensor.int64), [0.0], [1.0])


def test_transforms_are_modules():
    both = nn.Sequential(transforms.CenterCrop(4), transforms.RandomHorizontalFlip(p=1.0))
    x = pytensor.arange(36.0).reshape(1, 6, 6)
    assert both(x).tolist() == x[:, 1:5, 1:5].flip(-1).tolist()


def test_other_things_than_images():
    for call in (F.hflip, lambda x: F.resize(x, 3), lambda x: F.rotate(x, 10)):
        with pytest.raises(TypeError, match="Unexpected type"):
            call("image")
    with pytest.raises(TypeError, match="not a torch image"):
        F.hflip(pytensor.ones(3))
    with pytest.raises(ValueError, match="lanczos"):
        F.resize(pytensor.ones(1, 4, 4), 2, transforms.InterpolationMode.LANCZOS)
