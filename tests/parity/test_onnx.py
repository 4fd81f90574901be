"""Files that PyTorch's exporters write here and now, loaded; and files of ours with PyTorch's weights."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import tinygrad_lite as tl  # noqa: E402
from tinygrad_lite.onnx.capture import leaves  # noqa: E402

NN = torch.nn
MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "mlp": (lambda: NN.Sequential(NN.Linear(4, 8), NN.GELU(), NN.LayerNorm(8), NN.Linear(8, 3), NN.Softmax(-1)),
            (2, 4)),
    "cnn": (lambda: NN.Sequential(
        NN.Conv2d(1, 4, 3, padding=1), NN.BatchNorm2d(4), NN.ReLU(), NN.MaxPool2d(2, ceil_mode=True),
        NN.Conv2d(4, 4, 3, stride=2, groups=2), NN.AvgPool2d(2, padding=1), NN.AdaptiveAvgPool2d(1), NN.Flatten(),
        NN.Linear(4, 3)), (2, 1, 13, 13)),
    "transposed": (lambda: NN.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), (1, 2, 5, 4)),
    "lstm": (lambda: NN.LSTM(3, 5, 2, batch_first=True, bidirectional=True), (2, 7, 3)),
    "gru": (lambda: NN.GRU(3, 5), (7, 2, 3)),
    "rnn": (lambda: NN.RNN(3, 5, nonlinearity="relu"), (7, 2, 3)),
    "normalisation": (lambda: NN.Sequential(
        NN.GroupNorm(2, 4), NN.InstanceNorm2d(4, affine=True), NN.LocalResponseNorm(2)), (2, 4, 5, 5)),
    "resizing": (lambda: NN.Sequential(
        NN.Upsample(scale_factor=2, mode="bilinear"), NN.Upsample(size=(5, 9), mode="bicubic"),
        NN.Upsample(scale_factor=2), NN.PixelUnshuffle(1)), (1, 2, 4, 4)),
    "padding": (lambda: NN.Sequential(
        NN.ReflectionPad2d(1), NN.ReplicationPad2d(2), NN.ZeroPad2d((1, 0, 2, 1))), (1, 2, 4, 4)),
    "activations": (lambda: NN.Sequential(
        NN.ELU(), NN.LeakyReLU(), NN.SiLU(), NN.Hardswish(), NN.Hardsigmoid(), NN.Softplus(), NN.SELU(), NN.Mish(),
        NN.CELU(), NN.PReLU(), NN.Softsign(), NN.ReLU6(), NN.LogSoftmax(1)), (3, 4)),
}  # fmt: skip


def written(model: Any, x: Any, path: Path, **words: Any) -> None:
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model, (x,), path, **words)
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_of_the_torchscript_exporter(name: str, tmp_path: Path) -> None:
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model, x = make().eval(), torch.randn(shape)
    axis = 1 if name in ("gru", "rnn") else 0
    written(model, x, tmp_path / "net.onnx", dynamo=False, input_names=["x"], dynamic_axes={"x": {axis: "batch"}})
    loaded = tl.onnx.load(tmp_path / "net.onnx")
    for batch in (shape[axis], 4):
        x = torch.randn(*shape[:axis], batch, *shape[axis + 1 :])
        want = model(x)
        want = [want[0], *(leaves_of(want[1]))] if isinstance(want, tuple) else [want]
        for f, w in zip(leaves(loaded(tl.tensor(x.numpy()))), want, strict=True):
            np.testing.assert_allclose(f.detach().numpy(), w.detach().numpy(), rtol=1e-5, atol=1e-5)


def leaves_of(value: Any) -> list[Any]:
    return [*value] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_a_file_of_the_newer_exporter(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    make, shape = MODELS[name]
    model, x = make().eval(), torch.randn(shape)
    written(model, x, tmp_path / "net.onnx", dynamo=True, verbose=False, dynamic_shapes=({0: "batch"},))
    loaded = tl.onnx.load(tmp_path / "net.onnx")
    x = torch.randn(5, *shape[1:])
    want = model(x)
    found = leaves(loaded(tl.tensor(x.numpy())))[0]
    np.testing.assert_allclose(found.detach(), (want[0] if isinstance(want, tuple) else want).detach(), atol=1e-5)


def test_weights_and_gradients_are_those_of_pytorch(tmp_path: Path) -> None:
    theirs = NN.Sequential(NN.Linear(4, 8), NN.Tanh(), NN.Linear(8, 3))
    x = torch.randn(5, 4)
    written(theirs, x, tmp_path / "net.onnx", dynamo=False)
    ours = tl.onnx.load(tmp_path / "net.onnx")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs(x).square().sum().backward()
    ours(tl.tensor(x.numpy())).square().sum().backward()
    for (name, p), (_, q) in zip(theirs.named_parameters(), ours.named_parameters(), strict=True):
        assert q.grad is not None
        np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
