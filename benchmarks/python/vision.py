"""Transforms of images, each library's package beside the other's: needs torchvision."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main


def transform(text: str, image: str) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        import numpy as np
        from PIL import Image

        own = T.__name__ == "pytensor"
        package = importlib.import_module("pytensor.vision" if own else "torchvision")
        rng = np.random.default_rng(0)
        images = {
            "digit": lambda: Image.fromarray(rng.integers(0, 256, (28, 28)).astype("uint8")),
            "photo": lambda: Image.fromarray(rng.integers(0, 256, (224, 224, 3)).astype("uint8")),
            "small": lambda: Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype("uint8")),
            "tensor": lambda: T.tensor(rng.random((3, 224, 224)).astype("float32")),
        }
        return {"f": eval(text, {"V": package.transforms}), "x": images[image]()}

    return setup


_BOTH = "V.Compose([V.ToTensor(), V.Normalize((0.1307,), (0.3081,))])"
_AUGMENT = (
    "V.Compose([V.RandomCrop(32, padding=4), V.RandomHorizontalFlip(), V.ToTensor(), "
    "V.Normalize((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))])"
)

CASES = [
    Case("ToTensor", "28x28 PIL", "f(x)", transform("V.ToTensor()", "digit")),
    Case("ToTensor, Normalize", "28x28 PIL", "f(x)", transform(_BOTH, "digit")),
    Case("ToTensor", "224x224x3 PIL", "f(x)", transform("V.ToTensor()", "photo")),
    Case("augment", "32x32x3 PIL", "f(x)", transform(_AUGMENT, "small")),
    Case("Normalize", "3x224x224", "f(x)", transform("V.Normalize([0.5], [0.2])", "tensor")),
    Case("Resize", "3x224x224", "f(x)", transform("V.Resize(128)", "tensor")),
    Case("RandomResizedCrop", "3x224x224", "f(x)", transform("V.RandomResizedCrop(96)", "tensor")),
    Case("RandomRotation", "3x224x224", "f(x)", transform("V.RandomRotation(30)", "tensor")),
    Case("ColorJitter", "3x224x224", "f(x)", transform("V.ColorJitter(.4, .4, .4, .1)", "tensor")),
    Case("GaussianBlur", "3x224x224", "f(x)", transform("V.GaussianBlur(5)", "tensor")),
]

if __name__ == "__main__":
    main("benchmarks.python.vision", __doc__, CASES)
