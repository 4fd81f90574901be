"""MNIST, Fashion-MNIST and Kuzushiji-MNIST, from their IDX files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from tinygrad_lite.datasets.idx import read_idx
from tinygrad_lite.datasets.mnist_files import idx_file
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import image_of

__all__ = ["KMNIST", "MNIST", "FashionMNIST"]


class MNIST(VisionDataset):
    """MNIST, 28x28 handwritten digits, as pairs of a Pillow image (mode "L") and a label.

    Args:
        root: folder with ``MNIST/raw/train-images-idx3-ubyte`` and the other files, gzipped or not.
        train: the 60,000 training images; otherwise the 10,000 test images.
        transform: a function of the image.
        target_transform: a function of the label.
        download: fetch missing files into ``root/MNIST/raw``.

    Attributes:
        data: ``uint8`` tensor (n, 28, 28).
        targets: ``int64`` tensor (n,).
        classes, class_to_idx: names of the labels, and their numbers.

    >>> MNIST("no/such/folder")
    Traceback (most recent call last):
    RuntimeError: Dataset not found. You can use download=True to download it: ...
    """

    source = "mnist"
    classes = ["0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven",
               "8 - eight", "9 - nine"]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        part = "train" if train else "t10k"
        images, labels = read_idx(self._file(f"{part}-images-idx3-ubyte")), self._file(f"{part}-labels-idx1-ubyte")
        self.data = make(images)
        self.targets = make(read_idx(labels).astype("int64"))
        if images.dtype != "uint8" or images.ndim != 3 or self.targets.shape != (len(images),):
            raise RuntimeError(
                f"{type(self).__name__}: expected uint8 images (n, 28, 28) and n labels, got {images.dtype} "
                f"{images.shape} and {tuple(self.targets.shape)}"
            )

    def _file(self, name: str, download: bool = False) -> Any:
        try:
            return idx_file(self.source, self.root, type(self).__name__, name, download)
        except FileNotFoundError as error:
            raise RuntimeError(f"Dataset not found. You can use download=True to download it: {error}") from error
        except ConnectionError as error:
            raise RuntimeError(f"Error downloading {name}.gz: {error}") from error

    def download(self) -> None:
        """Fetch the files that are missing; each one is checked against its published SHA-256."""
        for part in ("train", "t10k"):
            for kind in ("images-idx3", "labels-idx1"):
                self._file(f"{part}-{kind}-ubyte", download=True)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(image_of(self.data[index].numpy(), mode="L"), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    @property
    def raw_folder(self) -> str:
        """The folder of the files."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """The folder that old versions of torchvision wrote to; not used."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        """Return the part of the data."""
        return f"Split: {'Train' if self.train is True else 'Test'}"

    @property
    def train_labels(self) -> Any:
        """Deprecated name of ``targets``."""
        warnings.warn("train_labels has been renamed targets", stacklevel=2)
        return self.targets

    @property
    def test_labels(self) -> Any:
        """Deprecated name of ``targets``."""
        warnings.warn("test_labels has been renamed targets", stacklevel=2)
        return self.targets

    @property
    def train_data(self) -> Any:
        """Deprecated name of ``data``."""
        warnings.warn("train_data has been renamed data", stacklevel=2)
        return self.data

    @property
    def test_data(self) -> Any:
        """Deprecated name of ``data``."""
        warnings.warn("test_data has been renamed data", stacklevel=2)
        return self.data


class FashionMNIST(MNIST):
    """Fashion-MNIST, 28x28 pictures of clothes; files in ``root/FashionMNIST/raw``, otherwise as `MNIST`."""

    source = "fashion_mnist"
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """Kuzushiji-MNIST, 28x28 cursive hiragana; files in ``root/KMNIST/raw``, otherwise as `MNIST`."""

    source = "kmnist"
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
