"""Linear layers, activations, normalisation, recurrent layers, attention, embeddings: variants and wrong calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.modules import Row

ROWS: list[Row] = []


def row(name: str, make: Any, *inputs: Any, **more: Any) -> None:
    ROWS.append(Row(name, make, inputs, **more))


row("Linear", lambda nn: nn.Linear(4, 3), (5, 4))
row("Linear no bias", lambda nn: nn.Linear(4, 3, bias=False), (5, 4))
row("Linear vector", lambda nn: nn.Linear(4, 3), (4,))
row("Linear many axes", lambda nn: nn.Linear(4, 3), (2, 5, 4))
row("Linear empty batch", lambda nn: nn.Linear(4, 3), (0, 4))
row("Bilinear", lambda nn: nn.Bilinear(4, 3, 5), (6, 4), (6, 3))
row("Bilinear many axes", lambda nn: nn.Bilinear(4, 3, 5, bias=False), (2, 6, 4), (2, 6, 3))
row("Identity", lambda nn: nn.Identity(54, unused=0.1), (3, 2))
row("Flatten", lambda nn: nn.Flatten(), (2, 3, 4))
row("Flatten(0, 1)", lambda nn: nn.Flatten(0, 1), (2, 3, 4))
row("Unflatten", lambda nn: nn.Unflatten(1, (2, 3)), (4, 6, 2))
row("Sequential", lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))), (5, 3))

row("DataParallel", lambda nn: nn.DataParallel(nn.Linear(4, 3)), (5, 4))
row(
    "SyncBatchNorm", lambda nn: nn.SyncBatchNorm(3), (4, 3, 5), modes=(False,), shown=False
)  # training needs GPUs there
row(
    "AdaptiveLogSoftmaxWithLoss",
    lambda nn: nn.AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7], div_value=2.0, head_bias=True),
    (6, 16), np.array([0, 11, 4, 2, 7, 6]),
)  # fmt: skip
row(
    "AdaptiveLogSoftmaxWithLoss one cluster",
    lambda nn: nn.AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7, 9]),
    (4, 16), np.array([4, 5, 4, 2]),
)  # fmt: skip

for name in (
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Mish",
    "Hardsigmoid",
    "Hardswish",
    "Sigmoid",
    "Tanh",
    "LogSigmoid",
    "Softsign",
    "Tanhshrink",
    "LeakyReLU",
    "ELU",
    "CELU",
    "Hardtanh",
    "Softplus",
    "Softshrink",
    "Hardshrink",
    "GELU",
    "PReLU",
):
    row(
        name,
        lambda nn, name=name: getattr(nn, name)(),
        (3, 4),
        values=(-8.0, 8.0),
        rtol=100.0 if name == "Hardsigmoid" else 5.0,
    )  # PyTorch has 1/6 in float32 there
for name in ("Softmax", "Softmin", "LogSoftmax"):
    for dim in (0, 1, -1):
        row(f"{name}({dim})", lambda nn, name=name, d=dim: getattr(nn, name)(dim=d), (3, 4, 2))
    for shape in [(3,), (3, 4), (2, 3, 4), (2, 3, 4, 2)]:
        row(f"{name}() {shape}", lambda nn, name=name: getattr(nn, name)(), shape)
row("ReLU in place", lambda nn: nn.Sequential(nn.Identity(), nn.Linear(3, 3), nn.ReLU(inplace=True)), (4, 3))
row("LeakyReLU(0.3)", lambda nn: nn.LeakyReLU(0.3, inplace=False), (3, 4))
row("ELU(0.5)", lambda nn: nn.ELU(0.5), (3, 4))
row("CELU(2)", lambda nn: nn.CELU(2.0), (3, 4))
row("Hardtanh(-0.5, 2)", lambda nn: nn.Hardtanh(-0.5, 2.0), (3, 4))
row("Threshold", lambda nn: nn.Threshold(0.1, 20.0), (3, 4))
row("Softplus(2, 3)", lambda nn: nn.Softplus(2.0, 3.0), (3, 4), values=(-4.0, 4.0))
row("Softshrink(1)", lambda nn: nn.Softshrink(1.0), (3, 4))
row("GELU tanh", lambda nn: nn.GELU(approximate="tanh"), (3, 4))
row("PReLU(4)", lambda nn: nn.PReLU(4, init=0.1), (3, 4, 2))
row("RReLU eval", lambda nn: nn.RReLU(0.1, 0.4), (3, 4), modes=(False,))
row("GLU", lambda nn: nn.GLU(), (3, 4))
row("GLU(1)", lambda nn: nn.GLU(1), (3, 4, 5))
row("Softmax2d", lambda nn: nn.Softmax2d(), (2, 3, 4, 5))
for name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"):
    shape = {"Dropout1d": (2, 3, 4), "Dropout3d": (2, 3, 2, 2, 2)}.get(name, (2, 3, 4, 4))
    row(f"{name} eval", lambda nn, name=name: getattr(nn, name)(0.3), shape, modes=(False,))
    row(f"{name}(0)", lambda nn, name=name: getattr(nn, name)(0.0), shape)

for n, shape in [(1, (4, 3)), (1, (4, 3, 5)), (2, (4, 3, 2, 5)), (3, (2, 3, 2, 3, 2))]:
    for words in (
        {},
        {"affine": False},
        {"track_running_stats": False},
        {"momentum": None},
        {"eps": 0.1, "momentum": 0.4},
    ):
        row(
            f"BatchNorm{n}d({words}) {shape}",
            lambda nn, n=n, w=words: getattr(nn, f"BatchNorm{n}d")(3, **w),
            shape,
            rtol=20.0,
        )
for n, shape in [(1, (4, 3, 5)), (2, (4, 3, 2, 5)), (3, (2, 3, 2, 3, 2))]:
    for words in ({}, {"affine": True}, {"track_running_stats": True, "affine": True}):
        row(
            f"InstanceNorm{n}d({words})",
            lambda nn, n=n, w=words: getattr(nn, f"InstanceNorm{n}d")(3, **w),
            shape,
            rtol=20.0,
        )
    row(f"InstanceNorm{n}d one", lambda nn, n=n: getattr(nn, f"InstanceNorm{n}d")(3), shape[1:], rtol=20.0)
row("LayerNorm", lambda nn: nn.LayerNorm(5), (4, 5), rtol=20.0)
row("LayerNorm((3, 5))", lambda nn: nn.LayerNorm((3, 5), eps=1e-3), (2, 4, 3, 5), rtol=20.0)
row("LayerNorm no bias", lambda nn: nn.LayerNorm([5], bias=False), (4, 5), rtol=20.0)
row("LayerNorm plain", lambda nn: nn.LayerNorm(5, elementwise_affine=False), (4, 5), rtol=20.0)
row("RMSNorm", lambda nn: nn.RMSNorm(5), (4, 5), rtol=20.0)
row("RMSNorm((3, 5))", lambda nn: nn.RMSNorm((3, 5), eps=1e-2, elementwise_affine=False), (2, 3, 5), rtol=20.0)
row("GroupNorm", lambda nn: nn.GroupNorm(2, 4), (3, 4, 5), rtol=20.0)
row("GroupNorm plain", lambda nn: nn.GroupNorm(4, 4, affine=False), (3, 4, 2, 3), rtol=20.0)
row("GroupNorm(1)", lambda nn: nn.GroupNorm(1, 4, eps=1e-2), (3, 4, 2, 3), rtol=20.0)
for size in (1, 2, 3):
    row(f"LocalResponseNorm({size})", lambda nn, s=size: nn.LocalResponseNorm(s, 0.1, 0.6, 1.5), (2, 4, 3, 2))

RECURRENT: list[dict[str, Any]] = [
    {}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True, "bias": False},
    {"batch_first": True, "num_layers": 2},
]  # fmt: skip


def states(kind: str, rows: int, n: Any, h: int, proj: int = 0) -> Any:
    rng = np.random.default_rng(1)
    lead = (rows,) if n is None else (rows, n)
    first, second = rng.uniform(-1, 1, (*lead, proj or h)), rng.uniform(-1, 1, (*lead, h))

    def make(lib: Any) -> Any:
        return {"hx": (lib.tensor(first), lib.tensor(second)) if kind == "LSTM" else lib.tensor(first)}

    return make


for kind in ("RNN", "LSTM", "GRU"):
    for words in RECURRENT:
        row(f"{kind}({words})", lambda nn, k=kind, w=words: getattr(nn, k)(3, 5, **w), (4, 2, 3), rtol=5.0)
    row(f"{kind} one", lambda nn, k=kind: getattr(nn, k)(3, 5, bidirectional=True), (4, 3), rtol=5.0)
    for suffix, shape in [("", (2, 3)), (" one", (3,))]:
        row(f"{kind}Cell{suffix}", lambda nn, k=kind: getattr(nn, f"{k}Cell")(3, 5), shape)
        row(f"{kind}Cell no bias{suffix}", lambda nn, k=kind: getattr(nn, f"{k}Cell")(3, 5, bias=False), shape)
row("RNN relu", lambda nn: nn.RNN(3, 5, nonlinearity="relu"), (4, 2, 3))
row("RNNCell relu", lambda nn: nn.RNNCell(3, 5, nonlinearity="relu"), (2, 3))
row("LSTM proj_size", lambda nn: nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True), (4, 2, 3), rtol=5.0)
row("GRU dropout eval", lambda nn: nn.GRU(3, 5, 2, dropout=0.4), (4, 2, 3), modes=(False,))

row(
    "MultiheadAttention", lambda nn: nn.MultiheadAttention(6, 2), (4, 3, 6), (5, 3, 6), (5, 3, 6), shown=False, rtol=5.0
)
row(
    "MultiheadAttention batch first",
    lambda nn: nn.MultiheadAttention(6, 3, batch_first=True),
    (3, 4, 6),
    (3, 5, 6),
    (3, 5, 6),
    shown=False,
    rtol=5.0,
)
row(
    "MultiheadAttention per head",
    lambda nn: nn.MultiheadAttention(6, 2, bias=False),
    (4, 3, 6),
    (5, 3, 6),
    (5, 3, 6),
    words=lambda lib: {"average_attn_weights": False},
    shown=False,
    rtol=5.0,
)
row(
    "MultiheadAttention kdim",
    lambda nn: nn.MultiheadAttention(6, 2, kdim=4, vdim=3),
    (4, 3, 6),
    (5, 3, 4),
    (5, 3, 3),
    shown=False,
    order=False,
    rtol=5.0,
)
row("MultiheadAttention one", lambda nn: nn.MultiheadAttention(6, 2), (4, 6), (5, 6), (5, 6), shown=False, rtol=5.0)
row(
    "MultiheadAttention extras",
    lambda nn: nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True),
    (4, 3, 6),
    (5, 3, 6),
    (5, 3, 6),
    shown=False,
    order=False,
    rtol=5.0,
)
HIDE = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
row(
    "MultiheadAttention masks",
    lambda nn: nn.MultiheadAttention(6, 2),
    (5, 3, 6),
    (5, 3, 6),
    (5, 3, 6),
    words=lambda lib: {
        "key_padding_mask": lib.tensor(HIDE),
        "attn_mask": lib.tensor(np.triu(np.ones((5, 5), bool), 1)),
    },
    shown=False,
    rtol=5.0,
)
for words in ({}, {"norm_first": True}, {"activation": "gelu", "batch_first": True}, {"bias": False}):
    row(
        f"TransformerEncoderLayer({words})",
        lambda nn, w=words: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, **w),
        (5, 3, 6),
        shown=False,
        rtol=20.0,
    )
    row(
        f"TransformerDecoderLayer({words})",
        lambda nn, w=words: nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0, **w),
        (5, 3, 6),
        (5, 3, 6),
        shown=False,
        rtol=20.0,
    )
row(
    "TransformerEncoder",
    lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0), 2, nn.LayerNorm(6)),
    (5, 3, 6),
    words=lambda lib: {"src_key_padding_mask": lib.tensor(HIDE)},
    shown=False,
    modes=(True,),
    rtol=20.0,
)
row("Transformer", lambda nn: nn.Transformer(6, 2, 1, 1, 8, dropout=0.0), (5, 3, 6), (4, 3, 6), shown=False, rtol=20.0)

INDEX = np.array([[1, 4, 2], [3, 1, 1]])
row("Embedding", lambda nn: nn.Embedding(5, 3), INDEX)
row("Embedding padding", lambda nn: nn.Embedding(5, 3, padding_idx=1), INDEX)
row("Embedding padding -1", lambda nn: nn.Embedding(5, 3, padding_idx=-1), INDEX)
row("Embedding by frequency", lambda nn: nn.Embedding(5, 3, scale_grad_by_freq=True), INDEX)
row("Embedding max_norm", lambda nn: nn.Embedding(5, 3, max_norm=0.5), INDEX)
row("Embedding empty", lambda nn: nn.Embedding(5, 3), INDEX[:0])
for mode in ("sum", "mean", "max"):
    row(f"EmbeddingBag {mode}", lambda nn, mode=mode: nn.EmbeddingBag(5, 3, mode=mode), INDEX)
    row(f"EmbeddingBag {mode} padding", lambda nn, mode=mode: nn.EmbeddingBag(5, 3, mode=mode, padding_idx=1), INDEX)
    row(
        f"EmbeddingBag {mode} offsets", lambda nn, mode=mode: nn.EmbeddingBag(5, 3, mode=mode, padding_idx=-2),
        np.array([1, 4, 2, 4, 3, 1, 3, 0]), np.array([0, 3, 3, 6, 7]),
    )  # fmt: skip
    row(
        f"EmbeddingBag {mode} last offset",
        lambda nn, mode=mode: nn.EmbeddingBag(5, 3, mode=mode, include_last_offset=True),
        np.array([1, 4, 2, 2]), np.array([0, 2, 4]),
    )  # fmt: skip
    row(
        f"EmbeddingBag {mode} empty", lambda nn, mode=mode: nn.EmbeddingBag(5, 3, mode=mode), INDEX[0, :0], INDEX[0] * 0
    )
row("EmbeddingBag max_norm", lambda nn: nn.EmbeddingBag(5, 3, max_norm=0.5), INDEX)
row(
    "EmbeddingBag weights", lambda nn: nn.EmbeddingBag(5, 3, mode="sum", padding_idx=2),
    np.array([1, 4, 2, 2, 0]), np.array([0, 2, 4]), (5,), order=False,
)  # fmt: skip
row("CosineSimilarity", lambda nn: nn.CosineSimilarity(dim=1), (4, 3), (4, 3))
row("CosineSimilarity(-1)", lambda nn: nn.CosineSimilarity(dim=-1), (2, 4, 3), (2, 4, 3))
row("PairwiseDistance", lambda nn: nn.PairwiseDistance(), (4, 3), (4, 3))
row("PairwiseDistance(1)", lambda nn: nn.PairwiseDistance(1.0, keepdim=True), (4, 3), (4, 3))

WRONG: dict[str, Any] = {
    "Linear features": lambda lib, nn: nn.Linear(3, 2)(lib.ones(4, 5)),
    "Linear 0-d": lambda lib, nn: nn.Linear(3, 2)(lib.tensor(1.0)),
    "Bilinear features": lambda lib, nn: nn.Bilinear(3, 2, 1)(lib.ones(4, 3), lib.ones(4, 3)),
    "Flatten axes": lambda lib, nn: nn.Flatten()(lib.ones(3)),
    "Unflatten sizes": lambda lib, nn: nn.Unflatten(1, (2, 2))(lib.ones(3, 5)),
    "Softshrink": lambda lib, nn: nn.Softshrink(-1.0)(lib.ones(3)),
    "PReLU channels": lambda lib, nn: nn.PReLU(3)(lib.ones(2, 4)),
    "GLU odd": lambda lib, nn: nn.GLU()(lib.ones(2, 3)),
    "GELU word": lambda lib, nn: nn.GELU("fast")(lib.ones(2)),
    "Softmax2d axes": lambda lib, nn: nn.Softmax2d()(lib.ones(2, 3)),
    "Dropout p": lambda lib, nn: nn.Dropout(1.5),
    "BatchNorm1d axes": lambda lib, nn: nn.BatchNorm1d(3)(lib.ones(2, 3, 4, 5)),
    "BatchNorm2d axes": lambda lib, nn: nn.BatchNorm2d(3)(lib.ones(2, 3)),
    "BatchNorm2d channels": lambda lib, nn: nn.BatchNorm2d(3)(lib.ones(2, 4, 5, 5)),
    "BatchNorm1d one sample": lambda lib, nn: nn.BatchNorm1d(3)(lib.ones(1, 3)),
    "InstanceNorm2d one pixel": lambda lib, nn: nn.InstanceNorm2d(3)(lib.ones(1, 3, 1, 1)),
    "LayerNorm shape": lambda lib, nn: nn.LayerNorm(4)(lib.ones(2, 3)),
    "GroupNorm groups": lambda lib, nn: nn.GroupNorm(3, 4),
    "LSTM features": lambda lib, nn: nn.LSTM(3, 4)(lib.ones(5, 2, 2)),
    "LSTM axes": lambda lib, nn: nn.LSTM(3, 4)(lib.ones(3)),
    "LSTM states": lambda lib, nn: nn.LSTM(3, 4)(lib.ones(5, 2, 3), (lib.ones(1, 3, 4), lib.ones(1, 2, 4))),
    "LSTM length": lambda lib, nn: nn.LSTM(3, 4)(lib.ones(0, 2, 3)),
    "LSTM size": lambda lib, nn: nn.LSTM(3, 0),
    "RNN function": lambda lib, nn: nn.RNN(3, 4, nonlinearity="sin"),
    "MultiheadAttention heads": lambda lib, nn: nn.MultiheadAttention(6, 4),
    "Embedding range": lambda lib, nn: nn.Embedding(3, 2)(lib.tensor([1, 3])),
    "Embedding dtype": lambda lib, nn: nn.Embedding(3, 2)(lib.tensor([1.0])),
    "Embedding padding": lambda lib, nn: nn.Embedding(3, 2, padding_idx=3),
    "EmbeddingBag no offsets": lambda lib, nn: nn.EmbeddingBag(3, 2)(lib.tensor([1, 2])),
    "EmbeddingBag both": lambda lib, nn: nn.EmbeddingBag(3, 2)(lib.tensor([[1, 2]]), lib.tensor([0])),
    "EmbeddingBag first offset": lambda lib, nn: nn.EmbeddingBag(3, 2)(lib.tensor([1, 2]), lib.tensor([1])),
    "EmbeddingBag last offset": lambda lib, nn: nn.EmbeddingBag(3, 2)(lib.tensor([1, 2]), lib.tensor([0, 5])),
    "EmbeddingBag range": lambda lib, nn: nn.EmbeddingBag(3, 2)(lib.tensor([[1, 3]])),
    "EmbeddingBag mode": lambda lib, nn: nn.EmbeddingBag(3, 2, mode="median")(lib.tensor([[1, 2]])),
    "EmbeddingBag weights": lambda lib, nn: nn.EmbeddingBag(3, 2)(
        lib.tensor([[1, 2]]), per_sample_weights=lib.ones(1, 2)
    ),
    "EmbeddingBag weights shape": lambda lib, nn: nn.EmbeddingBag(3, 2, mode="sum")(
        lib.tensor([[1, 2]]), per_sample_weights=lib.ones(1, 3)
    ),
    "EmbeddingBag frequency": lambda lib, nn: nn.EmbeddingBag(3, 2, mode="max", scale_grad_by_freq=True)(
        lib.tensor([[1, 2]])
    ),
    "Module arguments": lambda lib, nn: nn.Module(3),
    "attribute before init": lambda lib, nn: type(
        "Net", (nn.Module,), {"__init__": lambda s: setattr(s, "a", nn.Linear(1, 1))}
    )(),
    "parameter overwritten": lambda lib, nn: setattr(nn.Linear(1, 1), "weight", lib.ones(1, 1)),
    "Sequential index": lambda lib, nn: nn.Sequential(nn.ReLU())[2],
    "no forward": lambda lib, nn: nn.Module()(1),
}
