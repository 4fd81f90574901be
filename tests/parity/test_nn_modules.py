"""Every layer and loss against PyTorch: results, gradients, buffers, state dicts, what they print, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity import rows_conv, rows_layers, rows_losses
from tests.parity.modules import Row, run, wrong
from tinygrad_lite import nn
from tinygrad_lite.nn import lazy

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

ROWS = {row.name: row for table in (rows_conv, rows_layers, rows_losses) for row in table.ROWS}
WRONG = {**rows_conv.WRONG, **rows_layers.WRONG, **rows_losses.WRONG}


ELSEWHERE = {
    "Module": "the base class",
    "ModuleList": "no forward; tests/nn/test_containers.py",
    "ModuleDict": "no forward; tests/nn/test_containers.py",
    "ParameterList": "no forward; tests/nn/test_containers.py",
    "ParameterDict": "no forward; tests/nn/test_containers.py",
    "TransformerDecoder": "a part of the row of Transformer",
    **{name: "test_lazy.py" for name in lazy.__all__},
    "CTCLoss": "test_ctc.py",
    **dict.fromkeys(("FractionalMaxPool2d", "FractionalMaxPool3d"), "test_public_names.py"),
    "RNNBase": "the base of RNN, LSTM and GRU",
    "RNNCellBase": "the base of the cells",
    "Container": "deprecated; test_old_spellings.py",
    "NLLLoss2d": "deprecated; test_old_spellings.py",
}
"""Layers that PyTorch has too and that no row makes, and what tests them."""


@pytest.mark.parametrize("name", list(ROWS))
def test_like_pytorch(name: str, record_property: Any) -> None:
    row: Row = ROWS[name]
    made, compared = run(row, torch)
    record_property("parity", (f"nn {name}", made, compared))
    assert compared


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_calls(name: str) -> None:
    wrong(WRONG[name], torch)


def test_every_layer_has_a_row() -> None:
    layers = [n for n, kind in vars(nn).items() if isinstance(kind, type) and issubclass(kind, nn.Module)]
    shared = {n for n in layers if hasattr(torch.nn, n)}
    made = {type(row.make(nn)).__name__ for row in ROWS.values()}  # the outermost class, not a part of its name
    missing = sorted(shared - made - ELSEWHERE.keys())
    assert not missing, f"no parity row makes {missing}"
    stale = sorted(ELSEWHERE.keys() & made | ELSEWHERE.keys() - shared)
    assert not stale, f"{stale} need no exception"
