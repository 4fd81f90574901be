"""Grids, image files and boxes, and the import of the room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import vision
from tinygrad_lite.errors import MissingExtra
from tinygrad_lite.vision import io, utils

Image = pytest.importorskip("PIL.Image")
X = np.random.default_rng(0).random((5, 3, 3, 4)).astype(np.float32)


def test_make_grid() -> None:
    grid = utils.make_grid(tl.tensor(X), nrow=3, padding=1, pad_value=9.0).numpy()
    want = np.full((3, 9, 16), 9.0, dtype=np.float32)
    for i in range(5):
        top, left = 1 + i // 3 * 4, 1 + i % 3 * 5
        want[:, top : top + 3, left : left + 4] = X[i]
    np.testing.assert_array_equal(grid, want)


def test_make_grid_of_grey_and_single_images() -> None:
    grey = utils.make_grid([tl.ones(1, 3, 4), tl.zeros(1, 3, 4)])
    assert grey.shape == (3, 7, 14) and float(grey[2, 2, 2]) == 1.0
    assert utils.make_grid(tl.ones(3, 4)).shape == (3, 3, 4)
    assert utils.make_grid(tl.ones(3, 3, 4)).shape == (3, 3, 4)


def test_make_grid_normalises() -> None:
    x = tl.tensor(X * 10 - 3)
    grid = utils.make_grid(x, padding=0, normalize=True).numpy()
    np.testing.assert_allclose((grid.min(), grid.max()), (0, 1), atol=1e-6)
    each = utils.make_grid(x, padding=0, normalize=True, scale_each=True).numpy()
    for i in range(5):
        part = each[:, :, 4 * i : 4 * i + 4]
        np.testing.assert_allclose((part.min(), part.max()), (0, 1), atol=1e-6)
    clamped = utils.make_grid(x, padding=0, normalize=True, value_range=(0.0, 2.0)).numpy()
    np.testing.assert_allclose(clamped[:, :, :4], np.clip((X[0] * 10 - 3) / 2, 0, 1), atol=1e-6)
    np.testing.assert_allclose(x.numpy(), X * 10 - 3)


def test_make_grid_errors() -> None:
    with pytest.raises(TypeError, match="list containing <class 'int'>"):
        utils.make_grid([1])
    with pytest.raises(TypeError, match="tensor or list of tensors expected"):
        utils.make_grid(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ValueError, match=r"\(B, C, H, W\), got shape \(1, 1, 1, 1, 1\)"):
        utils.make_grid(tl.zeros(1, 1, 1, 1, 1))


def test_save_image_and_read_image(tmp_path: Path) -> None:
    utils.save_image(tl.tensor(X), tmp_path / "grid.png", nrow=3)
    want = (utils.make_grid(tl.tensor(X), nrow=3).numpy() * 255 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(io.read_image(tmp_path / "grid.png").numpy(), want)
    assert io.read_image(str(tmp_path / "grid.png"), io.ImageReadMode.GRAY).shape[0] == 1


def test_write_png(tmp_path: Path) -> None:
    x = tl.tensor((X[0] * 255).astype(np.uint8))
    io.write_png(x, tmp_path / "a.png")
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.png").numpy(), x.numpy())
    with pytest.raises(TypeError, match="expected a uint8 tensor"):
        io.write_png(tl.zeros(3, 2, 2), tmp_path / "b.png")
    with pytest.raises(ValueError, match="1 or 3 channels"):
        io.write_jpeg(tl.zeros(2, 2, 2, dtype=tl.uint8), tmp_path / "b.jpg")


def test_draw_bounding_boxes() -> None:
    x = tl.zeros(3, 10, 10, dtype=tl.uint8)
    y = utils.draw_bounding_boxes(x, tl.tensor([[2.0, 3.0, 6.0, 8.0]]), colors="red").numpy()
    want = np.zeros((10, 10), dtype=bool)
    want[3:9, 2:7] = True
    want[4:8, 3:6] = False
    np.testing.assert_array_equal(y[0] == 255, want)
    assert not y[1:].any() and not x.numpy().any()
    with pytest.raises(ValueError, match="1 boxes need as many colors and labels"):
        utils.draw_bounding_boxes(x, tl.tensor([[2.0, 3.0, 6.0, 8.0]]), labels=["a", "b"])


def test_backend() -> None:
    assert vision.get_image_backend() == "PIL"
    with pytest.raises(ValueError, match="only 'PIL'"):
        vision.set_image_backend("accimage")


def test_pillow_is_imported_on_first_use() -> None:
    program = (
        "import sys, tinygrad_lite as tl; assert 'tinygrad_lite.vision' not in sys.modules\n"
        "from tinygrad_lite.vision import datasets, transforms\n"
        "transforms.RandomCrop(2)(tl.ones(3, 4, 4)); datasets.Digits(); assert 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_pillow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtra, match=r"tinygrad_lite\[vision\]"):
        vision.datasets.Digits()[0]
