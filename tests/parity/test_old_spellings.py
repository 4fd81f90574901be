"""Deprecated names and arguments of torch.nn: the same values as PyTorch, with a warning of the same category."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
Y = RNG.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
SIGNS = np.where(RNG.uniform(size=(4, 3)) < 0.5, -1, 1).astype(np.float32)
CLASSES = np.array([0, 2, 1, 0])
LISTS = np.array([[0, 2, -1]] * 4)
FLAGS = [pair for pair in itertools.product((None, True, False), repeat=2) if pair != (None, None)]

LOSSES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "BCELoss": ("binary_cross_entropy", (X, Y)),
    "BCEWithLogitsLoss": ("binary_cross_entropy_with_logits", (X, Y)),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", (X, Y, SIGNS[:, 0])),
    "CrossEntropyLoss": ("cross_entropy", (X, CLASSES)),
    "HingeEmbeddingLoss": ("hinge_embedding_loss", (X, SIGNS)),
    "KLDivLoss": ("kl_div", (X, Y)),
    "L1Loss": ("l1_loss", (X, Y)),
    "MSELoss": ("mse_loss", (X, Y)),
    "MarginRankingLoss": ("margin_ranking_loss", (X, Y, SIGNS)),
    "MultiLabelMarginLoss": ("multilabel_margin_loss", (X, LISTS)),
    "MultiLabelSoftMarginLoss": ("multilabel_soft_margin_loss", (X, Y)),
    "MultiMarginLoss": ("multi_margin_loss", (X, CLASSES)),
    "NLLLoss": ("nll_loss", (X, CLASSES)),
    "NLLLoss2d": ("nll_loss", (X, CLASSES)),
    "PoissonNLLLoss": ("poisson_nll_loss", (X, Y)),
    "SmoothL1Loss": ("smooth_l1_loss", (X, Y)),
    "SoftMarginLoss": ("soft_margin_loss", (X, SIGNS)),
    "TripletMarginLoss": ("triplet_margin_loss", (X, Y, SIGNS)),
}


def asked(lib: Any, call: Any) -> tuple[Any, set[type]]:
    """The result of ``call(lib)`` as an array, and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        out = call(lib)
    return np.asarray(out.detach().numpy()), {w.category for w in seen}


def alike(call: Any, warned: bool = True) -> None:
    (ours, our_kinds), (theirs, their_kinds) = asked(tl, call), asked(torch, call)
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert our_kinds == their_kinds and bool(our_kinds) == warned


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("name", LOSSES)
def test_reduction_by_its_old_arguments(name: str, flags: tuple[Any, Any]) -> None:
    function, arrays = LOSSES[name]
    words = {"size_average": flags[0], "reduce": flags[1]}
    alike(lambda lib: getattr(lib.nn, name)(**words)(*map(lib.tensor, arrays)))
    alike(lambda lib: getattr(lib.nn.functional, function)(*map(lib.tensor, arrays), **words))


def test_every_loss_that_has_the_old_arguments_is_here() -> None:
    classes = {n: c for n, c in vars(tl.nn).items() if isinstance(c, type) and issubclass(c, tl.nn.Module)}
    assert {n for n, c in classes.items() if "size_average" in inspect.signature(c).parameters} == set(LOSSES)


def test_position_of_the_old_arguments() -> None:
    alike(lambda lib: lib.nn.MSELoss(False)(lib.tensor(X), lib.tensor(Y)))
    alike(lambda lib: lib.nn.CrossEntropyLoss(None, False)(lib.tensor(X), lib.tensor(CLASSES)))
    alike(lambda lib: lib.nn.functional.mse_loss(lib.tensor(X), lib.tensor(Y), False))
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert tl.nn.MSELoss(False).reduction == "sum"


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2), (2, 3, 2, 2)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_without_an_axis(name: str, shape: tuple[int, ...]) -> None:
    x = np.linspace(-1, 2, int(np.prod(shape))).reshape(shape).astype(np.float32)
    layer = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "softmin": "Softmin"}[name]
    alike(lambda lib: getattr(lib.nn.functional, name)(lib.tensor(x)))
    alike(lambda lib: getattr(lib.nn, layer)()(lib.tensor(x)))
    if shape:
        alike(lambda lib: getattr(lib.nn.functional, name)(lib.tensor(x), -1, dtype=lib.float64), warned=False)


@pytest.mark.parametrize("words", [{"scale_factor": 2}, {"size": (5, 3)}])
@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_upsample(name: str, words: dict[str, Any]) -> None:
    x = np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3)
    alike(lambda lib: getattr(lib.nn.functional, name)(lib.tensor(x), **words))


OLD_INIT = {
    "uniform": (0.0, 1.0), "normal": (), "constant": (2.0,), "eye": (), "xavier_uniform": (), "xavier_normal": (),
    "kaiming_uniform": (), "kaiming_normal": (), "orthogonal": (), "sparse": (0.5,), "dirac": (),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD_INIT)
def test_initial_values_by_their_old_names(name: str) -> None:
    shape = (4, 4, 3) if name == "dirac" else (4, 4)
    exact = name in ("constant", "eye", "dirac")
    tl.manual_seed(0)
    new = tl.empty(*shape)
    getattr(tl.nn.init, f"{name}_")(new, *OLD_INIT[name])
    tl.manual_seed(0)
    if exact:
        alike(lambda lib: getattr(lib.nn.init, name)(lib.empty(*shape), *OLD_INIT[name]))
    old = tl.empty(*shape)
    with pytest.warns(FutureWarning, match=f"nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
        assert getattr(tl.nn.init, name)(old, *OLD_INIT[name]) is old
    assert exact or np.array_equal(old.array, new.array)
    assert {n for n in vars(torch.nn.init) if f"{n}_" in vars(torch.nn.init)} == set(OLD_INIT)


def test_clip_grad_norm() -> None:
    def call(lib: Any) -> Any:
        x = lib.tensor([3.0, 4.0], requires_grad=True)
        (x * x).sum().backward()
        lib.nn.utils.clip_grad_norm([x], 1.0)
        return x.grad

    alike(call)


def test_clip_grads_with_a_known_norm() -> None:
    def call(lib: Any) -> Any:
        x = lib.tensor([3.0, 4.0], requires_grad=True)
        (x * x).sum().backward()
        lib.nn.utils.clip_grads_with_norm_([x], 1.0, lib.tensor(2.0))
        return x.grad

    alike(call, warned=False)


def test_container() -> None:
    def call(lib: Any) -> Any:
        held = lib.nn.Container(a=lib.nn.Identity(), b=lib.nn.Tanh())
        return lib.tensor([len(list(held.children()))])

    alike(call)
