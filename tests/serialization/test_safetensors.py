"""The safetensors format, in both directions with the package of that name."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.errors import DTypeError
from tinygrad_lite.serialization import load_file, save_file

theirs = pytest.importorskip("safetensors.numpy")

ARRAYS = {
    "weight": np.arange(6, dtype="f4").reshape(2, 3),
    "f8": np.array(1.5),
    "f2": np.array([1.5, -2], "f2"),
    "flag": np.array([True, False, True]),
    "empty": np.zeros((0, 3), "f4"),
    "é name.with.dots": np.arange(3, dtype="i8"),
    **{d: np.array([0, 1, 2], d) for d in ("i1", "i2", "i4", "u1", "u2", "u4", "u8")},
}


def check(found):
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        got = getattr(found[name], "array", found[name])
        assert got.dtype == array.dtype and got.shape == array.shape and got.tobytes() == array.tobytes()


def test_our_file_is_read_by_pytorch(tmp_path):
    save_file(ARRAYS, tmp_path / "x.safetensors", {"format": "np", "note": "ü"})
    check(theirs.load_file(tmp_path / "x.safetensors"))


def test_pytorchs_file_is_read_here(tmp_path):
    theirs.save_file(ARRAYS, tmp_path / "x.safetensors", {"format": "np"})
    check(load_file(tmp_path / "x.safetensors"))
    check(tl.load(tmp_path / "x.safetensors"))


def test_the_suffix_chooses_the_format_and_the_content_decides(tmp_path):
    tl.save({k: tl.tensor(v) for k, v in ARRAYS.items()}, tmp_path / "x.safetensors")
    check(theirs.load_file(tmp_path / "x.safetensors"))
    (tmp_path / "x.safetensors").rename(tmp_path / "x.bin")
    check(tl.load(tmp_path / "x.bin"))


def test_layout_in_memory(tmp_path):
    odd = np.arange(24.0).reshape(4, 6)[::2, ::-2]
    save_file({"odd": odd, "big": odd.astype(">f4"), "t": tl.tensor(odd.T.copy(), requires_grad=True)}, tmp_path / "x")
    back = theirs.load_file(tmp_path / "x")
    np.testing.assert_array_equal(back["odd"], odd)
    np.testing.assert_array_equal(back["big"], odd.astype("f4"))
    np.testing.assert_array_equal(back["t"], odd.T)


def test_every_tensor_is_aligned(tmp_path):
    save_file({"a": np.zeros(3, "u1"), "b": np.zeros(1, "f8"), "c": np.zeros(1, "f2")}, tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    assert load_file(tmp_path / "x")["b"].shape == (1,)


@pytest.mark.parametrize(
    "value",
    [
        [1],
        {"a": 1.0},
        {"a": {"b": np.zeros(1)}},
        {1: np.zeros(1)},
        {"a": np.array(["x"])},
        {"a": np.zeros(1, "c8")},
        {"__metadata__": np.zeros(1)},
    ],
)
def test_values_the_format_cannot_hold(value, tmp_path):
    with pytest.raises(DTypeError, match="safetensors"):
        tl.save(value, tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())
    with pytest.raises(DTypeError, match="metadata"):
        save_file({}, tmp_path / "x.safetensors", {"a": 1})
