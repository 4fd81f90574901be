"""Data sets of images in torchvision's folders and files, and the digits that ship with the package."""

import sys as _sys

from tinygrad_lite.engine.no_effect import AbsentRoom as _AbsentRoom
from tinygrad_lite.vision.datasets.annotated import (
    CocoCaptions as CocoCaptions,
    CocoDetection as CocoDetection,
    VOCDetection as VOCDetection,
    VOCSegmentation as VOCSegmentation,
)
from tinygrad_lite.vision.datasets.cifar import (
    CIFAR10 as CIFAR10,
    CIFAR100 as CIFAR100,
    check_integrity as _check_integrity,
)
from tinygrad_lite.vision.datasets.digits import Digits as Digits
from tinygrad_lite.vision.datasets.fakedata import FakeData as FakeData
from tinygrad_lite.vision.datasets.folder import DatasetFolder as DatasetFolder, ImageFolder as ImageFolder
from tinygrad_lite.vision.datasets.mnist import KMNIST as KMNIST, MNIST as MNIST, FashionMNIST as FashionMNIST
from tinygrad_lite.vision.datasets.vision import VisionDataset as VisionDataset

__all__ = ["CIFAR10", "CIFAR100", "MNIST", "KMNIST", "CocoCaptions", "CocoDetection", "DatasetFolder", "Digits",
           "FakeData", "FashionMNIST", "ImageFolder", "VOCDetection", "VOCSegmentation", "VisionDataset"]  # fmt: skip

utils = _AbsentRoom(f"{__name__}.utils", "download and unpack the files of a data set first")
utils.__dict__["check_integrity"] = _check_integrity
_sys.modules[utils.__name__] = utils


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"tinygrad_lite.vision.datasets has no {name!r}; it has {', '.join(__all__)}. "
        f"ImageFolder reads any folder of images with one subfolder per class"
    )
