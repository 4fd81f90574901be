"""Write the files in this folder: small networks as PyTorch's and Keras's exporters write them.

Run once, with torch, onnxscript and keras installed: ``python tests/onnx/make_files.py``. `test_load.py` reads them, so
that those libraries are not needed for the tests.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "files"


def torch_models() -> dict[str, Any]:
    """Return (module, inputs) by name."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(0)

    class Language(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.lstm = nn.Embedding(11, 6), nn.LSTM(6, 4, batch_first=True)
            self.out = nn.Linear(4, 11)

        def forward(self, tokens: Any) -> Any:
            return self.out(self.lstm(self.embedding(tokens))[0][:, -1])

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
            self.shortcut, self.head = nn.Conv2d(2, 4, 1), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            y = F.relu(self.norm(self.conv(x)) + self.shortcut(x))
            return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.middle = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 4, 3, padding=1)
            self.up, self.last = nn.ConvTranspose2d(4, 2, 2, stride=2), nn.Conv2d(4, 1, 3, padding=1)

        def forward(self, x: Any) -> Any:
            a = F.relu(self.down(x))
            return self.last(torch.cat([a, self.up(F.relu(self.middle(F.max_pool2d(a, 2))))], 1))

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.attention(x, x, x)[0]

    class Ranking(nn.Module):
        def forward(self, x: Any) -> Any:
            values, places = x.topk(2, 1)
            return values, places, F.one_hot(x.argmax(1), 4), x.sort(1)[0]

    x, image = torch.randn(3, 4), torch.randn(2, 1, 8, 8)
    return {
        "mlp": (nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3), nn.Softmax(-1)), x),
        "cnn": (nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.AvgPool2d(2, padding=1, ceil_mode=True), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 3)), torch.randn(2, 1, 12, 12)),
        "language": (Language(), torch.tensor([[1, 2, 3], [4, 5, 6]])),
        "residual": (Residual(), torch.randn(2, 2, 8, 8)),
        "unet": (UNet(), image),
        "attention": (Attention(), torch.randn(2, 5, 8)),
        "encoder": (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), torch.randn(2, 5, 4)),
        "gru": (nn.GRU(3, 4, batch_first=True, bidirectional=True), torch.randn(2, 7, 3)),
        "upsampling": (nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(scale_factor=2), nn.GroupNorm(2, 4),
            nn.InstanceNorm2d(4), nn.PixelShuffle(2)), torch.randn(1, 4, 3, 3)),
        "activations": (nn.Sequential(
            nn.ELU(), nn.LeakyReLU(), nn.SiLU(), nn.Hardswish(), nn.Softplus(), nn.SELU(), nn.Mish(), nn.CELU(),
            nn.PReLU(), nn.Softsign(), nn.LogSoftmax(1)), x),
        "ranking": (Ranking(), x),
        "signal": (nn.Sequential(nn.Conv1d(3, 4, 3, padding="same", padding_mode="circular"), nn.AdaptiveMaxPool1d(1)),
                   torch.randn(2, 3, 9)),
    }  # fmt: skip


def keras_models() -> dict[str, Any]:
    """Return (network, input) by name."""
    import keras
    from keras import layers as L

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    networks = {
        "keras_mlp": ([keras.Input((4,)), L.Dense(8, activation="relu"), L.BatchNormalization(),
                       L.Dense(3, activation="softmax")], (2, 4)),
        "keras_cnn": ([keras.Input((12, 12, 1)), L.Conv2D(4, 3, padding="same", activation="relu"), L.MaxPooling2D(),
                       L.DepthwiseConv2D(3), L.GlobalAveragePooling2D(), L.Dense(3)], (2, 12, 12, 1)),
        "keras_lstm": ([keras.Input((7, 3)), L.LSTM(5, return_sequences=True), L.Dense(2)], (2, 7, 3)),
    }  # fmt: skip
    return {name: (keras.Sequential(layers), random.normal(size=shape).astype(np.float32))
            for name, (layers, shape) in networks.items()}  # fmt: skip


def without_notes(path: Path) -> None:
    """Drop what the exporters note of the program that they ran in: stack traces with the paths of a machine."""
    import onnx

    proto = onnx.load(path)
    for part in (proto, proto.graph, *proto.functions, *proto.graph.node, *proto.graph.value_info,
                 *(node for f in proto.functions for node in f.node)):  # fmt: skip
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(proto, path)


def main() -> None:
    """Write all files, with the inputs and results beside them."""
    import torch

    FOLDER.mkdir(exist_ok=True)
    known: dict[str, Any] = {}
    for name, (model, x) in torch_models().items():
        model.eval()
        torch.onnx.export(model, (x,), FOLDER / f"{name}.onnx", verbose=False, external_data=False)
        found = model(x)
        known[f"{name}.in"] = x.numpy()
        for i, y in enumerate(found if isinstance(found, tuple) else (found,)):
            known[f"{name}.out{i}"] = y.detach().numpy()
    for name, (network, x) in keras_models().items():
        known[f"{name}.in"], known[f"{name}.out0"] = x, np.asarray(network(x).detach())
        network.export(str(FOLDER / f"{name}.onnx"), format="onnx", verbose=False)
    for path in FOLDER.glob("*.onnx"):
        without_notes(path)
    np.savez_compressed(FOLDER / "results.npz", **known)


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "torch"
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    main()
