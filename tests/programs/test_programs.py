"""Programs written for PyTorch, with the import lines changed and nothing else: they run here, and they learn.

`pytorch_numbers.json` has what PyTorch itself makes of them; random numbers differ, so what is compared is where a
training ends. Where PyTorch is installed, one of the programs is run by it again.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.programs import pytorch_numbers
from tests.programs.pytorch_numbers import PROGRAMS, fingerprint, program, result
from tinygrad_lite import datasets

RECORDED: dict[str, Any] = json.loads(pytorch_numbers.FILE.read_text(encoding="utf-8"))["programs"]


def theirs(name: str) -> dict[str, list[float]]:
    return RECORDED[name]["curves"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_recorded_program_is_this_one(name: str) -> None:
    assert RECORDED[name]["source"] == fingerprint(name), "run python tests/programs/pytorch_numbers.py, with PyTorch"


def test_two_layers() -> None:
    ours = result("two_layers", "tinygrad_lite")
    assert ours.keys() == theirs("two_layers").keys()
    for curves in (ours, theirs("two_layers")):
        for name, losses in curves.items():
            assert losses[-1] < losses[0] / 5, f"{name}: {losses[0]} -> {losses[-1]}"
    assert ours["a_sine"][-1] == pytest.approx(theirs("two_layers")["a_sine"][-1], rel=0.05)  # no random data
    for way in ("with_autograd", "with_own_function"):
        assert ours[way] == pytest.approx(ours["by_hand"])


def test_image_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    accuracy = program("image_classifier", "tinygrad_lite").main(*datasets.digits())
    assert max(accuracy) > max(theirs("image_classifier")["image_classifier"]) - 0.025 > 0.94
    assert "Train Epoch: 1 [0/1400 (0%)]" in capsys.readouterr().out


def test_variational_autoencoder() -> None:
    losses = program("variational_autoencoder", "tinygrad_lite").main(*datasets.digits())
    recorded = theirs("variational_autoencoder")["variational_autoencoder"]
    assert losses == pytest.approx(recorded, rel=0.05) and recorded[-1] < 0.8 * recorded[0]


def test_sine_waves() -> None:
    losses = program("sine_waves", "tinygrad_lite").main()
    recorded = theirs("sine_waves")["sine_waves"]
    assert losses[-1] < losses[0] / 50 and recorded[-1] < recorded[0] / 50
    assert losses[1] == pytest.approx(recorded[1], rel=0.5)


def test_siamese() -> None:
    accuracy = program("siamese", "tinygrad_lite").main(*datasets.digits())
    assert max(accuracy) > max(theirs("siamese")["siamese"]) - 0.08 > 0.8


def test_pytorch_still_makes_these_numbers() -> None:
    pytest.importorskip("torch").set_num_threads(1)
    ways = program("two_layers", "torch")
    recorded = theirs("two_layers")
    for name in ("by_hand", "with_nn"):
        losses = getattr(ways, name)()
        assert [losses[0], losses[-1]] == pytest.approx(recorded[name], rel=1e-2), name
