"""Every module of nn: gradients of inputs and parameters, both modes, second order, both engines."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.testing import Arr, GradcheckError, Ints, check_module

X = (Arr("n 4", min=1),)
SEQ = (Arr("b 2 6", min=1),)
IMAGE = (Arr("b 2 4 5", min=1),)
VOLUME = (Arr("b 2 3 4 3", min=1),)
BY_RANK = {"1": SEQ, "2": IMAGE, "3": VOLUME}
PAIR = (Arr("n k", min=1), Arr("n k", min=1))
PROBABILITIES = (Arr("n k", lo=0.05, hi=0.95, min=1), Arr("n k", lo=0.1, hi=0.8, min=1))

# what each is built with, and what it is called with; a module that stands nowhere here fails the last test
MODULES: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {
    name: (getattr(nn, name), X)
    for name in (
        "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU LogSigmoid Mish PReLU ReLU ReLU6 "
        "SELU SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink Dropout AlphaDropout RReLU"
    ).split()
}
for rank, spec in BY_RANK.items():
    for name, arguments in {
        "AdaptiveAvgPool": (2,),
        "AdaptiveMaxPool": (2,),
        "AvgPool": (2,),
        "MaxPool": (2,),
        "LPPool": (2.0, 2),
        "BatchNorm": (2,),
        "InstanceNorm": (2,),
        "CircularPad": (1,),
        "ConstantPad": (1, 2.0),
        "ReflectionPad": (1,),
        "ReplicationPad": (1,),
        "ZeroPad": (1,),
        "Conv": (2, 3, 2),
        "ConvTranspose": (2, 3, 2),
        "Dropout": (0.5,),
    }.items():
        MODULES[f"{name}{rank}d"] = (lambda n=f"{name}{rank}d", a=arguments: getattr(nn, n)(*a), spec)
MODULES |= {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2), (Arr("b 2 3", min=2),)),
    "Bilinear": (lambda: nn.Bilinear(2, 3, 2), (Arr("b 2", min=1), Arr("b 3", min=1))),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), (Arr("b 4 2 2", min=1),)),
    "CosineSimilarity": (nn.CosineSimilarity, PAIR),
    "Embedding": (lambda: nn.Embedding(5, 3), (Ints("b", below=5),)),
    "CTCLoss": (lambda: aligned(nn.CTCLoss()), (Arr("5 2 4"),)),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(5, 3, mode="max"), (Ints("b 2", below=5),)),
    "FeatureAlphaDropout": (nn.FeatureAlphaDropout, IMAGE),
    "Flatten": (nn.Flatten, IMAGE),
    "Fold": (lambda: nn.Fold((3, 3), 2), (Arr("b 8 4", min=1),)),
    "GLU": (nn.GLU, X),
    "GRU": (lambda: nn.GRU(2, 2), (Arr("t b 2", min=1),)),
    "GRUCell": (lambda: nn.GRUCell(2, 3), (Arr("b 2", min=1),)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (Arr("b 4 3", min=1),)),
    "LSTM": (lambda: nn.LSTM(2, 2), (Arr("t b 2", min=1),)),
    "LSTMCell": (lambda: nn.LSTMCell(2, 3), (Arr("b 2", min=1),)),
    "LayerNorm": (lambda: nn.LayerNorm(4), X),
    "Linear": (lambda: nn.Linear(4, 3), X),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), IMAGE),
    "FractionalMaxPool2d": (
        lambda: nn.FractionalMaxPool2d(2, 2, _random_samples=tl.full((2, 1, 2), 0.7)),
        (Arr("2 1 5 4"),),
    ),
    "FractionalMaxPool3d": (
        lambda: nn.FractionalMaxPool3d(2, 2, _random_samples=tl.full((2, 1, 3), 0.7)),
        (Arr("2 1 4 3 5"),),
    ),
    "LogSoftmax": (lambda: nn.LogSoftmax(-1), X),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2), tuple(Arr(f"{n} b 4", min=1) for n in "tss")),
    "PairwiseDistance": (nn.PairwiseDistance, PAIR),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), (Arr("b 4 2 2", min=1),)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), (Arr("b 2 4 2", min=1),)),
    "RMSNorm": (lambda: nn.RMSNorm(4), X),
    "RNN": (lambda: nn.RNN(2, 2), (Arr("t b 2", min=1),)),
    "RNNCell": (lambda: nn.RNNCell(2, 3), (Arr("b 2", min=1),)),
    "Reshape": (lambda: nn.Reshape(-1, 2), X),
    "Sequential": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)), X),
    "Softmax": (lambda: nn.Softmax(-1), X),
    "Softmax2d": (nn.Softmax2d, IMAGE),
    "Softmin": (lambda: nn.Softmin(-1), X),
    "Threshold": (lambda: nn.Threshold(0.1, 0.1), X),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), X),
    "Unfold": (lambda: nn.Unfold(2), IMAGE),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), SEQ),
    "UpsamplingBilinear2d": (lambda: nn.UpsamplingBilinear2d(scale_factor=2), IMAGE),
    "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), IMAGE),
    "AdaptiveLogSoftmaxWithLoss": (
        lambda: Called(nn.AdaptiveLogSoftmaxWithLoss(8, 6, [2, 4], div_value=2.0), lambda f, x, t: f(x, t).loss),
        (Arr("n 8", min=1), Ints("n", below=6)),
    ),
    "DataParallel": (lambda: nn.DataParallel(nn.Linear(4, 3)), X),
    "RNNBase": (lambda: nn.RNN(2, 2, nonlinearity="relu"), (Arr("t b 2", min=1),)),
    "RNNCellBase": (lambda: nn.RNNCell(2, 3, nonlinearity="relu"), (Arr("b 2", min=1),)),
    "SyncBatchNorm": (lambda: nn.SyncBatchNorm(2), IMAGE),
    "BCELoss": (nn.BCELoss, PROBABILITIES),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, (PAIR[0], PROBABILITIES[1])),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, (Arr("n 3", min=1), Ints("n", below=3))),
    "GaussianNLLLoss": (nn.GaussianNLLLoss, (*PAIR, Arr("n k", lo=0.1, min=1))),
    "HuberLoss": (nn.HuberLoss, PAIR),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="sum"), (PAIR[0], Arr("n k", lo=0.05, hi=1.0, min=1))),
    "L1Loss": (nn.L1Loss, PAIR),
    "MSELoss": (nn.MSELoss, PAIR),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, (PAIR[0], Ints("n k", below=2))),
    "MultiMarginLoss": (nn.MultiMarginLoss, (Arr("n 3", min=1), Ints("n", below=3))),
    "NLLLoss": (nn.NLLLoss, (Arr("n 3", min=1), Ints("n", below=3))),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, (Arr("n k", hi=5.0, min=1), Arr("n k", lo=0.0, min=1))),
    "SmoothL1Loss": (nn.SmoothL1Loss, PAIR),
    "TripletMarginLoss": (nn.TripletMarginLoss, (Arr("n 3", min=1),) * 3),
    "TripletMarginWithDistanceLoss": (nn.TripletMarginWithDistanceLoss, (Arr("n 3", min=1),) * 3),
}


def deprecated(build: Callable[[], Any]) -> Any:
    """Build a layer that warns when it is made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return build()


MODULES |= {
    "Container": (
        lambda: Called(deprecated(lambda: nn.Container(a=nn.Linear(4, 2), b=nn.Tanh())), lambda f, x: f.b(f.a(x))),
        X,
    ),
    "NLLLoss2d": (lambda: deprecated(nn.NLLLoss2d), (Arr("n 3", min=1), Ints("n", below=3))),
}


def called(layer: Any, shape: tuple[int, ...]) -> Any:
    """A lazy layer after its first input."""
    layer(tl.ones(*shape))
    return layer


for rank, (spec, shape) in {"1": (SEQ, (2, 2, 6)), "2": (IMAGE, (2, 2, 4, 5)), "3": (VOLUME, (2, 2, 3, 4, 3))}.items():
    for name, arguments in {"Conv": (3, 2), "ConvTranspose": (3, 2), "BatchNorm": (), "InstanceNorm": ()}.items():
        MODULES[f"Lazy{name}{rank}d"] = (
            lambda n=f"Lazy{name}{rank}d", a=arguments, s=shape: called(getattr(nn, n)(*a), s),
            spec,
        )
MODULES["LazyLinear"] = (lambda: called(nn.LazyLinear(3), (2, 4)), X)


class Called(nn.Module):
    """A module with its own call: with signs or positions made from drawn integers, or part by part."""

    def __init__(self, inner: nn.Module, how: Callable[..., Any]) -> None:
        super().__init__()
        self.inner, self.how = inner, how

    def forward(self, *args: Any) -> Any:
        return self.how(self.inner, *args)


def signed(inner: nn.Module) -> Called:
    """The last argument, zeros and ones, becomes -1 and 1."""
    return Called(inner, lambda f, *args: f(*args[:-1], args[-1] * 2 - 1))


def aligned(inner: nn.Module) -> Called:
    """Turn scores into log-probabilities, for labels that can be aligned."""
    return Called(inner, lambda f, x: f(x.log_softmax(-1), tl.tensor([[1, 2], [3, 3]]), [5, 5], [2, 2]))


def unpooled(inner: nn.Module, *sizes: int) -> Called:
    """Each element of x, of spatial ``sizes``, goes to a drawn corner of its own window of 2 x 2 x ..."""
    whole = tuple(2 * n for n in sizes)

    def how(f: Any, x: Tensor, corner: Tensor) -> Any:
        windows, corners = np.indices(sizes), np.unravel_index(corner.array, (2,) * len(sizes))
        places = tuple(2 * w + c for w, c in zip(windows, corners, strict=True))
        return f(x, tl.tensor(np.ravel_multi_index(places, whole)))

    return Called(inner, how)


def in_turn(layers: Any, x: Any) -> Any:
    """The output of a stack of layers."""
    for layer in layers:
        x = layer(x)
    return x


def weights(**shapes: int) -> dict[str, nn.Parameter]:
    """Parameters of these lengths, no two elements equal."""
    return {name: nn.Parameter(np.linspace(-0.5, 1.0, n)) for name, n in shapes.items()}


MODULES |= {
    "CosineEmbeddingLoss": (
        lambda: signed(nn.CosineEmbeddingLoss(0.2)),
        (Arr("n 3", min=1), Arr("n 3", min=1), Ints("n", below=2)),
    ),
    "HingeEmbeddingLoss": (lambda: signed(nn.HingeEmbeddingLoss()), (PAIR[0], Ints("n k", below=2))),
    "MarginRankingLoss": (lambda: signed(nn.MarginRankingLoss(0.3)), (*PAIR, Ints("n k", below=2))),
    "SoftMarginLoss": (lambda: signed(nn.SoftMarginLoss()), (PAIR[0], Ints("n k", below=2))),
    "MultiLabelMarginLoss": (
        lambda: Called(nn.MultiLabelMarginLoss(), lambda f, x, t: f(x, tl.where(t == 3, -1, t))),  # -1 ends a list
        (Arr("n 3", min=1), Ints("n 3", below=4)),
    ),
    "MaxUnpool1d": (lambda: unpooled(nn.MaxUnpool1d(2), 3), (Arr("b 2 3", min=1), Ints("b 2 3", below=2))),
    "MaxUnpool2d": (lambda: unpooled(nn.MaxUnpool2d(2), 2, 3), (Arr("b 2 2 3", min=1), Ints("b 2 2 3", below=4))),
    "MaxUnpool3d": (
        lambda: unpooled(nn.MaxUnpool3d(2), 2, 1, 2),
        (Arr("b 2 2 1 2", min=1), Ints("b 2 2 1 2", below=8)),
    ),
    "ElasticNet": (lambda: nn.ElasticNet(0.5, 0.3), X),
    "GroupLasso": (lambda: nn.GroupLasso(0.5), X),
    "L1": (lambda: nn.L1(0.5), X),
    "L2": (lambda: nn.L2(0.5), X),
    "Module": (lambda: Called(nn.Linear(4, 2), lambda f, x: f(x) * f.weight.sum()), X),
    "ModuleDict": (
        lambda: Called(nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Tanh()}), lambda f, x: f["b"](f["a"](x))),
        X,
    ),
    "ModuleList": (lambda: Called(nn.ModuleList([nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1)]), in_turn), X),
    "ParameterDict": (
        lambda: Called(nn.ParameterDict(weights(scale=4, shift=1)), lambda f, x: x * f["scale"] + f["shift"]),
        X,
    ),
    "ParameterList": (
        lambda: Called(nn.ParameterList(weights(a=4, b=1).values()), lambda f, x: (x * f[0] + f[1]).tanh()),
        X,
    ),
    "Transformer": (lambda: nn.Transformer(2, 1, 1, 1, 2), (Arr("2 1 2"), Arr("3 1 2"))),
    "TransformerDecoder": (
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(2, 1, 2), 1, nn.LayerNorm(2)),
        (Arr("2 1 2"), Arr("3 1 2")),
    ),
    "TransformerDecoderLayer": (
        lambda: nn.TransformerDecoderLayer(2, 1, 2),
        (Arr("2 1 2"), Arr("3 1 2")),
    ),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(2, 1, 2), 1, nn.LayerNorm(2)),
        (Arr("3 1 2"),),
    ),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(2, 1, 2), (Arr("t b 2", min=1),)),
}


def modes_of(module: nn.Module) -> tuple[str, ...]:
    """Both modes for a module that asks for `training` somewhere; for all others they are the same."""
    classes = {c for part in module.modules() for c in type(part).__mro__} - set(nn.Module.__mro__)
    return ("train", "eval") if any("training" in inspect.getsource(c) for c in classes) else ("train",)


@pytest.mark.parametrize("engine", ["builtin", "hypothesis"])
@pytest.mark.parametrize("name", sorted(MODULES))
def test_module(name: str, engine: str) -> None:
    build, specs = MODULES[name]
    tl.manual_seed(0)
    module = build()
    kept = [p.array.copy() for p in module.parameters()]
    if engine == "hypothesis":  # draws other inputs; ops have their own second order
        few = 1 if name.startswith("Transformer") else 2
        check_module(module, *specs, examples=few, modes=("train",), order=1, engine=engine)
    elif name.startswith("Transformer"):  # many parameters; the modules they are made of are searched more
        check_module(module, *specs, examples=1, modes=("train",), order=1)
    else:
        if modes_of(module) != ("train",):
            check_module(module, *specs, examples=3, modes=("eval",), order=1)
        check_module(module, *specs, examples=2, modes=("train",))
    assert module.training
    assert all(np.array_equal(a, p.array) for a, p in zip(kept, module.parameters(), strict=True))
    assert all(p.grad is None for p in module.parameters())


def test_every_module_is_checked() -> None:
    known = {n for n, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module)}
    assert known - set(MODULES) == set()


class Halved(nn.Module):
    """A layer whose weight gets half its gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.array([0.5, -1.5]))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.weight / 2 + (self.weight / 2).detach())


def test_wrong_parameter_is_found_and_named() -> None:
    with pytest.raises(GradcheckError) as caught:
        check_module(Halved(), Arr("n 2"))
    report = caught.value.report
    assert "weight" in str(report) and "factor 1/2" in str(report.suspicion) and "train mode" in report.title


def test_wrong_in_one_mode_only() -> None:
    class Odd(Halved):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if not self.training else x * self.weight

    assert check_module(Odd(), Arr("n 2"), modes=("train",)).ok
    assert not check_module(Odd(), Arr("n 2"), modes=("eval",), raise_exception=False)


def test_loss_and_bad_modes() -> None:
    report = check_module(nn.Linear(2, 2), Arr("n 2"), loss=lambda y: (y * y).sum(), order=1)
    assert report.ok
    with pytest.raises(ValueError, match="modes must be"):
        check_module(nn.Linear(2, 2), Arr("n 2"), modes=("test",))
