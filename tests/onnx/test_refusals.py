"""What cannot be expressed is refused, with the op, the module and the line; nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
import tinygrad_lite.nn.functional as F
from tinygrad_lite import nn
from tinygrad_lite.errors import ArgumentError, OptionError
from tinygrad_lite.onnx import OnnxExporterError, export, is_in_onnx_export
from tinygrad_lite.onnx.rules.table import RULES

pytest.importorskip("onnx")
X = tl.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
BATCH = {"x": {0: "batch"}}


class Solver(nn.Module):
    def forward(self, x: Any) -> Any:
        return tl.linalg.inv(x @ x.t() + tl.eye(2))


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Solver()

    def forward(self, x: Any) -> Any:
        return self.inner(x)


def outside(x: Any) -> Any:
    return x * tl.tensor(np.sin(x.detach().array))


def drawn(x: Any) -> Any:
    return x + tl.randn(3)


def branch(x: Any) -> Any:
    return x * 2 if x.sum() > 0 else x


def number(x: Any) -> Any:
    return x * x.mean().item()


def loop(x: Any) -> Any:
    y = x[0]
    for row in x[1:]:
        y = y * row
    return y


def other_ops(x: Any) -> Any:
    return x.exp() if np.asarray(x.array)[0, 0] == 1 else x.sin()


def dropout(x: Any) -> Any:
    return F.dropout(x, 0.5, training=True)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Outer(), ("inv: ONNX has no decompositions", "in inner", "test_refusals.py:", "return tl.linalg.inv(")),
        (outside, ("was not made by ops", "tl.tensor(np.sin(")),
        (drawn, ("drawn at random", "return x + tl.randn(3)")),
        (dropout, ("drawn at random", "return F.dropout(")),
        (branch, ("a number is read out of a computed tensor", "return x * 2 if x.sum() > 0")),
        (number, ("a number is read out of a computed tensor", "return x * x.mean().item()")),
        (loop, ("in one run and not in another", "for row in x[1:]")),
        (other_ops, ("exp in one run, sin in another", "return x.exp() if")),
        (lambda x: x.roll(1, 0), ("roll along a dynamic axis",)),
        (lambda x: x.mode(1)[0], ("was not made by ops",)),
        (lambda x: x[:, : int(x.array.max())], ("was not",)),
        (lambda x: "nothing", ("returns no tensors",)),
    ],
)  # fmt: skip
def test_a_model_is_refused(model: Any, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(OnnxExporterError) as error:
        export(model, (X,), tmp_path / "net.onnx", input_names=["x"], dynamic_axes=BATCH)
    assert all(w in str(error.value) for w in words), error.value
    assert not list(tmp_path.iterdir()) and not is_in_onnx_export()


def test_a_module_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    model[2].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = tl.get_rng_state()
    export(model, (X,))
    assert [m.training for m in model] == [True, True, False] and model.training
    assert all(tl.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters()) and tl.equal(tl.get_rng_state(), state)
    assert tl.equal(X, tl.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]))


def test_the_file_is_compared_with_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "tanh", lambda g, input: g.Sigmoid(input))
    with pytest.raises(OnnxExporterError, match=r"the exported graph gives .* for the output 'output'"):
        export(nn.Tanh(), (X,))
    assert export(nn.Tanh(), (X,), verify=False).model_proto.graph.node[0].op_type == "Sigmoid"


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        ({"opset_version": 24}, OptionError, "opset_version must be 18 to 23, or an older one from 7 on, got 24"),
        ({"opset_version": 6}, OptionError, "opset_version must be 18 to 23"),
        ({"dynamic_axes": {"y": {0: "n"}}}, OptionError, "dynamic_axes names 'y', but the inputs are x"),
        ({"dynamic_axes": {"x": {5: "n"}}}, OptionError, "axis 5 of input 'x' does not exist"),
        ({"dynamic_shapes": {"z": {0: "n"}}}, OptionError, "dynamic_shapes names 'z'"),
        ({"input_names": ["x", "y"]}, OptionError, "1 inputs need as many different names"),
        ({"output_names": ["x"]}, OptionError, "'x' is the name of an input and of an output"),
        ({"args": ()}, ArgumentError, "there is no tensor in args"),
        ({"model": 3}, ArgumentError, "model must be a module or a function, got a int"),
    ],
)
def test_bad_arguments(words: dict[str, Any], kind: type[Exception], text: str) -> None:
    given = {"model": lambda x: x + 1, "args": (X,), "input_names": ["x"], **words}
    with pytest.raises(kind, match=text):
        export(given.pop("model"), given.pop("args"), **given)


def test_an_error_with_the_name_of_pytorch() -> None:
    with pytest.raises(tl.onnx.errors.UnsupportedOperatorError, match=r"linalg|inv: ONNX has no decompositions"):
        export(Outer(), (X,))
    export(lambda x: (tl.linalg.inv(x @ x.t()), x * 2)[1], (X,))  # what is not used may be anything


def test_an_axis_that_must_not_change() -> None:
    with pytest.raises(OnnxExporterError, match="are all of these axes dynamic"):
        export(nn.Linear(3, 2), (X,), input_names=["x"], dynamic_axes={"x": {1: "features"}})
