"""linalg against PyTorch: values, shapes, dtypes, first and second gradients, error classes; and NumPy's spelling."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity.compare import Row, run

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

SQUARES: list[Any] = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 3, 3),), ((0, 2, 2),), ((0, 0),)]
MATRICES: list[Any] = [((2, 2),), ((3, 2),), ((2, 3),), ((2, 4, 3),), ((1, 1),)]


def away(x: Any) -> Any:
    """Return matrices far from singular, singular values apart."""
    m, n = x.shape[-2:]
    return x / 4 + _like(x, np.eye(m, n) * np.arange(1.0, n + 1.0))


def positive(x: Any) -> Any:
    return x @ x.swapaxes(-1, -2) / 2 + _like(x, np.eye(x.shape[-1]))


def symmetric(x: Any) -> Any:
    x = away(x)
    return (x + x.swapaxes(-1, -2)) / 2


def _like(x: Any, a: Any) -> Any:
    return tl.tensor(a, dtype=x.dtype) if isinstance(x, tl.Tensor) else torch.tensor(a, dtype=x.dtype)


def L(lib: Any) -> Any:
    return lib.linalg


def wrong(name: str, *shapes: Any, **options: Any) -> Callable[[Any], Any]:
    return lambda lib: getattr(lib.linalg, name)(*[lib.ones(s) for s in shapes], **options)


def choices(**words: Any) -> Callable[..., list[dict[str, Any]]]:
    (key, values), *_ = words.items()
    return lambda *shapes: [{key: v} for v in values]


ROWS = [
    Row("inv", lambda lib, a: L(lib).inv(away(a)), SQUARES,
        errors=[wrong("inv", (2, 3)), wrong("inv", (3,)), lambda lib: lib.linalg.inv(lib.zeros(2, 2))]),
    Row("inverse", lambda lib, a: lib.inverse(away(a)), SQUARES[:3]),
    Row("inv_ex", lambda lib, a: tuple(L(lib).inv_ex(away(a))), SQUARES[:3]),
    Row("solve", lambda lib, a, b: L(lib).solve(away(a), b), [((2, 2), (2, 3)), ((3, 3), (3,)), ((2, 3, 3), (2, 3,
        1)), ((2, 3, 3), (3, 2)), ((2, 3, 3), (2, 3)), ((3, 3), (2, 3, 4))],
        errors=[wrong("solve", (2, 2), (3, 2)), wrong("solve", (2, 3), (2, 2)),
        lambda lib: lib.linalg.solve(lib.zeros(2, 2), lib.ones(2))]),
    Row("solve right", lambda lib, a, b: L(lib).solve(away(a), b, left=False), [((2, 2), (3, 2)), ((2, 3, 3), (2, 1,
        3))]),
    Row("solve_triangular", lambda lib, a, b, **o: L(lib).solve_triangular(away(a), b, **o), [((3, 3), (3, 2)), ((2,
        3, 3), (2, 3, 1))],
        lambda *s: [{"upper": u, "unitriangular": t} for u in (True, False) for t in (True, False)],
        errors=[wrong("solve_triangular", (2, 2), (3, 2), upper=True)]),
    Row("solve_triangular right", lambda lib, a, b, **o: L(lib).solve_triangular(away(a), b, left=False, **o), [((3,
        3), (2, 3))], choices(upper=[True, False])),
    Row("det", lambda lib, a: L(lib).det(a), SQUARES, errors=[wrong("det", (2, 3)), wrong("det", (2,))]),
    Row("det of singular", lambda lib, a: L(lib).det(a @ a.swapaxes(-1, -2)), [((3, 2),), ((3, 1),)], second=False,
        rtol=1e3),
    Row("slogdet", lambda lib, a: tuple(L(lib).slogdet(away(a))), SQUARES[:4], errors=[wrong("slogdet", (2, 3))]),
    Row("logdet", lambda lib, a: lib.logdet(positive(a)), SQUARES[:4]),
    Row("cholesky", lambda lib, a, **o: L(lib).cholesky(positive(a), **o), SQUARES, choices(upper=[False, True]),
        errors=[wrong("cholesky", (2, 3)), lambda lib: lib.linalg.cholesky(-lib.eye(2))]),
    Row("cholesky_ex", lambda lib, a: tuple(L(lib).cholesky_ex(positive(a))), SQUARES[:3]),
    Row("cholesky_solve", lambda lib, b, a: lib.cholesky_solve(b, lib.linalg.cholesky(positive(a))), [((2, 1), (2,
        2)), ((3, 2), (3, 3))]),
    Row("cholesky_inverse", lambda lib, a: lib.cholesky_inverse(lib.linalg.cholesky(positive(a))), SQUARES[:3],
        rtol=10),
    Row("qr", lambda lib, a, **o: tuple(x**2 for x in L(lib).qr(away(a), **o)), MATRICES, choices(mode=["reduced"]),
        errors=[wrong("qr", (3,)), wrong("qr", (2, 2), mode="full")], rtol=10),
    Row("qr r", lambda lib, a: L(lib).qr(away(a).detach(), mode="r")[1] ** 2, [((2, 2),), ((2, 3),)]),
    Row("eigh", lambda lib, a, **o: (lambda w, v: (w, v**2))(*L(lib).eigh(symmetric(a), **o)), SQUARES[:4],
        choices(UPLO=["L", "U"]),
        errors=[wrong("eigh", (2, 3)), wrong("eigh", (2, 2), UPLO="X")], rtol=100),
    Row("eigvalsh", lambda lib, a: L(lib).eigvalsh(symmetric(a)), SQUARES[:4], rtol=10),
    Row("svd", lambda lib, a: (lambda u, s, v: (u**2, s, v**2))(*L(lib).svd(away(a), full_matrices=False)), MATRICES,
        rtol=100,
        errors=[wrong("svd", (3,))]),
    Row("svd old", lambda lib, a: (lambda u, s, v: (u**2, s, v**2))(*lib.svd(away(a))), MATRICES, rtol=100),
    Row("svdvals", lambda lib, a: L(lib).svdvals(away(a)), MATRICES, rtol=10),
    Row("pinv", lambda lib, a: L(lib).pinv(away(a)), [*MATRICES, ((0, 3),)], rtol=100, errors=[wrong("pinv", (3,))]),
    Row("lstsq", lambda lib, a, b: L(lib).lstsq(away(a), b)[0], [((3, 2), (3, 1)), ((2, 2), (2, 2)), ((2, 4, 3), (2,
        4, 2))], rtol=100),
    Row("matrix_rank", lambda lib, a: L(lib).matrix_rank(a @ a.swapaxes(-1, -2)), [((3, 2),), ((3, 1),), ((2, 2, 2),)]),
    Row("matrix_power", lambda lib, a, **o: L(lib).matrix_power(away(a), **o), SQUARES[:4], choices(n=[0, 1, 2, 3, 5,
        -1, -2]), rtol=1e3,
        errors=[wrong("matrix_power", (2, 3), n=2)]),
    Row("matrix_exp", lambda lib, a: L(lib).matrix_exp(a), SQUARES[:4], values=(-1.0, 1.0), rtol=10, second=False),
    Row("multi_dot", lambda lib, *t: L(lib).multi_dot(t), [((2, 3), (3, 4)), ((2, 3), (3, 4), (4, 1)), ((3,), (3, 4),
        (4,)), ((3,), (3, 2), (2, 4)), ((2, 3), (3, 4), (4, 2), (2, 2))],
        errors=[lambda lib: lib.linalg.multi_dot([lib.ones(2, 3), lib.ones(2, 3)]),
        lambda lib: lib.linalg.multi_dot([lib.ones(2, 2)])]),
    Row("norm", lambda lib, a, **o: L(lib).norm(a, **o), [((2, 3),), ((3, 3),)],
        lambda *s: [{}, *[{"ord": o} for o in ("fro", "nuc", 1, -1, 2, -2, inf, -inf)], {"dim": 0}, {"ord": 3,
        "dim": 1, "keepdim": True}, {"ord": "fro", "dim": (0, 1), "keepdim": True}],
        errors=[lambda lib: lib.linalg.norm(lib.ones(2, 2), "spam")], rtol=100),
    Row("norm of vectors", lambda lib, a, **o: L(lib).norm(a, **o), [((4,),)], choices(ord=[None, 2, 1, 0, 3, 0.5,
        inf, -inf]), values=(0.2, 2.0)),
    Row("vector_norm", lambda lib, a, **o: L(lib).vector_norm(a, **o), [((2, 3),), ((4,),), ((2, 2, 3),)],
        lambda *s: [{"ord": o, "dim": d, "keepdim": k} for o in (2, 1, inf, 2.5) for d in (None, 0,
        -1) for k in (False, True)], values=(0.2, 2.0)),
    Row("matrix_norm", lambda lib, a, **o: L(lib).matrix_norm(away(a), **o), [((2, 3),), ((2, 3, 3),)],
        lambda *s: [{"ord": o, "keepdim": k} for o in ("fro", "nuc", 1, -1, 2, -2, inf, -inf) for k in (False, True)],
        rtol=100,
        errors=[wrong("matrix_norm", (3,)), wrong("matrix_norm", (2, 2), dim=(0, 0)), wrong("matrix_norm", (2, 2),
        ord=7)]),
    Row("matrix_norm dims", lambda lib, a, **o: L(lib).matrix_norm(a, dim=(0, 2), **o), [((2, 3, 2),)],
        choices(ord=["fro", "nuc", 1, inf]), rtol=100),
    Row("cond", lambda lib, a, **o: L(lib).cond(away(a), **o), [((2, 2),), ((2, 3, 3),)], choices(p=[None, 2, -2]),
        rtol=1e3),
    Row("vecdot", lambda lib, a, b, **o: L(lib).vecdot(a, b, **o), [((2, 3), (2, 3)), ((2, 3), (1, 3))],
        choices(dim=[-1, 0])),
    Row("vander", lambda lib, a, **o: L(lib).vander(a, **o), [((3,),), ((2, 3),)], choices(N=[None, 1, 2, 4]),
        values=(0.2, 2.0), errors=[wrong("vander", (3,), N=1)]),
    Row("cross", lambda lib, a, b: L(lib).cross(a, b), [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (1, 3))],
        errors=[wrong("cross", (2,), (2,))]),
    Row("diagonal", lambda lib, a, **o: L(lib).diagonal(a, **o), [((2, 3),), ((2, 3, 3),)], choices(offset=[0, 1, -1])),
    Row("matmul", lambda lib, a, b: L(lib).matmul(a, b), [((2, 3), (3, 2))]),
    Row("tensorinv", lambda lib, a: L(lib).tensorinv((away(a)).reshape(2, 2, 4), ind=2), [((4, 4),)], rtol=10),
    Row("tensorsolve", lambda lib, a, b: L(lib).tensorsolve(away(a).reshape(2, 2, 2, 2), b), [((4, 4), (2, 2))],
        rtol=10),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_like_pytorch(row: Row, record_property: Any) -> None:
    # the comparison looks for a method of this name; these are functions of a room
    renamed = Row(**{**{k: getattr(row, k) for k in row.__dataclass_fields__}, "name": f"linalg {row.name}"})
    made = compared = 0
    try:
        made, compared = run(renamed, torch)
    finally:
        record_property("parity", (f"linalg.{row.name}", made, compared))
    assert compared


def test_every_function_of_the_room_has_a_row() -> None:
    names = {n for n in vars(tl.linalg) if n[0].isalpha() and n != "LinAlgError"}
    elsewhere = {"lu", "lu_factor", "lu_factor_ex", "lu_solve", "householder_product", "solve_ex"}  # test_lu.py
    elsewhere |= {"eig", "eigvals", "ldl_factor", "ldl_factor_ex", "ldl_solve"}  # they say what to use instead
    assert names <= {row.name for row in ROWS} | elsewhere
    assert all(hasattr(torch.linalg, n) for n in names)


A = np.array([[2.0, 0.5], [0.25, 3.0]])
SPELLED: list[tuple[str, Callable[[Any], Any]]] = [
    (f"{name}{' ' + str(i) if i else ''}", call)
    for name, calls in {
        "inv": [np.linalg.inv], "det": [np.linalg.det], "slogdet": [lambda a: np.linalg.slogdet(a)[1]],
        "cholesky": [lambda a: np.linalg.cholesky(a @ a.T)],
        "solve": [lambda a: np.linalg.solve(a, A)], "pinv": [np.linalg.pinv],
        "qr": [lambda a: np.linalg.qr(a)[1] ** 2, lambda a: np.linalg.qr(a, mode="reduced")[0] ** 2],
        "svd": [lambda a: np.linalg.svd(a)[1], lambda a: np.linalg.svd(a, compute_uv=False),
        lambda a: np.linalg.svd(a, full_matrices=False)[0] ** 2],
        "eigh": [lambda a: np.linalg.eigh(a + a.T)[0]], "eigvalsh": [lambda a: np.linalg.eigvalsh(a + a.T)],
        "matrix_power": [lambda a: np.linalg.matrix_power(a, 3)],
        "multi_dot": [lambda a: np.linalg.multi_dot([a, a, a])], "cond": [np.linalg.cond, lambda a: np.linalg.cond(a,
        "fro")],
        "norm": [np.linalg.norm, lambda a: np.linalg.norm(a, axis=0), lambda a: np.linalg.norm(a, 1),
        lambda a: np.linalg.norm(a, ord="nuc"), lambda a: np.linalg.norm(a, axis=1, keepdims=True)],
        "matrix_rank": [np.linalg.matrix_rank], "lstsq": [lambda a: np.linalg.lstsq(a, A, rcond=None)[0]],
        "vander": [lambda a: np.vander(a[0]), lambda a: np.vander(a[0], 3, increasing=True)],
        "tensorinv": [lambda a: np.linalg.tensorinv(a, ind=1)], "tensorsolve": [lambda a: np.linalg.tensorsolve(a,
        A[0])],
        "matmul": [lambda a: np.matmul(a, A)], "einsum": [lambda a: np.einsum("ij,jk->ik", a, A)],
        "tensordot": [lambda a: np.tensordot(a, A, axes=1)],
        "kron": [lambda a: np.kron(a, A)], "outer": [lambda a: np.outer(a[0], a[1])], "inner": [lambda a: np.inner(a,
        A)], "dot": [lambda a: np.dot(a, A)], "vdot": [lambda a: np.vdot(a, A)],
        "trace": [np.trace], "diagonal": [np.diagonal],
        **({"vector_norm": [lambda a: np.linalg.vector_norm(a, axis=1)], "matrix_norm": [np.linalg.matrix_norm],
        "svdvals": [np.linalg.svdvals], "vecdot": [lambda a: np.vecdot(a, A)]} if hasattr(np.linalg,
        "vector_norm") else {}),
    }.items()
    for i, call in enumerate(calls)
]  # fmt: skip


@pytest.mark.parametrize(("name", "call"), SPELLED, ids=[name for name, _ in SPELLED])
def test_numpy_s_spelling(name: str, call: Callable[[Any], Any]) -> None:
    t = tl.tensor(A, requires_grad=True)
    ours = call(t)
    assert isinstance(ours, tl.Tensor)
    np.testing.assert_allclose(ours.detach().numpy(), call(A), rtol=1e-12, atol=1e-12)
    if name != "matrix_rank":
        assert ours.requires_grad
