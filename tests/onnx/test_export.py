"""What `onnx.export` writes, against onnxruntime: same results, at the size of the example and at others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.onnx.cases import CASES, Case
from tinygrad_lite import nn
from tinygrad_lite.onnx import export, load
from tinygrad_lite.onnx.capture import leaves

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def session(proto: Any) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def resized(t: Any, axes: dict[int, str], sizes: dict[str, int]) -> Any:
    shape: Any = [sizes.get(axes[i], n) if i in axes else n for i, n in enumerate(t.numpy().shape)]
    return tl.tensor(np.resize(t.numpy()[::-1], shape)) if t.dtype != tl.float32 else tl.randn(*shape)


def agree(case: Case, proto: Any, inputs: Any, names: list[str]) -> None:
    if isinstance(case.model, nn.Module):
        case.model.eval()
    want = leaves(case.model(*inputs))
    found = session(proto).run(None, {n: t.numpy() for n, t in zip(names, inputs, strict=True)})
    again = leaves(load(proto)(*inputs))
    assert len(want) == len(found) == len(again)
    for w, f, a in zip(want, found, again, strict=True):
        for other in (f, a.detach().numpy()):
            assert w.dtype == other.dtype and tuple(w.shape) == other.shape
            np.testing.assert_allclose(other, w.detach().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_onnxruntime_agrees(case: Case) -> None:
    names = [f"x{i}" for i in range(len(case.inputs))]
    program = export(case.model, case.inputs, input_names=names, dynamic_axes=dict.fromkeys(names, case.axes))
    proto = program.model_proto
    onnx.checker.check_model(proto, full_check=True)
    agree(case, proto, case.inputs, names)
    if case.axes:
        sizes = {"batch": 5, "time": 9, "height": 16, "width": 20, "length": 23}
        agree(case, proto, [resized(t, case.axes, sizes) for t in case.inputs], names)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 125
