"""float16 sums are added in float32, forward and backward, wherever PyTorch does so."""
# ruff: noqa: E501 - a table, one call per line

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
LABELS = np.array([1, 0, 2, 1])
ZEROS = np.zeros(3000, int)


def draw(*shape: int, scale: float = 300.0) -> Any:
    """Numbers of about one size and mostly one sign, so that long sums leave the range or the precision of float16."""
    return (RNG.uniform(0.5, 1, shape) * scale * np.sign(RNG.uniform(-0.3, 1, shape))).astype(np.float16)


x, im, ones, ties = draw(4, 600), draw(2, 3, 8, 8), np.ones((4, 600), np.float16), np.full((4, 3000), 2, np.float16)
small, prob = (
    (draw(4, 600) / 1000).clip(-1, 1).astype(np.float16),
    (np.abs(draw(4, 600)) / 600).clip(0.01, 0.99).astype(np.float16),
)
y, z = draw(4, 600), draw(4, 600)
Calls = dict[str, tuple[Any, list[Any]]]
CALLS: Calls = {
    "sum": (lambda L, F, t: t.sum(), [small]),
    "sum along a dim": (lambda L, F, t: t.sum(1), [small]),
    "mean": (lambda L, F, t: t.mean(), [x]),
    "mean along a dim": (lambda L, F, t: t.mean(1), [x]),
    "var": (lambda L, F, t: t.var(), [x]),
    "std": (lambda L, F, t: t.std(1), [small]),
    "norm": (lambda L, F, t: t.norm(), [x]),
    "1-norm": (lambda L, F, t: t.norm(1, 1), [small]),
    "cumsum": (lambda L, F, t: t.cumsum(1), [small]),
    "cumprod": (lambda L, F, t: t.cumprod(1), [(1 + small / 100)]),
    "prod": (lambda L, F, t: t.prod(), [(1 + small / 1000)]),
    "logcumsumexp": (lambda L, F, t: t.logcumsumexp(1), [small]),
    "logsumexp": (lambda L, F, t: t.logsumexp(1), [small]),
    "softmax": (lambda L, F, t: t.softmax(1), [small]),
    "log_softmax": (lambda L, F, t: t.log_softmax(1), [small]),
    "softmax of large": (lambda L, F, t: t.softmax(1), [x]),
    "nansum": (lambda L, F, t: t.nansum(), [small]),
    "nanmean": (lambda L, F, t: t.nanmean(), [x]),
    "amax of ties": (lambda L, F, t: t.amax(1), [ties]),
    "amin of ties": (lambda L, F, t: t.amin(1), [ties]),
    "max of ties": (lambda L, F, t: t.max(), [ties]),
    "expand": (lambda L, F, t: t.expand(3000, 4), [draw(4, scale=1.0)]),
    "repeat": (lambda L, F, t: t.repeat(3000), [draw(3, scale=1.0)]),
    "index": (lambda L, F, t: t[L.tensor(ZEROS)], [draw(3, scale=1.0)]),
    "gather": (lambda L, F, t: t.gather(0, L.tensor(ZEROS)), [draw(3, scale=1.0)]),
    "einsum": (lambda L, F, t: L.einsum("ij->i", t), [small]),
    "layer_norm": (lambda L, F, t, u, v: F.layer_norm(t, (600,), u, v), [x, ones[0], ones[0]]),
    "rms_norm": (lambda L, F, t, u: F.rms_norm(t, (600,), u), [x, ones[0]]),
    "batch_norm": (lambda L, F, t, u, v: F.batch_norm(t, None, None, u, v, training=True), [im, ones[0, :3], ones[0, :3]]),
    "group_norm": (lambda L, F, t: F.group_norm(t, 3), [im]),
    "instance_norm": (lambda L, F, t: F.instance_norm(t), [im]),
    "normalize": (lambda L, F, t: F.normalize(t), [x]),
    "normalize by 1-norm": (lambda L, F, t: F.normalize(t, 1.0), [x]),
    "cosine_similarity": (lambda L, F, t, u: F.cosine_similarity(t, u), [x, y]),
    "pairwise_distance": (lambda L, F, t, u: F.pairwise_distance(t, u), [x, y]),
    "dist": (lambda L, F, t, u: L.dist(t, u), [x, y]),
    "mse_loss": (lambda L, F, t, u: F.mse_loss(t, u), [(small * 50), (small * 20)]),
    "mse_loss of large": (lambda L, F, t, u: F.mse_loss(t, u), [x, small]),
    "l1_loss": (lambda L, F, t, u: F.l1_loss(t, u), [x, y]),
    "smooth_l1_loss": (lambda L, F, t, u: F.smooth_l1_loss(t, u), [x, y]),
    "huber_loss": (lambda L, F, t, u: F.huber_loss(t, u), [x, y]),
    "cross_entropy": (lambda L, F, t: F.cross_entropy(t, L.tensor(LABELS)), [small]),
    "cross_entropy of large": (lambda L, F, t: F.cross_entropy(t, L.tensor(LABELS)), [x]),
    "label smoothing": (lambda L, F, t: F.cross_entropy(t, L.tensor(LABELS), label_smoothing=0.1), [small]),
    "nll_loss": (lambda L, F, t: F.nll_loss(t, L.tensor(LABELS)), [x]),
    "bce with logits": (lambda L, F, t, u: F.binary_cross_entropy_with_logits(t, u), [x, prob]),
    "bce": (lambda L, F, t, u: F.binary_cross_entropy(t, u), [prob, (1 - prob)]),
    "kl_div": (lambda L, F, t, u: F.kl_div(t, u, reduction="batchmean"), [small, prob]),
    "poisson_nll_loss": (lambda L, F, t, u: F.poisson_nll_loss(t, u), [small, prob]),
    "gaussian_nll_loss": (lambda L, F, t, u, v: F.gaussian_nll_loss(t, u, v), [small, (small * 2), prob]),
    "broadcast of a sum": (lambda L, F, t, u: t + u, [draw(4, scale=1.0), draw(3000, 4, scale=1.0)]),
    "broadcast of a row": (lambda L, F, t, u: t + u, [draw(1, 4, scale=1.0), draw(9000, 4, scale=1.0)]),
    "broadcast of a product": (lambda L, F, t, u: t * u, [draw(4, 1, scale=1.0), draw(4, 3000, scale=1.0)]),
    "prelu": (lambda L, F, t, u: F.prelu(t, u), [draw(4, 3000, scale=1.0), draw(1, scale=0.2)]),
    "matmul": (lambda L, F, t, u: t @ u, [draw(4, 600, scale=5.0), draw(600, 4, scale=5.0)]),
    "matrix and vector": (lambda L, F, t, u: t @ u, [draw(4, 600, scale=5.0), draw(600, scale=5.0)]),
    "linear": (lambda L, F, t, u, v: F.linear(t, u, v), [draw(40, 600, scale=5.0), draw(6, 600, scale=5.0), draw(6)]),
    "linear of one feature": (lambda L, F, t, u, v: F.linear(t, u, v), [draw(2000, 1, scale=5.0), draw(6, 1, scale=5.0), draw(6)]),
    "bmm": (lambda L, F, t, u: L.bmm(t, u), [draw(2, 4, 600, scale=5.0), draw(2, 600, 4, scale=5.0)]),
    "conv2d": (lambda L, F, t, u, v: F.conv2d(t, u, v), [draw(2, 30, 8, 8, scale=10.0), draw(4, 30, 3, 3, scale=3.0), draw(4)]),
    "conv1d": (lambda L, F, t, u, v: F.conv1d(t, u, v), [draw(2, 30, 80, scale=10.0), draw(4, 30, 3, scale=3.0), draw(4)]),
    "avg_pool2d": (lambda L, F, t: F.avg_pool2d(t, 8), [draw(2, 3, 64, 64, scale=3000.0)]),
    "adaptive_avg_pool2d": (lambda L, F, t: F.adaptive_avg_pool2d(t, 1), [draw(2, 3, 64, 64, scale=3000.0)]),
    "attention": (lambda L, F, t, u, v: F.scaled_dot_product_attention(t, u, v), [draw(1, 2, 8, 64, scale=1.0), draw(1, 2, 8, 64, scale=1.0), draw(1, 2, 8, 64)]),
    "trapezoid": (lambda L, F, t: L.trapezoid(t), [x]),
    "cov": (lambda L, F, t: L.cov(t), [small]),
}  # fmt: skip


def run(lib: Any, name: str) -> list[Any]:
    """Return the result and the gradients, the incoming gradient being of one sign."""
    call, arrays = CALLS[name]
    leaves = [lib.tensor(np.ascontiguousarray(a, np.float16), requires_grad=True) for a in arrays]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = call(lib, lib.nn.functional, *leaves)
        count = int(np.prod(tuple(out.shape)))
        g = (np.cos(np.arange(count)) * 0.3 + 0.5).reshape(tuple(out.shape)).astype(np.float16)
        out.backward(lib.tensor(g))
    return [t.detach().numpy() for t in (out, *[leaf.grad for leaf in leaves])]


@pytest.mark.parametrize("name", CALLS)
def test_sums_of_float16(name: str) -> None:
    for i, (ours, theirs) in enumerate(zip(run(tl, name), run(torch, name), strict=True)):
        assert ours.dtype == theirs.dtype == np.float16
        a, b = ours.astype(float), theirs.astype(float)
        known = np.isfinite(b)
        assert (np.isfinite(a) == known).all(), f"result {i}: not finite where PyTorch is, or the reverse"
        scale = np.abs(b[known]).max(initial=1e-6)
        # cancelling and subnormal gradients differ in their last bits
        assert np.abs(a[known] - b[known]).max(initial=0.0) <= 8e-3 * scale, f"result {i}"
