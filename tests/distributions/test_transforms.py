"""Transforms: inverses, Jacobians, shapes, caches, and agreement with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import distributions as D

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
MATRICES = RNG.normal(size=(2, 3, 3))

TRANSFORMS: dict[str, tuple[Any, np.ndarray[Any, Any]]] = {
    "exp": (lambda d, T: d.ExpTransform(), X),
    "abs": (lambda d, T: d.AbsTransform(), np.abs(X)),
    "affine": (lambda d, T: d.AffineTransform(1.0, -2.5), X),
    "affine of tensors": (lambda d, T: d.AffineTransform(T.zeros(4), T.arange(1.0, 5.0).double()), X),
    "affine of vectors": (lambda d, T: d.AffineTransform(1.0, 2.0, event_dim=1), X),
    "power": (lambda d, T: d.PowerTransform(T.tensor(-1.5).double()), np.abs(X) + 0.1),
    "sigmoid": (lambda d, T: d.SigmoidTransform(), X),
    "tanh": (lambda d, T: d.TanhTransform(), X),
    "softplus": (lambda d, T: d.SoftplusTransform(), X),
    "softmax": (lambda d, T: d.SoftmaxTransform(), X),
    "stick breaking": (lambda d, T: d.StickBreakingTransform(), X),
    "lower cholesky": (lambda d, T: d.LowerCholeskyTransform(), MATRICES),
    "positive definite": (lambda d, T: d.PositiveDefiniteTransform(), MATRICES),
    "correlation": (lambda d, T: d.CorrCholeskyTransform(), RNG.normal(size=(5, 6))),
    "reshape": (lambda d, T: d.ReshapeTransform((4,), (2, 2)), X),
    "compose": (lambda d, T: d.ComposeTransform([d.AffineTransform(1.0, 2.0), d.TanhTransform()]), X),
    "compose of vectors": (
        lambda d, T: d.ComposeTransform([d.ExpTransform(), d.StickBreakingTransform()]),
        X,
    ),
    "independent": (lambda d, T: d.IndependentTransform(d.ExpTransform(), 1), X),
    "cat": (lambda d, T: d.CatTransform([d.ExpTransform(), d.AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 3]), X),
    "stack": (lambda d, T: d.StackTransform([d.ExpTransform(), d.TanhTransform(), d.ExpTransform()], dim=0), X),
    "cdf": (lambda d, T: d.CumulativeDistributionTransform(d.Normal(0.0, 1.0)), X),
    "inverse": (lambda d, T: d.ExpTransform().inv, np.abs(X) + 0.1),
}
WITHOUT_JACOBIAN = ("abs", "softmax", "lower cholesky", "positive definite")


def flat(v: Any) -> Any:
    return v.detach().numpy()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_inverse_shapes_and_codomain(name: str) -> None:
    make, x = TRANSFORMS[name]
    t = make(D, tl)
    y = t(tl.tensor(x))
    assert tuple(t.forward_shape(tl.Size(x.shape))) == tuple(y.shape)
    assert tuple(t.inverse_shape(y.shape)) == x.shape
    if name not in ("cat", "stack"):
        assert bool(t.codomain.check(y).all())
    back = t.inv(y)
    if name == "softmax":
        back = back - back.logsumexp(-1, keepdim=True) + tl.tensor(x).logsumexp(-1, keepdim=True)
    if name == "positive definite":
        np.testing.assert_allclose(flat(t(back)), flat(y), rtol=1e-8)
    else:
        np.testing.assert_allclose(flat(back), x if name != "lower cholesky" else np.tril(x), rtol=1e-7, atol=1e-9)
    assert t.inv.inv is t or t.inv.inv == t


@pytest.mark.parametrize("name", [n for n in TRANSFORMS if n not in WITHOUT_JACOBIAN])
def test_the_jacobian_is_that_of_autograd(name: str) -> None:
    make, x = TRANSFORMS[name]
    t = make(D, tl)
    dims = t.domain.event_dim
    for index in np.ndindex(x.shape[:2] if dims == 0 and name not in ("cat", "stack") else x.shape[:1]):
        if name == "stack":
            return
        point = tl.tensor(x)
        full = t.log_abs_det_jacobian(point, t(point))
        if dims == 0:
            leaf = tl.tensor(x, requires_grad=True)
            slope = tl.autograd.grad(t(leaf).sum(), leaf)[0]
            np.testing.assert_allclose(flat(full), np.log(np.abs(flat(slope))), rtol=1e-6, atol=1e-9)
            return

        def of_row(row: Any, shape: Any = x.shape[1:]) -> Any:
            y = t(row.reshape(shape))
            if name in ("stick breaking", "compose of vectors"):
                return y[:-1]
            if name == "correlation":
                return D.parameters.tril_matrix_to_vec(y, -1)
            return y.flatten()

        jacobian = tl.autograd.functional.jacobian(of_row, tl.tensor(x[index].ravel()))
        np.testing.assert_allclose(flat(full)[index], np.linalg.slogdet(flat(jacobian))[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_values_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    make, x = TRANSFORMS[name]
    mine, theirs = make(D, tl), make(torch.distributions, torch)
    a, b = tl.tensor(x), torch.tensor(x)
    y, z = mine(a), theirs(b)
    np.testing.assert_allclose(flat(y), flat(z), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(flat(mine.inv(y)), flat(theirs.inv(z)), rtol=1e-6, atol=1e-9)
    assert mine.bijective == theirs.bijective
    assert (mine.domain.event_dim, mine.codomain.event_dim) == (theirs.domain.event_dim, theirs.codomain.event_dim)
    if name not in WITHOUT_JACOBIAN:
        j, k = mine.log_abs_det_jacobian(a, y), theirs.log_abs_det_jacobian(b, z)
        np.testing.assert_allclose(flat(j), flat(k), rtol=1e-7, atol=1e-9)
        assert tuple(j.shape) == tuple(k.shape)


def test_a_cache_returns_the_input_itself() -> None:
    t = D.TanhTransform(cache_size=1)
    x = tl.tensor([20.0])
    assert t.inv(t(x)) is x
    with np.errstate(divide="ignore"):
        assert bool(D.TanhTransform().inv(D.TanhTransform()(x)).isinf())
    assert t.with_cache(0)._cache_size == 0
    d = D.TransformedDistribution(D.Normal(0.0, 10.0), [D.TanhTransform(cache_size=1)])
    assert bool(d.log_prob(d.rsample((100,))).isfinite().all())


def test_equal_transforms_are_equal() -> None:
    assert D.ExpTransform() == D.ExpTransform() and D.ExpTransform() != D.TanhTransform()
    assert D.AffineTransform(0.0, 1.0) == D.AffineTransform(0.0, 1.0)
    assert D.AffineTransform(0.0, 1.0) != D.AffineTransform(0.0, 2.0)
    assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()])
    assert D.ExpTransform().inv == D.ExpTransform().inv and D.ExpTransform().inv.inv == D.ExpTransform()


CONSTRAINTS = ("real", "positive", "nonnegative", "unit_interval", "simplex", "lower_cholesky", "positive_definite",
               "corr_cholesky", "real_vector")  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_registry_leads_into_the_constraint(name: str) -> None:
    constraint = getattr(D.constraints, name)
    for registry in (D.biject_to, D.transform_to):
        if registry is D.biject_to and name in ("lower_cholesky", "positive_definite"):
            with pytest.raises(NotImplementedError):  # the transforms there lose the upper triangle
                registry(constraint)
            continue
        t = registry(constraint)
        x = tl.tensor(MATRICES[:, 0] if constraint.event_dim < 2 or name == "corr_cholesky" else MATRICES)
        y = t(x)
        assert bool(constraint.check(y).all())
        if name == "positive_definite":
            assert bool(tl.allclose(t(t.inv(y)), y))
        elif name == "lower_cholesky":
            assert bool(tl.allclose(t.inv(y), x.tril()))
        elif registry is D.biject_to:
            assert bool(tl.allclose(t.inv(y), x))
    bounded = D.constraints.interval(-2.0, 3.0)
    assert bool(bounded.check(D.biject_to(bounded)(tl.tensor(X))).all())
    assert bool((D.biject_to(D.constraints.less_than(1.0))(tl.tensor(X)) < 1).all())
    assert bool((D.biject_to(D.constraints.greater_than(4.0))(tl.tensor(X)) > 4).all())


def test_constraints_agree_with_torch() -> None:
    torch = pytest.importorskip("torch")
    c, t = D.constraints, torch.distributions.constraints
    points = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan, np.inf])
    for name in ("real", "positive", "nonnegative", "unit_interval", "boolean", "nonnegative_integer",
                 "positive_integer"):  # fmt: skip
        mine = getattr(c, name).check(tl.tensor(points)).numpy()
        np.testing.assert_array_equal(mine, getattr(t, name).check(torch.tensor(points)).numpy(), err_msg=name)
        assert repr(getattr(c, name)) == repr(getattr(t, name))
    for name, args in {"less_than": (1.0,), "greater_than_eq": (0.5,), "interval": (0.0, 1.0),
                       "half_open_interval": (0.0, 1.0), "integer_interval": (0, 1)}.items():  # fmt: skip
        a, b = getattr(c, name)(*args), getattr(t, name)(*args)
        np.testing.assert_array_equal(a.check(tl.tensor(points)).numpy(), b.check(torch.tensor(points)).numpy())
        assert repr(a) == repr(b)
    spd = MATRICES @ MATRICES.swapaxes(-1, -2)
    for matrices in (MATRICES, spd, -spd, np.tril(spd), np.eye(3)[None]):
        for name in ("lower_triangular", "lower_cholesky", "symmetric", "square", "positive_definite",
                     "positive_semidefinite", "corr_cholesky"):  # fmt: skip
            mine = getattr(c, name).check(tl.tensor(matrices)).numpy()
            np.testing.assert_array_equal(mine, getattr(t, name).check(torch.tensor(matrices)).numpy(), err_msg=name)


def test_shapes_of_transformed_distributions() -> None:
    torch = pytest.importorskip("torch")
    choices = {
        "exp": lambda d: d.ExpTransform(),
        "softmax": lambda d: d.SoftmaxTransform(),
        "cholesky": lambda d: d.LowerCholeskyTransform(),
        "stick": lambda d: d.StickBreakingTransform(),
        "reshape": lambda d: d.ReshapeTransform((4,), (2, 2)),
    }
    bases = {
        "numbers": lambda T, d: d.Normal(T.zeros(4, 4), T.ones(4, 4)),
        "batch": lambda T, d: d.Normal(T.zeros(3, 4, 4), T.ones(3, 4, 4)),
        "vectors": lambda T, d: d.Dirichlet(T.ones(4, 4)),
    }
    for base in bases.values():
        for first in choices.values():
            for second in choices.values():
                shapes = []
                for lib in (tl, torch):
                    d = lib.distributions
                    try:
                        made = d.TransformedDistribution(base(lib, d), [first(d), second(d)])
                        drawn = tuple(made.sample((2,)).shape)
                    except (ValueError, RuntimeError):
                        shapes.append(None)  # e.g. the Cholesky factor of what is not square
                        continue
                    shapes.append((tuple(made.batch_shape), tuple(made.event_shape), drawn))
                assert shapes[0] == shapes[1]
