"""nn.utils: weight and spectral normalisation, parametrizations, pruning, fusion, against PyTorch."""

from __future__ import annotations

import copy
import io
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")

LIBS = pytest.mark.parametrize("lib", [tl, torch], ids=["ours", "pytorch"])
RNG = np.random.default_rng(0)
LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Linear": (lambda nn: nn.Linear(4, 3), (5, 4)),
    "Linear wide": (lambda nn: nn.Linear(3, 5), (5, 3)),
    "Linear square": (lambda nn: nn.Linear(4, 4), (5, 4)),
    "Conv2d": (lambda nn: nn.Conv2d(2, 3, 2), (2, 2, 4, 4)),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(2, 3, 2), (2, 2, 4)),
}


def old_weight_norm(lib: Any, layer: Any, **words: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return lib.nn.utils.weight_norm(layer, **words)


CHANGES: dict[str, Any] = {
    "weight_norm": lambda lib, m: old_weight_norm(lib, m),
    "weight_norm dim=1": lambda lib, m: old_weight_norm(lib, m, dim=1),
    "weight_norm whole": lambda lib, m: old_weight_norm(lib, m, dim=None),
    "weight_norm bias": lambda lib, m: old_weight_norm(lib, m, name="bias"),
    "spectral_norm": lambda lib, m: lib.nn.utils.spectral_norm(m),
    "spectral_norm often": lambda lib, m: lib.nn.utils.spectral_norm(m, n_power_iterations=3, dim=1),
    "new weight_norm": lambda lib, m: lib.nn.utils.parametrizations.weight_norm(m),
    "new weight_norm whole": lambda lib, m: lib.nn.utils.parametrizations.weight_norm(m, dim=None),
    "new spectral_norm": lambda lib, m: lib.nn.utils.parametrizations.spectral_norm(m),
    "new spectral_norm bias": lambda lib, m: lib.nn.utils.parametrizations.spectral_norm(m, "bias"),
    **{
        f"orthogonal {how} {trivial}": lambda lib, m, how=how, t=trivial: lib.nn.utils.parametrizations.orthogonal(
            m, orthogonal_map=how, use_trivialization=t
        )
        for how in ("matrix_exp", "cayley", "householder", None)
        for trivial in (True, False)
    },
    "prune identity": lambda lib, m: lib.nn.utils.prune.identity(m, "weight"),
    "prune l1": lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", 0.3),
    "prune l1 twice": lambda lib, m: lib.nn.utils.prune.l1_unstructured(
        lib.nn.utils.prune.l1_unstructured(m, "weight", 3), "weight", 2
    ),
    "prune ln": lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 1, n=2, dim=0),
    "prune ln after l1": lambda lib, m: lib.nn.utils.prune.ln_structured(
        lib.nn.utils.prune.l1_unstructured(m, "weight", 0.4), "weight", 1, n=1, dim=-1
    ),
}  # fmt: skip


def pair(layer: str, change: str) -> tuple[Any, Any, tuple[int, ...]]:
    """The changed layer in both libraries, with the same values."""
    make, shape = LAYERS[layer]
    theirs, ours = make(torch.nn), make(tl.nn)
    ours.load_state_dict(state(theirs))
    ours, theirs = CHANGES[change](tl, ours), CHANGES[change](torch, theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(state(theirs))
    return ours, theirs, shape


def state(theirs: Any) -> dict[str, Any]:
    return {k: tl.tensor(v.detach().numpy()) for k, v in theirs.state_dict().items()}


def close(a: Any, b: Any, tolerance: float = 2e-5) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=10 * tolerance, atol=tolerance)


def usable(layer: str, change: str) -> bool:
    """Whether PyTorch can do it: it takes convolution weights for batches of matrices, and a bias has no axis 1."""
    if (layer, change) == ("ConvTranspose1d", "new spectral_norm bias"):
        return False
    return layer.startswith("Linear") or not change.startswith("orthogonal")


CASES = [(layer, change) for layer in LAYERS for change in CHANGES if usable(layer, change)]


@pytest.mark.parametrize(("layer", "change"), CASES)
def test_like_pytorch(layer: str, change: str) -> None:
    ours, theirs, shape = pair(layer, change)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert type(ours).__name__ == type(theirs).__name__
    x = RNG.normal(size=shape).astype(np.float32)
    optimizers = tl.optim.SGD(ours.parameters(), lr=0.05), torch.optim.SGD(theirs.parameters(), lr=0.05)
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        y, z = ours(tl.tensor(x)), theirs(torch.tensor(x))
        close(y, z)
        for loss, optimizer in zip(((y * y).sum(), (z * z).sum()), optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
        for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            assert (p.grad is None) == (q.grad is None), name
            if q.grad is not None:
                close(p.grad, q.grad, 2e-4)
        for optimizer in optimizers:
            optimizer.step()
    for (name, value), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(value.numpy(), other.numpy(), rtol=2e-3, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("change", [c for c in CHANGES if not c.startswith(("weight_norm", "spectral_norm", "prune"))])
def test_parametrized_layers_are_copied_and_restored(change: str) -> None:
    ours, theirs, shape = pair("Linear square", change)
    name = "bias" if change.endswith("bias") else "weight"
    twin = copy.deepcopy(ours).eval()
    x = tl.tensor(RNG.normal(size=shape).astype(np.float32))
    np.testing.assert_array_equal(ours.eval()(x).detach().numpy(), twin(x).detach().numpy())
    assert repr(ours) == repr(theirs)
    with pytest.raises(RuntimeError, match="state_dict"):
        tl.save(ours, io.BytesIO())
    assert tl.nn.utils.parametrize.type_before_parametrizations(ours) is tl.nn.Linear
    before = getattr(ours, name).detach().clone()
    assert tl.nn.utils.parametrize.remove_parametrizations(ours, name) is ours
    assert type(ours) is tl.nn.Linear and isinstance(getattr(ours, name), tl.nn.Parameter)
    np.testing.assert_allclose(getattr(ours, name).detach().numpy(), before.numpy(), rtol=1e-5, atol=1e-6)
    assert set(dict(ours.named_parameters())) == {"weight", "bias"} and not list(ours.children())


@LIBS
@pytest.mark.parametrize("change", ["weight_norm", "spectral_norm", "prune l1", "prune l1 twice"])
def test_removed_hooks_leave_an_ordinary_layer(lib: Any, change: str) -> None:
    layer = CHANGES[change](lib, lib.nn.Linear(4, 3))
    x = lib.ones(2, 4)
    y = layer.eval()(x)
    utils = lib.nn.utils
    if change.startswith("prune"):
        assert utils.prune.is_pruned(lib.nn.Sequential(layer))
        assert utils.prune.remove(layer, "weight") is layer and not utils.prune.is_pruned(layer)
        with pytest.raises(ValueError, match="has to be pruned before"):
            utils.prune.remove(layer, "weight")
    else:
        removed = getattr(utils, f"remove_{change}")
        assert removed(layer) is layer
        with pytest.raises(ValueError, match=f"{change} of 'weight' not found"):
            removed(layer)
    assert set(layer.state_dict()) == {"weight", "bias"} and layer.weight.requires_grad and layer.weight.is_leaf
    assert not layer._forward_pre_hooks
    np.testing.assert_allclose(layer(x).detach().numpy(), y.detach().numpy(), rtol=1e-5, atol=1e-6)


@LIBS
def test_several_parametrizations_and_assignment(lib: Any) -> None:
    P = lib.nn.utils.parametrize

    class Symmetric(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).mT

        def right_inverse(self, a: Any) -> Any:
            return a.triu()

    class Doubled(lib.nn.Module):
        calls = 0

        def forward(self, x: Any) -> Any:
            Doubled.calls += 1
            return x * 2

        def right_inverse(self, a: Any) -> Any:
            return a / 2

    layer = lib.nn.Linear(3, 3)
    weight = layer.weight
    P.register_parametrization(layer, "weight", Symmetric())
    P.register_parametrization(layer, "weight", Doubled())
    assert P.is_parametrized(layer) and P.is_parametrized(layer, "weight") and not P.is_parametrized(layer, "bias")
    assert layer.parametrizations.weight.original is weight, "the optimiser keeps its parameter"
    assert list(dict(layer.named_parameters())) == ["bias", "parametrizations.weight.original"]
    values = np.array([[2.0, 4.0, 6.0], [4.0, 8.0, 10.0], [6.0, 10.0, 12.0]], np.float32)
    layer.weight = lib.tensor(values)
    np.testing.assert_allclose(layer.weight.detach().numpy(), values)
    np.testing.assert_allclose(weight.detach().numpy(), np.triu(values) / 2)
    before = Doubled.calls
    with P.cached():
        assert layer.weight is layer.weight
        layer(lib.ones(1, 3))
    assert Doubled.calls == before + 1
    other = P.transfer_parametrizations_and_params(layer, lib.nn.Linear(3, 3))
    np.testing.assert_allclose(other.weight.detach().numpy(), values)
    P.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is weight and type(layer) is lib.nn.Linear


@LIBS
def test_errors_of_parametrizations(lib: Any) -> None:
    P = lib.nn.utils.parametrize

    class Shorter(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x[1:]

    class Pair(lib.nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

        def right_inverse(self, x: Any) -> Any:
            return x / 2, x / 2

    with pytest.raises(ValueError, match="may not change the shape"):
        P.register_parametrization(lib.nn.Linear(3, 3), "weight", Shorter())
    layer = P.register_parametrization(lib.nn.Linear(3, 3), "weight", Shorter(), unsafe=True)
    assert tuple(layer.weight.shape) == (2, 3)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
        P.register_parametrization(lib.nn.Linear(3, 3), "nothing", Shorter())
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        P.remove_parametrizations(lib.nn.Linear(3, 3), "weight")
    with pytest.raises(RuntimeError, match="does not implement right_inverse"):
        layer.weight = lib.ones(3, 3)
    pair = P.register_parametrization(lib.nn.Linear(3, 3), "weight", Pair())
    assert list(pair.parametrizations.weight.state_dict()) == ["original0", "original1"]
    with pytest.raises(ValueError, match="leave_parametrized=False"):
        P.remove_parametrizations(pair, "weight", leave_parametrized=False)
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(3, 3), orthogonal_map="other")
    with pytest.raises(ValueError, match="Expected a matrix or batch"):
        lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(3, 3), "bias")
    with pytest.raises(IndexError, match="Dimension out of range"):
        lib.nn.utils.parametrizations.spectral_norm(lib.nn.Linear(3, 3), dim=2)


@LIBS
def test_weights_are_orthogonal_and_normalised(lib: Any) -> None:
    parametrizations = lib.nn.utils.parametrizations
    for how in ("matrix_exp", "cayley", "householder"):
        for sizes in ((5, 3), (3, 5), (4, 4)):
            w = parametrizations.orthogonal(lib.nn.Linear(*sizes), orthogonal_map=how).weight.detach().numpy()
            tall = w if w.shape[0] >= w.shape[1] else w.T
            np.testing.assert_allclose(tall.T @ tall, np.eye(tall.shape[1]), atol=1e-5)
    square = parametrizations.orthogonal(lib.nn.Linear(3, 3))
    target = np.linalg.qr(RNG.normal(size=(3, 3)))[0].astype(np.float32)
    square.weight = lib.tensor(target)
    np.testing.assert_allclose(square.weight.detach().numpy(), target, atol=1e-5)
    layer = parametrizations.spectral_norm(lib.nn.Linear(20, 30), n_power_iterations=50)
    assert abs(np.linalg.norm(layer.weight.detach().numpy(), 2) - 1) < 1e-2


def test_an_old_state_dict_of_weight_norm_loads_into_the_new_form() -> None:
    old = old_weight_norm(tl, tl.nn.Linear(4, 3))
    new = tl.nn.utils.parametrizations.weight_norm(tl.nn.Linear(4, 3))
    new.load_state_dict(old.state_dict())
    np.testing.assert_allclose(old(tl.ones(2, 4)).detach().numpy(), new(tl.ones(2, 4)).detach().numpy(), rtol=1e-5)


@LIBS
def test_two_hooks_on_one_parameter(lib: Any) -> None:
    for name, change in (
        ("weight_norm", old_weight_norm),
        ("spectral_norm", lambda lib, m: lib.nn.utils.spectral_norm(m)),
    ):
        layer = change(lib, lib.nn.Linear(4, 3))
        with pytest.raises(RuntimeError, match=f"Cannot register two {name} hooks"):
            change(lib, layer)
    with pytest.raises(ValueError, match="uninitialized parameters"):
        old_weight_norm(lib, lib.nn.LazyLinear(3))


def test_two_passes_before_backward() -> None:
    for change in ("spectral_norm", "new spectral_norm"):
        layer = CHANGES[change](tl, tl.nn.Linear(4, 3))
        (layer(tl.ones(2, 4)).sum() - layer(tl.zeros(2, 4)).sum()).backward()


@LIBS
def test_pruning_of_several_parameters_together(lib: Any) -> None:
    prune = lib.nn.utils.prune
    a, b = lib.nn.Linear(3, 2, bias=False), lib.nn.Linear(2, 3, bias=False)
    with lib.no_grad():
        a.weight.copy_(lib.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]]))
        b.weight.copy_(lib.tensor([[0.1, 0.2], [7.0, 8.0], [9.0, 0.3]]))
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=5)
    assert a.weight_mask.tolist() == [[0, 0, 1], [1, 1, 1]] and b.weight_mask.tolist() == [[0, 0], [1, 1], [1, 0]]
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=0.25)
    assert a.weight_mask.sum() + b.weight_mask.sum() == 5
    layer = prune.random_structured(lib.nn.Conv2d(2, 4, 2), "weight", 2, dim=0)
    assert (layer.weight_mask.sum((1, 2, 3)) == 0).sum() == 2
    layer = prune.random_unstructured(lib.nn.Linear(4, 4), "bias", 0.5)
    assert layer.bias_mask.sum() == 2
    layer = prune.custom_from_mask(lib.nn.Linear(2, 2), "bias", lib.tensor([0.0, 1.0]))
    assert layer.bias[0] == 0 and layer.bias_orig.shape == layer.bias.shape
    chosen = prune.l1_unstructured(lib.nn.Linear(3, 1), "weight", 1, importance_scores=lib.tensor([[3.0, 1.0, 2.0]]))
    assert chosen.weight_mask.tolist() == [[1, 0, 1]]
    kept = prune.L1Unstructured(1).prune(lib.tensor([3.0, -1.0, 2.0]))
    assert kept.tolist() == [3, 0, 2]


@LIBS
def test_errors_of_pruning(lib: Any) -> None:
    prune = lib.nn.utils.prune
    layer = lib.nn.Linear(3, 2)
    for amount, kind, message in (
        ("much", TypeError, "Must be int or float"),
        (-1, ValueError, "non-negative integer"),
        (1.5, ValueError, "float in the range"),
        (100, ValueError, "smaller than the number of parameters"),
    ):
        with pytest.raises(kind, match=message):
            prune.l1_unstructured(layer, "weight", amount)
        assert set(layer.state_dict()) == {"weight", "bias"}, "the layer is as it was"
    with pytest.raises(ValueError, match="multidimensional"):
        prune.ln_structured(layer, "bias", 1, n=2, dim=0)
    with pytest.raises(IndexError, match="Invalid index"):
        prune.ln_structured(layer, "weight", 1, n=2, dim=2)
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured([(layer, "weight")], prune.LnStructured, amount=1, n=2)


@pytest.mark.parametrize(("kind", "shape", "words"), [
    ("Conv2d", (2, 2, 5, 5), {}), ("Conv1d", (2, 2, 5), {"bias": False}), ("ConvTranspose2d", (2, 2, 5, 5), {}),
    ("Linear", (4, 2), {}), ("Linear", (4, 2), {"bias": False}),
])  # fmt: skip
def test_fusion(kind: str, shape: tuple[int, ...], words: dict[str, Any]) -> None:
    sizes = (2, 3) if kind == "Linear" else (2, 3, 2)
    layer = getattr(tl.nn, kind)(*sizes, **words)
    bn = {2: tl.nn.BatchNorm1d, 3: tl.nn.BatchNorm1d, 4: tl.nn.BatchNorm2d}[len(shape)](3)
    for _ in range(3):
        bn(layer(tl.randn(*shape)))
    with pytest.raises(AssertionError, match="Fusion only for eval"):
        tl.nn.utils.fuse_conv_bn_eval(layer, bn)
    layer.eval(), bn.eval()
    if kind == "Linear":
        fused = tl.nn.utils.fuse_linear_bn_eval(layer, bn)
    else:
        fused = tl.nn.utils.fuse_conv_bn_eval(layer, bn, transpose=kind.startswith("ConvT"))
    x = tl.randn(*shape)
    np.testing.assert_allclose(fused(x).detach().numpy(), bn(layer(x)).detach().numpy(), rtol=1e-4, atol=1e-5)


@LIBS
def test_skip_init_and_stateless(lib: Any) -> None:
    layer = lib.nn.utils.skip_init(lib.nn.Linear, 3, 2)
    assert tuple(layer.weight.shape) == (2, 3) and layer.weight.requires_grad
    with pytest.raises(RuntimeError, match="device"):
        lib.nn.utils.skip_init(lib.nn.ReLU)
    with pytest.warns(FutureWarning, match="functional_call"):
        y = lib.nn.utils.stateless.functional_call(
            layer, {"weight": lib.ones(2, 3), "bias": lib.zeros(2)}, (lib.ones(1, 3),)
        )
    assert y.tolist() == [[3, 3]]
