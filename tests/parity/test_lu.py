"""The LU family against PyTorch: values, first and second gradients, error classes."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_lite as tl
from tests.parity.compare import Row, run
from tinygrad_lite.autograd import gradcheck
from tinygrad_lite.testing import assert_close

torch = pytest.importorskip("torch")

# Without PyTorch these are modules left half-way by their own skip.
from tests.parity.test_linalg import away  # noqa: E402

SHAPES: list[Any] = [((3, 3),), ((1, 1),), ((4, 2),), ((2, 4),), ((2, 3, 3),)]
BOTH = (False, True)
SOLVED: list[Any] = [((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((2, 3, 3), (3, 2)), ((1, 1), (1, 1))]


def solved(lib: Any, a: Any, b: Any, **o: Any) -> Any:
    packed, pivots = lib.linalg.lu_factor(a)
    return lib.linalg.lu_solve(packed, pivots, b, **o)


def flags(**words: Any) -> Any:
    (key,) = words
    return lambda *shapes: [{key: v} for v in words[key]]


ROWS = [
    Row("linalg.lu", lambda lib, a: tuple(lib.linalg.lu(a)), SHAPES,
        errors=[lambda lib: lib.linalg.lu(lib.ones(3)), lambda lib: lib.linalg.lu(lib.ones(2, 2, dtype=lib.int64))]),
    Row("linalg.lu_factor", lambda lib, a: tuple(lib.linalg.lu_factor(a)), SHAPES,
        errors=[lambda lib: lib.linalg.lu_factor(lib.zeros(2, 2))]),
    Row("linalg.lu_factor_ex", lambda lib, a: tuple(lib.linalg.lu_factor_ex((a * (a > 0)).detach())), SHAPES),
    Row("linalg.lu_solve", solved, SOLVED, flags(adjoint=(False, True)), second=False, rtol=30),
    Row("linalg.lu_solve", lambda lib, a, b: solved(lib, a, b.swapaxes(-1, -2), left=False), SOLVED[:2], rtol=30),
    Row("linalg.solve_ex", lambda lib, a, b: tuple(lib.linalg.solve_ex(away(a), b)), SOLVED[:2]),
    Row("lu_solve", lambda lib, a, b: lib.lu_solve(b, *lib.linalg.lu_factor(a)), SOLVED[:2], rtol=30),
    Row("lu", lambda lib, a: tuple(lib.Tensor.lu(a, get_infos=True)), SHAPES),
    Row("lu_unpack", lambda lib, a: tuple(lib.lu_unpack(*lib.linalg.lu_factor(a))), SHAPES),
    Row("triangular_solve", lambda lib, b, a, **o: tuple(lib.triangular_solve(b, away(a), **o)), [((3, 2), (3, 3))],
        lambda *s: [{"upper": u, "transpose": t, "unitriangular": n} for u in BOTH for t in BOTH for n in BOTH]),
    Row("householder_product", lambda lib, a, t: lib.linalg.householder_product(a, t),
        [((3, 2), (2,)), ((3, 3), (2,))]),
    Row("orgqr", lambda lib, a, t: lib.orgqr(a, t), [((3, 2), (2,))]),
    Row("geqrf", lambda lib, a: tuple(lib.geqrf(a.detach())), [((3, 3),), ((4, 2),)]),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])
def test_like_pytorch(row: Row) -> None:
    assert run(row, torch)[1]


def test_without_pivots() -> None:
    """PyTorch has no such decomposition on a CPU."""
    A = away(tl.randn(2, 3, 3, dtype=tl.float64))
    P, L, U = tl.linalg.lu(A, pivot=False)
    assert P.numel() == 0
    assert_close(L @ U, A)
    gradcheck(lambda a: tl.linalg.lu(a, pivot=False)[1:], (A.requires_grad_(),))
