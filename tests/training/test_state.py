"""Nothing leaks from one training into the next, and errors leave everything as it was."""

import os

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.training import Callback, Checkpoint, EarlyStopping, Trainer
from tinygrad_lite.utils.data import DataLoader, TensorDataset


def fold(number):
    rng = np.random.default_rng(number)
    x = rng.normal(size=(40, 3)).astype("f4")
    y = (x @ np.float32([[1], [-1], [2]]) + 0.3 * rng.normal(size=(40, 1)).astype("f4")) * (number + 1)
    return DataLoader(TensorDataset(x[:30], y[:30]), 10, shuffle=True), DataLoader(TensorDataset(x[30:], y[30:]), 5)


def trainer(seed=0):
    tl.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.1), nn.Linear(8, 1))
    return Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.05, momentum=0.5), progress=False)


def bits(t):
    return [p.array.tobytes() for p in t.model.parameters()], t.epoch, t.history["val_loss"], t.history["loss"]


def test_three_folds_share_callbacks_as_if_each_were_alone(tmp_path):
    stopping, saving = EarlyStopping(patience=2), Checkpoint(tmp_path / "shared.npz", monitor="val_loss")
    for number in (2, 1, 0):  # losses fall from fold to fold, then rise: an old best value would be seen
        for order in (number, 2 - number):
            shared, alone = trainer(order), trainer(order)
            tl.manual_seed(order)
            shared.fit(*fold(order), epochs=12, callbacks=[stopping, saving])
            tl.manual_seed(order)
            own = Checkpoint(tmp_path / "own.npz", monitor="val_loss")
            alone.fit(*fold(order), epochs=12, callbacks=[EarlyStopping(patience=2), own])
            assert bits(shared) == bits(alone)
            assert tl.load(saving.path)["epoch"] == tl.load(own.path)["epoch"]
            os.remove(saving.path)


class Counts(Callback):
    def __init__(self):
        self.seen = 0

    def on_epoch_end(self, trainer):
        self.seen += 1

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state_dict):
        self.seen = state_dict["seen"]


class Other(Counts):
    pass


def test_callbacks_are_restored_by_kind_and_name(tmp_path):
    """Added, removed and reordered: each gets its own state or starts anew."""
    early, late = EarlyStopping("loss"), EarlyStopping("val_loss", patience=3)
    path = tmp_path / "x.npz"
    trainer().fit(*fold(0), epochs=3, callbacks=[early, Other(), late, Checkpoint(path)])
    one, two, count, other = EarlyStopping("val_loss"), EarlyStopping("loss"), Counts(), Other()
    seen = []

    class Look(Callback):
        def on_fit_start(self, trainer):
            seen.extend([one.best, two.best, count.seen, other.seen])

    trainer(1).fit(*fold(0), epochs=4, callbacks=[Look(), count, one, two, other], resume=path)
    assert seen == [late.best, early.best, 0, 3]
    assert (count.seen, other.seen) == (1, 4)
    again = trainer(2)
    again.fit(*fold(0), epochs=4, resume=path)
    assert again.epoch == 4


def test_two_callbacks_of_a_kind_are_numbered(tmp_path):
    first, second = Counts(), Counts()
    second.seen = 10
    t = trainer()
    t.callbacks = [first, second]
    state = t.state_dict()
    first.seen = second.seen = -1
    t.load_state_dict(state)
    assert (first.seen, second.seen) == (0, 10)


def test_an_error_changes_neither_trainer_nor_callbacks(tmp_path):
    path = tmp_path / "x.npz"
    t = trainer()
    stopping = EarlyStopping("loss")
    t.fit(*fold(0), epochs=2, callbacks=[stopping, Checkpoint(path)])
    state = tl.load(path)
    state["callbacks"] = {key: {} for key in state["callbacks"]}  # callbacks are restored after all else
    tl.save(state, tmp_path / "bad.npz")
    t.fit(*fold(1), epochs=1, callbacks=[stopping])
    train, validation = fold(1)
    before, draws, best = bits(t), tl.get_rng_state(), (stopping.best, stopping.waited)
    velocity = [s["momentum_buffer"].tolist() for s in t.optimizer.state_dict()["state"].values()]
    for error, options in (
        (KeyError, {"callbacks": [stopping], "resume": tmp_path / "bad.npz"}),
        (KeyError, {"callbacks": [stopping, EarlyStopping("val_loss")]}),
        (TypeError, {"callbacks": [stopping, stopping]}),
        (TypeError, {"callbacks": [stopping, 3]}),
        (TypeError, {"callbacks": [EarlyStopping]}),
        (TypeError, {"validation": iter(validation)}),
    ):
        with pytest.raises(error):
            t.fit(train, epochs=3, **options)
        assert bits(t) == before and t.callbacks == [stopping] and (stopping.best, stopping.waited) == best
        assert str(tl.get_rng_state()) == str(draws)
        assert [s["momentum_buffer"].tolist() for s in t.optimizer.state_dict()["state"].values()] == velocity


def test_the_validation_number_must_exist_before_the_first_epoch():
    t = trainer()
    with pytest.raises(KeyError, match="no 'val_loss' to watch; the history has loss, lr, seconds; pass validation"):
        t.fit(fold(0)[0], callbacks=[EarlyStopping()])
    assert t.epoch == 0


def test_find_lr_suggests_a_rate_and_restores_everything():
    t = trainer()
    train, validation = fold(0)
    t.fit(train, validation, epochs=1)
    before, draws = bits(t), str(tl.get_rng_state())
    t.model[0].eval()
    found = t.find_lr(train, 1e-5, 100.0, steps=60)
    assert bits(t) == before and str(tl.get_rng_state()) == draws and t.optimizer.param_groups[0]["lr"] == 0.05
    assert t.model.training and not t.model[0].training
    assert 1e-4 < found.suggestion < 1 and len(found.rates) == len(found.losses) < 60, "it stops when it explodes"
    assert found.rates[1] / found.rates[0] == pytest.approx((100.0 / 1e-5) ** (1 / 59))
    for options in ({"lowest": 0.0}, {"highest": 1e-9}, {"steps": 1}):
        with pytest.raises(ValueError, match="find_lr"):
            t.find_lr(train, **options)
    with pytest.raises(ValueError, match="no batch"):
        t.find_lr([])
    assert bits(t) == before
