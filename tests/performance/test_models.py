"""The steps of real models: every size fits its builder, a step learns, and the table says which goals are missed."""

import inspect
from pathlib import Path

import pytest

import tinygrad_lite as tl

ROOT = Path(__file__).parents[2]

TINY = {
    "gpt": dict(layers=1, width=8, heads=2, length=4, batch=2), "char-lstm": dict(width=4, batch=2, length=3),
    "lstm-cell": dict(width=3, batch=2, length=2), "gru-attention": dict(width=4, batch=2, source=3, target=2),
    "mnist": dict(batch=1), "cnn5x5": dict(batch=2), "resnet": dict(batch=2, channels=2),
    "dcgan": dict(batch=2, code=3, channels=2), "vae": dict(batch=2, hidden=4, code=2), "ppo": dict(batch=4, hidden=4),
    "mlp": dict(batch=2, hidden=4), "kan": dict(batch=2, inputs=3, hidden=2),
    "unet": dict(batch=2, channels=2, size=8), "encoder": dict(batch=2, length=3, width=8),
    "text": dict(batch=2, length=3, words=9, width=2), "soft-kmeans": dict(points=9, centers=2),
    "gcn": dict(nodes=40, features=5, hidden=3),
}  # fmt: skip


@pytest.fixture
def models(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.models.__main__

    return benchmarks.models


def test_every_step_has_sizes_that_its_builder_takes(models):
    assert set(models.SIZES) == set(models.STEPS) == set(TINY)
    for name, (_, build) in models.STEPS.items():
        for sizes in models.SIZES[name]:
            inspect.signature(build).bind(None, **sizes)


@pytest.mark.parametrize("name", TINY)
def test_steps_of_models_run_and_change_the_loss(models, name):
    tl.manual_seed(0)
    step, infer = models.STEPS[name][1](tl, **TINY[name])
    losses = {step().item() for _ in range(3)}
    with tl.no_grad():
        infer()
    assert len(losses) > 1 and all(abs(loss) < 1e4 for loss in losses)


def test_the_table_marks_what_is_missed_by_both_ratios(models):
    row = {"ours": 2e-3, "theirs": 1e-3, "ratio": 2.0, "fastest": 1.9, "steps": 9}
    one = {"train": row, "infer": {**row, "ratio": 0.5}}
    text = models.__main__.table({"a": one, "b": {"train": {"failed": "no torch"}}}, "1")
    assert "| a | 2.00 | 1.00 | **2.00** (1.90) | 0.50 (1.90) | – | – |" in text
    assert "| b | failed: no torch |" in text
    assert "| geometric mean (goal: 0.95) | | | 2.00 | 0.50 | | |" in text
