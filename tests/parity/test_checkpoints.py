"""Files exchanged with PyTorch, in both directions."""

import collections
import io

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_lite as tl
from tinygrad_lite.errors import FileError

torch = pytest.importorskip("torch")


def numbers(t):
    """The array of a tensor of either library; bfloat16 as float32."""
    if isinstance(t, torch.Tensor):
        return (t.float() if t.dtype == torch.bfloat16 else t).detach().numpy()
    return t.array


def same(ours, theirs):
    if isinstance(theirs, torch.Tensor):
        a, b = numbers(ours), numbers(theirs)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == np.ascontiguousarray(b).tobytes()
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(same(ours[k], theirs[k]) for k in theirs)
    if isinstance(theirs, (list, tuple)) and not isinstance(theirs, torch.Size):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


def contents():
    g = torch.Generator().manual_seed(0)
    base = torch.randn(4, 6, generator=g)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3)
    )
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 5])
    tied = torch.nn.Linear(3, 3)
    yield "state dict", model.state_dict()
    yield (
        "checkpoint",
        {"epoch": 3, "loss": 0.25, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "name": "x"},
    )
    yield "schedule", schedule.state_dict()
    yield "dtypes", {str(d): torch.tensor([0, 1, 2]).to(d) for d in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool)}  # fmt: skip
    yield (
        "views",
        {"t": base.t(), "slice": base[1:3, ::2], "row": base[2], "zero": base[0, 0], "expanded": base[0].expand(3, 6)},
    )
    yield "empty", {"e": torch.zeros(0, 3), "n": None, "l": [], "t": (), "s": torch.tensor(3)}
    yield (
        "containers",
        collections.OrderedDict(a=[1, (2.5, True), "é"], b={1: -(2**70), 2: b"bytes"}, c={1, 2}, d=torch.Size([2, 3])),
    )
    yield "parameters", [torch.nn.Parameter(base), torch.nn.Parameter(base[0], requires_grad=False)]
    yield "shared", {"a": tied.weight.data, "b": tied.weight.data}
    yield "one tensor", base


CASES = dict(contents())


@pytest.mark.parametrize("name", CASES)
def test_pytorchs_files_are_read(name, tmp_path):
    torch.save(CASES[name], tmp_path / "x.pt")
    assert same(tl.load(tmp_path / "x.pt"), CASES[name])


def test_a_parameter_and_shared_memory_after_conversion(tmp_path):
    torch.save(CASES["parameters"] + [CASES["shared"]], tmp_path / "x.pt")
    first, second, shared = tl.load(tmp_path / "x.pt", map_location="cpu", weights_only=True)
    assert first.requires_grad and not second.requires_grad
    assert np.shares_memory(shared["a"].array, shared["b"].array)


def test_objects_are_refused_by_name(tmp_path):
    for value, name in (
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        ({"a": torch.eye(2).to_sparse()}, "sparse"),
        ({"a": np.float64(3)}, "numpy"),
        ({"a": collections.deque()}, "deque"),
    ):
        torch.save(value, tmp_path / "x.pt")
        with pytest.raises(FileError, match=name):
            tl.load(tmp_path / "x.pt")


def test_the_old_format_is_refused(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(FileError, match=r"before version 1\.6"):
        tl.load(tmp_path / "x.pt")


def test_every_truncation_is_noticed(tmp_path):
    torch.save(CASES["checkpoint"], tmp_path / "x.pt")
    whole = (tmp_path / "x.pt").read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 50)):
        (tmp_path / "y.pt").write_bytes(whole[:length])
        with pytest.raises(FileError):
            tl.load(tmp_path / "y.pt")


@given(st.data())
def test_changed_bytes_are_read_or_refused(data):
    buffer = io.BytesIO()
    torch.save(CASES["checkpoint"], buffer)
    whole = bytearray(buffer.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    try:
        tl.load(io.BytesIO(bytes(whole)))
    except FileError:
        pass


def test_safetensors_from_pytorch(tmp_path):
    package = pytest.importorskip("safetensors.torch")
    for name in ("state dict", "dtypes"):
        tensors = {k: v.contiguous() for k, v in CASES[name].items()}
        package.save_file(tensors, tmp_path / "x.safetensors", {"format": "pt"})
        found = tl.load(tmp_path / "x.safetensors")
        assert set(found) == set(tensors) and all(same(found[k], v) for k, v in tensors.items())


def test_safetensors_for_pytorch(tmp_path):
    package = pytest.importorskip("safetensors.torch")
    state = {k: tl.tensor(v.numpy()) for k, v in CASES["state dict"].items()}
    tl.save(state, tmp_path / "x.safetensors")
    found = package.load_file(tmp_path / "x.safetensors")
    assert all(same(state[k], v) for k, v in found.items()) and len(found) == len(state)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3)
    )
    model.load_state_dict(found)


def test_bfloat16_keeps_every_bit(tmp_path):
    values = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    torch.save({"v": values}, tmp_path / "x.pt")
    np.testing.assert_array_equal(
        tl.load(tmp_path / "x.pt")["v"].array.view("u4") >> 16, values.view(torch.int16).numpy().view("u2")
    )


# ------------------------------------------------------------------------------------------------ a whole network
def networks():
    """The classic network for handwritten digits, written once for both libraries."""
    import tinygrad_lite.nn.functional as our_functional
    from tinygrad_lite import nn as our_nn

    for nn, functional, flatten in (
        (our_nn, our_functional, tl.flatten),
        (torch.nn, torch.nn.functional, torch.flatten),
    ):

        class Net(nn.Module):
            def __init__(self, nn=nn):
                super().__init__()
                self.conv1 = nn.Conv2d(1, 8, 3, 1)
                self.norm = nn.BatchNorm2d(8)
                self.conv2 = nn.Conv2d(8, 16, 3, 1)
                self.dropout1 = nn.Dropout(0.25)
                self.dropout2 = nn.Dropout(0.5)
                self.fc1 = nn.Linear(16 * 12 * 12, 32)
                self.fc2 = nn.Linear(32, 10)

            def forward(self, x, F=functional, flatten=flatten):
                x = F.relu(self.norm(self.conv1(x)))
                x = F.relu(self.conv2(x))
                x = F.max_pool2d(x, 2)
                x = self.dropout1(x)
                x = flatten(x, 1)
                x = F.relu(self.fc1(x))
                x = self.dropout2(x)
                return F.log_softmax(self.fc2(x), dim=1)

        yield Net()


IMAGES = np.random.default_rng(0).normal(size=(16, 1, 28, 28)).astype("f4")


def trained(model, optimizer, make, nll):
    """A few steps, so that the checkpoint is none of a fresh network."""
    model.train()
    labels = make(np.arange(16) % 10)
    for _ in range(3):
        optimizer.zero_grad()
        nll(model(make(IMAGES)), labels).backward()
        optimizer.step()
    return model.eval()


def predictions(ours, theirs):
    ours.eval(), theirs.eval()
    with torch.no_grad(), tl.no_grad():
        a, b = ours(tl.tensor(IMAGES)).numpy(), theirs(torch.tensor(IMAGES)).numpy()
    np.testing.assert_allclose(a, b, atol=2e-5)
    np.testing.assert_array_equal(a.argmax(1), b.argmax(1))


@pytest.mark.parametrize("name", ["x.safetensors", "x.pt"])
def test_a_network_trained_in_pytorch_predicts_the_same_here(name, tmp_path):
    ours, theirs = networks()
    trained(theirs, torch.optim.Adam(theirs.parameters(), 0.01), torch.tensor, torch.nn.functional.nll_loss)
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors.torch").save_file(theirs.state_dict(), tmp_path / name)
    else:
        torch.save(theirs.state_dict(), tmp_path / name)
    missing = ours.load_state_dict(tl.load(tmp_path / name))
    assert not missing.missing_keys and not missing.unexpected_keys
    predictions(ours, theirs)


def test_a_network_trained_here_predicts_the_same_in_pytorch(tmp_path):
    from tinygrad_lite import nn, optim

    package = pytest.importorskip("safetensors.torch")
    ours, theirs = networks()
    trained(ours, optim.Adam(ours.parameters(), 0.01), tl.tensor, nn.functional.nll_loss)
    tl.save(ours.state_dict(), tmp_path / "x.safetensors")
    theirs.load_state_dict(package.load_file(tmp_path / "x.safetensors"))
    predictions(ours, theirs)
