"""Means, metrics, outputs, history and progress of a training."""

import functools
import sys
import types

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.training import Callback, Metric, Trainer, accuracy
from tinygrad_lite.training.history import History
from tinygrad_lite.training.progress import Lines, NotebookBar, chosen

X = tl.sin(tl.arange(30.0)).reshape(10, 3)
Y = X.sum(1, keepdim=True)


def trainer(lr=0.0, loss=None, model=None, **options):
    tl.manual_seed(0)
    model = model or nn.Linear(3, 1)
    return Trainer(model, loss or nn.MSELoss(), optim.SGD(model.parameters(), lr=lr), progress=False, **options)


@pytest.mark.parametrize("wrapped", [lambda y: (y, 0), lambda y: {"y": y, "scale": 1.0}, lambda y: [0, {"y": y}]])
def test_means_weigh_examples_for_targets_of_any_form(wrapped):
    def loss(out, target):
        y = target["y"] if isinstance(target, dict) else target[0]
        return nn.functional.mse_loss(out, target[1]["y"] if isinstance(y, int) else y)

    t = trainer(loss=loss)
    batches = [(X[:8], wrapped(Y[:8])), (X[8:], wrapped(Y[8:]))]
    exact = nn.functional.mse_loss(t.model(X), Y).item()
    history = t.fit(batches, batches)
    assert history["loss"] == [pytest.approx(exact)] == history["val_loss"]


def test_a_list_with_one_entry_per_example_counts_them():
    t = trainer(loss=lambda out, boxes: sum(((o - b.sum()) ** 2).mean() for o, b in zip(out, boxes, strict=True)))
    boxes = [tl.ones(i % 3 + 2, 4) for i in range(10)]
    each = [t.evaluate([(X[a:b], boxes[a:b])])["loss"] for a, b in ((0, 8), (8, 10))]
    assert t.evaluate([(X[:8], boxes[:8]), (X[8:], boxes[8:])])["loss"] == pytest.approx(
        (8 * each[0] + 2 * each[1]) / 10
    )


class Largest(Metric):
    def reset(self):
        self.value = 0.0

    def update(self, output, target):
        self.value = max(self.value, float(abs(output - target).max()))

    def compute(self):
        return self.value


def close(output, target, within=0.5):
    return float((abs(output - target) < within).float().mean())


def test_metrics_of_every_kind():
    foreign = types.SimpleNamespace(reset=lambda: None, update=lambda o, t: None, compute=lambda: 7.0)
    t = trainer(
        metrics=[close, functools.partial(close, within=0.1), lambda o, t: 1.0, lambda o, t: 2.0, nn.L1Loss(), Largest,
                 foreign]
    )  # fmt: skip
    assert list(t.metrics) == ["close", "close_2", "metric", "metric_2", "L1Loss", "Largest", "SimpleNamespace"]
    numbers = t.evaluate([(X[:7], Y[:7]), (X[7:], Y[7:])])
    off = abs(t.model(X) - Y).array
    assert numbers["L1Loss"] == pytest.approx(off.mean(), rel=1e-5) and numbers["Largest"] == pytest.approx(off.max())
    assert (numbers["metric"], numbers["metric_2"], numbers["SimpleNamespace"]) == (1.0, 2.0, 7.0)
    assert numbers["close_2"] <= numbers["close"]
    assert list(trainer(metrics=accuracy).metrics) == ["accuracy"]


def test_metric_objects_of_different_passes_do_not_mix():
    seen = []

    def in_between(trainer):
        seen.append(trainer.evaluate([(X * 100, Y)])["Largest"])

    metric = Largest()
    t = trainer(metrics=[metric])
    batches = [(X[:7], Y[:7]), (X[7:], Y[7:])]

    class AfterBatch(Callback):
        def on_batch_end(self, trainer, loss):
            in_between(trainer)

    history = t.fit(batches, [(X[:1], Y[:1])], callbacks=[AfterBatch()])
    assert history["Largest"] == [pytest.approx(float(abs(t.model(X) - Y).max()))] and seen[0] > history["Largest"][0]
    assert not hasattr(metric, "value"), "the trainer works on copies"


def test_a_metric_cannot_replace_the_columns_of_the_history():
    def loss(output, target):
        return 0.0

    for metrics in ({"loss": close}, {"val_x": close}, {"seconds": close}, [loss]):
        with pytest.raises(ValueError, match="a metric cannot be called"):
            trainer(metrics=metrics)
    with pytest.raises(TypeError, match="a metric must be a function"):
        trainer(metrics=["accuracy"])


# ------------------------------------------------------------------------------------------------ steps and outputs
@pytest.mark.parametrize("clip", [{}, {"clip_grad_norm": 0.1}, {"clip_grad_value": 0.05}])
def test_accumulated_batches_are_one_large_batch(clip):
    parts, whole = trainer(0.1, accumulate=3, **clip), trainer(0.1, **clip)
    losses = []

    class Count(Callback):
        def on_batch_end(self, trainer, loss):
            losses.append(loss)

    pieces = [(X[:5], Y[:5]), (X[5:6], Y[5:6]), (X[6:8], Y[6:8]), (X[8:], Y[8:])]
    first = parts.fit(pieces, epochs=2, callbacks=[Count()])
    second = whole.fit([(X[:8], Y[:8]), (X[8:], Y[8:])], epochs=2)
    assert len(losses) == 4
    np.testing.assert_allclose(parts.model.weight.array, whole.model.weight.array, rtol=1e-5)
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-5)
    for wrong in ({"accumulate": 0}, {"accumulate": True}, {"clip_grad_norm": 0.0}, {"clip_grad_value": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            trainer(**wrong)


def test_values_are_clipped():
    t = trainer(1.0, clip_grad_value=0.01)
    before = t.model.weight.array.copy()
    t.fit([(X, Y * 100)])
    np.testing.assert_allclose(abs(t.model.weight.array - before), 0.01, rtol=1e-4)


def test_predict_with_several_outputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Linear(3, 2)

        def forward(self, x):
            out = self.line(x)
            return {"both": out, "parts": (out[:, 0], out[:, 1:])}

    t = trainer(model=Two())
    out = t.predict([(X[:7], Y[:7]), (X[7:], Y[7:])])
    np.testing.assert_allclose(out["both"].array, t.model(X)["both"].array, rtol=1e-6)
    assert type(out["parts"]) is tuple and [p.shape for p in out["parts"]] == [(10,), (10, 1)]

    class Named(Trainer):
        def forward(self, batch):
            return self.model(batch["x"]), batch["y"]

    own = Named(t.model, nn.MSELoss(), optim.SGD(t.model.parameters(), lr=0.1))
    assert own.predict([{"x": X, "y": Y}])["both"].shape == (10, 2)


# ------------------------------------------------------------------------------------------------ history
def test_history_remembers_epochs_as_a_frame_and_a_plot(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    t = trainer(0.1)
    data = [(X, Y)]
    t.fit(data, epochs=2)
    history = t.fit(data, data, epochs=3)
    history["own"] = [1.0]
    assert history.epochs("val_loss") == [3, 4, 5] and history.epochs("own") == [1]
    t.save(tmp_path / "x.npz")
    again = trainer()
    again.load(tmp_path / "x.npz")
    assert again.history == history and again.history.epochs("val_loss") == [3, 4, 5]
    axes = history.plot("loss", "val_loss")
    assert [line.get_xdata().tolist() for line in axes.lines] == [[1, 2, 3, 4, 5], [3, 4, 5]]
    assert axes.lines[0].get_color() == axes.lines[1].get_color()
    with pytest.raises(KeyError, match="no column 'none'"):
        history.plot("none")
    assert t.find_lr(data, steps=5).plot() is not None
    pytest.importorskip("pandas")
    frame = history.to_frame()
    assert frame.index.tolist() == [1, 2, 3, 4, 5] and frame["val_loss"].isna().sum() == 2


# ------------------------------------------------------------------------------------------------ progress
def test_lines_are_log_spaced_and_end_with_the_last_epoch(capsys):
    t = trainer()
    t.progress = None
    t.fit([(X, Y)], epochs=123)
    shown = [int(line.split()[1].split("/")[0]) for line in capsys.readouterr().out.splitlines()]
    assert shown == [*range(1, 10), *range(10, 100, 10), 100, 123]


def test_one_bar_in_a_notebook(monkeypatch, capsys):
    drawn = []

    class Handle:
        def update(self, content, raw):
            drawn.append(content)

    def display(content, raw, display_id):
        drawn.append(content)
        return Handle()

    bar = NotebookBar(display)
    t = trainer()
    monkeypatch.setattr("tinygrad_lite.training.trainer.chosen", lambda progress: bar)
    t.fit([(X, Y)], epochs=3)
    assert len(drawn) == 4 and '<progress value="3" max="3">' in drawn[-1]["text/html"]
    assert drawn[-1]["text/plain"].startswith("epoch 3/3")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    assert isinstance(chosen(None), NotebookBar)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert isinstance(chosen(None), Lines)


def test_history_is_a_plain_dict_to_everything_else():
    assert History() == {} and isinstance(History({"a": [1.0]}), dict)
