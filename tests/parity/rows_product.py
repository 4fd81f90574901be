"""Parity rows: products and linear combinations."""
# ruff: noqa: E501 - a table, one row per line

from typing import Any

from tests.parity.compare import Row, named

MM: list[Any] = [((2, 3), (3, 4)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3))]
VV: list[Any] = [((3,), (3,)), ((1,), (1,)), ((0,), (0,))]
BB: list[Any] = [((2, 2, 3), (2, 3, 4)), ((0, 2, 3), (0, 3, 1))]
WEIGHTS = lambda *s: [{}, {"alpha": 2, "beta": 0.5}, {"beta": 0}]  # noqa: E731


def wrong(name: str, *shapes: Any) -> Any:
    return lambda lib: getattr(lib, name)(*[lib.ones(s) for s in shapes])


ROWS = [
    Row(
        "matmul",
        named("matmul"),
        [
            *MM,
            *VV,
            *BB,
            ((3,), (3, 2)),
            ((2, 3), (3,)),
            ((4, 2, 3), (3,)),
            ((3,), (4, 3, 2)),
            ((2, 1, 2, 3), (4, 3, 2)),
            ((4, 2, 3), (3, 5)),
        ],
        kinds="fi",
        errors=[
            wrong("matmul", (2, 3), (2, 3)),
            wrong("matmul", (3,), (2,)),
            wrong("matmul", (), (3,)),
            wrong("matmul", (2, 2, 3), (3, 3, 2)),
        ],
    ),
    Row("__matmul__", lambda lib, a, b: a @ b, MM),
    Row(
        "mm",
        named("mm"),
        MM,
        errors=[wrong("mm", (2, 3), (2, 3)), wrong("mm", (2, 3), (3,)), wrong("mm", (1, 2, 3), (1, 3, 2))],
    ),
    Row(
        "bmm",
        named("bmm"),
        BB,
        errors=[wrong("bmm", (2, 3), (3, 2)), wrong("bmm", (2, 2, 3), (2, 2, 3)), wrong("bmm", (2, 2, 3), (3, 3, 2))],
    ),
    Row(
        "mv", named("mv"), [((2, 3), (3,)), ((0, 3), (3,))], errors=[wrong("mv", (2, 3), (2,)), wrong("mv", (3,), (3,))]
    ),
    Row("dot", named("dot"), VV, kinds="fi", errors=[wrong("dot", (2,), (3,)), wrong("dot", (2, 2), (2, 2))]),
    Row("vdot", named("vdot"), VV, errors=[wrong("vdot", (2,), (3,))]),
    Row(
        "inner",
        named("inner"),
        [*VV, ((2, 3), (3,)), ((2, 3), (4, 3)), ((), (3,))],
        errors=[wrong("inner", (2, 3), (2,))],
    ),
    Row("outer", named("outer"), [((3,), (2,)), ((0,), (2,))], errors=[wrong("outer", (2, 2), (2,))]),
    Row("ger", named("ger"), [((3,), (2,))]),
    Row(
        "addmm",
        named("addmm"),
        [((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((), (2, 3), (3, 4))],
        WEIGHTS,
        errors=[wrong("addmm", (2, 4), (2, 3), (2, 4)), wrong("addmm", (3,), (2, 3), (3, 4))],
    ),
    Row(
        "addmv",
        named("addmv"),
        [((2,), (2, 3), (3,)), ((), (2, 3), (3,))],
        WEIGHTS,
        errors=[wrong("addmv", (2,), (2, 3), (2,))],
    ),
    Row("addr", named("addr"), [((2, 3), (2,), (3,)), ((3,), (2,), (3,))], WEIGHTS),
    Row(
        "baddbmm",
        named("baddbmm"),
        [((2, 2, 4), (2, 2, 3), (2, 3, 4)), ((4,), (2, 2, 3), (2, 3, 4))],
        WEIGHTS,
        errors=[wrong("baddbmm", (1,), (2, 2, 3), (3, 3, 2))],
    ),
    Row("addbmm", named("addbmm"), [((2, 4), (3, 2, 3), (3, 3, 4))], WEIGHTS),
    *[
        Row("einsum", lambda lib, *t, e=e: lib.einsum(e, *t), shapes)
        for e, shapes in {
            "ij,jk->ik": [((2, 3), (3, 4))],
            "ij,jk": [((2, 3), (3, 4))],
            "ii->i": [((3, 3),)],
            "ii": [((3, 3),)],
            "ij->": [((2, 3),)],
            "i,j->ji": [((2,), (3,))],
            "bij,bjk->bik": [((2, 3, 2), (2, 2, 4))],
            "...ij,...jk->...ik": [((2, 3, 2), (2, 2, 4)), ((2, 3), (3, 2))],
            "ij,ij->i": [((2, 3), (2, 3))],
            "ij,kj,lk->il": [((2, 3), (4, 3), (2, 4))],
            "abc->b": [((2, 3, 2),)],
            "i,i->": [((3,), (3,))],
            "iij->j": [((2, 2, 3),)],
            "ij->ji": [((2, 3),)],
            "...i->...": [((2, 3),)],
        }.items()
    ],
    Row(
        "einsum",
        lambda lib, a, b: lib.einsum("ij,jk->ik", [a, b]),
        [((2, 3), (3, 2))],
        errors=[
            lambda lib: lib.einsum("ij,jk", lib.ones(2, 3), lib.ones(2, 3)),
            lambda lib: lib.einsum("ij", lib.ones(2)),
            lambda lib: lib.einsum("i,j", lib.ones(2)),
            lambda lib: lib.einsum("i->j", lib.ones(2)),
        ],
    ),
    Row(
        "tensordot",
        lambda lib, a, b: (lib.tensordot(a, b, 1), lib.tensordot(a, b, dims=([1], [0])), lib.tensordot(a, b, 0)),
        [((2, 3), (3, 4))],
        errors=[lambda lib: lib.tensordot(lib.ones(2, 3), lib.ones(2, 3), 1)],
    ),
    Row("tensordot", lambda lib, a, b: lib.tensordot(a, b, dims=([0, 2], [1, 0])), [((2, 3, 4), (4, 2, 5))]),
    Row("kron", named("kron"), [((2, 2), (3, 2)), ((2,), (3,)), ((2,), (2, 3)), ((), (2,))]),
    Row(
        "cross",
        lambda lib, a, b, **o: lib.cross(a, b, **o),
        [((3,), (3,)), ((2, 3), (2, 3))],
        lambda *s: [{"dim": -1}],
        errors=[lambda lib: lib.cross(lib.ones(2), lib.ones(2), dim=0)],
    ),
    Row(
        "cdist",
        lambda lib, a, b, **o: lib.cdist(a, b, **o),
        [((2, 3), (4, 3)), ((2, 2, 3), (2, 4, 3)), ((2, 3), (5, 2, 3))],
        lambda *s: [{}, {"p": 1.0}, {"p": 3.0}],
        second=False,
        errors=[lambda lib: lib.cdist(lib.ones(2, 3), lib.ones(2, 2))],
        rtol=10.0,
    ),
    Row(
        "diff",
        named("diff"),
        [((5,),), ((2, 3),), ((1,),)],
        lambda s: [{}, {"n": 2}, {"dim": 0}],
        kinds="fi",
        errors=[lambda lib: lib.diff(lib.tensor(1.0))],
    ),
    Row("diff", lambda lib, x, y: lib.diff(x, prepend=y, append=y), [((3,), (2,)), ((2, 3), (2, 1))]),
    Row(
        "gradient",
        lambda lib, x, **o: lib.gradient(x, **o),
        [((5,),), ((3, 4),)],
        lambda s: [{}, {"spacing": 0.5}, {"dim": 0}, {"edge_order": 2}],
        errors=[lambda lib: lib.gradient(lib.ones(1))],
    ),
]
