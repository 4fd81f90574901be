"""The backward pass of an LSTM on bare arrays, against the same rule on Tensors and against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.networks import recurrent


def drawn(length: int, batch: int, n: int, dtype: Any) -> list[Any]:
    """Return outer, hidden, cell and weight."""
    rng = np.random.default_rng(length)
    shapes = (length, batch, 4 * n), (batch, n), (batch, n), (4 * n, n)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def loss_of(lib: Any, hs: Any, cs: Any, cells: str) -> Any:
    """Return a scalar that depends on the outputs, and on the cells named: none, the last or all."""
    out = (hs * hs * 0.5 + hs).sum()
    if cells == "all":
        out = out + (cs * cs).sum()
    elif cells == "last":
        out = out + (cs[-1] ** 3).sum()
    return out


def gradients(arrays: list[Any], reverse: bool, cells: str, create_graph: bool) -> list[Any]:
    leaves = [tl.tensor(a, requires_grad=True) for a in arrays]
    hs, cs, _ = recurrent.lstm_steps(*leaves, reverse=reverse)
    return [g.detach().numpy() for g in tl.grad(loss_of(tl, hs, cs, cells), leaves, create_graph=create_graph)]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record with which cell gradients the pass on bare arrays is called."""
    calls: list[Any] = []
    plain = recurrent._lstm_back

    def spy(*args: Any) -> Any:
        calls.append(args[7])
        return plain(*args)

    monkeypatch.setattr(recurrent, "_lstm_back", spy)
    return calls


@pytest.mark.parametrize("cells", ["none", "last", "all"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_bare_arrays_and_tensors_agree(length: int, reverse: bool, cells: str, taken: list[Any]) -> None:
    arrays = drawn(length, 5, 4, np.float64)
    bare = gradients(arrays, reverse, cells, False)
    assert len(taken) == 1 and (taken[0] is None) == (cells == "none")
    on_tensors = gradients(arrays, reverse, cells, True)
    assert len(taken) == 1
    for name, a, b in zip(("outer", "hidden", "cell", "weight"), bare, on_tensors, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("reverse", [False, True])
def test_against_pytorch_step_by_step(reverse: bool, taken: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    arrays = drawn(6, 3, 4, np.float64)
    found = gradients(arrays, reverse, "all", False)
    outer, hidden, cell, weight = leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    hs, cs, h, c = {}, {}, hidden, cell
    for t in range(6)[::-1] if reverse else range(6):
        i, f, z, o = (outer[t] + h @ weight.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * z.tanh()
        h = o.sigmoid() * c.tanh()
        hs[t], cs[t] = h, c
    stacked = (torch.stack([v[t] for t in range(6)]) for v in (hs, cs))
    expected = torch.autograd.grad(loss_of(torch, *stacked, "all"), leaves)
    assert len(taken) == 1
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_bias_gets_the_sum_over_steps_and_batch(reverse: bool, taken: list[Any]) -> None:
    arrays = [*drawn(7, 3, 4, np.float64), np.linspace(-1, 1, 16)]
    outer, *_, bias = leaves = [tl.tensor(a, requires_grad=True) for a in arrays]
    hs, _, _ = recurrent.lstm_steps(*leaves, reverse=reverse)
    g_outer, g_bias = tl.grad(hs.sum(), [outer, bias])
    assert len(taken) == 1
    np.testing.assert_allclose(g_bias.numpy(), g_outer.numpy().sum((0, 1)), rtol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_layers_in_float32_against_pytorch(bidirectional: bool, batch_first: bool, taken: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    how: dict[str, Any] = {"num_layers": 2, "bidirectional": bidirectional, "batch_first": batch_first}
    theirs, ours = torch.nn.LSTM(6, 5, **how), tl.nn.LSTM(6, 5, **how)
    ours.load_state_dict({k: tl.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((8, 4, 6), np.float32)
    found, expected = [], []
    for lib, model, into in ((tl, ours, found), (torch, theirs, expected)):
        t = lib.tensor(x, requires_grad=True)
        y, (h, c) = model(t)
        ((y * y).sum() + h.sum() + (c * c).sum()).backward()
        into += [y.detach().numpy(), t.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]
    assert len(taken) == (4 if bidirectional else 2)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_projections_and_asked_gates_go_the_general_road(taken: list[Any]) -> None:
    outer, hidden, cell, weight = drawn(4, 3, 4, np.float64)
    leaves = [tl.tensor(a, requires_grad=True) for a in (outer, hidden, cell, weight)]
    opened = recurrent.lstm_steps(*leaves)[2]
    assert all(np.abs(g.numpy()).max() > 0 for g in tl.grad(opened.sum(), leaves))
    rng = np.random.default_rng(1)
    arrays = outer, hidden[:, :2], cell, weight[:, :2], None, rng.standard_normal((2, 4))
    leaves = [None if a is None else tl.tensor(a, requires_grad=True) for a in arrays]
    recurrent.lstm_steps(*leaves)[0].sum().backward()
    assert not taken


def test_an_empty_batch() -> None:
    found = gradients(drawn(3, 0, 4, np.float32), False, "all", False)
    assert [g.shape for g in found] == [(3, 0, 16), (0, 4), (0, 4), (16, 4)] and not found[3].any()
