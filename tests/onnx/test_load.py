"""`onnx.load`: files of other programs, training of a loaded model, operators against onnxruntime."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.onnx import export, load
from tinygrad_lite.onnx.capture import leaves

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
FILES = Path(__file__).parent / "files"
RESULTS = dict(np.load(FILES / "results.npz"))
NAMES = sorted(path.stem for path in FILES.glob("*.onnx"))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_library(name: str) -> None:
    module = load(FILES / f"{name}.onnx")
    found = leaves(module(tl.tensor(RESULTS[f"{name}.in"])))
    want = [RESULTS[k] for k in sorted(RESULTS) if k.startswith(f"{name}.out")]
    assert len(found) == len(want)
    for f, w in zip(found, want, strict=True):
        np.testing.assert_allclose(f.detach().numpy(), w, rtol=1e-5, atol=1e-5)


def test_there_are_ten_files_of_pytorch() -> None:
    assert len([n for n in NAMES if not n.startswith("keras")]) >= 10


@pytest.mark.parametrize("name", ["mlp", "cnn", "unet", "gru", "keras_mlp", "encoder"])
def test_a_loaded_file_is_exported_again(name: str) -> None:
    x = tl.tensor(RESULTS[f"{name}.in"])
    module = load(FILES / f"{name}.onnx")
    again = load(export(module, (x,)).model_proto)
    np.testing.assert_allclose(leaves(again(x))[0].detach(), RESULTS[f"{name}.out0"], rtol=1e-5, atol=1e-5)


def test_a_loaded_file_is_trained() -> None:
    module = load(FILES / "mlp.onnx")
    x = tl.tensor(RESULTS["mlp.in"])
    target = tl.tensor([0, 1, 2])
    descent = optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        loss = -tl.log(module(x))[tl.arange(3), target].mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3


def test_the_names_are_those_of_the_module(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    export(model, (tl.ones(2, 3),), tmp_path / "net.onnx")
    again = load(tmp_path / "net.onnx")
    names = [n for n in model.state_dict() if "num_batches" not in n]
    assert sorted(again.state_dict()) == sorted(names)
    assert "1.running_mean" in dict(again.named_buffers())
    model.load_state_dict(again.state_dict(), strict=False)
    assert "x" not in dict(again.named_modules()) and isinstance(again.get_submodule("0"), nn.Module)


def test_what_can_be_read(tmp_path: Path) -> None:
    program = export(nn.Linear(3, 2), (tl.ones(2, 3),), tmp_path / "a.onnx")
    data = (tmp_path / "a.onnx").read_bytes()
    for f in (data, io.BytesIO(data), str(tmp_path / "a.onnx"), program.model_proto):
        assert load(f)(tl.ones(2, 3)).shape == (2, 2)
    file = io.BytesIO()
    export(nn.Linear(3, 2), (tl.ones(2, 3),), file)
    assert load(file.getvalue())


def test_weights_in_a_second_file(tmp_path: Path) -> None:
    model = nn.Linear(30, 20)
    program = export(model, (tl.ones(1, 30),))
    program.save(tmp_path / "net.onnx", external_data=True)
    assert (tmp_path / "net.onnx.data").stat().st_size == 4 * 620
    assert tl.equal(load(tmp_path / "net.onnx").get_parameter("weight"), model.weight)
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"input": np.ones((1, 30), np.float32)})[0]
    np.testing.assert_allclose(found, model(tl.ones(1, 30)).detach(), rtol=1e-5, atol=1e-6)


def test_inputs_are_checked() -> None:
    module = load(export(lambda a, b: a + b, (tl.ones(2, 3), tl.ones(3))).model_proto)
    assert tl.equal(module(b=tl.ones(3), a=tl.ones(2, 3)), module(tl.ones(2, 3), tl.ones(3)))
    with pytest.raises(ArgumentError, match="the inputs are a, b; got 1 by position"):
        module(tl.ones(2, 3))
    with pytest.raises(ShapeError, match=r"input 'a' must have the shape \[2, 3\], it has \(3, 3\)"):
        module(tl.ones(3, 3), tl.ones(3))
    with pytest.raises(OptionError, match="input 'b' must have the dtype float32, it has int64"):
        module(tl.ones(2, 3), tl.ones(3).long())


# ------------------------------------------------------------------------------------------------ operators
H = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def model_of(kind: str, inputs: dict[str, Any], outputs: int = 1, opset: int = 20, **attributes: Any) -> Any:
    """Return a model of one node; arrays are inputs, lists are constants."""
    node = H.make_node(kind, [n if v is not None else "" for n, v in inputs.items()],
                       [f"y{i}" for i in range(outputs)], **attributes)  # fmt: skip
    given = [H.make_tensor_value_info(n, H.np_dtype_to_tensor_dtype(v.dtype), v.shape)
             for n, v in inputs.items() if isinstance(v, np.ndarray)]  # fmt: skip
    stored = [onnx.numpy_helper.from_array(np.array(v), n) for n, v in inputs.items() if isinstance(v, list)]
    graph = H.make_graph([node], "g", given, [H.make_empty_tensor_value_info(f"y{i}") for i in range(outputs)], stored)
    return H.make_model(graph, opset_imports=[H.make_opsetid("", opset)], ir_version=8)


R = np.random.default_rng(3)
X = R.normal(size=(2, 3, 6, 7)).astype(np.float32)
M = R.normal(size=(4, 5)).astype(np.float32)
SEQ = R.normal(size=(5, 2, 3)).astype(np.float32)
W4, R4, B4 = (R.normal(size=s).astype(np.float32) for s in ((2, 16, 3), (2, 16, 4), (2, 32)))
W3, R3, B3 = (R.normal(size=s).astype(np.float32) for s in ((1, 12, 3), (1, 12, 4), (1, 24)))
NODES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("AveragePool", {"x": X}, {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1], "ceil_mode": 1}),
    ("AveragePool", {"x": X}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", {"x": X}, {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("MaxPool", {"x": X}, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", {"x": X}, {"kernel_shape": [2, 2], "auto_pad": "SAME_LOWER", "outputs": 2}),
    ("MaxPool", {"x": X}, {"kernel_shape": [2, 2], "dilations": [2, 2]}),
    ("LpPool", {"x": X}, {"kernel_shape": [2, 2], "p": 2}),
    ("GlobalMaxPool", {"x": X}, {}), ("GlobalAveragePool", {"x": X}, {}), ("LRN", {"x": X}, {"size": 3}),
    ("Conv", {"x": X, "w": R.normal(size=(6, 1, 3, 3)).astype(np.float32)},
     {"group": 3, "auto_pad": "SAME_UPPER", "strides": [2, 1]}),
    ("ConvTranspose", {"x": X, "w": R.normal(size=(3, 2, 3, 3)).astype(np.float32)},
     {"strides": [2, 2], "output_padding": [1, 0], "pads": [1, 1, 0, 0]}),
    ("ConvTranspose", {"x": X, "w": R.normal(size=(3, 2, 3, 3)).astype(np.float32)},
     {"strides": [2, 2], "output_shape": [12, 14]}),
    ("DepthToSpace", {"x": R.normal(size=(1, 8, 2, 3)).astype(np.float32)}, {"blocksize": 2}),
    ("DepthToSpace", {"x": R.normal(size=(1, 8, 2, 3)).astype(np.float32)}, {"blocksize": 2, "mode": "CRD"}),
    ("SpaceToDepth", {"x": R.normal(size=(1, 2, 4, 6)).astype(np.float32)}, {"blocksize": 2}),
    ("Gemm", {"a": M.T.copy(), "b": M, "c": np.ones((1,), np.float32)},
     {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("Slice", {"x": M, "s": [-1, 4], "e": [-(2**62), 0], "a": [0, 1], "t": [-2, -1]}, {}),
    ("Slice", {"x": M, "s": [1], "e": [2**62]}, {}),
    ("Split", {"x": M}, {"axis": 1, "num_outputs": 2, "outputs": 2}),
    ("Pad", {"x": M, "p": [1, 2, 0, 1]}, {"mode": "reflect"}), ("Pad", {"x": M, "p": [1, 2, 0, 1]}, {"mode": "edge"}),
    ("Pad", {"x": M, "p": [1, 0, -1, 1]}, {}),
    ("Tile", {"x": M, "r": [2, 1]}, {}), ("Expand", {"x": M, "s": [2, 1, 5]}, {}),
    ("Compress", {"x": M, "c": [True, False, True]}, {"axis": 1}), ("EyeLike", {"x": M}, {"k": 1}),
    ("GatherND", {"x": X, "i": [[0, 1], [1, 2]]}, {}), ("GatherND", {"x": X, "i": [[0], [2]]}, {"batch_dims": 1}),
    ("ScatterND", {"x": M, "i": [[0], [2]], "u": M[:2].copy()}, {}),
    ("ScatterND", {"x": M, "i": [[0], [0]], "u": M[:2].copy()}, {"reduction": "add"}),
    ("ScatterND", {"x": M, "i": [[0], [3]], "u": M[:2].copy()}, {"reduction": "max"}),
    ("ScatterElements", {"x": M, "i": [[0, 1, -1]], "u": M[:1, :3].copy()}, {"axis": 1, "reduction": "mul"}),
    ("OneHot", {"i": [1, -1, 3], "d": [4], "v": [0.5, 2.0]}, {"axis": 0}),
    ("CumSum", {"x": M, "a": [1]}, {"exclusive": 1, "reverse": 1}),
    ("ReduceLogSum", {"x": np.abs(M), "a": [1]}, {}), ("ReduceSumSquare", {"x": M, "a": [0]}, {"keepdims": 0}),
    ("ReduceL1", {"x": M}, {}), ("ArgMax", {"x": M}, {"axis": 1, "select_last_index": 1}),
    ("TopK", {"x": M, "k": [2]}, {"largest": 0, "outputs": 2}), ("Hardmax", {"x": M}, {"axis": 0}),
    ("Selu", {"x": M}, {}), ("Elu", {"x": M}, {"alpha": 2.0}), ("Celu", {"x": M}, {}),
    ("ThresholdedRelu", {"x": M}, {}),
    ("HardSigmoid", {"x": M}, {}), ("HardSwish", {"x": M}, {}), ("Shrink", {"x": M}, {"lambd": 0.3, "bias": 0.1}),
    ("PRelu", {"x": M, "s": [0.1, 0.2, 0.3, 0.4, 0.5]}, {}), ("Gelu", {"x": M}, {"approximate": "tanh"}),
    ("Mod", {"x": [7, -7], "y": [3, 3]}, {}), ("Mod", {"x": [7.5, -7.0], "y": [3.0, 3.0]}, {"fmod": 1}),
    ("Div", {"x": [7, -7], "y": [2, 2]}, {}), ("Max", {"a": M, "b": -M, "c": M * 2}, {}),
    ("Mean", {"a": M, "b": M * 3}, {}),
    ("Sum", {"a": M, "b": M}, {}),
    ("LayerNormalization", {"x": M, "s": [1.0, 2.0, 3.0, 4.0, 5.0]}, {"outputs": 3}),
    ("InstanceNormalization", {"x": X, "s": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 2.0]}, {}),
    ("LpNormalization", {"x": M}, {"axis": 0}), ("MeanVarianceNormalization", {"x": X}, {}),
    ("GroupNormalization",
     {"x": R.normal(size=(2, 4, 3)).astype(np.float32), "s": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 1.0, 2.0, 3.0]},
     {"num_groups": 2, "opset": 21}),
    ("LSTM", {"x": SEQ, "w": W4, "r": R4, "b": B4}, {"hidden_size": 4, "direction": "bidirectional", "outputs": 3}),
    ("GRU", {"x": SEQ, "w": W3, "r": R3, "b": B3}, {"hidden_size": 4, "outputs": 2}),
    ("GRU", {"x": SEQ, "w": W3, "r": R3, "b": B3},
     {"hidden_size": 4, "linear_before_reset": 1, "direction": "reverse"}),
    ("Resize", {"x": X, "roi": None, "s": [1.0, 1.0, 2.0, 1.5]}, {"mode": "linear"}),
    ("Resize", {"x": X, "roi": None, "s": [1.0, 1.0, 0.6, 0.6]}, {"mode": "nearest", "nearest_mode": "ceil"}),
    ("Resize", {"x": X, "roi": None, "s": None, "z": [2, 3, 9, 4]},
     {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    ("Resize", {"x": X, "roi": None, "s": [1.0, 1.0, 2.0, 2.0]},
     {"mode": "cubic", "coordinate_transformation_mode": "asymmetric"}),
    ("ReverseSequence", {"x": SEQ, "l": [3, 5]}, {}), ("Unique", {"x": [3.0, 1.0, 3.0]}, {"outputs": 4}),
    ("Trilu", {"x": M}, {"upper": 0}),
    ("Einsum", {"a": M, "b": M}, {"equation": "ij,kj->ik"}),
    ("Softmax", {"x": X}, {"opset": 11}), ("Upsample", {"x": X, "s": [1.0, 1.0, 2.0, 2.0]}, {"opset": 9}),
    ("Squeeze", {"x": M[None]}, {"axes": [0], "opset": 11}), ("Clip", {"x": M}, {"min": 0.0, "max": 1.0, "opset": 6}),
    ("Slice", {"x": M}, {"starts": [1], "ends": [3], "axes": [1], "opset": 9}),
    ("Pad", {"x": M}, {"pads": [1, 0, 0, 1], "value": 2.0, "opset": 9}),
    ("BatchNormalization",
     {"x": X, "s": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 2.0], "m": [0.1, 0.2, 0.3], "v": [1.0, 2.0, 0.5]}, {}),
    ("SoftmaxCrossEntropyLoss", {"x": M, "t": [0, 1, 2, 3]}, {"outputs": 2}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NODES)), ids=lambda i: f"{NODES[i][0]}-{i}")
def test_an_operator_against_onnxruntime(number: int) -> None:
    kind, inputs, words = NODES[number]
    inputs = {n: [np.float32(a) for a in v] if isinstance(v, list) and isinstance(v[0], float) else v
              for n, v in inputs.items()}  # fmt: skip
    proto = model_of(kind, inputs, **words)
    options = runtime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {n: v for n, v in inputs.items() if isinstance(v, np.ndarray)}
    want = session.run(None, given)
    found = leaves(load(proto)(*map(tl.tensor, given.values())))
    assert len(found) == len(want)
    for f, w in zip(found, want, strict=True):
        assert f.dtype == w.dtype
        np.testing.assert_allclose(f.detach().numpy(), w, rtol=1e-5, atol=1e-5)
