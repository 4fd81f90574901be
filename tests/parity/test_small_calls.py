"""Small calls at their edges, against PyTorch: the same numbers, dtypes and shapes, or an error from both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
CALLS = """
T.searchsorted(T.zeros(2, 0), T.zeros(2, 2))
T.searchsorted(T.zeros(2, 3), T.zeros(2, 0))
T.searchsorted(T.arange(12.).reshape(2, 2, 3), T.full((2, 2, 1), 5.), right=True, out_int32=True)
T.tensordot(a(2, 1), a(3, 4), dims=([1], [0]))
T.tensordot(a(2, 3), a(1, 4), dims=1)
T.tensordot(a(2, 1, 3), a(5, 3, 4), dims=([1, 2], [0, 1]))
T.tensordot(a(2, 3), a(2, 4), dims=1)
T.addbmm(i(2, 2), i(3, 2, 2), i(3, 2, 2), beta=1.5)
T.addmv(i(2), i(2, 2), i(2), beta=1.5)
T.addmv(i(2), i(2, 2), i(2), alpha=-1.5)
T.addmm(i(2, 2), i(2, 2), i(2, 2), beta=0.5, alpha=2.5)
T.baddbmm(i(3, 2, 2), i(3, 2, 2), i(3, 2, 2), beta=1.5)
T.addcmul(i(2), i(2), i(2), value=1.5)
T.addr(i(2, 2), i(2), i(2), beta=1.5)
T.addr(i(2, 2), i(2), i(2), beta=2)
T.add(i(2), i(2), alpha=1.5)
T.sub(i(2), i(2), alpha=1.5)
T.rsub(i(2), i(2), alpha=1.5)
i(2).add_(i(2), alpha=1.5)
T.add(i(2), a(2), alpha=1.5)
T.isclose(a(2), a(2), rtol=-1)
T.isclose(a(2), a(2), atol=-1)
T.allclose(a(2), a(2), atol=-1)
T.cov(T.tensor([[True]]))
T.cov(a(2, 3), fweights=T.tensor([1., 2., 3.]))
T.cov(a(2, 3), fweights=T.tensor([1, 2]))
T.cov(a(2, 3), fweights=T.tensor([[1, 2, 3]]))
T.cov(a(2, 3), fweights=T.tensor([1, 2, -3]))
T.cov(a(2, 3), fweights=T.tensor([1, 2, 3]), aweights=T.tensor([1., 2., 3.]))
T.cov(a(2, 3), aweights=T.tensor([1, 2, 3]))
T.cov(a(2, 3), aweights=T.tensor([1., 2.]))
T.cov(a(2, 3), aweights=T.tensor([1., 2., -3.]))
T.cross(a(2, 3), a(3))
T.cross(a(2, 3), a(1, 3), dim=1)
T.linalg.cross(a(3), a(2, 3))
T.rot90(a(3, 3), 1, [0, 1, 2])
T.rot90(a(3, 3), 1, [0])
T.hstack([])
T.vstack([])
T.dstack([])
T.column_stack([])
T.meshgrid([])
T.cartesian_prod()
T.tensor([1.]).float_power_(2)
T.tensor([1]).float_power_(2)
T.tensor([3.], dtype=T.float64).float_power_(2)
T.nn.functional.adaptive_avg_pool1d(i(1, 1, 4), 2)
T.nn.functional.adaptive_avg_pool2d(i(1, 1, 4, 4), 2)
T.nn.functional.adaptive_avg_pool3d(i(1, 1, 4, 4, 4), 2)
T.linalg.solve_ex(a(2, 0, 0), a(2, 0, 3))
T.linalg.lu_solve(T.zeros(0, 0), T.zeros(0, dtype=T.int32), T.zeros(0, 3))
T.linalg.lu_factor(a(0, 2, 0))
T.resize_as_(T.tensor([1., 2.]), T.zeros(1))
T.detach_(T.tensor([1.]))
"""


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_call(call: str) -> None:
    answers: list[Any] = []
    for T in (torch, tl):
        names = {
            "T": T,
            "a": lambda *s, T=T: T.tensor(np.random.default_rng(0).standard_normal(s)),
            "i": lambda *s, T=T: T.full(s, 3, dtype=T.int64),
        }
        try:
            answers.append(eval(call, names))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            answers.append(error)
    theirs, ours = answers
    if isinstance(theirs, Exception):
        assert isinstance(ours, (RuntimeError if isinstance(theirs, RuntimeError) else type(theirs))), ours
        return
    for x, y in zip(*[v if isinstance(v, tuple) else (v,) for v in answers], strict=True):
        expected, got = np.asarray(x), np.asarray(y)
        assert expected.dtype == got.dtype and expected.shape == got.shape
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset"])
def test_a_loader_keeps_what_it_was_made_of(name: str) -> None:
    for T in (torch, tl):
        loader = T.utils.data.DataLoader([1, 2, 3], batch_size=2)
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader"):
            setattr(loader, name, None)
        loader.note = 1
        assert len(list(loader)) == 2


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_an_optimiser_prints_as_pytorchs(name: str) -> None:
    groups = [[{"params": [T.nn.Parameter(T.ones(1))]} for _ in range(2)] for T in (torch, tl)]
    shown = [repr(getattr(T.optim, name)(of, lr=0.1)) for T, of in zip((torch, tl), groups, strict=True)]
    assert shown[0] == shown[1]
    assert "l1: 0.5" in repr(tl.optim.SGD([tl.ones(1, requires_grad=True)], lr=0.1, l1=0.5))
