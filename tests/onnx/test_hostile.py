"""Files that are damaged or made to do harm: one clear error, little memory, nothing outside the folder is read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.errors import ArgumentError, FileError
from tinygrad_lite.onnx import export, load

onnx = pytest.importorskip("onnx")
H, FLOAT = onnx.helper, onnx.TensorProto.FLOAT


def proto() -> Any:
    model = export(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (tl.ones(1, 2),)).model_proto
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def one(kind: str, *inputs: Any, domain: str = "", **attributes: Any) -> Any:
    """Return a model of one node on constants; the input x is not used."""
    names = [f"c{i}" for i in range(len(inputs))]
    stored = [onnx.numpy_helper.from_array(np.array(v), n) for n, v in zip(names, inputs, strict=True)]
    node, x = H.make_node(kind, names, ["y"], domain=domain, **attributes), H.make_tensor_value_info("x", FLOAT, [1])
    whole = H.make_graph([node], "g", [x], [H.make_empty_tensor_value_info("y")], stored)
    return H.make_model(whole, opset_imports=[H.make_opsetid("", 20), H.make_opsetid("ai.onnx.ml", 3)])


def weight(change: Callable[[Any], None]) -> Any:
    model = proto()
    change(model.graph.initializer[0])
    return model


def graph(change: Callable[[Any], None]) -> Any:
    model = proto()
    change(model.graph)
    return model


def set_field(**fields: Any) -> Callable[[Any], None]:
    def change(t: Any) -> None:
        for name, value in fields.items():
            if isinstance(value, list):
                t.ClearField(name)
                getattr(t, name).extend(value)
            else:
                setattr(t, name, value)

    return change


def itself() -> Any:
    model = proto()
    body = H.make_function("mine", "f", ["a"], ["b"], [H.make_node("f", ["a"], ["b"], domain="mine")],
                           [H.make_opsetid("", 20), H.make_opsetid("mine", 1)])  # fmt: skip
    model.functions.append(body)
    model.graph.node[0].op_type, model.graph.node[0].domain = "f", "mine"
    return model


def growing() -> Any:
    """Functions each of which calls the one before ten times."""
    model = proto()
    imports = [H.make_opsetid("", 20), H.make_opsetid("mine", 1)]
    for i in range(12):
        kind, domain = (f"f{i - 1}", "mine") if i else ("Relu", "")
        nodes = [H.make_node(kind, [f"v{k}" if k else "a"], [f"v{k + 1}" if k < 9 else "b"], domain=domain)
                 for k in range(10)]  # fmt: skip
        model.functions.append(H.make_function("mine", f"f{i}", ["a"], ["b"], nodes, imports))
    model.graph.node[-1].op_type, model.graph.node[-1].domain = "f11", "mine"
    return model


def nested(depth: int) -> Any:
    node = H.make_node("Identity", ["input"], ["y"])
    for i in range(depth):
        inner = H.make_graph([node], "g", [], [H.make_empty_tensor_value_info("y")])
        node = H.make_node("If", ["input"], ["y"], then_branch=inner, else_branch=inner if i == 0 else small())
    model = proto()
    del model.graph.node[:]
    model.graph.node.append(node)
    model.graph.output[0].name = "y"
    return model


def small() -> Any:
    return H.make_graph([H.make_node("Identity", ["input"], ["y"])], "g", [], [H.make_empty_tensor_value_info("y")])


FILES: dict[str, tuple[Callable[[], Any], str]] = {
    "text": (lambda: b"hello, world", "this is no ONNX file"),
    "empty": (lambda: b"", "this is no ONNX file"),
    "cut off": (lambda: proto().SerializeToString()[:-20], "damaged|no graph"),
    "too short": (lambda: weight(set_field(raw_data=b"1234")), "has 4 bytes, not 24"),
    "negative": (lambda: weight(set_field(dims=[-2, -3])), r"has the shape \[-2, -3\]"),
    "huge": (lambda: weight(set_field(dims=[1 << 40, 1 << 20])), "has 24 bytes, not"),
    "numbers missing": (lambda: weight(lambda t: t.ClearField("raw_data")), "has 0 numbers"),
    "string": (lambda: weight(set_field(data_type=8)), "element type number 8"),
    "bfloat16": (lambda: weight(set_field(data_type=16)), "element type number 16"),
    "unknown type": (lambda: weight(set_field(data_type=99)), "element type number 99"),
    "twice": (lambda: graph(lambda g: g.initializer.append(g.initializer[0])), "two weights named"),
    "unknown operator": (lambda: graph(lambda g: set_field(op_type="Evil")(g.node[0])), "the operator Evil is not"),
    "python": (lambda: graph(lambda g: set_field(domain="os", op_type="system")(g.node[0])), "the operator os::system"),
    "attribute": (lambda: graph(lambda g: g.node[0].attribute.append(H.make_attribute("evil", 1))), "Gemm.*evil"),
    "missing input": (lambda: graph(lambda g: set_field(input=["nowhere", "0.weight"])(g.node[0])), "reads 'nowhere'"),
    "circle": (lambda: graph(lambda g: set_field(input=[g.node[-1].output[0], "0.weight"])(g.node[0])),
               "which nothing before it"),
    "output missing": (lambda: graph(lambda g: set_field(name="z")(g.output[0])), "nothing computes the output 'z'"),
    "written twice": (lambda: graph(lambda g: g.node.append(g.node[0])), "which exists already"),
    "no output": (lambda: graph(lambda g: g.ClearField("output")), "no graph with outputs"),
    "function of itself": (itself, "the function 'f' calls itself"),
    "growing functions": (growing, "more than 1,000,000 nodes"),
    "nested": (lambda: nested(25), "nested too deeply"),
}  # fmt: skip
RUNS: dict[str, tuple[Callable[[], Any], str]] = {
    "constant": (lambda: one("ConstantOfShape", [1 << 20, 1 << 20]), "at most"),
    "expand": (lambda: one("Expand", [1.0], [1 << 40]), "at most"),
    "tile": (lambda: one("Tile", [1.0, 2.0], [1 << 50]), "at most"),
    "range": (lambda: one("Range", 0, 1 << 60, 1), "at most"),
    "endless range": (lambda: one("Range", 0, 1, 0), "Range from 0 to 1 by 0"),
    "pad": (lambda: one("Pad", [1.0], [1 << 40, 0]), "at most"),
    "one hot": (lambda: one("OneHot", [1], [1 << 40], [0, 1]), "at most"),
    "resize": (lambda: one("Resize", [[[1.0]]], np.zeros(0), np.array([1, 1, 1e12])), "at most"),
    "padding of a convolution": (
        lambda: one("Conv", [[[1.0]]], [[[1.0]]], pads=[1 << 40, 0]), "at most"),
    "padding of a pool": (lambda: one("MaxPool", [[[1.0]]], kernel_shape=[1], pads=[0, 1 << 40]), "at most"),
    "stride": (lambda: one("ConvTranspose", [[[1.0, 1.0]]], [[[1.0]]], strides=[1 << 40]), "at most"),
    "outer product": (lambda: one("Einsum", [1.0] * 70000, [1.0] * 70000, equation="a,b->ab"), "at most"),
    "step": (lambda: one("Slice", [1.0], [0], [1], [0], [0]), "has the step 0"),
    "einsum": (lambda: one("Einsum", [1.0], equation="a" * 300), "too long"),
    "trees in a circle": (lambda: one(
        "TreeEnsembleRegressor", [[1.0]], domain="ai.onnx.ml", n_targets=1, nodes_treeids=[0, 0], nodes_nodeids=[0, 1],
        nodes_featureids=[0, 0], nodes_modes=["BRANCH_LEQ"] * 2, nodes_values=[2.0, 2.0], nodes_truenodeids=[1, 0],
        nodes_falsenodeids=[1, 0]), "do not form a tree"),
    "a feature too far": (lambda: one(
        "TreeEnsembleRegressor", [[1.0]], domain="ai.onnx.ml", n_targets=1, nodes_treeids=[0], nodes_nodeids=[0],
        nodes_featureids=[9], nodes_modes=["BRANCH_LEQ"], nodes_values=[2.0], nodes_truenodeids=[0],
        nodes_falsenodeids=[0]), "a feature that the input does not have"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_refused(name: str) -> None:
    make, words = FILES[name]
    made = make()
    begun = time.perf_counter()
    with pytest.raises(FileError, match=words):
        load(made if isinstance(made, bytes) else made.SerializeToString())
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("name", RUNS)
def test_a_graph_that_asks_for_too_much(name: str) -> None:
    make, words = RUNS[name]
    module = load(make())
    with pytest.raises(FileError, match=words):
        module(tl.ones(1))


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "", "missing", "inner/../../secret", "link"])
def test_weights_outside_of_the_folder(place: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 100)
    (tmp_path / "here").mkdir()
    if hasattr(os, "symlink"):
        os.symlink(tmp_path / "secret", tmp_path / "here" / "link")
    model = proto()
    t = model.graph.initializer[0]
    t.ClearField("raw_data")
    t.data_location = t.EXTERNAL
    entry = t.external_data.add()
    entry.key, entry.value = "location", place
    (tmp_path / "here" / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(FileError, match="which is no file in the folder of the model"):
        load(tmp_path / "here" / "net.onnx")
    with pytest.raises(FileError, match="load the model by its path"):
        load(model)


@pytest.mark.parametrize(("key", "value"), [("offset", "-4"), ("offset", "90"), ("length", "999999"), ("offset", "x")])
def test_places_in_a_second_file(key: str, value: str, tmp_path: Path) -> None:
    program = export(nn.Linear(2, 3), (tl.ones(1, 2),))
    program.save(tmp_path / "net.onnx", external_data=True)
    model = onnx.ModelProto()
    model.ParseFromString((tmp_path / "net.onnx").read_bytes())
    for entry in model.graph.initializer[0].external_data:
        entry.value = value if entry.key == key else entry.value
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(FileError, match="needs 24 bytes|is no number"):
        load(tmp_path / "net.onnx")


def test_names_that_a_module_has_already() -> None:
    model = proto()
    names = {"0.weight": "forward.training", "0.bias": "_parameters"}
    for t in model.graph.initializer:
        t.name = names[t.name]
    for node in model.graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
    module = load(model)
    assert module(tl.ones(1, 2)).shape == (1, 3) and module.training is True and callable(module.forward)


def test_what_is_no_file() -> None:
    with pytest.raises(ArgumentError, match="expected a path, a binary file or bytes, got a int"):
        load(3)


def test_random_damage() -> None:
    """Bytes changed at random: a FileError, or a module whose call raises an ordinary exception."""
    data, random = proto().SerializeToString(), np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(data)
        for i in random.integers(0, len(data), 3):
            bad[i] = random.integers(0, 256)
        try:
            module = load(bytes(bad))
        except FileError:
            continue
        try:
            module(tl.ones(1, 2))
        except (FileError, ValueError, TypeError, RuntimeError, IndexError, KeyError):
            continue
