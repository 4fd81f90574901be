import gzip
import hashlib
import io
import struct
import urllib.error
import urllib.request
from http.client import IncompleteRead

import numpy as np
import pytest

from tinygrad_lite.datasets import fashion_mnist, mnist, mnist_files

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder, images=IMAGES, labels=LABELS, part="train", end="", dot="-", pack=bytes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}-images{dot}idx3-ubyte{end}").write_bytes(pack(idx(images)))
    (folder / f"{part}-labels{dot}idx1-ubyte{end}").write_bytes(pack(idx(labels)))


@pytest.mark.parametrize("place", [".", "MNIST/raw"])
@pytest.mark.parametrize(("end", "pack"), [("", bytes), (".gz", gzip.compress)])
@pytest.mark.parametrize("dot", "-.")
def test_finds_the_usual_names(tmp_path, place, end, pack, dot):
    write(tmp_path / place, end=end, pack=pack, dot=dot)
    images, labels = mnist(tmp_path)
    assert images.shape == (30, 1, 28, 28) and images.dtype == np.float32
    np.testing.assert_allclose(images[:, 0], IMAGES / 255, rtol=1e-6)
    np.testing.assert_array_equal(labels, LABELS)
    assert labels.dtype == np.int64


def test_parts_and_options(tmp_path):
    write(tmp_path)
    write(tmp_path, IMAGES[:10], LABELS[:10], part="t10k")
    assert len(mnist(tmp_path)[1]) == 30 and len(mnist(tmp_path, train=False)[1]) == 10
    images, labels = mnist(tmp_path, classes=[7], flat=True, scale=False, dtype=np.uint8)
    np.testing.assert_array_equal(images, IMAGES[LABELS == 7].reshape(3, 784))
    assert set(labels) == {7}
    with pytest.raises(TypeError, match=r"mnist: dtype=int8 cannot hold the values 0\.\.255"):
        mnist(tmp_path, scale=False, dtype=np.int8)


def test_both_sets_in_one_folder(tmp_path):
    write(tmp_path / "MNIST" / "raw")
    write(tmp_path / "FashionMNIST" / "raw", labels=LABELS[::-1])
    assert mnist(tmp_path)[1][0] == 0 and fashion_mnist(tmp_path)[1][0] == 9


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="fashion_mnist: t10k-images-idx3-ubyte not found.*download=True"):
        fashion_mnist(tmp_path, train=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:, :27], LABELS, "images should be"),
        (IMAGES[0], LABELS, "images should be"),
        (IMAGES, LABELS[:-1], "30 images need uint8 labels"),
        (IMAGES, LABELS + 1, "labels should be 0..9, the file has 10"),
        (IMAGES, IMAGES, "30 images need uint8 labels"),
    ],
)
def test_files_with_other_content(tmp_path, images, labels, message):
    write(tmp_path, images, labels)
    with pytest.raises(ValueError, match=f"mnist: {message}"):
        mnist(tmp_path)


def test_empty_files_are_an_empty_set(tmp_path):
    write(tmp_path, IMAGES[:0], LABELS[:0])
    images, labels = mnist(tmp_path)
    assert images.shape == (0, 1, 28, 28) and labels.shape == (0,)


@pytest.fixture
def network(monkeypatch):
    """Replace the network by a dictionary from URL to bytes; what is not in it is unreachable."""
    pages, asked = {}, []

    def urlopen(url, timeout):
        asked.append(url)
        assert timeout > 0
        if url not in pages:
            raise urllib.error.URLError("no route to host")
        if isinstance(pages[url], Exception):
            raise pages[url]
        return io.BytesIO(pages[url])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    packed = {
        "train-images-idx3-ubyte": gzip.compress(idx(IMAGES)),
        "train-labels-idx1-ubyte": gzip.compress(idx(LABELS)),
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in packed.items()}
    monkeypatch.setattr(mnist_files, "_MNIST", mnist_files._MNIST._replace(sha256=sums))
    first, second = mnist_files._MNIST.mirrors
    serve = {mirror: {f"{mirror}{name}.gz": data for name, data in packed.items()} for mirror in (first, second)}
    return pages, asked, serve[first], serve[second]


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


BOTH = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


def test_download_then_read_from_disk(tmp_path, network):
    pages, asked, first, _ = network
    pages.update(first)
    assert len(mnist(tmp_path / "new", download=True)[1]) == 30
    assert files(tmp_path) == BOTH and len(asked) == 2
    mnist(tmp_path / "new", download=True)
    assert len(asked) == 2


def test_second_mirror(tmp_path, network):
    pages, _, first, second = network
    pages.update({url: data[:-1] for url, data in first.items()} | second)
    assert len(mnist(tmp_path, download=True)[1]) == 30
    assert files(tmp_path) == BOTH


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b""])
def test_wrong_content_is_never_kept(tmp_path, network, damage):
    pages, _, first, second = network
    pages.update({url: damage(data) for url, data in (first | second).items()})
    with pytest.raises(ConnectionError, match="could not download train-images(.|\n)*not the published one"):
        mnist(tmp_path, download=True)
    assert files(tmp_path) == []


def test_unreachable(tmp_path, network):
    with pytest.raises(ConnectionError, match="by hand(.|\n)*no route to host(.|\n)*no route to host"):
        mnist(tmp_path, download=True)
    assert files(tmp_path) == []


def test_connection_that_breaks(tmp_path, network):
    pages, _, first, _ = network
    pages.update(dict.fromkeys(first, IncompleteRead(b"abc", 100)))
    with pytest.raises(ConnectionError, match="broken answer"):
        mnist(tmp_path, download=True)


def test_endless_answer(tmp_path, network, monkeypatch):
    pages, _, first, _ = network
    monkeypatch.setattr(mnist_files, "_MOST_BYTES", 100)
    pages.update(first)
    with pytest.raises(ConnectionError, match="more than 100 bytes"):
        mnist(tmp_path, download=True)
    assert files(tmp_path) == []


def test_interrupted_download_leaves_nothing(tmp_path, network):
    class Stop(BaseException):
        pass

    pages, _, first, _ = network
    pages.update(dict.fromkeys(first, b"x" * 10))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr(mnist_files, "_copy", lambda url, out: (_ for _ in ()).throw(Stop()))
        mnist(tmp_path, download=True)
    assert files(tmp_path) == []
