"""Every registered op on a strict stand-in for a GPU's arrays, forward and backward, against NumPy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
import tinygrad_lite.nn.functional as F
from tinygrad_lite import nn, optim
from tinygrad_lite.engine.devices import register
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.testing.check import sampler_for
from tinygrad_lite.testing.search.source import Source

sys.path.insert(0, str(Path(__file__).parent))
import stand_in  # noqa: E402

CALLS = 4
A, B = np.array([[1.5, -2.0, 0.0], [3.0, 1.5, np.inf]], np.float32), np.array([1.5, 2.0, 0.0], np.float32)
WHOLE, OTHER = np.array([[6, 4, 9], [1, 0, 12]]), np.array([2, 3, 1])
INTEGERS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm",
            "bitwise_not")  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {"cummax_index": {"dim": 1}, "cummin_index": {"dim": 1}}
REASONS: dict[str, str] = {
    "transfer": "it is the way to another device; test_there_and_back goes it",
    "gammainc": "its rule takes lgamma of a plain number, which NumPy computes",
    "gammaincc": "its rule takes lgamma of a plain number, which NumPy computes",
}
"""Ops that cannot run there, and why."""


@pytest.fixture(scope="module", autouse=True)
def device() -> Iterator[None]:
    """Register the stand-in as a device, and take it away again."""
    undo = register("standin", stand_in)
    yield
    undo()


def calls(name: str) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield what an op is called with: by its samples, which may prepare their arrays, or as listed above."""
    op = tl.OPS[name]
    if op.samples is None:
        yield ((WHOLE, OTHER) if name in INTEGERS else (A, B))[: len(op.arrays)], OPTIONS.get(name, {})
        return
    sampler, _ = sampler_for(op.call, (), None)
    for n in range(CALLS):
        arrays, options = sampler(Source.example(11, n))
        given = [None if a is None else np.asarray(a) for a in arrays]
        if op.samples.call is None:
            single = n % 2 == 1
            yield (
                tuple(a.astype(np.float32) if single and a is not None and a.dtype.kind == "f" else a for a in given),
                options,
            )
            continue
        asked: list[Any] = []

        def note(*args: Any, asked: list[Any] = asked, **words: Any) -> Any:
            asked.append((args, words))
            return op.call(*args, **words)

        with np.errstate(all="ignore"):
            op.samples.call(note, *given, **options)
        yield asked[0]


def on(args: Any, place: Any, leaves: list[Any], bare: bool = False) -> Any:
    """Return arguments with tensors for arrays."""
    if isinstance(args, np.ndarray):
        if bare:
            return place(args)
        t = make(place(args))
        if args.dtype.kind == "f":
            leaves.append(t.requires_grad_())
        return t
    return type(args)([on(a, place, leaves, bare) for a in args]) if type(args) in (tuple, list) else args


def tensors(y: Any) -> list[Any]:
    """Return the tensors in nested results."""
    return [t for v in y for t in tensors(v)] if isinstance(y, (tuple, list)) else [y] if hasattr(y, "array") else []


def run(name: str, args: Any, words: Any, place: Any) -> list[Any]:
    """Return the arrays of the results of an op, and those of the gradients of its operands."""
    leaves: list[Any] = []
    with np.errstate(all="ignore"):
        op = tl.OPS[name]
        rules = op.arrays if op.gather else [op.arrays[i] for i in op.places] or op.arrays
        given = [on(a, place, leaves, p not in rules) for p, a in zip(op.params, args, strict=False)]
        ys = tensors(op.call(*given, **words))
        out = [t.array for t in ys]
        roots = [t for t in ys if t.tracked]
        if roots:
            rng = np.random.default_rng(0)
            seeds = [make(place(rng.standard_normal(t.shape).astype(t.array.dtype))) for t in roots]
            out += [g if g is None else g.array for g in tl.grad(roots, leaves, seeds, allow_unused=True)]
    return out


@pytest.mark.parametrize("name", sorted(tl.OPS))
def test_an_op(name: str) -> None:
    if name in REASONS:
        pytest.skip(REASONS[name])
    for args, words in calls(name):
        wanted, found = run(name, args, words, np.copy), run(name, args, words, stand_in.asarray)
        for w, f in zip(wanted, found, strict=True):
            if w is None:
                assert f is None
                continue
            assert type(f) is stand_in.ndarray and f.dtype == w.dtype and f.shape == w.shape
            np.testing.assert_allclose(f._memory, w, rtol=1e-4, atol=1e-6)


def test_most_ops_run_there() -> None:
    assert len(REASONS) <= 0.1 * len(tl.OPS) and len(tl.OPS) > 200


# ------------------------------------------------------------------------------------------------ tensors
def test_there_and_back() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = x.to("standin")
    assert y.device == tl.device("standin", 0) and str(y.device) == "standin:0" and not y.is_cpu and not y.is_cuda
    assert y.get_device() == 0 and x.get_device() == -1 and y.to("standin") is y and x.to("cpu") is x and x.cpu() is x
    assert type(y.array) is stand_in.ndarray and repr(y.detach()) == "tensor([1., 2.], device='standin:0')"
    (y * y).sum().backward()
    assert isinstance(x.grad.array, np.ndarray) and x.grad.tolist() == [2.0, 4.0]
    z = (y * 3).cpu()
    (slope,) = tl.grad((z * z).sum(), x, create_graph=True)
    (bend,) = tl.grad(slope.sum(), x)
    assert slope.tolist() == [18.0, 36.0] and bend.tolist() == [18.0, 18.0]
    assert y.detach().to("cpu", tl.float64).numpy().dtype == np.float64 and x.to(y.detach()).device == y.device
    with pytest.raises(TypeError, match="use .cpu"):
        y.detach().numpy()


def test_new_tensors() -> None:
    there = tl.device("standin")
    made = [
        tl.tensor([[1, 2]], device=there), tl.zeros(2, device=there), tl.full((2,), 7.0, device="standin:0"),
        tl.arange(3, device=there), tl.linspace(0, 1, 3, device=there), tl.eye(2, device=there),
        tl.rand(2, device=there), tl.randint(0, 5, (2,), device=there), tl.randperm(3, device=there),
        tl.tril_indices(2, 2, device=there),
    ]  # fmt: skip
    x = tl.tensor([[1.5, 2.5]], device=there)
    made += [tl.zeros_like(x), tl.rand_like(x), x.new_zeros(2), x.new_tensor([1]), x.clone(), x.detach(), x.T]
    with there:
        made += [tl.ones(2), tl.randn(2)]
    assert all(type(t.array) is stand_in.ndarray for t in made)
    assert x.dtype == tl.float32 and made[0].dtype == tl.int64
    assert isinstance(tl.ones(2).array, np.ndarray) and isinstance(tl.ones_like(x, device="cpu").array, np.ndarray)


def test_the_same_numbers_are_drawn() -> None:
    tl.manual_seed(3)
    here = tl.randn(4)
    tl.manual_seed(3)
    assert tl.equal(tl.randn(4, device="standin").cpu(), here)


def test_devices_are_not_mixed() -> None:
    x = tl.ones(2, device="standin")
    for call in (
        lambda: x + tl.ones(2),
        lambda: tl.ones(2) @ x,
        lambda: tl.cat([x, tl.ones(2)]),
        lambda: x + np.ones(2),
    ):
        with pytest.raises(tl.errors.DeviceError, match=r"expected tensors on one device, got standin and cpu"):
            call()
    assert (x * tl.tensor(3.0) + 1).tolist() == [4.0, 4.0]  # a number has no device
    assert x[tl.tensor([0, 0])].tolist() == [1.0, 1.0]  # nor has an index


def test_writes() -> None:
    x = tl.zeros(2, 3, device="standin", requires_grad=True)
    y = x * 2
    y[0] += 1.0
    y[:, 1] = 5.0
    y.add_(tl.ones(3, device="standin"))
    y.mul_(2.0).clamp_(min=0.0)
    y.sum().backward()
    assert x.grad.tolist() == [[4.0, 0.0, 4.0], [4.0, 0.0, 4.0]]
    kept = x.exp()
    z = (kept * kept).sum()
    kept.zero_()
    with pytest.raises(tl.errors.GradientError, match="changed in place"):
        z.backward()


def test_names_of_devices() -> None:
    for name in ("mps", "gpu", "standin:1", "standin:x", 0):
        with pytest.raises(tl.errors.DeviceError):
            tl.device(name)
    for name in ("cpu", "standin", "meta", "no name"):
        with pytest.raises(tl.errors.DeviceError, match="does not exist yet"):
            register(name, stand_in)


# ------------------------------------------------------------------------------------------------ training
class Last(nn.Module):
    """A recurrent layer and a linear one for its last output."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer, self.out = getattr(nn, kind)(8, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.layer(x)[0][:, -1])


class Attending(nn.Module):
    """An embedding, a Transformer layer and a linear one for the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(7, 8), nn.Linear(8, 3)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.out(self.layer(self.embedding(x)).mean(1))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.LayerNorm(16), nn.Dropout(0.2), nn.Linear(16, 3))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.GELU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip


TRAINED = {
    **{name: (perceptron, (4, 8), name) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam",
                                                     "RAdam", "Adamax", "Rprop", "ASGD")},
    "convolutions": (convolutions, (4, 1, 8, 8), "Adam"), "attention": (Attending, (), "AdamW"),
    **{kind: (lambda kind=kind: Last(kind), (4, 5, 8), "SGD") for kind in ("RNN", "LSTM", "GRU")},
}  # fmt: skip


def trained(name: str, place: str) -> tuple[list[float], nn.Module]:
    """Return the losses of three steps, and the network."""
    make_net, shape, method = TRAINED[name]
    tl.manual_seed(0)
    net = make_net().to(place)
    steps = getattr(optim, method)(net.parameters(), lr=0.01)
    rng, losses = np.random.default_rng(0), []
    x = rng.standard_normal(shape).astype(np.float32) if shape else np.arange(20).reshape(4, 5) % 7
    x, y = tl.tensor(x).to(place), tl.tensor([0, 1, 2, 1], device=place)
    for _ in range(3):
        steps.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        steps.step()
        losses.append(loss.item())
    return losses, net


@pytest.mark.parametrize("name", TRAINED)
def test_training(name: str) -> None:
    (wanted, here), (found, there) = trained(name, "cpu"), trained(name, "standin")
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert all(type(v.array) is stand_in.ndarray for v in there.state_dict().values())
    here.load_state_dict(there.state_dict())
    there.load_state_dict(here.state_dict())
    assert all(type(p.array) is stand_in.ndarray for p in there.parameters())
    assert all(isinstance(p.array, np.ndarray) for p in here.parameters())
    assert all(isinstance(p.array, np.ndarray) for p in there.cpu().parameters())
