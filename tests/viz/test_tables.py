"""What a notebook shows for a training, a history, a profile and an estimator."""

import re

import tinygrad_lite as tl
from tinygrad_lite import models, nn, optim
from tinygrad_lite.profiler import profile
from tinygrad_lite.training import Trainer
from tinygrad_lite.training.history import History


def cells(page):
    return [re.findall(r"<t[hd] [^>]*>(.*?)</t[hd]>", line) for line in page.split("\n") if "<tr>" in line]


def test_a_history_has_a_row_per_epoch_and_gaps():
    history = History()
    for epoch in range(1, 13):
        history.record(epoch, {"loss": 1 / epoch, **({"val_<b>": 2.0} if epoch == 2 else {})})
    head, *rows = cells(history._repr_html_())
    assert head == ["epoch", "loss", "val_&lt;b&gt;"]
    assert [row[0] for row in rows] == [*map(str, range(1, 11)), "12"]  # as in a log
    assert rows[1] == ["2", "0.5", "2"] and rows[2] == ["3", "0.3333", ""]


def test_a_trainer_names_its_parts_and_shows_its_history():
    model = nn.Linear(2, 1)
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), progress=False)
    assert "epoch 0" in trainer._repr_html_()
    trainer.fit([[tl.ones(3, 2), tl.ones(3, 1)]], epochs=2)
    page = trainer._repr_html_()
    assert "Trainer: Linear, MSELoss, SGD; epoch 2" in page and len(cells(page)) == 3


def test_a_profile_shows_its_table():
    with profile() as p:
        tl.ones(2, 3).exp().sum()
    head, *rows = cells(p._repr_html_())
    assert head[:2] == ["op", "calls"] and {row[0] for row in rows} >= {"exp", "sum"}
    assert "ms in ops" in p._repr_html_()


def test_an_estimator_shows_its_parameters():
    assert ["alpha", "2.5"] in cells(models.Ridge(alpha=2.5)._repr_html_())
