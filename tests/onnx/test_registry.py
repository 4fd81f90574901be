"""Every registered op: exported, composed or refused, by its own samples and against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.onnx import OnnxExporterError, export
from tinygrad_lite.onnx.capture import leaves
from tinygrad_lite.onnx.rules import how
from tinygrad_lite.onnx.rules.table import REFUSED, RULES, SINGLE
from tinygrad_lite.testing.check import sampler_for
from tinygrad_lite.testing.search.source import Source

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
CALLS = 5


def calls(name: str, dtype: Any = np.float32) -> list[tuple[Any, list[Any]]]:
    """Return (function, inputs) of some calls of an op that its samples draw."""
    op = tl.OPS[name]
    assert op.samples is not None
    sampler, _ = sampler_for(op.call, (), None)
    way = op.samples.call
    out = []
    for n in range(CALLS):
        arrays, options = sampler(Source.example(11, n))
        given = [np.asarray(a) for a in arrays if a is not None]
        inputs = [tl.tensor(a.astype(dtype) if a.dtype.kind == "f" else a) for a in given]

        def call(*tensors: Any, options: Any = options, given: Any = tuple(arrays)) -> Any:
            rest = iter(tensors)
            args = [None if a is None else next(rest) for a in given]
            return way(op.call, *args, **options) if way else op.call(*args, **options)

        out.append((call, inputs))
    return out


def run(proto: Any, inputs: list[Any]) -> list[Any]:
    options = runtime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return session.run(None, {n: t.numpy() for n, t in zip(names, inputs, strict=True)})


def gradients_agree(call: Any, program: Any, inputs: list[Any]) -> None:
    """Compare the gradients of the graph, run by `load`, with those of the op."""
    found = []
    for function in (call, program):
        leaf = [t.clone().requires_grad_() if t.dtype == tl.float32 else t for t in inputs]
        with np.errstate(all="ignore"):
            results = [y for y in leaves(function(*leaf)) if y.requires_grad]
            total = sum(((y * tl.arange(1, y.numel() + 1).reshape(y.shape)).sum() for y in results), tl.zeros(()))
            if not results or not np.isfinite(total.item()):
                return
            total.backward()
        found.append([t.grad if t.grad is not None else t.detach() * 0 for t in leaf if t.requires_grad])
    for a, b in zip(*found, strict=True):
        if a.numel():
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-3, atol=1e-3 * max(1.0, float(a.abs().max())))


KINKS = {"elu": "the slope at 0", "hardtanh": "the slope at the bounds, as of Clip"}
"""Ops whose samples lie on kinks, where the operator has another of the slopes on the two sides."""
ELSEWHERE = {"lstm_steps": "its samples use every cell state, of which ONNX has the last; see the layers in cases.py"}
TRIED = sorted(name for name, op in tl.OPS.items() if op.samples is not None and how(name)[0] != "refused")


@pytest.mark.parametrize("name", TRIED)
def test_an_op_by_its_samples(name: str) -> None:
    seen = 0
    for call, inputs in calls(name):
        with np.errstate(all="ignore"):
            want = leaves(call(*inputs))
            try:
                program = export(call, tuple(inputs))
            except OnnxExporterError as error:
                assert "ONNX" in str(error) or "not made by ops" in str(error), error
                continue
        onnx.checker.check_model(program.model_proto, full_check=True)
        results = [[t.detach().numpy() for t in program(*inputs)]]
        if all(w.dtype != tl.float64 for w in want):  # onnxruntime computes some operators in float32 only
            results.append(run(program.model_proto, inputs))
        for found in results:
            for w, f in zip(want, found, strict=True):
                assert w.dtype == f.dtype
                np.testing.assert_allclose(f, w.detach().numpy(), rtol=1e-4, atol=1e-5)
        if name not in KINKS:
            gradients_agree(call, program, inputs)
        seen += 1
    assert seen or name in ELSEWHERE


@pytest.mark.parametrize("name", sorted(n for n, op in tl.OPS.items() if how(n)[0] == "refused" and op.samples))
def test_a_refused_op_says_why(name: str) -> None:
    call, inputs = calls(name, np.float64)[0]
    with pytest.raises(OnnxExporterError, match=f"{name}: {REFUSED[name][:20]}"):
        export(call, tuple(inputs))


def test_every_op_is_in_one_table() -> None:
    ours = [
        name for name, op in tl.OPS.items()  # tests and examples declare some
        if op.forward.__module__.startswith("tinygrad_lite.") and "<doctest" not in op.forward.__code__.co_filename
    ]  # fmt: skip
    assert len(ours) > 150 and [n for n in ours if n not in RULES and n not in SINGLE and n not in REFUSED] == []
    assert set(REFUSED) & {*RULES, *SINGLE} == set()
    assert [n for n in {*RULES, *SINGLE, *REFUSED} if n not in tl.OPS and not n.endswith("()")] == []
