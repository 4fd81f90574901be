"""CIFAR-10 and CIFAR-100, from the archive for Python."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.engine.promotion import NUMPY_1
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import image_of

__all__ = ["CIFAR10", "CIFAR100"]

_ARRAYS = {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
           *((f"{package}.multiarray", "_reconstruct") for package in ("numpy.core", "numpy._core"))}  # fmt: skip
"""What a pickled array of bytes is made of."""
CORE = "numpy.core" if NUMPY_1 else "numpy._core"


class _ArraysOnly(pickle.Unpickler):
    """Reads a pickle that holds arrays, numbers, strings and containers; everything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong in this file")
        return super().find_class(re.sub(r"^numpy\._?core", CORE, module), name)


class CIFAR10(VisionDataset):
    """CIFAR-10, 32x32 colour photographs of ten kinds, as pairs of a Pillow image (mode "RGB") and a label.

    Args:
        root: folder with ``cifar-10-batches-py``.
        train: the 50,000 training images; otherwise the 10,000 test images.
        transform: a function of the image.
        target_transform: a function of the label.
        download: fetch and unpack the archive if files are missing; an archive that lies in ``root`` is used.

    Attributes:
        data: ``uint8`` array (n, 32, 32, 3).
        targets: list of labels.
        classes, class_to_idx: names of the labels, and their numbers.

    The archive is checked by its MD5; the files by their content. They are pickles: nothing but arrays, numbers and
    strings is accepted from them.

    >>> CIFAR10("no/such/folder")
    Traceback (most recent call last):
    RuntimeError: Dataset not found or corrupted. You can use download=True to download it ...
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"]
    test_list = ["test_batch"]
    meta = {"filename": "batches.meta", "key": "label_names"}

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
        images, self.targets = [], []
        for name in self.train_list if train else self.test_list:
            entry = self._read(name)
            labels = entry.get("labels", entry.get("fine_labels"))
            pixels = np.asarray(entry.get("data"))
            if pixels.dtype != np.uint8 or labels is None or pixels.shape != (len(labels), 3072):
                raise RuntimeError(f"Dataset corrupted: {name} should have uint8 data (n, 3072) and n labels")
            images.append(pixels)
            self.targets += list(labels)
        self.data = np.concatenate(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.classes: list[str] = list(self._read(self.meta["filename"])[self.meta["key"]])
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _path(self, name: str) -> Path:
        return Path(self.root, self.base_folder, name)

    def _read(self, name: str) -> dict[str, Any]:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                entry = _ArraysOnly(file, encoding="latin1").load()
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            raise RuntimeError(
                f"Dataset not found or corrupted. You can use download=True to download it ({path}: {error})"
            ) from error
        if not isinstance(entry, dict):
            raise RuntimeError(f"Dataset corrupted: {path} holds a {type(entry).__name__}, not a dict")
        return entry

    def download(self) -> None:
        """Fetch and unpack the archive, unless all files are there."""
        names = [*self.train_list, *self.test_list, self.meta["filename"]]
        if all(self._path(name).is_file() for name in names):
            return
        archive = Path(self.root, self.filename)
        if not archive.is_file():
            _fetch(self.url, archive)
        if not check_integrity(archive, self.tgz_md5):
            raise RuntimeError(f"{archive} is not the published file: its MD5 is not {self.tgz_md5}; remove it")
        with tarfile.open(archive) as inside:
            for name in names:  # file by file: paths inside an archive are not to be trusted
                content = inside.extractfile(f"{self.base_folder}/{name}")
                self._path(name).parent.mkdir(parents=True, exist_ok=True)
                if content is not None:
                    self._path(name).write_bytes(content.read())

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(image_of(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Return the part of the data."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """CIFAR-100, 32x32 colour photographs of a hundred kinds; files in ``root/cifar-100-python``, as `CIFAR10`."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = ["train"]
    test_list = ["test"]
    meta = {"filename": "meta", "key": "fine_label_names"}


def check_integrity(fpath: Any, md5: str | None = None) -> bool:
    """Return whether a file is there, and has that MD5 if one is given."""
    path = Path(fpath)
    return path.is_file() and md5 in (None, hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest())


def _fetch(url: str, target: Path) -> None:
    """Download a file to a temporary name, then rename it."""
    from urllib.request import urlopen  # imported only for a download

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urlopen(url, timeout=30) as answer, replacing(target) as out:
            while piece := answer.read(1 << 20):
                out.write(piece)
    except OSError as error:
        raise RuntimeError(
            f"Error downloading {url}: {error}; put {target.name} into {target.parent} by hand"
        ) from error
