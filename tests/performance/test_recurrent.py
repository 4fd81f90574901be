"""The backward pass of an LSTM on bare arrays, against the same rule on Tensors and against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.networks import cells, recurrent


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


def test_projections_and_returned_gates_use_the_general_algorithm(taken: list[Any]) -> None:
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


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("length", [1, 2, 6])
def test_a_gru_on_bare_arrays_and_on_tensors(length: int, biased: bool, reverse: bool, monkeypatch: Any) -> None:
    rng = np.random.default_rng(length)
    shapes = [(length, 5, 12), (5, 4), (12, 4), *([(12,)] if biased else [])]
    arrays = [rng.standard_normal(shape) for shape in shapes]
    calls: list[Any] = []
    plain = recurrent._gru_back
    monkeypatch.setattr(recurrent, "_gru_back", lambda *args: calls.append(0) or plain(*args))
    found = []
    for create_graph in (False, True):
        leaves = [tl.tensor(a, requires_grad=True) for a in arrays]
        hs = recurrent.gru_steps(*leaves, reverse=reverse)[0]
        found.append([g.detach().numpy() for g in tl.grad((hs * hs + hs).sum(), leaves, create_graph=create_graph)])
    assert len(calls) == 1
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("biased", [False, True])
def test_a_cell_is_a_sequence_of_one(biased: bool) -> None:
    rng = np.random.default_rng(0)
    shapes = [(3, 5), (3, 4), (3, 4), (16, 5), (16, 4), *([(16,), (16,)] if biased else [])]
    arrays = [rng.standard_normal(shape) for shape in shapes]
    found = []
    for create_graph, cell in ((False, True), (True, True), (False, False)):
        x, h, c, w_ih, w_hh, *b = leaves = [tl.tensor(a, requires_grad=True) for a in arrays]
        if cell:
            h, c, _ = cells.lstm_cell(*leaves)
        else:
            outer = tl.nn.functional.linear(x.reshape(1, 3, 5), w_ih, *b[:1])
            h, c = (v[0] for v in recurrent.lstm_steps(outer, h, c, w_hh, *b[1:])[:2])
        loss = (h * h + h).sum() + (c**3).sum()
        found.append([loss.detach(), *(g.detach() for g in tl.grad(loss, leaves, create_graph=create_graph))])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("kind", ["gru", "rnn tanh", "rnn relu"])
def test_other_cells_are_sequences_of_one(kind: str, biased: bool) -> None:
    """Values, gradients, and gradients of the gates, as when the rule itself is differentiated."""
    rng, gates, rectified = np.random.default_rng(0), 3 if kind == "gru" else 1, kind == "rnn relu"
    shapes = [(3, 5), (3, 4), (gates * 4, 5), (gates * 4, 4), *[(gates * 4,)] * (2 * biased)]
    arrays, found = [rng.standard_normal(shape) for shape in shapes], []
    for create_graph, cell in ((False, True), (True, True), (False, False)):
        x, h, w_ih, w_hh, *b = leaves = [tl.tensor(a, requires_grad=True) for a in arrays]
        if cell:
            out = cells.gru_cell(*leaves) if kind == "gru" else cells.rnn_cell(*leaves, rectified=rectified)
        else:
            outer = tl.nn.functional.linear(x.reshape(1, 3, 5), w_ih, *b[:1])
            steps = recurrent.gru_steps if kind == "gru" else recurrent.rnn_steps
            out = steps(outer, h, w_hh, *b[1:], **({} if kind == "gru" else {"rectified": rectified}))
        h, gates_of = out if kind == "gru" else (out, out)
        for loss in ((h * h + h).sum(), (h * h).sum() + (gates_of**3).sum()):
            grads = tl.grad(loss, leaves, create_graph=create_graph, retain_graph=True)
            found.append([loss.detach(), *(g.detach() for g in grads)])
    for k, other in enumerate(found[2:]):
        for a, b in zip(found[k % 2], other, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize(("batch", "width", "length"), [(8, 16, 8), (32, 64, 20), (3, 128, 40)])
def test_float32_rounds_no_more_than_twice_as_much_as_pytorch(kind: str, batch: int, width: int, length: int) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    exact = getattr(torch.nn, kind)(width, width, 2, dtype=torch.float64)
    x, wrong = torch.randn(length, batch, width, dtype=torch.float64), {}
    reference = []
    for lib in (None, torch, tl):
        model = exact if lib is None else getattr(lib.nn, kind)(width, width, 2)
        if lib is not None:
            model.load_state_dict({k: lib.tensor(v.float().numpy()) for k, v in exact.state_dict().items()})
        t = x.clone().requires_grad_() if lib is None else lib.tensor(x.float().numpy(), requires_grad=True)
        y = model(t)[0]
        (y * y).sum().backward()
        values = [v.detach().numpy().astype(np.float64) for v in (y, t.grad, *(p.grad for p in model.parameters()))]
        reference = reference or values
        wrong[lib] = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(values, reference, strict=True)]
    for ours, theirs in zip(wrong[tl], wrong[torch], strict=True):
        assert ours <= 2 * theirs + 2e-7


def test_gates_far_from_zero_are_closed_or_open() -> None:
    outer = np.zeros((1, 1, 8), np.float32)
    outer[..., 0::2], outer[..., 1::2] = -200, 200
    hs, cs, opened = recurrent.lstm_steps(outer, *np.ones((2, 1, 2), np.float32), np.zeros((8, 2), np.float32))
    assert (opened[0, :, 0] == [[0, 1], [0, 1], [-1, 1], [0, 1]]).all() and (cs[0, 0] == [0, 2]).all()
    assert hs[0, 0, 0] == 0
