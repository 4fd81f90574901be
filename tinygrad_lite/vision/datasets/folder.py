"""Data sets in folders: one subfolder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tinygrad_lite.errors import OptionError
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import pillow

__all__ = ["IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "default_loader", "find_classes", "is_image_file",
           "make_dataset", "pil_loader"]  # fmt: skip

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Return True if the file name ends with one of the extensions, in any case.

    >>> has_file_allowed_extension("A.PNG", (".png", ".jpg"))
    True
    """
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Return True if the file name has an extension of an image.

    >>> is_image_file("notes.txt")
    False
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
    """Return the names of the subfolders, sorted, and the number of each."""
    with os.scandir(directory) as entries:
        classes = sorted(entry.name for entry in entries if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: str | os.PathLike[str],
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """Return the sorted list of ``(path, class number)`` below a folder; see `DatasetFolder`."""
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise OptionError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise OptionError("Both extensions and is_valid_file cannot be None or not None at the same time")
    samples, empty = [], []
    for name in sorted(class_to_idx):
        paths = [
            os.path.join(folder, file)
            for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True))
            for file in sorted(files)
        ]
        if extensions is not None:
            paths = [path for path in paths if has_file_allowed_extension(path, extensions)]
        elif is_valid_file is not None:
            paths = [path for path in paths if is_valid_file(path)]
        samples += [(path, class_to_idx[name]) for path in paths]
        empty += [] if paths else [name]
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(empty)}. "
        if extensions is not None:
            shown = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {shown}"
        raise FileNotFoundError(message)
    return samples


def pil_loader(path: str | os.PathLike[str]) -> Any:
    """Read an image file as a Pillow image with mode "RGB"."""
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


default_loader = pil_loader


class DatasetFolder(VisionDataset):
    """Files in one subfolder per class: ``root/cat/1.ext``, ``root/dog/a/2.ext``.

    Args:
        root: the folder.
        loader: a function of the path that returns the example.
        extensions: file names that count; give these or ``is_valid_file``.
        transform: a function of the example.
        target_transform: a function of the class number.
        is_valid_file: a function of the path that returns whether the file counts.
        allow_empty: accept classes without files.

    Attributes:
        classes, class_to_idx: names of the classes, sorted, and their numbers.
        samples: list of (path, class number).
        targets: list of class numbers.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> folder = tempfile.mkdtemp()
    >>> for kind in ("a", "b"):
    ...     os.mkdir(os.path.join(folder, kind))
    ...     open(os.path.join(folder, kind, "1.txt"), "w").close()
    ...
    >>> tl.vision.datasets.DatasetFolder(folder, loader=str, extensions=(".txt",)).targets
    [0, 1]
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root,
            class_to_idx=self.class_to_idx,
            extensions=extensions,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.loader = loader
        self.extensions = extensions
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: str | os.PathLike[str],
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """Return the list of ``(path, class number)``; override it to read other layouts."""
        if class_to_idx is None:
            raise OptionError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """Return the class names and their numbers; override it to choose classes."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in one subfolder per class: ``root/cat/1.png``, ``root/dog/2.jpg``.

    Examples are pairs of a Pillow image (mode "RGB", by the default loader) and a class number. The arguments and
    attributes are those of `DatasetFolder`; ``imgs`` is another name for ``samples``.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> folder = tempfile.mkdtemp()
    >>> for kind in ("cat", "dog"):
    ...     os.mkdir(os.path.join(folder, kind))
    ...     tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), os.path.join(folder, kind, "1.png"))
    ...
    >>> images = tl.vision.datasets.ImageFolder(folder)
    >>> images.classes, len(images)
    (['cat', 'dog'], 2)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform=transform,
            target_transform=target_transform,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.imgs = self.samples
