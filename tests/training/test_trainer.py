"""The training loop: learning, reporting, stopping, and resuming bit for bit."""

import os
import signal
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.errors import FileError, ShapeError
from tinygrad_lite.training import Callback, Checkpoint, EarlyStopping, Trainer, accuracy
from tinygrad_lite.utils.data import DataLoader, TensorDataset


def rings(n=120, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)).astype("f4")
    return TensorDataset(tl.tensor(x), tl.tensor((np.hypot(*x.T) > 1.2).astype("i8")))


def loaders(generator=None):
    return DataLoader(rings(), 16, shuffle=True, generator=generator), DataLoader(rings(60, 1), 30)


def network(dropout=0.2):
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def trainer(scheduled=True, **options):
    tl.manual_seed(3)
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10) if scheduled else None
    options = {"metrics": [accuracy], "progress": False, **options}
    return Trainer(model, nn.CrossEntropyLoss(), optimizer, scheduler=scheduler, **options)


def weights(t):
    return [p.array.tobytes() for p in t.model.parameters()]


def test_it_learns():
    train, validation = loaders()
    t = trainer(scheduled=False)
    history = t.fit(train, validation, epochs=25)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"}
    assert all(len(v) == 25 for v in history.values()) and history is t.history and t.epoch == 25
    assert history["loss"][-1] < 0.5 * history["loss"][0] and history["val_accuracy"][-1] > 0.85
    assert t.evaluate(validation)["accuracy"] == pytest.approx(history["val_accuracy"][-1])
    out = t.predict(validation)
    assert out.shape == (60, 2) and not out.requires_grad
    np.testing.assert_array_equal(t.predict([b[0] for b in validation]).array, out.array)
    assert t.model.training
    t.fit(train, epochs=2)
    assert t.epoch == 27 and len(history["loss"]) == 27 and len(history["val_loss"]) == 25


def test_means_are_over_examples():
    """A smaller last batch has a smaller weight."""

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Parameter(tl.zeros(1))

        def forward(self, x):
            return x * 0 + self.c

    y = tl.tensor([0.0, 0.0, 3.0])
    t = Trainer(Constant(), nn.MSELoss(), optim.SGD(Constant().parameters(), lr=0.0), progress=False)
    assert t.evaluate(DataLoader(TensorDataset(y, y), 2))["loss"] == pytest.approx(3.0)
    assert t.fit(DataLoader(TensorDataset(y, y), 2))["loss"] == [pytest.approx(3.0)]


# ------------------------------------------------------------------------------------------------ stopping and resuming
@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("name", ["x.npz", "x.pt"])
def test_a_stopped_training_resumes_bit_for_bit(own_generator, name, tmp_path):
    """With dropout, shuffling, Adam, a schedule and early stopping."""

    def parts():
        generator = tl.Generator().manual_seed(5) if own_generator else None
        return trainer(), *loaders(generator)

    whole, train, validation = parts()
    whole.fit(train, validation, 9, [EarlyStopping(patience=4)])
    first, train, validation = parts()
    first.fit(train, validation, 4, [Checkpoint(tmp_path / name), EarlyStopping(patience=4)])
    tl.manual_seed(99)
    second, train, validation = parts()
    tl.manual_seed(77)
    second.fit(train, validation, 9, [EarlyStopping(patience=4)], resume=tmp_path / name)
    assert weights(second) == weights(whole)
    for key in ("loss", "val_loss", "lr", "accuracy"):
        assert second.history[key] == whole.history[key]


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    other = Trainer(nn.Linear(3, 1), nn.MSELoss(), optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1))
    other.save(tmp_path / "other.npz")
    tl.save({"weights": tl.ones(2)}, tmp_path / "strange.npz")
    (tmp_path / "damaged.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:300])
    t = trainer()
    t.save(tmp_path / "good.npz")
    state = tl.load(tmp_path / "good.npz")
    state["optimizer"]["param_groups"] = state["optimizer"]["param_groups"] * 2
    state["model"] = {k: v + 1 for k, v in state["model"].items()}
    tl.save(state, tmp_path / "wrong optimizer.npz")
    before = weights(t)
    for name, error in {
        "other": RuntimeError,
        "strange": KeyError,
        "damaged": FileError,
        "wrong optimizer": ValueError,
        "none": FileNotFoundError,
    }.items():
        with pytest.raises(error):
            t.fit(*loaders(), 3, resume=tmp_path / f"{name}.npz")
        assert weights(t) == before and t.epoch == 0 and t.history == {}, name


def test_checkpoints_of_the_best_epoch_only(tmp_path):
    t = trainer()
    values = iter([3.0, 1.0, 2.0, 0.5, 4.0])
    saved = []

    class Numbers(Callback):
        def on_epoch_end(self, trainer):
            trainer.history.setdefault("score", []).append(next(values))

    class Watch(Checkpoint):
        def on_epoch_end(self, trainer):
            super().on_epoch_end(trainer)
            saved.append(tl.load(self.path)["epoch"])

    t.fit(loaders()[0], epochs=5, callbacks=[Watch(tmp_path / "x.npz", monitor="score"), Numbers()])
    assert saved == [1, 2, 2, 4, 4]


def test_early_stopping():
    values = [3.0, 3.5, 2.0, 1.0, 1.5, 0.95, 5.0, 6.0]
    seen = []
    t = trainer()

    def numbers(trainer):
        trainer.history.setdefault("score", []).append(values[trainer.epoch - 1])
        seen.append(weights(trainer))

    t.fit(loaders()[0], epochs=8, callbacks=[numbers, EarlyStopping("score", patience=3, min_delta=0.1)])
    assert t.epoch == 7 and t.stop
    assert weights(t) == seen[3], "the weights of the best epoch"
    with pytest.raises(KeyError, match="there is no 'val_loss' to watch; the history has loss"):
        trainer().fit(loaders()[0], callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="mode"):
        EarlyStopping(mode="least")


def test_ctrl_c_keeps_the_complete_epochs(capsys):
    class Interrupt(Callback):
        ended = False

        def on_batch_end(self, trainer, loss):
            if trainer.epoch == 2:
                raise KeyboardInterrupt

        def on_fit_end(self, trainer):
            Interrupt.ended = True

    t = trainer(progress=None)
    history = t.fit(loaders()[0], epochs=5, callbacks=[Interrupt()])
    assert t.interrupted and t.epoch == 2 and len(history["loss"]) == 2 and Interrupt.ended
    assert "stopped by the user in epoch 3" in capsys.readouterr().out
    t.fit(loaders()[0], epochs=1)
    assert not t.interrupted and t.epoch == 3


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_real_ctrl_c(tmp_path):
    program = textwrap.dedent(f"""
        import signal
        import tinygrad_lite as tl
        from tinygrad_lite import nn, optim
        from tinygrad_lite.training import Trainer, Checkpoint
        from tinygrad_lite.utils.data import DataLoader, TensorDataset
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background hands down "ignore"
        x = tl.randn(512, 8)
        model = nn.Linear(8, 1)
        t = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.01))
        checkpoint = Checkpoint({str(tmp_path / "x.npz")!r})
        t.fit(DataLoader(TensorDataset(x, x[:, :1]), 1), epochs=10_000, callbacks=[checkpoint])
        print("interrupted", t.interrupted, t.epoch > 0)
    """)
    process = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True)
    for _ in range(2):  # when the second epoch is done, the first one is saved
        assert process.stdout.readline().startswith("epoch ")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "stopped by the user" in rest and rest.endswith("interrupted True True\n")
    assert tl.load(tmp_path / "x.npz")["epoch"] >= 1


# ------------------------------------------------------------------------------------------------ errors
def test_a_loss_that_is_not_finite_stops_before_the_step():
    x = tl.tensor([[1.0], [np.nan]])
    model = nn.Linear(1, 1)
    before = [p.tolist() for p in model.parameters()]
    t = Trainer(model, nn.MSELoss(), optim.Adam(model.parameters()), progress=False)
    with pytest.raises(FloatingPointError, match="nan in epoch 1, batch 1"):
        t.fit(DataLoader(TensorDataset(x, x), 2))
    assert [p.tolist() for p in model.parameters()] == before and t.history == {}


def test_wrong_arguments():
    train, _ = loaders()
    t = trainer()
    for epochs in (-1, 1.5, True):
        with pytest.raises(ValueError, match="epochs"):
            t.fit(train, epochs=epochs)
    with pytest.raises(TypeError, match="only once"):
        t.fit(iter(train))
    with pytest.raises(TypeError, match=r"override Trainer\.forward"):
        t.fit([tl.ones(2, 2)])
    with pytest.raises(ValueError, match="no batch"):
        t.fit([])
    with pytest.raises(ValueError, match="no batch"):
        t.evaluate([])
    with pytest.raises(ValueError, match="no batch"):
        t.predict([])
    with pytest.raises(ValueError, match="scheduler_every"):
        trainer(scheduler_every="week")
    assert t.fit(train, epochs=0) == {}


def test_evaluation_restores_the_mode_of_each_module():
    t = trainer()
    t.model.train()
    t.model[2].eval()
    t.evaluate(loaders()[1])
    assert t.model.training and t.model[0].training and not t.model[2].training
    assert tl.is_grad_enabled()


# ------------------------------------------------------------------------------------------------ other programs
def test_batches_of_another_form():
    class Named(Trainer):
        def forward(self, batch):
            return self.model(batch["x"]), batch["y"]

    model = nn.Linear(2, 1)
    t = Named(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), progress=False)
    data = [{"x": tl.ones(4, 2), "y": tl.zeros(4, 1)}] * 3
    history = t.fit(data, data, 20)
    assert history["val_loss"][-1] < 1e-3


def test_lbfgs():
    tl.manual_seed(0)
    x = tl.randn(50, 3)
    model = nn.Linear(3, 1)
    t = Trainer(model, nn.MSELoss(), optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe"), progress=False)
    assert t.fit([(x, x.sum(1, keepdim=True))], epochs=3)["loss"][-1] < 1e-8


def test_gradients_are_clipped():
    model = nn.Linear(1, 1)
    before = [p.item() for p in model.parameters()]
    t = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=1.0), clip_grad_norm=0.5, progress=False)
    t.fit([(tl.tensor([[100.0]]), tl.tensor([[0.0]]))])
    assert np.hypot(*[p.item() - b for p, b in zip(model.parameters(), before, strict=True)]) == pytest.approx(0.5)


def test_schedules_per_epoch_per_batch_and_by_loss():
    train, validation = loaders()
    t = trainer(scheduled=False, scheduler_every="batch")
    t.scheduler = optim.lr_scheduler.OneCycleLR(t.optimizer, 0.1, epochs=2, steps_per_epoch=len(train))
    history = t.fit(train, epochs=2)
    assert t.scheduler.last_epoch == 2 * len(train) and history["lr"][0] > history["lr"][1]
    t = trainer(scheduled=False)
    t.scheduler = optim.lr_scheduler.ReduceLROnPlateau(t.optimizer, patience=0, threshold=10.0, threshold_mode="abs")
    assert t.fit(train, validation, 3)["lr"] == [0.02, 0.02, pytest.approx(0.002)]


def test_callbacks_are_called_in_order():
    calls = []

    class All(Callback):
        def on_fit_start(self, trainer):
            calls.append("start")

        def on_epoch_start(self, trainer):
            calls.append("epoch")

        def on_batch_end(self, trainer, loss):
            calls.append(type(loss))

        def on_epoch_end(self, trainer):
            calls.append(trainer.epoch)

        def on_fit_end(self, trainer):
            calls.append("end")

    batch = (tl.ones(2, 2), tl.tensor([0, 1]))
    trainer().fit([batch, batch], epochs=2, callbacks=[All()])
    assert calls == ["start", "epoch", float, float, 1, "epoch", float, float, 2, "end"]


# ------------------------------------------------------------------------------------------------ metrics and progress
def test_accuracy():
    assert accuracy(tl.tensor([[1.0, 2.0], [3.0, 0.0]]), tl.tensor([1, 1])) == 0.5
    assert accuracy(tl.tensor([[0.2], [0.7]]), tl.tensor([[0.0], [1.0]])) == 1.0
    assert accuracy(tl.tensor([-2.0, 3.0, 0.3]), tl.tensor([0.0, 1.0, 0.0])) == pytest.approx(2 / 3)
    assert accuracy(np.zeros((2, 3, 4)), np.zeros((2, 4))) == 1.0
    assert np.isnan(accuracy(tl.zeros(0, 3), tl.zeros(0)))
    with pytest.raises(ShapeError, match=r"accuracy: output \(2, 3\)"):
        accuracy(np.zeros((2, 3)), np.zeros(3))


def test_lines(capsys):
    trainer(progress=None).fit(*loaders(), 2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1/2  loss ") and "val_accuracy" in lines[1]
    trainer(progress=False).fit(*loaders(), 2)
    assert capsys.readouterr().out == ""


def test_bar(capsys):
    pytest.importorskip("tqdm")
    trainer(progress=True).fit(*loaders(), 2)
    captured = capsys.readouterr()
    assert "epoch 2/2" in captured.err and len(captured.out.splitlines()) == 2


def test_bar_in_a_terminal_only(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    trainer(progress=None).fit(*loaders(), 1)
    assert "batch/s" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm", None)
    trainer(progress=None).fit(*loaders(), 1)
    assert "batch/s" not in capsys.readouterr().err
    with pytest.raises(ImportError, match=r"tinygrad_lite\[demo\]"):
        trainer(progress=True).fit(*loaders(), 1)


def test_compiled():
    """With ``compile`` every number of the training is the same, and programs have run."""
    found = []
    for compiled in (False, True, *(["native"] if find_spec("llvmlite") else [])):
        tl.manual_seed(0)
        data = DataLoader(TensorDataset(tl.randn(40, 4), tl.arange(40) % 3), batch_size=16, shuffle=True)
        m = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
        t = Trainer(
            m, nn.CrossEntropyLoss(), optim.Adam(m.parameters(), lr=0.01), progress=False, compile=compiled,
            metrics={"accuracy": lambda out, target: (out.argmax(1) == target).float().mean()}, clip_grad_norm=1.0,
        )  # fmt: skip
        history = t.fit(data, data, epochs=4)
        numbers = [history[name] for name in ("loss", "val_loss", "accuracy", "val_accuracy")]
        found.append((numbers, [p.array.tobytes() for p in m.parameters()]))
    assert found[0] == found[1]
    np.testing.assert_allclose(found[-1][0], found[0][0], 1e-3)
    assert t._measure is not None
    assert sum(p.calls for ps in t._measure._programs.values() for p in ps) > 10

    class Other(Trainer):
        def forward(self, batch):
            return super().forward(batch)

    with pytest.raises(ValueError, match="compile=True does not see an overridden forward"):
        Other(m, nn.MSELoss(), optim.SGD(m.parameters(), lr=0.1), compile=True)
