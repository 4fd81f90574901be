"""Arguments of `onnx.export`: inputs, names, dynamic axes, opsets; and what is in the file."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
import tinygrad_lite.nn.functional as F
from tests.onnx.cases import Gpt
from tinygrad_lite import nn
from tinygrad_lite.onnx import ONNXProgram, export, load

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def run(program: ONNXProgram, **inputs: Any) -> list[Any]:
    session = runtime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {n: np.asarray(v) for n, v in inputs.items()})


def shapes(values: Any) -> dict[str, list[Any]]:
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


class Many(nn.Module):
    def forward(self, first: Any, pair: Any, *, scale: Any, power: int = 2) -> Any:
        return {"sum": (first + pair[0]) * scale, "rest": [pair[1] ** power]}


def test_nested_inputs_and_results() -> None:
    one = tl.tensor([1.0, 2.0])
    program = export(Many(), (one, [one * 2, one * 3]), kwargs={"scale": one * 4, "power": 3})
    graph = program.model_proto.graph
    assert [i.name for i in graph.input] == ["first", "pair_0", "pair_1", "scale"]
    assert [o.name for o in graph.output] == ["output", "output_1"]
    found = program(*(tl.tensor(v) for v in ([1.0, 0.0], [1.0, 1.0], [2.0, 3.0], [1.0, 2.0])))
    assert [t.tolist() for t in found] == [[2.0, 2.0], [8.0, 27.0]]


@pytest.mark.parametrize(
    "words",
    [
        {"dynamic_axes": {"x": {0: "batch"}}},
        {"dynamic_axes": {"x": {0: "batch"}, "y": {0: "batch"}}},
        {"dynamic_shapes": ({0: "batch"},)},
        {"dynamic_shapes": {"x": {0: "batch", 1: None}}},
        {"dynamic_shapes": {"x": ("batch", None)}},
    ],
)
def test_a_dynamic_batch(words: dict[str, Any]) -> None:
    def model(x: Any) -> Any:
        return x.sum(1), x.reshape(-1), x.t()

    program = export(model, (tl.ones(2, 3),), input_names=["x"], output_names=["y"], **words)
    graph = program.model_proto.graph
    assert shapes(graph.input) == {"x": ["batch", 3]}
    assert shapes(graph.output) == {"y": ["batch"], "output": ["output_dim_0"], "output_1": [3, "batch"]}
    assert [a.shape for a in run(program, x=np.ones((7, 3), np.float32))] == [(7,), (21,), (3, 7)]


def test_symbols_made_up() -> None:
    program = export(lambda x: x * 2, (tl.ones(2, 3),), dynamic_axes={"x": [0, 1]})
    assert shapes(program.model_proto.graph.input) == {"x": ["x_dim_0", "x_dim_1"]}


@pytest.mark.parametrize("opset", range(18, 24))
def test_every_opset(opset: int) -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GELU(), nn.GELU("tanh"), nn.Upsample(scale_factor=2),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 4), nn.LayerNorm(4), nn.Hardswish(),
    )  # fmt: skip
    x = tl.randn(2, 1, 8, 8)
    program = export(model, (x,), input_names=["x"], opset_version=opset)
    assert program.model_proto.opset_import[0].version == opset
    onnx.checker.check_model(program.model_proto, full_check=True)
    np.testing.assert_allclose(run(program, x=x)[0], model.eval()(x).detach(), rtol=1e-4, atol=1e-5)


def test_older_opsets() -> None:
    """As PyTorch's exporter: converted where the package onnx can, else opset 18 and a warning."""
    model, x = nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tl.randn(2, 3)
    program = export(model, (x,), input_names=["x"], opset_version=15)
    assert program.model_proto.opset_import[0].version == 15
    np.testing.assert_allclose(run(program, x=x)[0], model(x).detach(), rtol=1e-5, atol=1e-6)
    with pytest.warns(
        UserWarning, match="the file has opset 18; it could not be converted to the older opset_version=11"
    ):
        program = export(model, (x,), opset_version=11)
    assert program.model_proto.opset_import[0].version == 18


def test_weights_that_are_shared_are_stored_once() -> None:
    program = export(Gpt(), (tl.tensor([[1, 2, 3]]),))
    names = [t.name for t in program.model_proto.graph.initializer]
    assert len(set(names)) == len(names) and "tokens.weight" in names and "out.weight" not in names
    assert {n.partition(".")[0] for n in names} == {"tokens", "places", "layer"}


def test_nodes_have_the_names_of_modules() -> None:
    program = export(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (tl.randn(2, 5, 8),))
    names = [n.name for n in program.model_proto.graph.node]
    assert "/norm1/LayerNormalization" in names and "/self_attn/Softmax" in names and len(set(names)) == len(names)
    assert program.model_proto.producer_name == "tinygrad_lite" and program.model_proto.ir_version == 10


def test_one_node_for_one_layer() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.AvgPool2d(2), nn.PReLU(), nn.Hardsigmoid(),
        nn.AdaptiveAvgPool2d(1),
    )  # fmt: skip
    program = export(model, (tl.randn(2, 1, 8, 8),))
    kinds = [n.op_type for n in program.model_proto.graph.node if n.op_type not in ("Constant", "Reshape")]
    assert kinds == ["Conv", "BatchNormalization", "AveragePool", "PRelu", "HardSigmoid", "GlobalAveragePool"]
    lstm = export(nn.LSTM(3, 4), (tl.randn(5, 2, 3),)).model_proto.graph
    assert [n.op_type for n in lstm.node].count("LSTM") == 1 and "MatMul" not in [n.op_type for n in lstm.node]
    assert sorted(t.name for t in lstm.initializer) == ["bias_hh_l0", "bias_ih_l0", "weight_hh_l0", "weight_ih_l0"]


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1"])
def test_networks_for_images(name: str) -> None:
    tl.manual_seed(0)
    model = getattr(tl.vision.models, name)(weights=None, num_classes=5).eval()
    program = export(model, (tl.randn(1, 3, 64, 64),), input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    x = tl.randn(2, 3, 64, 64)
    with tl.no_grad():
        want = model(x).numpy()
    np.testing.assert_allclose(run(program, x=x)[0], want, rtol=1e-4, atol=1e-5 * np.abs(want).max())
    kinds = [n.op_type for n in program.model_proto.graph.node]
    assert "Identity" not in kinds and kinds.count("Conv") == sum(isinstance(m, nn.Conv2d) for m in model.modules())


def test_training_modes() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3)).train()
    x = tl.tensor([[1.0, 2.0, 3.0], [4.0, 6.0, 9.0]])
    before = model.state_dict()["0.running_mean"].clone()
    for mode, kind in (("EVAL", "BatchNormalization"), ("TRAINING", "ReduceMean"), ("PRESERVE", "ReduceMean")):
        program = export(model, (x,), training=tl.onnx.TrainingMode[mode])
        assert kind in [n.op_type for n in program.model_proto.graph.node], mode
    assert model.training and tl.equal(model.state_dict()["0.running_mean"], before)


def test_doubles() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).double()
    x = tl.randn(4, 3).double()
    program = export(model, (x,), input_names=["x"])
    np.testing.assert_allclose(run(program, x=x)[0], model(x).detach(), rtol=1e-12)
    again = load(export(nn.Linear(3, 2), (tl.randn(4, 3),)).model_proto).double()
    assert again(x).dtype == tl.float64


def test_the_input_may_be_an_array_and_args_a_tensor() -> None:
    assert len(export(lambda x: x + 1, np.ones(3, np.float32)).model_proto.graph.input) == 1
    assert len(export(lambda x: x + 1, tl.ones(3)).model_proto.graph.input) == 1


def test_an_input_that_is_not_used_and_one_that_is_returned() -> None:
    program = export(lambda x, y: (x, x), (tl.ones(3), tl.ones(2)))
    assert [i.name for i in program.model_proto.graph.input] == ["x", "y"]
    assert [a.tolist() for a in run(program, x=np.ones(3, np.float32), y=np.ones(2, np.float32))] == [[1, 1, 1]] * 2


def test_the_training_of_a_mask_is_seen() -> None:
    """A causal mask of the module itself, sliced to the length."""

    class Causal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mask: Any
            self.register_buffer("mask", tl.tril(tl.ones(16, 16, dtype=tl.bool)))

        def forward(self, x: Any) -> Any:
            n = x.shape[1]
            return F.scaled_dot_product_attention(x, x, x, self.mask[:n, :n])

    model, x = Causal(), tl.randn(2, 4, 3)
    program = export(model, (x,), input_names=["x"], dynamic_axes={"x": {0: "batch", 1: "time"}})
    y = tl.randn(3, 9, 3)
    np.testing.assert_allclose(run(program, x=y)[0], model(y).detach(), rtol=1e-5, atol=1e-6)
    assert [t.name for t in program.model_proto.graph.initializer] == ["mask"]


def test_the_arguments_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.onnx")
    theirs, ours = (list(inspect.signature(lib.onnx.export).parameters) for lib in (torch, tl))
    assert ours == theirs
    assert set(torch.onnx.__all__) - set(dir(tl.onnx)) <= {"ops", "ExportableModule", "InputObserver"}


def test_a_file_is_written_completely_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        export(lambda x: x * x.sum().item(), (tl.ones(3),), path)
    assert path.read_text() == "old"
    export(lambda x: x * 2, (tl.ones(3),), path)
    assert load(path)(tl.ones(3)).tolist() == [2, 2, 2]
