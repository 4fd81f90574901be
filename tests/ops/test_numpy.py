"""NumPy's own functions on Tensors: NumPy's values, shapes and dtypes, and the right slope where there is one."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

A = np.array([[1.0, -2.0, 3.5], [0.5, 4.0, -1.5]])
S = np.array([[2.0, 0.5, 0.1], [0.3, 3.0, 0.2], [0.1, 0.4, 1.5]])
V = np.array([0.3, 1.2, 2.0, 3.7])
W = np.array([1.0, 0.5, 2.0, -1.0])
N = np.array([1.0, np.nan, 3.0, -2.0])

CALLS: dict[str, Any] = {
    # name: (call, arrays)
    "sum": (lambda a: (np.sum(a), np.sum(a, axis=0), np.sum(a, axis=(0, 1), keepdims=True), np.add.reduce(a, axis=1)), [A]),
    "prod": (lambda a: (np.prod(a), np.prod(a, axis=1), np.multiply.reduce(a)), [A]),
    "mean": (lambda a: (np.mean(a), np.mean(a, 0), np.mean(a, axis=1, keepdims=True)), [A]),
    "std": (lambda a: (np.std(a), np.std(a, axis=0), np.std(a, axis=1, ddof=1)), [A]),
    "var": (lambda a: (np.var(a), np.var(a, axis=(0, 1)), np.var(a, axis=1, ddof=1, keepdims=True)), [A]),
    "max": (lambda a: (np.max(a), np.max(a, axis=1), np.amax(a, 0), np.maximum.reduce(a)), [A]),
    "min": (lambda a: (np.min(a), np.min(a, axis=1), np.amin(a, 0)), [A]),
    "ptp": (lambda a: (np.ptp(a), np.ptp(a, axis=1)), [A]),
    "average": (lambda a, w: (np.average(a), np.average(a, axis=1), np.average(a, weights=w), np.average(a, axis=1, weights=w[0])), [A, np.abs(A)]),
    "median": (lambda a: (np.median(a), np.median(a, axis=0), np.median(a, axis=(0, 1), keepdims=True)), [A]),
    "percentile": (lambda a: (np.percentile(a, 30), np.percentile(a, [20, 70], axis=1), np.percentile(a, 40, axis=(0, 1))), [A]),
    "quantile": (lambda a: (np.quantile(a, 0.3), np.quantile(a, 0.6, axis=0, keepdims=True), np.quantile(a, 0.3, method="lower")), [A]),
    "nansum": (lambda a: np.nansum(a), [N]),
    "nanmean": (lambda a: np.nanmean(a), [N]),
    "nanmax": (lambda a: np.nanmax(a), [N]),
    "nanmin": (lambda a: np.nanmin(a), [N]),
    "nanprod": (lambda a: np.nanprod(a), [N]),
    "nanstd": (lambda a: np.nanstd(a), [N]),
    "nanvar": (lambda a: np.nanvar(a), [N]),
    "nanmedian": (lambda a: np.nanmedian(a), [N]),
    "nanquantile": (lambda a: np.nanquantile(a, 0.4), [N]),
    "nanpercentile": (lambda a: np.nanpercentile(a, 40), [N]),
    "nancumsum": (lambda a: np.nancumsum(a), [N]),
    "cov": (lambda a, b: (np.cov(a), np.cov(a, rowvar=False), np.cov(a, bias=True), np.cov(a, b), np.cov(a[0])), [A, A[::-1] * 2 + A**2]),
    "corrcoef": (lambda a: np.corrcoef(a), [A]),
    "cumsum": (lambda a: (np.cumsum(a), np.cumsum(a, axis=1), np.add.accumulate(a, axis=0)), [A]),
    "cumprod": (lambda a: (np.cumprod(a), np.cumprod(a, axis=0)), [A]),
    "trapezoid": (lambda y, x: (getattr(np, "trapezoid", getattr(np, "trapz", None))(y, x), getattr(np, "trapezoid", getattr(np, "trapz", None))(y, dx=0.5)), [W, V]),
    "diff": (lambda a: (np.diff(a), np.diff(a, n=2), np.diff(a, axis=0), np.diff(a, prepend=0.0)), [A]),
    "ediff1d": (lambda a: (np.ediff1d(a), np.ediff1d(a, to_end=1.0, to_begin=[2.0, 3.0])), [A]),
    "gradient": (lambda a: (np.gradient(a), np.gradient(a[0], 0.5), np.gradient(a, axis=1, edge_order=2)), [A]),
    "sort": (lambda a: (np.sort(a), np.sort(a, axis=0), np.sort(a, axis=None)), [A]),
    "argsort": (lambda a: (np.argsort(a), np.argsort(a, axis=0)), [A]),
    "argmax": (lambda a: (np.argmax(a), np.argmax(a, axis=1), np.argmin(a, axis=0)), [A]),
    "nonzero": (lambda a: (np.nonzero(a), np.flatnonzero(a), np.argwhere(a), np.count_nonzero(a, axis=0)), [A]),
    "where": (lambda a, b: (np.where(a > 0, a, b), np.where(a > 3)), [A, A * 2]),
    "searchsorted": (lambda a, v: (np.searchsorted(a, v), np.searchsorted(a, v, side="right")), [V, W]),
    "digitize": (lambda v, b: np.digitize(v, b), [W, V]),
    "unique": (lambda a: (np.unique(a), np.unique(a, return_counts=True)), [np.array([1.0, 2.0, 1.0])]),
    "isin": (lambda a: np.isin(a, [1.0, 4.0]), [A]),
    "histogram": (lambda a: np.histogram(a, 3), [A]),
    "round": (lambda a: (np.round(a, 1), np.around(a), np.rint(a), np.fix(a), np.floor(a), np.ceil(a), np.trunc(a)), [A * 1.23]),
    "all": (lambda a: (np.all(a > 0), np.any(a > 0, axis=1)), [A]),
    "isclose": (lambda a: (np.isclose(a, 1.0), np.isnan(a), np.isfinite(a)), [A]),
    "allclose": (lambda a, b: (np.allclose(a, b), np.array_equal(a, a)), [A, A * 2]),
    "reshape": (lambda a: (np.reshape(a, (3, 2)), np.ravel(a), np.ravel(a, order="F")), [A]),
    "transpose": (lambda a: (np.transpose(a), np.transpose(a, (1, 0)), np.swapaxes(a, 0, 1), np.moveaxis(a, 0, -1)), [A]),
    "matrix_transpose": (lambda a: getattr(np, "matrix_transpose", np.transpose)(a), [A]),
    "permute_dims": (lambda a: getattr(np, "permute_dims", np.transpose)(a, (1, 0)), [A]),
    "squeeze": (lambda a: (np.squeeze(a[None]), np.expand_dims(a, 1), np.expand_dims(a, (0, -1))), [A]),
    "broadcast_to": (lambda a: (np.broadcast_to(a, (2, 2, 3)), np.broadcast_arrays(a, a[0])), [A]),
    "flip": (lambda a: (np.flip(a), np.flip(a, 0), np.fliplr(a), np.flipud(a), np.rot90(a), np.rot90(a, 2)), [A]),
    "roll": (lambda a: (np.roll(a, 1), np.roll(a, (1, 2), axis=(0, 1)), np.roll(a, 1, axis=1)), [A]),
    "tile": (lambda a: (np.tile(a, 2), np.tile(a, (2, 1, 2)), np.repeat(a, 2), np.repeat(a, [1, 2], axis=0)), [A]),
    "concatenate": (lambda a, b: (np.concatenate([a, b]), np.concatenate((a, b), axis=1), np.concatenate([a, b], axis=None)), [A, A * 2]),
    "stack": (lambda a, b: (np.stack([a, b]), np.stack((a, b), axis=-1), np.hstack([a, b]), np.vstack([a, b]), np.dstack([a, b]), np.column_stack([a, b])), [A, A * 2]),
    "append": (lambda a, b: (np.append(a, b), np.append(a, b, axis=0)), [A, A * 2]),
    "split": (lambda a: (np.split(a, 3, axis=1), np.array_split(a, 2, axis=1), np.hsplit(a, 3), np.vsplit(a, 2), np.split(a, [1, 2], axis=1)), [A]),
    "dsplit": (lambda a: np.dsplit(np.reshape(a, (1, 2, 3)), 3), [A]),
    "block": (lambda a, b: (np.block([[a, b], [b, a]]), np.block([a, b])), [A, A * 2]),
    "meshgrid": (lambda a, b: (np.meshgrid(a, b), np.meshgrid(a, b, indexing="ij")), [V, W]),
    "diag": (lambda a: (np.diag(a), np.diag(a[0]), np.diag(a, 1), np.diagonal(a), np.diagflat(a), np.trace(a), np.tril(a), np.triu(a, 1)), [A]),
    "take": (lambda a: (np.take(a, [0, 4]), np.take(a, [2, 0, 2], axis=1)), [A]),
    "take_along_axis": (lambda a: np.take_along_axis(a, np.array([[0], [2]]), axis=1), [A]),
    "compress": (lambda a: (np.compress([True, False, True], a, axis=1), np.compress([False, True], a), np.extract([True, False, True], a[0])), [A]),
    "delete": (lambda a: (np.delete(a, 1), np.delete(a, [0, 2], axis=1), np.delete(a, slice(0, 1), axis=0)), [A]),
    "insert": (lambda a, b: (np.insert(a, 1, 9.0), np.insert(a, 1, b[0, :2], axis=1), np.insert(a[0], [1, 2], b[0, :2]), np.insert(a, 1, b, axis=0), np.insert(a[0], 1, b[0])), [A, A * 2]),
    "select": (lambda a: np.select([a > 2, a > 0], [a * 2, a * 3], default=7.0), [A]),
    "choose": (lambda a, b: np.choose(np.array([[0, 1, 1], [1, 0, 0]]), [a, b]), [A, A * 2]),
    "clip": (lambda a: (np.clip(a, 0, 2), np.clip(a, None, 0.9)), [A]),
    "pad": (lambda a: (np.pad(a, 1), np.pad(a, ((0, 1), (2, 0)), mode="edge"), np.pad(a, ((1, 0), (1, 1)), mode="reflect"), np.pad(a, 1, mode="wrap")), [A]),
    "dot": (lambda a, b: (np.dot(a, b), np.dot(a[0], b), np.dot(a[0], a[0]), np.dot(2.0, a)), [A, S]),
    "vdot": (lambda a: np.vdot(a, a * 2), [A]),
    "vecdot": (lambda a: (np.vecdot(a, a * 2), np.vecdot(a, a, axis=0)) if hasattr(np, "vecdot") else np.sum(a), [A]),
    "matmul": (lambda a, b: (np.matmul(a, b), a @ b, np.inner(a, b), np.outer(a, b[0]), np.tensordot(a, b, 1), np.tensordot(a, b, axes=(1, 0))), [A, S]),
    "einsum": (lambda a, b: (np.einsum("ij,jk->ik", a, b), np.einsum("ij->", a)), [A, S]),
    "kron": (lambda a, b: (np.kron(a, b), np.cross(a, b[:2])), [A, S]),
    "convolve": (lambda a, b: (np.convolve(a, b), np.convolve(a, b, "same"), np.convolve(a, b, "valid"), np.convolve(b, a, "same")), [V, W[:3]]),
    "correlate": (lambda a, b: (np.correlate(a, b), np.correlate(a, b, "full"), np.correlate(a, b, "same")), [V, W[:3]]),
    "interp": (lambda x, xp, fp: (np.interp(x, xp, fp), np.interp(x * 9, xp, fp, left=-1.0, right=5.0)), [np.array([0.5, 1.0, 3.0, 9.0, -1.0]), V, W]),
    "polyval": (lambda p, x: np.polyval(p, x), [W, V]),
    "vander": (lambda x: (np.vander(x), np.vander(x, 3, increasing=True)), [V]),
    "unwrap": (lambda x: np.unwrap(x), [np.array([0.0, 3.0, 6.5, 0.2, -3.0])]),
    "cbrt": (lambda a: np.cbrt(a), [A]),
    "copysign": (lambda a: (np.copysign(a, -1.0), np.positive(a), np.float_power(np.abs(a), 1.5), np.fabs(a)), [A]),
    "maximum": (lambda a, b: (np.maximum(a, b), np.minimum(a, b), np.fmax(a, b), np.fmin(a, b), np.hypot(a, b), np.arctan2(a, b)), [A, A[::-1] + 0.1]),
    "exp": (lambda a: (np.exp(a), np.expm1(a), np.exp2(a), np.sin(a), np.cos(a), np.tanh(a), np.arctan(a), np.sinc(a), np.i0(a), np.arcsinh(a)), [A]),
    "log": (lambda a: (np.log(a), np.log2(a), np.log10(a), np.log1p(a), np.sqrt(a), np.reciprocal(a), np.square(a)), [np.abs(A)]),
    "logaddexp": (lambda a, b: (np.logaddexp(a, b), np.logaddexp2(a, b), np.deg2rad(a), np.rad2deg(b)), [A, A[::-1]]),
    "nan_to_num": (lambda a: np.nan_to_num(a), [N]),
    "outer": (lambda a, b: (np.multiply.outer(a, b), np.add.outer(a, b)), [V, W]),
    "copy": (lambda a: (np.copy(a), np.zeros_like(a), np.ones_like(a), np.full_like(a, 2.0)), [A]),
    "atleast_2d": (lambda a: (np.atleast_1d(a), np.atleast_2d(a), np.atleast_3d(a)), [V]),
    "shape": (lambda a: (np.shape(a), np.ndim(a), np.size(a)), [A]),
    "degrees": (lambda a: (np.degrees(a), np.radians(a), np.conj(a), np.modf(a + 0.23), np.divmod(a + 0.03, 0.7)), [A]),
    "linspace": (lambda a, b: (np.linspace(a[0, 0], b[0, 1], 5), np.linspace(a, b, 3)), [A, A * 2]),
    "nanargmax": (lambda a: (np.nanargmax(a), np.nanargmin(a), np.nancumprod(a)), [N]),
    "linalg.qr": (lambda s: np.linalg.qr(s), [S]),
    "linalg.lstsq": (lambda s, b: np.linalg.lstsq(s, b, rcond=None)[0], [S, A[0]]),
    "linalg.matrix_power": (lambda s: (np.linalg.matrix_power(s, 3), np.linalg.matrix_power(s, -1)), [S]),
    "linalg.multi_dot": (lambda a, s: np.linalg.multi_dot([a, s, s]), [A, S]),
    "linalg.cond": (lambda s: np.linalg.cond(s), [S]),
    "linalg.eigvalsh": (lambda s: np.linalg.eigvalsh(s + s.T), [S]),
    "linalg.norm": (lambda a: (np.linalg.norm(a), np.linalg.norm(a, axis=1), np.linalg.norm(a[0], 1)), [A]),
    "linalg.vector_norm": (lambda a: np.linalg.vector_norm(a, axis=1) if hasattr(np.linalg, "vector_norm") else np.sum(a), [A]),
    "linalg.matrix_norm": (lambda a: np.linalg.matrix_norm(a) if hasattr(np.linalg, "matrix_norm") else np.sum(a), [A]),
    "linalg.svdvals": (lambda a: np.linalg.svdvals(a) if hasattr(np.linalg, "svdvals") else np.sum(a), [A]),
    "linalg.tensorsolve": (lambda s, b: np.linalg.tensorsolve(s, b), [S, A[0]]),
    "linalg.pinv": (lambda a: np.linalg.pinv(a), [A]),
    "linalg.cholesky": (lambda s: np.linalg.cholesky(s @ s.T), [S]),
    "linalg.det": (lambda s: (np.linalg.det(s), np.linalg.inv(s), np.linalg.slogdet(s)), [S]),
    "linalg.solve": (lambda s, b: np.linalg.solve(s, b), [S, S[:, :2]]),
}  # fmt: skip


def flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [leaf for r in result for leaf in flat(r)]
    return [result]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_like_numpy(name: str) -> None:
    call, arrays = CALLS[name]
    expected = flat(call(*arrays))
    tensors = [tl.tensor(a, requires_grad=True) for a in arrays]
    got = flat(call(*tensors))
    assert len(got) == len(expected)
    rng = np.random.default_rng(0)
    total: Any = 0.0
    weights = []
    for g, e in zip(got, expected, strict=True):
        value = g.array if isinstance(g, tl.Tensor) else g
        assert np.shape(value) == np.shape(e), name
        assert np.asarray(value).dtype == np.asarray(e).dtype, name
        np.testing.assert_allclose(value, e, rtol=1e-9, atol=1e-12)
        weights.append(rng.normal(size=np.shape(e)))
        if isinstance(g, tl.Tensor) and g.requires_grad:
            total = total + (g * weights[-1]).sum()
    if not isinstance(total, tl.Tensor):
        return
    # along a random direction the slope is the difference quotient of NumPy's own function
    found = [
        np.zeros_like(a) if g is None else g.array
        for a, g in zip(arrays, tl.grad(total, tensors, allow_unused=True), strict=True)
    ]
    directions = [rng.normal(size=a.shape) for a in arrays]
    tracked = [isinstance(g, tl.Tensor) and g.requires_grad for g in got]

    def moved(h: float) -> float:
        out = flat(call(*[a + h * d for a, d in zip(arrays, directions, strict=True)]))
        return float(sum(np.nansum(o * w) for o, w, t in zip(out, weights, tracked, strict=True) if t))

    slope = (8 * (moved(1e-4) - moved(-1e-4)) - (moved(2e-4) - moved(-2e-4))) / 1.2e-3
    mine = sum(float(np.nansum(f * d)) for f, d in zip(found, directions, strict=True))
    assert mine == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_convolve_and_correlate_of_all_lengths(function: Any, mode: str) -> None:
    for n in range(1, 6):
        for m in range(1, 6):
            a, v = np.arange(1.0, n + 1), np.arange(2.0, m + 2) ** 2
            np.testing.assert_allclose(function(tl.tensor(a), v, mode).numpy(), function(a, v, mode))


@pytest.mark.parametrize("call", [
    lambda t: np.fft.fft(t), lambda t: np.linalg.eig(t), lambda t: np.roots(t[0]), lambda t: np.array2string(t),
    lambda t: np.spacing(t), lambda t: np.add.at(t, 0, 1.0), lambda t: np.sum(t, where=t > 0), lambda t: np.add(t, t, out=t),
    lambda t: np.put_along_axis(t, np.array([[0]]), 1.0, 0), lambda t: np.savetxt("x", t), lambda t: np.frexp(t), lambda t: np.std(t, out=A),
])  # fmt: skip
def test_unsupported_functions_say_so(call: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TypeError, match="not supported|in place"):
            call(tl.tensor(A, requires_grad=True))


def test_no_object_arrays() -> None:
    t = tl.tensor([1.0, 2.0])
    for call in (lambda: np.add(t, "a"), lambda: np.multiply(t, {}), lambda: np.exp(t) + None):
        with pytest.raises(TypeError):
            call()


def test_an_untracked_tensor_is_an_array_for_numpy() -> None:
    assert np.asarray(tl.tensor([1.0, 2.0])).dtype == np.float32
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(tl.tensor([1.0], requires_grad=True))


def test_a_mean_of_float16_does_not_overflow() -> None:
    x = tl.full((70000,), 2.0, dtype=tl.float16)
    assert x.mean().dtype == np.float16 and x.mean().item() == 2.0
    assert tl.tensor([[60000.0] * 3, [1.0, 2.0, 3.0]], dtype=tl.float16).mean(1).tolist() == [60000.0, 2.0]
