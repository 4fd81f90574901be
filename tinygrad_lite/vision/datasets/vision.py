"""The base of data sets of images."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tinygrad_lite.data.dataset import Dataset
from tinygrad_lite.errors import OptionError

__all__ = ["StandardTransform", "VisionDataset"]


def _indented(transform: Any, head: str) -> list[str]:
    lines = repr(transform).splitlines()
    return [f"{head}{lines[0]}", *(" " * len(head) + line for line in lines[1:])]


class StandardTransform:
    """Applies ``transform`` to the image and ``target_transform`` to the target."""

    def __init__(
        self, transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        """Return both transformed."""
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        body = [type(self).__name__]
        if self.transform is not None:
            body += _indented(self.transform, "Transform: ")
        if self.target_transform is not None:
            body += _indented(self.target_transform, "Target transform: ")
        return "\n".join(body)


class VisionDataset(Dataset):
    """Base of data sets of images: define ``__getitem__`` and ``__len__``.

    Args:
        root: folder of the files, for `repr`.
        transforms: a function of image and target that returns both transformed.
        transform: a function of the image; not together with ``transforms``.
        target_transform: a function of the target; not together with ``transforms``.

    >>> class Two(VisionDataset):
    ...     def __len__(self):
    ...         return 2
    >>> Two("data")
    Dataset Two
        Number of datapoints: 2
        Root location: data
    """

    _repr_indent = 4

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        transforms: Callable[..., Any] | None = None,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
    ) -> None:
        self.root: Any = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise OptionError("Only transforms or transform/target_transform can be passed as argument")
        self.transform = transform
        self.target_transform = target_transform
        self.transforms: Any = StandardTransform(transform, target_transform) if separate else transforms

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")

    def transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        """Return image and target after ``transform`` and ``target_transform``."""
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if getattr(self, "transforms", None) is not None:
            body += [repr(self.transforms)]
        return "\n".join([f"Dataset {type(self).__name__}", *(" " * self._repr_indent + line for line in body)])

    def extra_repr(self) -> str:
        """Return further lines of the `repr`, such as the part of the data."""
        return ""
