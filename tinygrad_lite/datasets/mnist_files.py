"""MNIST and Fashion-MNIST, read from their IDX files and downloaded only on request."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_lite.datasets.idx import read_idx
from tinygrad_lite.datasets.images import present
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.serialization.atomic import replacing


class _Source(NamedTuple):
    name: str
    folder: str
    mirrors: tuple[str, ...]
    sha256: dict[str, str]


_MNIST = _Source(
    "mnist",
    "MNIST",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    {
        "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)
_FASHION = _Source(
    "fashion_mnist",
    "FashionMNIST",
    (
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    {
        "train-images-idx3-ubyte": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)
_KUZUSHIJI = _Source(
    "kmnist",
    "KMNIST",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    {
        "train-images-idx3-ubyte": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "train-labels-idx1-ubyte": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "t10k-images-idx3-ubyte": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "t10k-labels-idx1-ubyte": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
)
_MOST_BYTES = 64 << 20  # of one download; the largest real file has 26 MB
_SECONDS = 30


@named
def mnist(
    root: str | os.PathLike[str],
    train: bool = True,
    download: bool = False,
    *,
    classes: Iterable[int] | None = None,
    flat: bool = False,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return MNIST, 28x28 handwritten digits, as ``(images, labels)``.

    The four IDX files, gzipped or not, are looked for in ``root/MNIST/raw`` (where torchvision puts them) and in
    ``root`` itself.

    Args:
        root: folder of the files.
        train: the 60,000 training images; otherwise the 10,000 test images.
        download: fetch missing files into ``root/MNIST/raw``.  A file is checked against its SHA-256 and gets
            its name only when it is complete.
        classes: the digits to return, such as ``(0, 1)``; all ten by default.
        flat: return images as rows of 784 values instead of ``(1, 28, 28)``.
        scale: return values in [0, 1]; otherwise 0..255.
        dtype: type of the images; floating when ``scale`` is on.

    Returns:
        images ``(n, 1, 28, 28)`` or ``(n, 784)`` of ``dtype``, and labels ``(n,)`` of ``int64``.

    Raises:
        FileNotFoundError: files are missing and ``download`` is off.
        ConnectionError: no mirror has the published file.
        ValueError: a file is damaged or has other content.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11).

    >>> mnist("no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: mnist: train-images-idx3-ubyte not found ...
    """
    return _load(_MNIST, root, train, download, classes=classes, flat=flat, scale=scale, dtype=dtype)


@named
def fashion_mnist(
    root: str | os.PathLike[str],
    train: bool = True,
    download: bool = False,
    *,
    classes: Iterable[int] | None = None,
    flat: bool = False,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return Fashion-MNIST, 28x28 pictures of clothes, as ``(images, labels)``.

    Files, arguments, results and errors are those of :func:`mnist`; the folder is ``root/FashionMNIST/raw``.  The
    classes are 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag and
    9 ankle boot.

    Source: H. Xiao, K. Rasul, R. Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms, arXiv:1708.07747.

    >>> fashion_mnist("no/such/folder", train=False)
    Traceback (most recent call last):
    FileNotFoundError: fashion_mnist: t10k-images-idx3-ubyte not found ...
    """
    return _load(_FASHION, root, train, download, classes=classes, flat=flat, scale=scale, dtype=dtype)


def _load(
    source: _Source,
    root: str | os.PathLike[str],
    train: bool,
    download: bool,
    *,
    classes: Iterable[int] | None,
    flat: bool,
    scale: bool,
    dtype: DTypeLike,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    part = "train" if train else "t10k"
    images, labels = (
        read_idx(_locate(source, Path(root), f"{part}-{kind}-ubyte", download))
        for kind in ("images-idx3", "labels-idx1")
    )
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(f"{source.name}: images should be uint8 (n, 28, 28), got {images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{source.name}: {len(images)} images need uint8 labels ({len(images)},), got {labels.dtype} {labels.shape}"
        )
    if labels.size and labels.max() > 9:
        raise ValueError(f"{source.name}: labels should be 0..9, the file has {labels.max()}")
    return present(images, labels, name=source.name, peak=255, classes=classes, flat=flat, scale=scale, dtype=dtype)


def idx_file(name: str, root: str | os.PathLike[str], folder: str, file: str, download: bool = False) -> Path:
    """Return the path of one IDX file of ``mnist``, ``fashion_mnist`` or ``kmnist``, for `tinygrad_lite.vision`.

    It is looked for in ``root/folder/raw`` and in ``root``, as :func:`mnist` does.
    """
    source = {s.name: s for s in (_MNIST, _FASHION, _KUZUSHIJI)}[name]
    return _locate(source._replace(folder=folder), Path(root), file, download)


def _locate(source: _Source, root: Path, file: str, download: bool) -> Path:
    """Find one file under its usual names, or fetch it."""
    home = root / source.folder / "raw"
    dotted = file.replace("-idx", ".idx")
    for folder in (home, root):
        for name in (file, f"{file}.gz", dotted, f"{dotted}.gz"):
            if (folder / name).is_file():
                return folder / name
    if not download:
        raise FileNotFoundError(
            f"{source.name}: {file} not found (nor {file}.gz) in {home} or {root}; "
            f"put the files there or pass download=True"
        )
    return _fetch(source, file, home / f"{file}.gz")


def _fetch(source: _Source, file: str, target: Path) -> Path:
    """Download one gzipped file to a temporary name, check it, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for mirror in source.mirrors:
        url = f"{mirror}{target.name}"
        try:
            with replacing(target) as out:
                found = _copy(url, out)
                if found != source.sha256[file]:
                    raise OSError(f"the content is not the published one (SHA-256 {found})")
            return target
        except OSError as error:  # errors of the network (urllib) and of the disk
            failures.append(f"{url}: {error}")
    raise ConnectionError(
        f"{source.name}: could not download {target.name}; put it into {target.parent} by hand\n  "
        + "\n  ".join(failures)
    )


def _copy(url: str, out: BinaryIO) -> str:
    """Copy the content of a URL, at most ``_MOST_BYTES``, and return its SHA-256."""
    from http.client import HTTPException  # imported only for a download
    from urllib.request import urlopen

    digest, left = hashlib.sha256(), _MOST_BYTES
    try:
        with urlopen(url, timeout=_SECONDS) as answer:
            while piece := answer.read(1 << 16):
                left -= len(piece)
                if left < 0:
                    raise OSError(f"more than {_MOST_BYTES} bytes")
                digest.update(piece)
                out.write(piece)
    except HTTPException as error:  # a connection that breaks off in the middle
        raise OSError(f"broken answer ({error!r})") from error
    return digest.hexdigest()
