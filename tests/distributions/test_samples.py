"""Samples: their distribution, their repetition under a seed, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.distributions.families import FAMILIES, identity, made
from tinygrad_lite import distributions as D

N = 20_000
ENDLESS = ("Cauchy", "HalfCauchy", "Pareto", "StudentT", "InverseGamma", "FisherSnedecor", "GeneralizedPareto")
"""Families whose mean or variance does not exist for some parameters; the test of `cdf` covers them."""


def ks_limit(n: int) -> float:
    """Return the Kolmogorov distance that a true sample exceeds once in a million."""
    return float(np.sqrt(-np.log(5e-7) / (2 * n)))


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_a_seed_repeats_samples(row: Any) -> None:
    d = made(tl, *row[:2])[0]
    tl.manual_seed(3)
    first = d.sample((5,)).array
    assert not np.array_equal(first, d.sample((5,)).array) or row[0].endswith("Bernoulli") or first.size < 20
    tl.manual_seed(3)
    np.testing.assert_array_equal(first, d.sample((5,)).array)
    if d.has_rsample:
        tl.manual_seed(3)
        np.testing.assert_allclose(d.rsample((5,)).detach().array, first, rtol=1e-12)


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_samples_lie_in_the_support_and_have_the_moments(row: Any) -> None:
    name, parameters, _ = row
    d = made(tl, name, parameters)[0]
    tl.manual_seed(1)
    x = d.sample((N,))
    assert bool(d.support.check(x).all())
    assert not x.requires_grad
    if name in ENDLESS:
        return
    try:
        mean, variance = d.mean.array, d.variance.array
    except NotImplementedError:
        return
    if name == "VonMises" or np.isnan(mean).any():
        return
    sd = np.sqrt(variance)
    assert (np.abs(x.array.mean(0) - mean) < 6 * sd / np.sqrt(N) + 1e-12).all()
    spread = ((x.array - mean) ** 2).mean(0)
    noise = ((x.array - mean) ** 2).std(0) / np.sqrt(N)
    assert (np.abs(spread - variance) < 7 * noise + 1e-12).all()


@pytest.mark.parametrize("row", FAMILIES, ids=identity)
def test_samples_follow_the_distribution_function(row: Any) -> None:
    name, parameters, _ = row
    d = made(tl, name, parameters)[0]
    tl.manual_seed(2)
    x = d.sample((N,))
    try:
        u = np.sort(d.cdf(x).array, 0)
    except NotImplementedError:
        pytest.skip("no distribution function")
    grid = (np.arange(1, N + 1) / N).reshape((-1, *[1] * (u.ndim - 1)))
    assert np.abs(u - grid).max() < ks_limit(N)


@pytest.mark.parametrize("name", ["Binomial", "Poisson", "Geometric", "NegativeBinomial", "Categorical"])
def test_discrete_samples_have_their_frequencies(name: str) -> None:
    for row in FAMILIES:
        if row[0] != name:
            continue
        d = made(tl, *row[:2])[0]
        tl.manual_seed(4)
        x = d.sample((N,)).array
        for k in range(3):
            at = tl.full(d.batch_shape, k, dtype=tl.float64)
            p = np.exp(d.log_prob(at).array)
            assert (np.abs((x == k).mean(0) - p) < 6 * np.sqrt(p * (1 - p) / N) + 1e-12).all()


def test_log_density_integrates_to_one() -> None:
    for name, parameters, _ in FAMILIES:
        d = made(tl, name, parameters)[0]
        if d.event_shape or d.support.is_discrete or name in ("RelaxedBernoulli", "VonMises"):
            continue
        try:
            d.cdf(d.sample())
        except NotImplementedError:
            continue
        tl.manual_seed(0)
        x = np.sort(d.sample((2000,)).array, 0)
        a, b = x[200], x[1700]
        t = np.linspace(0, 1, 4001).reshape((-1, *[1] * a.ndim))
        density = np.exp(d.log_prob(tl.tensor(a + (b - a) * t)).array)
        area = (density[1:] + density[:-1]).sum(0) / 2 / 4000 * (b - a)
        np.testing.assert_allclose(area, (d.cdf(tl.tensor(b)) - d.cdf(tl.tensor(a))).array, rtol=1e-4)


# ------------------------------------------------------------------------------------------------ gradients
def test_location_and_scale_have_the_gradients_of_the_formula() -> None:
    loc, scale = tl.zeros(3, requires_grad=True), tl.ones(3, requires_grad=True)
    x = D.Normal(loc, scale).rsample((4,))
    x.sum().backward()
    np.testing.assert_allclose(loc.grad.array, 4)
    np.testing.assert_allclose(scale.grad.array, x.detach().array.sum(0), rtol=1e-6)


@pytest.mark.parametrize("row", [r for r in FAMILIES if r[0] not in ("VonMises",)], ids=identity)
def test_sample_gradients_are_those_of_the_mean(row: Any) -> None:
    """The mean over samples of dx/dθ is dE[x]/dθ."""
    name, parameters, _ = row
    d, leaves = made(tl, name, parameters, grad=True)
    if not d.has_rsample or name in ENDLESS:
        pytest.skip("no reparameterised samples with a mean")
    try:
        mean = d.mean
    except NotImplementedError:
        pytest.skip("no mean")
    tl.manual_seed(5)
    x = d.rsample((N,)).mean(0)
    weights = np.linspace(0.5, 1.5, x.numel()).reshape(x.shape)
    leaves = [leaf for leaf in leaves if leaf.requires_grad]
    got = tl.autograd.grad((x * tl.tensor(weights)).sum(), leaves, allow_unused=True, retain_graph=True)
    want = tl.autograd.grad((mean * tl.tensor(weights)).sum(), leaves, allow_unused=True)
    for g, w in zip(got, want, strict=True):
        if w is not None:
            size = np.abs(w.array).max() + 0.1
            np.testing.assert_allclose(g.array, w.array, atol=0.12 * size)


def test_gamma_gradient_follows_the_quantile() -> None:
    special = pytest.importorskip("scipy.special")
    from tinygrad_lite.ops.elementwise.probability_values import gamma_slope

    a = 10.0 ** np.linspace(-1.5, 4, 23)[:, None]
    p = np.linspace(0.02, 0.98, 25)
    h = 1e-5
    numeric = (special.gammaincinv(a * (1 + h), p) - special.gammaincinv(a * (1 - h), p)) / (2 * h * a)
    np.testing.assert_allclose(gamma_slope(a, special.gammaincinv(a, p)), numeric, rtol=2e-5)


def test_beta_gradient_follows_the_quantile() -> None:
    special = pytest.importorskip("scipy.special")
    from tinygrad_lite.ops.elementwise.probability_values import beta_slope

    a, b = 10.0 ** np.linspace(-0.5, 3, 12)[:, None, None], 10.0 ** np.linspace(-0.5, 3, 13)[:, None]
    p = np.linspace(0.02, 0.98, 13)
    h = 1e-5
    numeric = (special.betaincinv(a * (1 + h), b, p) - special.betaincinv(a * (1 - h), b, p)) / (2 * h * a)
    x = special.betaincinv(a, b, p)
    inside = x < 1 - 1e-6  # 1 - x has no digits left beyond
    np.testing.assert_allclose(beta_slope(a, b, x)[inside], numeric[inside], rtol=1e-4, atol=1e-9)


def test_gradients_of_gamma_and_dirichlet_samples_agree_with_torch() -> None:
    torch = pytest.importorskip("torch")
    tl.manual_seed(6)
    a = np.abs(np.random.default_rng(0).normal(size=(200, 4))) * 3 + 0.2
    for name in ("Gamma", "Dirichlet"):
        leaf = tl.tensor(a, requires_grad=True)
        d = D.Gamma(leaf, tl.ones(4, dtype=tl.float64)) if name == "Gamma" else D.Dirichlet(leaf)
        x = d.rsample()
        g = np.random.default_rng(1).normal(size=a.shape)
        x.backward(tl.tensor(g))
        t, y = torch.tensor(a), torch.tensor(x.detach().array)
        if name == "Gamma":
            want = torch._standard_gamma_grad(t, y) * torch.tensor(g)
        else:
            slope = torch._dirichlet_grad(y, t, t.sum(-1, True).expand_as(t))
            want = slope * (torch.tensor(g) - (y * torch.tensor(g)).sum(-1, True))
        np.testing.assert_allclose(leaf.grad.array, want.numpy(), rtol=5e-3, atol=1e-4)


def test_float32_parameters_give_float32() -> None:
    for name, parameters, _ in FAMILIES:
        small = {k: v.astype(np.float32) if isinstance(v, np.ndarray) else v for k, v in parameters.items()}
        d = made(tl, name, small)[0]
        assert d.sample().dtype in (tl.float32, tl.int64), name
        if d.has_rsample:
            assert d.rsample((2,)).dtype == tl.float32, name


def test_extreme_concentrations_stay_inside() -> None:
    tl.manual_seed(0)
    for a in (1e-3, 0.05, 1e4):
        x = D.Beta(tl.full((500,), a), tl.full((500,), a)).sample()
        assert bool(((x > 0) & (x < 1)).all())
        assert bool((D.Gamma(tl.full((500,), a), 1.0).sample() > 0).all())
        s = D.Dirichlet(tl.full((500, 3), a)).sample()
        assert bool(s.isfinite().all()) and bool(((s.sum(-1) - 1).abs() < 1e-5).all())


@pytest.mark.parametrize("concentration", [0.6, 1.0, 4.0])
def test_correlations_of_lkj_samples_are_beta_distributed(concentration: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    tl.manual_seed(7)
    n = 4
    lower = D.LKJCholesky(n, concentration).sample((4000,)).array.astype(np.float64)
    correlations = lower @ lower.swapaxes(-1, -2)
    shape = concentration + n / 2 - 1
    for i in range(n):
        for j in range(i):
            u = np.sort(stats.beta.cdf((correlations[:, i, j] + 1) / 2, shape, shape))
            assert np.abs(u - np.arange(1, 4001) / 4000).max() < ks_limit(4000), (i, j)


def test_wishart_samples_have_the_mean_and_variance_of_the_formula() -> None:
    tl.manual_seed(8)
    d = D.Wishart(tl.tensor(4.5), tl.tensor([[2.0, 0.5], [0.5, 1.0]]))
    x = d.sample((N,)).array
    np.testing.assert_allclose(x.mean(0), d.mean.array, rtol=0.03)
    np.testing.assert_allclose(x.var(0), d.variance.array, rtol=0.08)
