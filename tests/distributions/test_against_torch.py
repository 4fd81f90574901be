"""Every family against PyTorch: values, gradients, shapes, expansion, divergences, errors."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.distributions.families import FAMILIES, identity, made

torch = pytest.importorskip("torch")

OURS_ALONE = {("Kumaraswamy", "mode"): "PyTorch's is NaN wherever it exists"}
LESS_PRECISE = {"VonMises": 1e-6, "Multinomial": 1e-6}
"""Families for which PyTorch has float32 constants or short approximations even in float64."""
PROPERTIES = ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "entropy", "perplexity",
              "enumerate_support", "has_rsample", "has_enumerate_support")  # fmt: skip


def plain(value: Any) -> Any:
    """Return a comparable form."""
    if hasattr(value, "detach"):
        return np.array(value.detach().numpy())
    return tuple(value) if isinstance(value, tuple) else value


def asked(f: Any, *args: Any) -> tuple[str, Any]:
    """Return ("value", v) or the kind of the exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return "value", plain(f(*args))
    except NotImplementedError:
        return "not implemented", None
    except RuntimeError as error:
        if "did not match" not in str(error):
            raise
        return "PyTorch needs float32 here", None


def agree(mine: Any, theirs: Any, rtol: float = 1e-8) -> None:
    """Compare two answers of `asked`."""
    if theirs[0].startswith("PyTorch needs"):
        return
    assert mine[0] == theirs[0], (mine, theirs)
    if isinstance(theirs[1], np.ndarray):
        assert mine[1].shape == theirs[1].shape
        np.testing.assert_allclose(mine[1], theirs[1], rtol=rtol, atol=1e-10)
        assert mine[1].dtype == theirs[1].dtype
    else:
        assert mine[1] == theirs[1]


def attribute(d: Any, word: str) -> Any:
    """Return a property, or the result of a method without arguments."""
    value = getattr(d, word)
    return value() if callable(value) else value


def divergence(lib: Any, p: Any, q: Any) -> Any:
    """Return KL(p, q) of two rows in a library."""
    return lib.distributions.kl_divergence(made(lib, *p)[0], made(lib, *q)[0])


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_properties(row: Any) -> None:
    name, parameters, _ = row
    mine, theirs = made(tl, name, parameters)[0], made(torch, name, parameters)[0]
    for word in PROPERTIES:
        if (name, word) in OURS_ALONE:
            continue
        answers = [asked(attribute, d, word) for d in (mine, theirs)]
        try:
            agree(*answers, LESS_PRECISE.get(name, 1e-8))
        except AssertionError as error:
            raise AssertionError(f"{name}.{word}: {error}") from error
    assert re.sub(r"torch.Size|[\[\](),\s]", "", repr(mine)) == re.sub(r"torch.Size|[\[\](),\s]", "", repr(theirs))


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_log_prob_cdf_and_gradients(row: Any) -> None:
    name, parameters, at = row
    for method in ("log_prob", "cdf"):
        results = []
        for lib in (tl, torch):
            d, tensors = made(lib, name, parameters, grad=True)
            value = lib.tensor(at, requires_grad=at.dtype.kind == "f")
            answer = asked(getattr(d, method), value)
            results.append((answer, d, tensors, value))
        try:
            agree(results[0][0], results[1][0], 1e-7)
        except AssertionError as error:
            raise AssertionError(f"{name}.{method}: {error}") from error
        if results[1][0][0] != "value":
            continue
        slopes = []
        for lib, (_, d, tensors, value) in zip((tl, torch), results, strict=True):
            y = getattr(d, method)(value)
            leaves = [t for t in [*tensors, value] if t.requires_grad]
            weights = lib.tensor(np.linspace(0.5, 1.5, y.numel()).reshape(tuple(y.shape)))
            try:
                found = lib.autograd.grad((y * weights).sum(), leaves, allow_unused=True)
                slopes.append(
                    [plain(g) if g is not None else np.zeros(leaf.shape) for g, leaf in zip(found, leaves, strict=True)]
                )
            except (NotImplementedError, RuntimeError):  # e.g. no derivative of gammainc in the concentration
                slopes.append(None)
        if slopes[1] is not None:
            assert slopes[0] is not None, f"{name}.{method}: no gradient"
            for a, b in zip(*slopes, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=f"{name}.{method}")


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_icdf_inverts_cdf_and_agrees(row: Any) -> None:
    name, parameters, _ = row
    p = np.array([0.01, 0.3, 0.9])
    answers = [asked(lambda lib=lib: made(lib, name, parameters)[0].icdf(lib.tensor(p))) for lib in (tl, torch)]
    if answers[1][0] == "value":
        agree(*answers, 1e-7)


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
@pytest.mark.filterwarnings("ignore:Singular sample")
def test_samples_and_expand(row: Any) -> None:
    name, parameters, at = row
    mine, theirs = made(tl, name, parameters)[0], made(torch, name, parameters)[0]
    assert mine.sample((4, 2)).shape == tuple(theirs.sample((4, 2)).shape)
    assert str(mine.sample().dtype) == str(theirs.sample().dtype)
    shape = (4, 2, *mine.batch_shape)
    a, b = mine.expand(tl.Size(shape)), theirs.expand(torch.Size(shape))
    assert type(a) is type(mine)
    assert (tuple(a.batch_shape), tuple(a.event_shape)) == (tuple(b.batch_shape), tuple(b.event_shape))
    assert a.sample((3,)).shape == tuple(b.sample((3,)).shape)
    agree(asked(attribute, a, "mean"), asked(attribute, b, "mean"))
    try:
        np.broadcast_shapes(at.shape, (*shape, *mine.event_shape))
    except ValueError:
        return
    agree(asked(a.log_prob, tl.tensor(at)), asked(b.log_prob, torch.tensor(at)), 1e-7)


KL_ROWS = [r for r in FAMILIES if r[0] not in ("HalfCauchy", "Chi2")]


@pytest.mark.parametrize("p", KL_ROWS, ids=identity)
def test_divergences(p: Any) -> None:
    for q in KL_ROWS:
        for shift in (0.0, 0.13):
            other = {k: v + shift if isinstance(v, np.ndarray) and "matrix" not in k and k != "probs" else v
                     for k, v in q[1].items()}  # fmt: skip
            try:
                theirs = asked(divergence, torch, p[:2], (q[0], other))
            except (ValueError, RuntimeError):
                continue  # shapes or values that do not fit
            if theirs[0] != "value":
                continue
            mine = asked(divergence, tl, p[:2], (q[0], other))
            try:
                agree(mine, theirs, 1e-7)
            except AssertionError as error:
                raise AssertionError(f"KL({p[0]}, {q[0]} + {shift}): {error}") from error


MIXTURES = {
    "normal": lambda T: (T.distributions.Normal(T.tensor([-1.0, 2.0, 0.5]), T.tensor(0.7)), [0.3, -1.0]),
    "vectors": lambda T: (
        T.distributions.Independent(T.distributions.Normal(T.arange(6.0).reshape(3, 2), T.tensor([0.5, 2.0])), 1),
        [[0.5, 1.0], [3.0, 2.0], [0.0, 0.0]],
    ),
    "counts": lambda T: (T.distributions.Poisson(T.tensor([1.0, 4.0, 9.0])), [3.0, 0.0]),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_mixtures(name: str) -> None:
    found = []
    for lib in (tl, torch):
        weights = lib.tensor([0.2, 0.5, 0.3], requires_grad=True)
        components, at = MIXTURES[name](lib)
        d = lib.distributions.MixtureSameFamily(lib.distributions.Categorical(weights), components)
        value = lib.tensor(at)
        score = d.log_prob(value)
        (slope,) = lib.autograd.grad(score.sum(), weights)
        wide = d.expand((3, *d.batch_shape))
        found.append([asked(lambda v: v, v) for v in (score, slope, d.mean, d.variance, wide.mean, d.stddev)]
                     + [asked(d.cdf, value)]
                     + [asked(lambda v: tuple(v.shape), v) for v in (d.sample((4,)), wide.sample((4,)))])  # fmt: skip
    for mine, theirs in zip(*found, strict=True):
        agree(mine, theirs, 1e-5)


def test_a_mixture_draws_from_its_components() -> None:
    tl.manual_seed(0)
    mixture, components = tl.distributions.Categorical(tl.tensor([0.2, 0.8])), tl.tensor([[-50.0, 0.0], [50.0, 100.0]])
    d = tl.distributions.MixtureSameFamily(
        mixture, tl.distributions.Independent(tl.distributions.Normal(components, 1.0), 1)
    )
    x = d.sample((20_000,)).array
    first = x[:, 0] < 0
    assert abs(first.mean() - 0.2) < 0.02
    np.testing.assert_allclose(x[first].mean(0), [-50, 0], atol=0.1)
    np.testing.assert_allclose(x[~first].mean(0), [50, 100], atol=0.1)
