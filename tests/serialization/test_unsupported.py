"""Dtypes that are not read refuse only themselves; tied weights keep both names."""

import json

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.errors import DTypeError, FileError


def check(path, left, kept, message):
    with pytest.raises(FileError):
        tl.load(path)
    with pytest.warns(UserWarning, match=message):
        content = tl.load(path, strict=False)
    assert left not in content
    np.testing.assert_array_equal(content[kept].array, [1.0, 2.0])


def test_safetensors(tmp_path):
    head = {
        "f": {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]},
    }
    text = json.dumps(head).encode()
    content = b"\1\2\3" + np.array([1, 2], "f4").tobytes()
    (tmp_path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content)
    check(tmp_path / "x.safetensors", "f", "a", r"left out.*f \(F8_E4M3\)")


def test_npz(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([1.0, 2.0]), c=np.array([1j]))
    check(tmp_path / "x.npz", "c", "a", r"c \(complex128\)")
    np.savez(tmp_path / "y.npz", a=np.array([1.0, 2.0]), c=np.array([None], dtype=object))
    with pytest.raises(FileError, match="dtype object"):
        tl.load(tmp_path / "y.npz", strict=False)


def test_files_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    for name, value in (("complex", torch.tensor([1j])), ("fp8", torch.ones(3).to(torch.float8_e4m3fn))):
        torch.save({"a": torch.tensor([1.0, 2.0]), name: value}, tmp_path / "x.pt")
        check(tmp_path / "x.pt", name, "a", f"left out.*{name} ")


def test_tied_weights_keep_both_names(tmp_path):
    layer = nn.Linear(2, 2)
    tied = nn.ModuleDict({"one": layer, "two": layer})
    tl.save(tied.state_dict(), tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as file:
        for name in ("one.weight", "two.weight", "one.bias", "two.bias"):
            np.testing.assert_array_equal(file[name], layer.state_dict()[name.split(".")[1]].array)
    back = tl.load(tmp_path / "x.npz")
    assert back["one.weight"].array is back["two.weight"].array


def test_a_whole_module_names_its_state_dict():
    with pytest.raises(DTypeError, match=r"whole Linear, which would need pickle; save its state_dict\(\)"):
        tl.save(nn.Linear(2, 2), "never.npz")
