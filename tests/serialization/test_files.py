"""Saving and loading in NumPy's format."""

import io
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import DTypeError, FileError


def same(a, b):
    """Equal in type, dtype, shape and every bit."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and same(a.array, b.array) and a.requires_grad == b.requires_grad
    if isinstance(a, (np.ndarray, np.generic)):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


OBJECTS = {
    "state": {"layer.weight": tl.tensor([[1.0, 2.0]]), "layer.bias": tl.tensor(3.0), "count": tl.tensor(7)},
    "empty": {},
    "no elements": tl.zeros(0, 3),
    "nested": {"a": [1, (2.5, None, True), {"b": "text é \n", "": []}], "c": -0.0, "d": 10**40},
    "not finite": [math.inf, -math.inf, math.nan],
    "keys": {0: {"step": 3}, 1: {"step": 4}, (1, "a"): None, 2.5: True, None: False},
    "a key that is ours": {"$": "tensor", "name": "x"},
    "arrays": [
        np.arange(6).reshape(2, 3).T,
        np.array(1.5),
        np.float32(0.1),
        np.array([], np.float16),
        np.dtype("int16"),
    ],
    "dtypes": [np.array([0, 1], d) for d in "?bhilBHILefd"],
    "bytes reversed": {"x": tl.tensor([1.0])},
    "names that clash": {"a.b": tl.tensor([1.0]), "a": {"b": tl.tensor([2.0])}, "a.b~2": tl.tensor([3.0])},
    "names with slashes": {"a/../b": tl.tensor([1.0]), "": tl.tensor([2.0]), "structure.json": tl.tensor([4.0])},
    "tracked": tl.tensor([1.0], requires_grad=True),
    "a number": 3,
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("file", ["x.npz", "x.pt", "x.pth", "x"])
def test_round_trip(name, file, tmp_path):
    tl.save(OBJECTS[name], tmp_path / file)
    assert same(tl.load(tmp_path / file), OBJECTS[name])
    assert os.listdir(tmp_path) == [file]


def test_a_shared_tensor_stays_shared(tmp_path):
    t = tl.tensor([1.0, 2.0])
    tl.save({"a": t, "b": [t]}, tmp_path / "x.npz")
    back = tl.load(tmp_path / "x.npz")
    assert back["a"].array is back["b"][0].array
    assert np.load(tmp_path / "x.npz").files == ["a", "b.0", "structure.json"]


def test_files_of_numpy_both_ways(tmp_path):
    tl.save({"w": tl.tensor([[1.0, 2.0]]), "n": 3}, tmp_path / "x.npz")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["w"], [[1.0, 2.0]])
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "y.npz", a=np.asfortranarray(np.arange(6.0).reshape(2, 3)), b=np.ones(3, ">f4"))
        back = tl.load(tmp_path / "y.npz")
        assert same(back["a"].array, np.arange(6.0).reshape(2, 3)) and same(back["b"].array, np.ones(3, "f4"))


def test_open_files(tmp_path):
    buffer = io.BytesIO()
    tl.save({"w": tl.tensor([1.0])}, buffer)
    buffer.seek(0)
    assert tl.load(buffer)["w"].tolist() == [1.0]


def test_equal_content_gives_equal_files(tmp_path):
    for name in "ab":
        tl.save(OBJECTS["state"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_arrays_that_are_not_contiguous(tmp_path):
    a = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    frozen = np.arange(3)
    frozen.flags.writeable = False
    tl.save({"a": a, "b": frozen}, tmp_path / "x.npz")
    back = tl.load(tmp_path / "x.npz")
    assert same(back["a"], a) and back["b"].flags.writeable


# ------------------------------------------------------------------------------------------------ what is refused
class Model:
    def state_dict(self):
        return {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"model": Model()}, "model.*state_dict"),
        ({"a": {"b": [print]}}, r"a\.b\.0"),
        ({"a": {1, 2}}, "cannot write a"),
        ({"a": 1j}, "cannot write a"),
        ({"a": np.array(["x"])}, "a has dtype"),
        ({"a": np.array([None])}, "a has dtype object"),
        ({"a": np.array([1j])}, "a has dtype complex"),
        ({"a": b"bytes"}, "cannot write a"),
    ],
)
def test_an_error_names_the_value_before_the_file_is_changed(value, message, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"old")
    with pytest.raises(DTypeError, match=message):
        tl.save(value, path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x.npz"]


def test_a_list_in_itself(tmp_path):
    loop = []
    loop.append(loop)
    with pytest.raises(DTypeError, match="contains itself"):
        tl.save({"a": loop}, tmp_path / "x.npz")
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DTypeError, match="deeply"):
        tl.save(deep, tmp_path / "x.npz")


def test_missing_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        tl.save({}, tmp_path / "nowhere" / "x.npz")
    with pytest.raises(IsADirectoryError):
        tl.save({}, tmp_path)
    with pytest.raises(FileNotFoundError):
        tl.load(tmp_path / "x.npz")


# ------------------------------------------------------------------------------------------------ the old file is safe
def test_an_error_while_writing_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    tl.save({"w": tl.tensor([1.0])}, path)
    before = path.read_bytes()

    def fails(*args, **kwargs):
        raise OSError("no space left")

    for module, name in ((np.lib.format, "write_array"), (os, "replace"), (os, "fsync")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fails)
            with pytest.raises(OSError, match="no space left"):
                tl.save({"w": tl.tensor([2.0])}, path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["x.npz"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])
def test_a_killed_program_keeps_the_old_file(name, tmp_path):
    path = tmp_path / name
    tl.save({"w": tl.tensor([1.0])}, path)
    before = path.read_bytes()
    program = textwrap.dedent(f"""
        import os, signal
        import numpy as np, tinygrad_lite as tl
        from tinygrad_lite.serialization import atomic
        fsync = os.fsync
        def kill(file):
            fsync(file)
            os.kill(os.getpid(), signal.SIGKILL)
        os.fsync = kill
        tl.save({{"w": np.zeros(1000)}}, {str(path)!r})
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_bytes() == before and tl.load(path)["w"].tolist() == [1.0]
    assert len(os.listdir(tmp_path)) == 2, "half of the new file lies beside"


@pytest.mark.skipif(os.name == "nt", reason="links and permissions")
def test_links_and_permissions_are_kept(tmp_path):
    path, link = tmp_path / "x.npz", tmp_path / "latest.npz"
    tl.save({}, path)
    path.chmod(0o640)
    link.symlink_to(path)
    tl.save({"a": 1}, link)
    assert link.is_symlink() and tl.load(path) == {"a": 1} and path.stat().st_mode & 0o777 == 0o640


# ------------------------------------------------------------------------------------------------ a stopped training
def test_an_optimiser_resumes_bit_for_bit(tmp_path):
    def start():
        rng = np.random.default_rng(0)
        p = [tl.tensor(rng.normal(size=s).astype("f"), requires_grad=True) for s in [(3, 2), (2,), ()]]
        return p, optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.01)

    def steps(p, optimizer, n):
        for _ in range(n):
            optimizer.zero_grad()
            ((p[0] @ p[1]).tanh().sum() * p[2]).backward()
            optimizer.step()

    p, optimizer = start()
    steps(p, optimizer, 20)
    q, first = start()
    steps(q, first, 8)
    tl.save({"p": q, "optimizer": first.state_dict()}, tmp_path / "x.pt")
    saved = tl.load(tmp_path / "x.pt")
    again = optim.Adam(saved["p"])
    again.load_state_dict(saved["optimizer"])
    steps(saved["p"], again, 12)
    assert all(a.array.tobytes() == b.array.tobytes() for a, b in zip(p, saved["p"], strict=True))
    assert again.param_groups[0]["lr"] == 0.1 and again.param_groups[0]["betas"] == (0.9, 0.999)


def test_errors_are_pytorchs_and_numpys():
    assert issubclass(FileError, ValueError) and issubclass(FileError, RuntimeError)
