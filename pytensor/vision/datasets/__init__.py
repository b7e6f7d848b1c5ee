"""Data sets of images, in torchvision's folders and with its labels."""

from __future__ import annotations

from pytensor.vision.datasets.cifar import CIFAR10, CIFAR100
from pytensor.vision.datasets.fakedata import FakeData
from pytensor.vision.datasets.folder import DatasetFolder, ImageFolder
from pytensor.vision.datasets.mnist import EMNIST, KMNIST, MNIST, FashionMNIST
from pytensor.vision.datasets.vision import VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "EMNIST",
    "KMNIST",
    "MNIST",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
]
