"""Data sets in torchvision's folders, made of a few examples each."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import vision
from tinygrad_lite.vision import datasets, transforms

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


def idx(array: Any) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def write_mnist(root: Path, folder: str, packed: bool = False) -> None:
    home = root / folder / "raw"
    home.mkdir(parents=True)
    for part, n in (("train", 5), ("t10k", 2)):
        for kind, array in (("images-idx3", GREY[:n]), ("labels-idx1", LABELS[:n])):
            name, content = f"{part}-{kind}-ubyte", idx(array)
            (home / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


# ------------------------------------------------------------------------------------------------ MNIST
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("packed", [False, True])
def test_mnist(tmp_path: Path, name: str, packed: bool) -> None:
    write_mnist(tmp_path, name, packed)
    train = getattr(datasets, name)(tmp_path, download=True)  # all files are there: no download
    image, label = train[2]
    assert (image.mode, image.size, label, type(label)) == ("L", (28, 28), 4, int)
    np.testing.assert_array_equal(np.asarray(image), GREY[2])
    assert train.data.dtype == tl.uint8 and train.targets.dtype == tl.int64 and len(train) == 5
    assert len(train.classes) == 10 and train.class_to_idx[train.classes[7]] == 7
    test = getattr(datasets, name)(str(tmp_path), train=False, transform=transforms.ToTensor(), target_transform=str)
    assert len(test) == 2 and test[1][1] == "1"
    np.testing.assert_array_equal(test[1][0].numpy()[0], GREY[1].astype(np.float32) / np.float32(255))


def test_representation_of_a_data_set(tmp_path: Path) -> None:
    write_mnist(tmp_path, "MNIST")
    data = datasets.MNIST(str(tmp_path), transform=transforms.Compose([transforms.ToTensor()]))
    assert repr(data) == (
        f"Dataset MNIST\n    Number of datapoints: 5\n    Root location: {tmp_path}\n    Split: Train\n"
        "    StandardTransform\nTransform: Compose(\n               ToTensor()\n           )"
    )
    with pytest.warns(UserWarning, match="renamed data"):
        assert data.train_data is data.data


def test_a_subclass_has_its_own_folder(tmp_path: Path) -> None:
    class Mine(datasets.MNIST):
        pass

    write_mnist(tmp_path, "Mine")
    assert len(Mine(tmp_path)) == 5


def test_mnist_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match=r"Dataset not found. You can use download=True"):
        datasets.MNIST(tmp_path)
    write_mnist(tmp_path, "MNIST")
    (tmp_path / "MNIST/raw/train-labels-idx1-ubyte").write_bytes(idx(LABELS[:3]))
    with pytest.raises(RuntimeError, match="expected uint8 images"):
        datasets.MNIST(tmp_path)

    def unreachable(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no route")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(RuntimeError, match=r"(?s)Error downloading train-images.*no route"):
        datasets.KMNIST(tmp_path, download=True)


# ------------------------------------------------------------------------------------------------ CIFAR
def cifar_batches(name: str) -> dict[str, bytes]:
    """Return the files of a small archive, written like the real ones: arrays, lists and strings in a pickle."""
    some = RNG.integers(0, 256, (2, 3072), dtype=np.uint8)
    if name == "CIFAR10":
        files: dict[str, Any] = {f"data_batch_{i}": {"data": some, "labels": [i, 0]} for i in range(1, 6)}
        files["test_batch"] = {"data": some, "labels": [9, 8]}
        files["batches.meta"] = {"label_names": [f"kind {i}" for i in range(10)]}
    else:
        files = {part: {"data": some, "fine_labels": [99, 7]} for part in ("train", "test")}
        files["meta"] = {"fine_label_names": [f"kind {i}" for i in range(100)]}
    return {file: pickle.dumps(content, protocol=2) for file, content in files.items()}


def write_cifar(root: Path, name: str) -> dict[str, bytes]:
    home = root / getattr(datasets, name).base_folder
    home.mkdir(parents=True)
    files = cifar_batches(name)
    for file, content in files.items():
        (home / file).write_bytes(content)
    return files


@pytest.mark.parametrize(("name", "size", "first"), [("CIFAR10", 10, 1), ("CIFAR100", 2, 99)])
def test_cifar(tmp_path: Path, name: str, size: int, first: int) -> None:
    files = write_cifar(tmp_path, name)
    data = getattr(datasets, name)(tmp_path)
    assert len(data) == size and data.targets[0] == first and data.data.shape == (size, 32, 32, 3)
    image, label = data[0]
    assert (image.mode, image.size, label) == ("RGB", (32, 32), first)
    flat = pickle.loads(files["data_batch_1" if size == 10 else "train"])["data"][0]
    np.testing.assert_array_equal(np.asarray(image).transpose(2, 0, 1).reshape(-1), flat)
    assert data.class_to_idx["kind 3"] == 3 and "Split: Train" in repr(data)
    assert len(getattr(datasets, name)(tmp_path, train=False)) == 2


def test_cifar_from_a_local_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / datasets.CIFAR10.filename
    with tarfile.open(archive, "w:gz") as out:
        for file, content in cifar_batches("CIFAR10").items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{file}")
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    with pytest.raises(RuntimeError, match="is not the published file"):
        datasets.CIFAR10(tmp_path, download=True)
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    assert len(datasets.CIFAR10(tmp_path, download=True)) == 10


def test_cifar_errors(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not found or corrupted"):
        datasets.CIFAR10(tmp_path)
    write_cifar(tmp_path, "CIFAR10")
    batch = tmp_path / "cifar-10-batches-py/data_batch_2"
    batch.write_bytes(pickle.dumps({"data": np.zeros((2, 5), np.uint8), "labels": [1, 2]}))
    with pytest.raises(RuntimeError, match="data_batch_2 should have uint8 data"):
        datasets.CIFAR10(tmp_path)
    batch.write_bytes(pickle.dumps(print))  # a pickle may name any function: only arrays are accepted
    with pytest.raises(RuntimeError, match="print does not belong in this file"):
        datasets.CIFAR10(tmp_path)


# ------------------------------------------------------------------------------------------------ folders
def write_folder(root: Path) -> None:
    for name in ("dog/b.png", "dog/a.PNG", "cat/deep/c.jpg", "cat/notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("no image")
        else:
            Image.new("L", (4, 3), 77).save(path)


def test_image_folder(tmp_path: Path) -> None:
    write_folder(tmp_path)
    data = datasets.ImageFolder(tmp_path, transform=transforms.ToTensor())
    assert data.classes == ["cat", "dog"] and data.class_to_idx == {"cat": 0, "dog": 1}
    assert [(Path(p).name, t) for p, t in data.samples] == [("c.jpg", 0), ("a.PNG", 1), ("b.png", 1)]
    assert data.targets == [0, 1, 1] and data.imgs is data.samples
    assert data[1][0].shape == (3, 3, 4)
    x, y = next(iter(tl.utils.data.DataLoader(data, batch_size=3)))
    assert x.shape == (3, 3, 3, 4) and y.tolist() == [0, 1, 1]


def test_dataset_folder(tmp_path: Path) -> None:
    write_folder(tmp_path)
    data = datasets.DatasetFolder(str(tmp_path), Path, is_valid_file=lambda p: p.endswith(".txt"), allow_empty=True)
    assert len(data) == 1 and data[0][0].name == "notes.txt"
    with pytest.raises(FileNotFoundError, match="classes dog. Supported extensions are: .txt"):
        datasets.DatasetFolder(tmp_path, Path, extensions=(".txt",))
    with pytest.raises(ValueError, match="cannot be None or not None"):
        datasets.DatasetFolder(tmp_path, Path)
    with pytest.raises(FileNotFoundError, match="any class folder"):
        datasets.ImageFolder(tmp_path / "dog")


# ------------------------------------------------------------------------------------------------ without files
def test_digits() -> None:
    train, test = datasets.Digits(), datasets.Digits(train=False, size=28, transform=transforms.ToTensor())
    assert len(train) + len(test) == 1797
    image, label = train[0]
    assert (image.mode, image.size, label) == ("L", (8, 8), 0) and int(train.data.max()) == 255
    raw, labels = tl.datasets.digits(scale=False)
    np.testing.assert_array_equal(np.asarray(image), np.rint(raw[0, 0] / 16 * 255))
    np.testing.assert_array_equal(test.targets.numpy(), labels[1437:])
    assert test[0][0].shape == (1, 28, 28)
    with pytest.raises(ValueError, match="positive whole number"):
        datasets.Digits(size=0)


def test_fake_data() -> None:
    data = datasets.FakeData(size=4, image_size=(3, 5, 6), num_classes=3, transform=transforms.ToTensor())
    state = tl.random.default_generator().get_state()
    first, again = data[1], data[1]
    assert tl.random.default_generator().get_state() == state
    assert bool((first[0] == again[0]).all()) and first[1] == again[1] and first[0].shape == (3, 5, 6)
    assert not bool((first[0] == data[2][0]).all())
    assert {label for _, label in (data[i] for i in range(4))} <= {0, 1, 2}
    with pytest.raises(IndexError, match="out of range"):
        data[4]
    assert datasets.FakeData(size=1, image_size=(1, 2, 2))[0][0].mode == "L"


def test_the_base() -> None:
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        datasets.VisionDataset("x", transforms=lambda a, b: (a, b), transform=abs)
    with pytest.raises(NotImplementedError, match="__len__"):
        len(datasets.VisionDataset("x"))


@pytest.mark.parametrize(("room", "name"), [("datasets", "ImageNet"), ("models", "googlenet"), ("ops", "roi_pool")])
def test_an_absent_feature_is_an_error(room: str, name: str) -> None:
    with pytest.raises(AttributeError, match=f"vision.{room}'? has no (attribute )?'{name}'"):
        getattr(getattr(vision, room), name)
