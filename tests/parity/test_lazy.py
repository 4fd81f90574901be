"""Lazy layers against PyTorch's: before the first input, at it and after it; state dicts both ways; errors."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import lazy

torch = pytest.importorskip("torch")

SHAPES = {"1": (2, 3, 6), "2": (2, 3, 6, 5), "3": (2, 3, 4, 5, 4)}
LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {"LazyLinear": (lambda nn: nn.LazyLinear(4), (5, 3))}
for rank, shape in SHAPES.items():
    LAYERS |= {
        f"LazyConv{rank}d": (lambda nn, r=rank: getattr(nn, f"LazyConv{r}d")(4, 2, padding=1), shape),
        f"LazyConvTranspose{rank}d": (lambda nn, r=rank: getattr(nn, f"LazyConvTranspose{r}d")(4, 2, 2), shape),
        f"LazyBatchNorm{rank}d": (lambda nn, r=rank: getattr(nn, f"LazyBatchNorm{r}d")(), shape),
        f"LazyInstanceNorm{rank}d": (lambda nn, r=rank: getattr(nn, f"LazyInstanceNorm{r}d")(), shape),
    }
FORMS = {
    **{name: (name, *given) for name, given in LAYERS.items()},
    "LazyLinear no bias": ("LazyLinear", lambda nn: nn.LazyLinear(4, bias=False), (2, 5, 3)),
    "LazyConv2d groups": ("LazyConv2d", lambda nn: nn.LazyConv2d(6, 2, groups=3, bias=False), (2, 3, 4, 4)),
    "LazyConv2d alone": ("LazyConv2d", lambda nn: nn.LazyConv2d(6, 2), (3, 4, 4)),
    "LazyConvTranspose2d groups": (
        "LazyConvTranspose2d", lambda nn: nn.LazyConvTranspose2d(6, 2, groups=3), (2, 3, 4, 4),
    ),
    "LazyBatchNorm1d plain": (
        "LazyBatchNorm1d", lambda nn: nn.LazyBatchNorm1d(affine=False, track_running_stats=False), (4, 3)),
    "LazyBatchNorm2d no bias": ("LazyBatchNorm2d", lambda nn: nn.LazyBatchNorm2d(bias=False), (2, 3, 4, 4)),
}  # fmt: skip


def numbers(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def test_every_lazy_layer_is_here() -> None:
    assert set(LAYERS) == set(lazy.__all__) == {n for n in dir(torch.nn) if n.startswith("Lazy")}


@pytest.mark.parametrize("form", FORMS)
def test_like_pytorch(form: str) -> None:
    name, make, shape = FORMS[form]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = make(tl.nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    for key, value in theirs.state_dict().items():
        assert type(value).__name__.startswith("Uninit") == type(ours.state_dict()[key]).__name__.startswith("Uninit")
    x = numbers(shape)
    theirs(torch.tensor(x))
    ours(tl.tensor(x))
    assert type(ours) is getattr(tl.nn, name.removeprefix("Lazy"))
    if "plain" not in form:  # PyTorch leaves num_features at 0 there
        assert repr(ours) == repr(theirs)
    ours.load_state_dict({k: tl.tensor(v.detach().numpy()) for k, v in theirs.state_dict().items()})
    a, b = tl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(a), theirs(b)
    (y * y).sum().backward()
    (z * z).sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_loading_before_the_first_input(name: str) -> None:
    make, shape = LAYERS[name]
    full, waiting = make(tl.nn), make(tl.nn)
    x = tl.tensor(numbers(shape))
    full(x)
    assert str(waiting.load_state_dict(full.state_dict())) == "<All keys matched successfully>"
    assert not waiting.has_uninitialized_params()
    np.testing.assert_array_equal(full.eval()(x).detach().numpy(), waiting.eval()(x).detach().numpy())
    assert type(waiting) is type(full)
    with pytest.raises(RuntimeError, match="uninitialized parameter"):
        full.load_state_dict(make(tl.nn).state_dict())
    make(tl.nn).load_state_dict(make(tl.nn).state_dict())


@pytest.mark.parametrize("name", LAYERS)
def test_copies_and_dtypes(name: str) -> None:
    make, shape = LAYERS[name]
    layer = make(tl.nn).double()
    x = tl.tensor(numbers(shape).astype(np.float64))
    for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert copied(x).dtype == tl.float64 and not isinstance(copied, lazy.LazyModuleMixin)
    assert layer.has_uninitialized_params()
    layer(x)
    assert layer._hooks is None, "a layer after its first input is as fast as any"


def test_an_optimiser_made_before_the_first_input() -> None:
    layer = tl.nn.LazyLinear(2)
    optimizer = tl.optim.SGD(layer.parameters(), lr=0.1)
    layer(tl.ones(1, 3)).sum().backward()
    before = layer.weight.detach().clone()
    optimizer.step()
    np.testing.assert_allclose((before - layer.weight).detach().numpy(), 0.1, rtol=1e-5)


@pytest.mark.parametrize("lib", [tl, torch], ids=["ours", "pytorch"])
def test_errors(lib: Any) -> None:
    p = lib.nn.UninitializedParameter()
    assert repr(p) == "<UninitializedParameter>" and p.requires_grad and p.dtype == lib.float32
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        p.shape
    with pytest.raises(ValueError, match="uninitialized parameter"):
        p + 1
    p.materialize((2, 3))
    assert type(p) is lib.nn.Parameter and tuple(p.shape) == (2, 3)
    assert not lib.nn.UninitializedBuffer().requires_grad
    with pytest.raises(RuntimeError, match="Expected 3D|expected 3D"):
        lib.nn.LazyConv2d(3, 2)(lib.ones(2, 3))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        lib.nn.LazyConv2d(4, 2, groups=2)(lib.ones(1, 3, 4, 4))
