"""Calls of torchvision's functions and transforms, which the tests of this folder repeat.

`record.py` runs them with torchvision and writes what comes out to tests/data/torchvision.json;
torchvision is not needed to run the tests.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RECORD = Path(__file__).parents[1] / "data" / "torchvision.json"

_rng = np.random.default_rng(0)
_RGB = _rng.integers(0, 256, (13, 17, 3)).astype("uint8")
_GRAY = _rng.integers(0, 256, (14, 9)).astype("uint8")


def inputs(torch: Any) -> Iterator[tuple[str, Any]]:
    """Images of all kinds; `torch` makes the tensors."""
    for kind, array in (("rgb", _RGB), ("gray", _GRAY)):
        yield f"{kind}_pil", Image.fromarray(array)
        planes = array if array.ndim == 3 else array[..., None]
        planes = np.ascontiguousarray(planes.transpose(2, 0, 1))
        yield f"{kind}_uint8", torch.tensor(planes)
        floats = (planes / 255).astype("float32")
        yield f"{kind}_float", torch.tensor(floats)
    yield "batch", torch.tensor(np.stack([floats, floats[..., ::-1]]).astype("float64"))


_MODES = ("NEAREST", "NEAREST_EXACT", "BILINEAR", "BICUBIC")

# Expressions of F (the functional module), M (its InterpolationMode) and x.
FUNCTIONS = {
    "hflip": "F.hflip(x)",
    "vflip": "F.vflip(x)",
    "crop": "F.crop(x, 2, 3, 5, 4)",
    "crop_outside": "F.crop(x, -2, -3, 25, 26)",
    "crop_corner": "F.crop(x, 9, 6, 10, 10)",
    "center_crop": "F.center_crop(x, [5, 6])",
    "center_crop_higher": "F.center_crop(x, [16, 6])",
    "center_crop_larger": "F.center_crop(x, 21)",
    "five_crop": "F.five_crop(x, 5)",
    "ten_crop": "F.ten_crop(x, [4, 5], True)",
    "pad": "F.pad(x, 2)",
    "pad_two": "F.pad(x, [1, 2], 3)",
    "pad_negative": "F.pad(x, [-1, 2, 3, -4], 1)",
    **{
        f"pad_{mode}": f"F.pad(x, [1, 2, 3, 4], 0, '{mode}')"
        for mode in ("edge", "reflect", "symmetric")
    },
    "pad_error": "F.pad(x, [1, 2, 3])",
    **{
        f"resize_{mode}_{i}": f"F.resize(x, {size}, M.{mode})"
        for mode in _MODES
        for i, size in enumerate(("5", "(20, 11)"))
    },
    "resize_plain": "F.resize(x, 5, antialias=False)",
    "resize_max": "F.resize(x, 8, max_size=10)",
    "resize_max_error": "F.resize(x, 8, max_size=7)",
    "resized_crop": "F.resized_crop(x, 1, 2, 8, 6, [5, 5])",
    "rotate": "F.rotate(x, 30)",
    "rotate_bilinear": "F.rotate(x, -47.3, M.BILINEAR)",
    "rotate_expand": "F.rotate(x, 30, expand=True)",
    "rotate_right_angle": "F.rotate(x, 90, expand=True)",
    "rotate_center": "F.rotate(x, 20, center=[2, 3])",
    "rotate_fill": "F.rotate(x, 20, fill=[1.0])",
    "rotate_fill_bilinear": "F.rotate(x, 20, M.BILINEAR, fill=[1.0])",
    "rotate_fill_error": "F.rotate(x, 20, fill=[1.0, 0.0])",
    "affine": "F.affine(x, 20, [2, 1], 1.2, [5.0, 3.0])",
    "affine_bilinear": "F.affine(x, -20.0, [2, -1], 0.7, [15.0, 3.0], M.BILINEAR, fill=[1.0])",
    "affine_center": "F.affine(x, 10, [0, 0], 1.0, 5.0, center=[1, 1])",
    "perspective": """F.perspective(
        x, [[0, 0], [8, 0], [8, 10], [0, 10]], [[1, 2], [7, 0], [8, 9], [1, 10]])""",
    "perspective_fill": """F.perspective(
        x, [[0, 0], [8, 0], [8, 10], [0, 10]], [[1, 2], [7, 0], [8, 9], [1, 10]],
        M.NEAREST, fill=[1.0])""",
    "brightness": "F.adjust_brightness(x, 1.3)",
    "contrast": "F.adjust_contrast(x, 0.4)",
    "saturation": "F.adjust_saturation(x, 1.7)",
    "hue": "F.adjust_hue(x, 0.2)",
    "hue_back": "F.adjust_hue(x, -0.37)",
    "hue_error": "F.adjust_hue(x, 0.7)",
    "gamma": "F.adjust_gamma(x, 1.7, 0.9)",
    "gray": "F.rgb_to_grayscale(x)",
    "gray_three": "F.rgb_to_grayscale(x, 3)",
    "blur": "F.gaussian_blur(x, [3, 5])",
    "blur_sigma": "F.gaussian_blur(x, 5, 1.7)",
    "blur_error": "F.gaussian_blur(x, 4)",
    "invert": "F.invert(x)",
    "posterize": "F.posterize(x, 3)",
    "solarize": "F.solarize(x, 0.5)",
    "autocontrast": "F.autocontrast(x)",
    "equalize": "F.equalize(x)",
    "sharpen": "F.adjust_sharpness(x, 1.8)",
    "dimensions": "F.get_dimensions(x) + F.get_image_size(x)",
    "to_pil_image": "F.to_pil_image(x)",
    "to_tensor": "F.to_tensor(x)",
    "pil_to_tensor": "F.pil_to_tensor(x)",
    "to_float": "F.convert_image_dtype(x)",
    "to_double": "F.convert_image_dtype(x, torch.float64)",
    "to_bytes": "F.convert_image_dtype(x, torch.uint8)",
    "to_shorts": "F.convert_image_dtype(x, torch.int16)",
    "normalize": "F.normalize(x, [0.5], [0.2])",
    "normalize_zero": "F.normalize(x, [0.5], [0.0])",
    "erase": "F.erase(x, 1, 2, 3, 4, torch.zeros(1, 1, 1))",
}

# Expressions of T (the transforms module), each called several times after seeding.
TRANSFORMS = [
    "T.Compose([T.RandomHorizontalFlip(), T.RandomVerticalFlip(0.3)])",
    "T.RandomCrop(8)",
    "T.RandomCrop((10, 8), padding=4)",
    "T.RandomCrop(20, pad_if_needed=True, fill=1)",
    "T.RandomCrop(18, padding=(1, 2), pad_if_needed=True, padding_mode='reflect')",
    "T.RandomCrop(40)",
    "T.RandomResizedCrop(12)",
    "T.RandomResizedCrop((9, 12), (0.5, 0.6), (5, 6))",
    "T.RandomResizedCrop((9, 12), (0.5, 0.6), (0.1, 0.2), T.InterpolationMode.NEAREST)",
    "T.ColorJitter(0.4, 0.3, 0.2, 0.1)",
    "T.ColorJitter(brightness=(0.5, 1.5), hue=0.5)",
    "T.RandomRotation(30)",
    "T.RandomRotation((10, 70), T.InterpolationMode.BILINEAR, True, fill=1)",
    "T.RandomRotation(30, center=(2, 3))",
    "T.RandomAffine(20, (0.1, 0.2), (0.8, 1.2), 10)",
    "T.RandomAffine(20, (0.1, 0.2), None, (1, 2, 3, 4), T.InterpolationMode.BILINEAR, 1)",
    "T.RandomPerspective(0.4, 1.0)",
    "T.RandomGrayscale(0.5)",
    "T.GaussianBlur(3)",
    "T.GaussianBlur((3, 5), (0.3, 0.9))",
    "T.RandomErasing(0.7)",
    "T.RandomErasing(1.0, value='random')",
    "T.RandomErasing(1.0, value=(0.5,), ratio=(20.0, 30.0))",
    "T.RandomApply([T.CenterCrop(5)], 0.4)",
    "T.RandomChoice([T.CenterCrop(5), T.CenterCrop(6), T.CenterCrop(7)], [0.2, 0.3, 0.5])",
    "T.RandomOrder([T.CenterCrop(9), T.Resize(7), T.RandomCrop(5)])",
    "T.RandomInvert()",
    "T.RandomPosterize(3)",
    "T.RandomSolarize(0.5)",
    "T.RandomAdjustSharpness(2)",
    "T.RandomAutocontrast()",
    "T.RandomEqualize()",
    "T.Compose([T.Resize(10), T.CenterCrop(8), T.ToTensor(), T.Normalize((0.5,), (0.2,))])",
    "T.Compose([T.PILToTensor(), T.ConvertImageDtype(torch.float64)])",
    "T.Normalize([0.5], [0.2])",
    "T.ToPILImage()",
    "T.FiveCrop(6)",
    "T.TenCrop(6)",
    "T.Pad((1, 2))",
    "T.Grayscale(3)",
    "T.Lambda(lambda x: x)",
    "T.LinearTransformation(torch.eye(126), torch.zeros(126))",
    # What is refused.
    "T.Resize((3, 4, 5))",
    "T.RandomErasing(value='x')",
    "T.RandomErasing(2.0)",
    "T.ColorJitter(hue=0.7)",
    "T.ColorJitter(-1)",
    "T.RandomRotation(-3)",
    "T.RandomRotation((1, 2, 3))",
    "T.RandomAffine(3, translate=(2, 0))",
    "T.RandomAffine(3, scale=(0, 1))",
    "T.GaussianBlur(2)",
    "T.GaussianBlur(3, (2, 1))",
    "T.CenterCrop((1, 2, 3))",
    "T.Pad(1, padding_mode='x')",
    "T.Lambda(3)",
]

CALLS = 3  # of a transform


def summary(value: Any) -> Any:
    """Shape, dtype, sum and a weighted sum of an image: what can be recorded and compared."""
    if isinstance(value, (list, tuple)):
        return [summary(v) for v in value]
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    flat = array.astype("float64").ravel()
    weights = np.cos(np.arange(flat.size) * 0.7)
    sums = [round(float(flat.sum()), 5), round(float(flat @ weights), 5)]
    kind = type(value).__name__ if isinstance(value, (int, Image.Image)) else "Tensor"
    return [kind, str(array.dtype), list(array.shape), *sums]


def _outcome(call: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def run_function(text: str, functional: Any, torch: Any) -> dict[str, Any]:
    """What an expression gives for each kind of image."""
    names = {"F": functional, "M": functional.InterpolationMode, "torch": torch}
    return {
        kind: _outcome(lambda x=x: summary(eval(text, {**names, "x": x})))
        for kind, x in inputs(torch)
    }


def run_transform(text: str, transforms: Any, torch: Any) -> dict[str, Any]:
    """What several calls of a transform give, its text, and the next random number."""

    def calls(x: Any) -> Any:
        torch.manual_seed(3)
        random.seed(5)
        transform = eval(text, {"T": transforms, "torch": torch})
        results = [summary(transform(x)) for _ in range(CALLS)]
        text_of = "" if "Linear" in text else repr(transform)
        return [text_of, *results, torch.rand(1).item()]

    return {kind: _outcome(lambda x=x: calls(x)) for kind, x in inputs(torch)}


def same(got: Any, want: Any) -> bool:
    """Equality, but of numbers to a part in 10,000."""
    if isinstance(want, list) and isinstance(got, list):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, float) and isinstance(got, float):
        return math.isclose(got, want, rel_tol=1e-4, abs_tol=2e-3)
    return bool(got == want)
