"""Batch and layer normalisation in blocks, against float64 and against the rounding of PyTorch in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import functional as F
from tinygrad_lite.ops.networks import normalisation32 as norm32

pytestmark = pytest.mark.usefixtures("numpy_alone")

# mean and standard deviation of the data
DATA = {"plain": (0.0, 1.0), "large mean": (1e3, 1.0), "tiny variance": (0.0, 1e-4), "both": (10.0, 1e-2)}
BATCHES: dict[str, tuple[int, ...]] = {
    "images": (8, 5, 16, 16),
    "one block and a rest": (9, 4, 43, 61),
    "rows": (1031, 7),
    "one image": (1, 3, 50, 50),
    "sequences": (33, 6, 29),
}
LAYERS: dict[str, Any] = {
    "rows": ((257, 40), (40,)),
    "images": ((5, 3, 8, 8), (3, 8, 8)),
    "blocks and a rest": ((700, 512), (512,)),
    "eight": ((3, 8), (8,)),
    "longer than a block": ((2, 1 << 17), (1 << 17,)),
}


def einsum_vecdot(a: Any, b: Any) -> Any:
    return np.einsum("...i,...i->...", a, b)


@pytest.fixture(params=["vecdot", "einsum"], autouse=True)
def both_dots(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with NumPy's vecdot and with what stands in for it in NumPy 1."""
    if request.param == "einsum":
        monkeypatch.setattr(norm32, "vecdot", einsum_vecdot)


def drawn(shape: Any, weights: Any, data: str) -> list[Any]:
    rng = np.random.default_rng(len(shape))
    mean, std = DATA[data]
    x = (mean + std * rng.standard_normal(shape)).astype(np.float32)
    w, b = (rng.standard_normal(weights, np.float32) for _ in range(2))
    return [x, w, b, rng.standard_normal(shape, np.float32)]


def run_batch(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.batch_norm(x, None, None, w, b, True)


def run_layer(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.layer_norm(x, tuple(w.shape), w, b)


def results(lib: Any, run: Any, arrays: list[Any], dtype: Any) -> list[Any]:
    """Return the output and the gradients of input, weight and bias."""
    *leaves, g = [lib.tensor(a.astype(dtype)) for a in arrays]
    for leaf in leaves:
        leaf.requires_grad_()
    y = run(lib, *leaves)
    y.backward(g)
    return [y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]


def compare(run: Any, arrays: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    exact = results(torch, run, arrays, np.float64)
    ours = results(tl, run, arrays, np.float32)
    theirs = results(torch, run, arrays, np.float32)
    for name, e, a, t in zip(("output", "input", "weight", "bias"), exact, ours, theirs, strict=True):
        assert a.dtype == np.float32 and a.shape == e.shape
        size = np.abs(e).max()
        mine, other = np.abs(a - e).max() / size, np.abs(t - e).max() / size
        assert mine <= 3 * other + 2e-6, f"{name}: off by {mine:.1e} of the largest, PyTorch by {other:.1e}"


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("shape", BATCHES)
def test_batch_norm_rounds_no_worse_than_pytorch(shape: str, data: str) -> None:
    arrays = drawn(BATCHES[shape], BATCHES[shape][1], data)
    compare(run_batch, arrays)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("shape", LAYERS)
def test_layer_norm_rounds_no_worse_than_pytorch(shape: str, data: str) -> None:
    compare(run_layer, drawn(*LAYERS[shape], data))


@pytest.mark.parametrize("run", [run_batch, run_layer])
def test_the_blocks_are_used(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for name in ("batch", "batch_back", "layer", "layer_back"):
        plain = getattr(norm32, name)
        monkeypatch.setattr(norm32, name, lambda *a, plain=plain, name=name: taken.append(name) or plain(*a))
    arrays = drawn((8, 5, 16, 16), 5 if run is run_batch else (16, 16), "plain")
    results(tl, run, arrays, np.float32)
    assert taken == (["batch", "batch_back"] if run is run_batch else ["layer", "layer_back"])


@pytest.mark.parametrize("run", [run_batch, run_layer])
def test_without_weights_and_with_scattered_memory(run: Any) -> None:
    x, _, _, g = drawn((6, 5, 20, 24), 5, "plain")
    for a in (x, np.ascontiguousarray(x.transpose(3, 2, 1, 0)).transpose(3, 2, 1, 0), np.asfortranarray(x)):
        found = []
        for dtype in (np.float32, np.float64):
            t = tl.tensor(np.array(a, dtype, order="K"), requires_grad=True)
            y = F.batch_norm(t, None, None, training=True) if run is run_batch else F.layer_norm(t, (20, 24))
            y.backward(tl.tensor(g.astype(dtype)))
            found.append((y.detach().numpy(), t.grad.numpy()))
        for mine, exact in zip(*found, strict=True):
            np.testing.assert_allclose(mine, exact, atol=3e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("run", [run_batch, run_layer])
def test_blocks_and_whole_arrays_agree(run: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = drawn((8, 5, 16, 16), 5 if run is run_batch else (16, 16), "plain")
    fast = results(tl, run, arrays, dtype)
    monkeypatch.setattr(norm32, "channels", lambda *_: False)
    for a, b in zip(fast, results(tl, run, arrays, dtype), strict=True):
        np.testing.assert_allclose(
            a, b, rtol=1e-4 if dtype is np.float32 else 1e-11, atol=1e-5 if dtype is np.float32 else 1e-11
        )


def test_running_statistics_of_a_large_mean() -> None:
    x, *_ = drawn((16, 3, 20, 20), 3, "large mean")
    mean, var = tl.zeros(3), tl.ones(3)
    F.batch_norm(tl.tensor(x), mean, var, training=True, momentum=1.0)
    d = x.astype(np.float64)
    np.testing.assert_allclose(mean.numpy(), d.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(var.numpy(), d.var((0, 2, 3), ddof=1), rtol=1e-4)


def test_both_dots_agree() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4, 5, 6))
    np.testing.assert_allclose(norm32.vecdot(a, b), (a * b).sum(-1))
