"""Parity rows: reductions, scans, statistics."""
# ruff: noqa: E501 - a table, one row per line

from typing import Any

import numpy as np

from tests.parity.compare import SOME, Row, each_dim, each_kept, named, reductions

WIDE: list[Any] = [((),), ((1,),), ((5,),), ((2, 3),), ((3, 1, 4),), ((2, 0),)]
FULL: list[Any] = [((),), ((1,),), ((5,),), ((2, 3),), ((3, 1, 4),)]
MATRICES: list[Any] = [((1,),), ((5,),), ((2, 3),), ((3, 2, 4),)]


def beyond(name: str) -> list[Any]:
    return [
        lambda lib: getattr(lib, name)(lib.ones(2, 3), dim=2),
        lambda lib: getattr(lib, name)(lib.ones(2, 3), dim=-3),
    ]


def reduce(
    name: str, shapes: Any = None, options: Any = reductions, values: Any = (-2.0, 2.0), kinds: str = "f", **more: Any
) -> Row:
    return Row(
        name, named(name), WIDE if shapes is None else shapes, options, values, kinds, errors=beyond(name), **more
    )


def spread(*shapes: Any) -> list[dict[str, Any]]:
    return [*reductions(*shapes), {"correction": 0}, {"unbiased": False}]


ROWS = [
    Row("sum", lambda lib, x: (lib.sum(x, dtype=lib.float64), x.exp().sum(dim=-1, dtype=lib.float64)), SOME),
    Row("mean", lambda lib, x: lib.mean(x, dtype=lib.float64), SOME),
    Row("prod", lambda lib, x: lib.prod(x, dtype=lib.float64), SOME),
    Row("cumsum", lambda lib, x: (lib.cumsum(x, 0, dtype=lib.float64), lib.cumprod(x, 0, dtype=lib.float64)), SOME),
    Row("nansum", lambda lib, x: lib.nansum(x, dtype=lib.float64), SOME),
    reduce("sum", kinds="fib"),
    Row("sum", lambda lib, x: (lib.sum(x, dtype=lib.float64), x.exp().sum(dim=-1, dtype=lib.float64)), SOME),
    Row("mean", lambda lib, x: lib.mean(x, dtype=lib.float64), SOME),
    Row("prod", lambda lib, x: lib.prod(x, dtype=lib.float64), SOME),
    Row("cumsum", lambda lib, x: (lib.cumsum(x, 0, dtype=lib.float64), lib.cumprod(x, 0, dtype=lib.float64)), SOME),
    Row("nansum", lambda lib, x: lib.nansum(x, dtype=lib.float64), SOME),
    reduce("nansum"),
    Row("nansum", lambda lib, x: lib.nansum(lib.where(x > 0, x, float("nan"))), FULL),
    reduce("mean", FULL),
    Row("mean", named("mean"), [((0,),), ((2, 0),)], stricter=True),
    reduce("nanmean", FULL),
    Row("prod", named("prod"), WIDE, lambda *s: [{}, *each_kept(*s)], kinds="fib", errors=beyond("prod")),
    Row("prod", named("prod"), FULL, lambda *s: [{}, *each_kept(*s)], values="grid"),
    reduce("amax", FULL, values="grid", kinds="fi"),
    reduce("amin", FULL, values="grid", kinds="fi"),
    Row("amax", named("amax"), [((0,),), ((2, 0),)], each_dim),
    Row("aminmax", named("aminmax"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct"),
    Row("max", named("max"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", "f", errors=beyond("max")),
    Row("min", named("min"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", "f", errors=beyond("min")),
    Row("max", lambda lib, x, **o: lib.max(x, **o)[0], FULL, each_dim, "grid", "i"),
    Row("max", lambda lib, x, y: (lib.max(x, y), lib.min(x, y)), [((2, 3), (3,))], values="grid"),
    Row("max", named("max"), [((0,),), ((2, 0),)], lambda *s: [{}, *each_dim(*s)]),
    Row("argmax", named("argmax"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", errors=beyond("argmax")),
    Row("argmin", named("argmin"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", errors=beyond("argmin")),
    Row("argmax", named("argmax"), [((0,),), ((2, 0),)], lambda *s: [{}, *each_dim(*s)]),
    reduce("all", kinds="fib", values="grid"),
    reduce("any", kinds="fib", values="grid"),
    Row("count_nonzero", named("count_nonzero"), WIDE, lambda *s: [{}, *each_dim(*s)], "grid", "fib"),
    Row("logsumexp", named("logsumexp"), FULL, each_kept, errors=beyond("logsumexp")),
    Row("logsumexp", lambda lib, x: lib.logsumexp(x, (0, 1)), [((2, 3),), ((2, 3, 2),)]),
    Row("softmax", named("softmax"), WIDE, each_dim, errors=beyond("softmax")),
    Row("softmax", lambda lib, x: lib.softmax(x, 0, dtype=lib.float64), SOME),
    Row("log_softmax", named("log_softmax"), WIDE, each_dim, errors=beyond("log_softmax")),
    Row(
        "normalize",
        lambda lib, x, **o: lib.nn.functional.normalize(x, **o),
        [((5,),), ((2, 3),), ((3, 2, 4),)],
        lambda *s: [{"dim": 0}, {"dim": -1, "p": 3.0}],
        values=(0.5, 2.0),
    ),
    # ---------------------------------------------------------------- scans
    Row("cumsum", named("cumsum"), WIDE, each_dim, kinds="fib", errors=beyond("cumsum")),
    Row("cumprod", named("cumprod"), WIDE, each_dim, kinds="fi", errors=beyond("cumprod")),
    Row("cumprod", named("cumprod"), FULL, each_dim, values="grid"),
    Row("cummax", named("cummax"), WIDE, each_dim, "grid", "fi", errors=beyond("cummax")),
    Row("cummin", named("cummin"), WIDE, each_dim, "grid", "fi", errors=beyond("cummin")),
    Row("logcumsumexp", named("logcumsumexp"), FULL, each_dim, errors=beyond("logcumsumexp")),
    Row("trapezoid", lambda lib, y, **o: lib.trapezoid(y, **o), MATRICES, lambda *s: [{}, {"dx": 0.5}, {"dim": 0}]),
    Row("trapezoid", lambda lib, y, x: lib.trapezoid(y, x), [((4,), (4,)), ((2, 4), (4,)), ((2, 4), (2, 4))]),
    Row(
        "cumulative_trapezoid",
        lambda lib, y, **o: lib.cumulative_trapezoid(y, **o),
        MATRICES,
        lambda *s: [{}, {"dx": 0.5}, {"dim": 0}],
    ),
    # ---------------------------------------------------------------- spread
    *[
        Row(n, named(n), MATRICES, spread, stricter=True, errors=[lambda lib, n=n: getattr(lib, n)(lib.tensor([1, 2]))])
        for n in ("var", "std")
    ],
    *[Row(n, named(n), MATRICES, spread, stricter=True) for n in ("var_mean", "std_mean")],
    Row("std", lambda lib, x: x.std(0, False), [((4,),), ((2, 3),)]),
    # ---------------------------------------------------------------- order
    Row("median", named("median"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", "f", errors=beyond("median")),
    Row("nanmedian", named("nanmedian"), FULL, lambda *s: [{}, *each_kept(*s)], "distinct", "f"),
    Row(
        "nanmedian",
        lambda lib, x: lib.nanmedian(lib.where(x > 0, x, float("nan")), dim=-1).values,
        [((6,),), ((3, 5),)],
        values="distinct",
    ),
    Row(
        "median",
        lambda lib, x: lib.median(lib.where(x > 0, x, float("nan")), dim=-1).values,
        [((6,),), ((3, 5),)],
        values="distinct",
        second=False,
    ),
    *[
        Row(
            n,
            lambda lib, x, n=n, **o: getattr(lib, n)(x, **o),
            FULL,
            lambda *s: (
                [{"q": q, **o} for q in (0.3, 1.0) for o in [{}, *each_kept(*s)]]
                + [{"q": 0.4, "interpolation": w} for w in ("lower", "higher", "midpoint", "nearest")]
            ),
            "distinct",
        )
        for n in ("quantile", "nanquantile")
    ],
    Row(
        "quantile",
        lambda lib, x: lib.quantile(x, lib.tensor([0.1, 0.5], dtype=x.dtype), dim=0),
        [((5,),), ((4, 3),)],
        values="distinct",
        errors=[lambda lib: lib.quantile(lib.ones(3), 1.5), lambda lib: lib.quantile(lib.tensor([1, 2]), 0.5)],
    ),
    Row(
        "nanquantile",
        lambda lib, x: lib.nanquantile(lib.where(x > 0, x, float("nan")), 0.3, dim=-1),
        [((6,),), ((3, 7),)],
        values="distinct",
    ),
    Row("mode", lambda lib, x, **o: lib.mode(x, **o).values, FULL, each_kept, "grid", "fi", second=False),
    Row(
        "kthvalue",
        lambda lib, x, **o: lib.kthvalue(x, 1, **o),
        FULL,
        each_kept,
        "distinct",
        errors=[lambda lib: lib.kthvalue(lib.ones(3), 4)],
    ),
    # ---------------------------------------------------------------- lengths and correlation
    Row(
        "norm",
        lambda lib, x, **o: lib.norm(x, **o),
        FULL,
        lambda *s: [
            {},
            *[{"p": p} for p in (1, 2, 3, 0.5, float("inf"), -float("inf"))],
            *[{"p": 2, **o} for o in each_kept(*s)],
        ],
        values=(0.2, 2.0),
    ),
    Row("norm", lambda lib, x: lib.norm(x, 0), [((5,),), ((2, 3),)]),
    Row(
        "dist",
        lambda lib, x, y, **o: lib.dist(x, y, **o),
        [((3,), (3,)), ((2, 3), (3,)), ((), ())],
        lambda *s: [{}, {"p": 1}, {"p": 3}],
    ),
    Row("cov", named("cov"), [((5,),), ((2, 4),), ((3, 5),)], lambda s: [{}, {"correction": 0}]),
    Row(
        "cov",
        lambda lib, x, f, a: lib.cov(x, fweights=f, aweights=a),
        [((2, 4),)],
        fixed=lambda s: (np.array([1, 2, 1, 3]), np.array([0.5, 1.0, 2.0, 1.0])),
    ),
    Row("corrcoef", named("corrcoef"), [((2, 4),), ((3, 5),)], rtol=10.0),
]
