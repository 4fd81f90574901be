"""Images with boxes and labels: Pascal VOC and COCO, from local folders."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from tinygrad_lite.errors import FileError, OptionError
from tinygrad_lite.vision.datasets.folder import pil_loader
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import pillow

__all__ = ["CocoCaptions", "CocoDetection", "VOCDetection", "VOCSegmentation"]


class _Paired(VisionDataset):
    """What the data sets here have in common."""

    def _example(self, image: Any, target: Any) -> tuple[Any, Any]:
        return (image, target) if self.transforms is None else self.transforms(image, target)


class _Voc(_Paired):
    folder, target, suffix = "", "", ""

    def __init__(
        self, root: str | os.PathLike[str], year: str = "2012", image_set: str = "train", download: bool = False,
        transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
        transforms: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        if download:
            raise OptionError(f"{type(self).__name__}: nothing is downloaded; unpack VOCdevkit/VOC{year} below {root}")
        self.year, self.image_set = year, image_set
        base = Path(self.root, "VOCdevkit", f"VOC{year[:4]}")
        names = base / "ImageSets" / self.folder / f"{image_set.rstrip(chr(10))}.txt"
        if not names.is_file():
            raise FileError(f"{type(self).__name__}: {names} is missing; unpack VOCdevkit/VOC{year} below {root}")
        stems = names.read_text("utf-8").split()
        self.images = [str(base / "JPEGImages" / f"{stem}.jpg") for stem in stems]
        self.targets = [str(base / self.target / f"{stem}{self.suffix}") for stem in stems]

    def __len__(self) -> int:
        return len(self.images)


class VOCDetection(_Voc):
    """Pascal VOC: Pillow images, and their annotations as nested dicts of text.

    ``root/VOCdevkit/VOC2012`` has the files of the year; nothing is downloaded.
    """

    folder, target, suffix = "Main", "Annotations", ".xml"

    @property
    def annotations(self) -> list[str]:
        """The paths of the annotations."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pil_loader(self.images[index])
        return self._example(image, self.parse_voc_xml(_tree(self.annotations[index])))

    @staticmethod
    def parse_voc_xml(node: Element) -> dict[str, Any]:
        """Return an element as a dict; objects are a list."""
        children = list(node)
        if not children:
            return {node.tag: (node.text or "").strip()}
        found: dict[str, list[Any]] = defaultdict(list)
        for child in map(VOCDetection.parse_voc_xml, children):
            for key, value in child.items():
                found[key].append(value)
        inner: dict[str, Any] = {
            key: values if key == "object" or len(values) > 1 else values[0] for key, values in found.items()
        }
        if node.tag == "annotation":
            inner["object"] = found["object"]
        return {node.tag: inner}


def _tree(path: str) -> Element:
    data = Path(path).read_bytes()
    if b"<!DOCTYPE" in data:  # it could define entities that expand without end
        raise FileError(f"VOCDetection: {path} has a document type, which is not read")
    return fromstring(data)


class VOCSegmentation(_Voc):
    """Pascal VOC: Pillow images, and the class of each pixel as a Pillow image."""

    folder, target, suffix = "Segmentation", "SegmentationClass", ".png"

    @property
    def masks(self) -> list[str]:
        """The paths of the masks."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        with pillow().open(self.masks[index]) as mask:
            return self._example(pil_loader(self.images[index]), mask.copy())


class CocoDetection(_Paired):
    """COCO: Pillow images, and the list of their annotations.

    Args:
        root: the folder of the images.
        annFile: the JSON file with the annotations.
        transform: a function of the image.
        target_transform: a function of the annotations.
        transforms: a function of both.
    """

    def __init__(
        self, root: str | os.PathLike[str], annFile: str, transform: Callable[..., Any] | None = None,  # noqa: N803
        target_transform: Callable[..., Any] | None = None, transforms: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        content = json.loads(Path(annFile).read_text("utf-8"))
        self.files = {image["id"]: image["file_name"] for image in content["images"]}
        self.ids = sorted(self.files)
        self.of: dict[Any, list[Any]] = defaultdict(list)
        for note in content.get("annotations", ()):
            self.of[note["image_id"]].append(note)

    def _load_target(self, id: Any) -> Any:
        return list(self.of[id])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        id = self.ids[index]
        image = pil_loader(os.path.join(self.root, self.files[id]))
        return self._example(image, self._load_target(id))

    def __len__(self) -> int:
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """COCO: Pillow images, and the list of their captions."""

    def _load_target(self, id: Any) -> Any:
        return [note["caption"] for note in self.of[id]]
