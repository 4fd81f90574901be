"""Parity rows: reading and writing by index, sorting, searching."""
# ruff: noqa: E501 - a table, one row per line

from typing import Any

import numpy as np

from tests.parity.compare import SOME, Row, each_dim, named

ROWS_COLS: list[Any] = [((3, 4),)]
FULL: list[Any] = [((),), ((1,),), ((5,),), ((2, 3),), ((3, 1, 4),)]
IDX = np.array([[0, 2, 1, 0], [1, 1, 0, 2]])
UNIQUE = np.array([[0, 2, 1, 0], [1, 0, 2, 2]])
MASK = np.array([[True, False, True, False], [False] * 4, [True] * 4])


def fixed(*arrays: Any) -> Any:
    return lambda *shapes: arrays


def getitem(lib: Any, x: Any, i: Any, m: Any) -> Any:
    return (
        x[0], x[-1], x[1:], x[::2, 1], x[..., -1], x[None, 1], x[:, None], x[i], x[i, i], x[:, i], x[m], x[[0, 2]], x[1, i], x[i, 1:],
        x[i[:, None], i], x[(x > 0)], x[...], x[:, [True, False, True, True]], x[lib.tensor(1)], x[0:0],
    )  # fmt: skip


def parted(lib: Any, x: Any, m: Any) -> Any:
    i, one = lib.tensor([0, 1]), lib.tensor(1)
    return (
        x[0, :, [0, 1]], x[:, 0, :, i], x[i, 0, :, i], x[i, :, 0, i], x[one, :, i], x[0, ..., i], x[0, :, None, i], x[m, :, 0],
        x[0, :, [True, False, True, True]], x[i, :, 1], x[0, :, :, i[None]], x[0, [0, 1], :, 1], x[one], x[:, one, :, one], x[np.array(1), :, i],
    )  # fmt: skip


def written(lib: Any, x: Any, y: Any) -> Any:
    """Writes through views and places that whole numbers make, tensors or not."""
    x, one, i = x * 1, lib.tensor(1), lib.tensor([0, 2])
    x[0, :, i] = y
    x[1, ..., i] += y * 2
    x[one].mul_(3)
    row = x[:, one]
    row += 1
    x[one, 0][one].zero_()
    return x


def bad(call: Any) -> Any:
    return lambda lib: call(lib, lib.ones(3, 4))


ROWS = [
    Row(
        "one_hot",
        lambda lib, x: (lib.nn.functional.one_hot(x), lib.nn.functional.one_hot(x, 9)),
        [((3,),), ((2, 3),)],
        values=(0.0, 4.0),
        kinds="i",
    ),
    Row(
        "__getitem__",
        getitem,
        ROWS_COLS,
        fixed=fixed(np.array([0, 2, 2]), np.array([True, False, True])),
        errors=[
            bad(lambda lib, x: x[3]),
            bad(lambda lib, x: x[0, 0, 0]),
            bad(lambda lib, x: x[:, 4]),
            bad(lambda lib, x: x[lib.tensor([5])]),
            bad(lambda lib, x: x[lib.tensor([True, False])]),
            bad(lambda lib, x: x["a"]),
            bad(lambda lib, x: lib.tensor(1.0)[0]),
            bad(lambda lib, x: x[1.5]),
        ],
    ),
    Row("__getitem__", parted, [((2, 3, 4, 2),)], fixed=fixed(np.array([[True, False, True], [False, False, True]]))),
    Row("__setitem__", written, [((2, 3, 4), (3, 2))]),
    Row("__len__", lambda lib, x: (len(x), [float(v.sum()) * 0 for v in x]), [((3,),), ((2, 3),)]),
    Row(
        "take",
        lambda lib, x, i: lib.take(x, i),
        [((3, 4),), ((5,),)],
        fixed=fixed(np.array([[0, 3], [1, -1]])),
        errors=[bad(lambda lib, x: lib.take(x, lib.tensor([12])))],
    ),
    Row(
        "take_along_dim",
        lambda lib, x, i: (lib.take_along_dim(x, i, 0), lib.take_along_dim(x, i)),
        ROWS_COLS,
        fixed=fixed(IDX),
    ),
    Row(
        "gather",
        lambda lib, x, i: (lib.gather(x, 0, i), lib.gather(x, 1, i), lib.gather(x, -1, i[:, :2])),
        ROWS_COLS,
        fixed=fixed(IDX),
        errors=[
            bad(lambda lib, x: lib.gather(x, 0, lib.tensor([[3]]))),
            bad(lambda lib, x: lib.gather(x, 0, lib.tensor([0]))),
            bad(lambda lib, x: lib.gather(x, 2, lib.tensor([[0]]))),
            bad(lambda lib, x: lib.gather(x, 0, lib.tensor([[-1]]))),
        ],
    ),
    Row("gather", lambda lib, x, i: lib.gather(x, 0, i), [((),)], fixed=fixed(np.array([0, 0]))),
    Row(
        "index_select",
        lambda lib, x, i: (lib.index_select(x, 0, i), lib.index_select(x, -1, i)),
        [((3,),), ((3, 4),), ((3, 2, 3),)],
        fixed=fixed(np.array([2, 0, 2])),
        errors=[
            bad(lambda lib, x: lib.index_select(x, 0, lib.tensor([3]))),
            bad(lambda lib, x: lib.index_select(x, 0, lib.tensor([[0]]))),
        ],
    ),
    Row(
        "masked_select",
        lambda lib, x, m: lib.masked_select(x, m),
        [((3, 4),), ((4,),)],
        fixed=fixed(MASK),
        errors=[bad(lambda lib, x: lib.masked_select(x, lib.tensor([1, 0, 1, 0])))],
    ),
    Row(
        "masked_fill",
        lambda lib, x, m: x.masked_fill(m, 2.0),
        [((3, 4),), ((3, 1),)],
        fixed=fixed(MASK),
        kinds="fi",
        errors=[bad(lambda lib, x: x.masked_fill(lib.tensor([1, 0, 1, 0]), 1.0))],
    ),
    Row(
        "masked_scatter",
        lambda lib, x, y, m: x.masked_scatter(m, y),
        [((3, 4), (3, 4))],
        fixed=fixed(MASK),
        second=False,
    ),
    Row(
        "scatter",
        lambda lib, x, y, i: (lib.scatter(x, 0, i, y), x.scatter(1, i, 2.0)),
        [((3, 4), (2, 4))],
        fixed=fixed(np.array([[0, 2, 1, 0], [1, 0, 2, 2]])),
        errors=[
            bad(lambda lib, x: x.scatter(0, lib.tensor([[5]]), 1.0)),
            bad(lambda lib, x: x.scatter(0, lib.tensor([[0]]), lib.tensor([[1]]))),
        ],
    ),
    Row("scatter", lambda lib, x, i: x.scatter(0, i, 2.0, reduce="add"), [((3, 4),)], fixed=fixed(IDX), second=False),
    Row(
        "scatter_add",
        lambda lib, x, y, i: lib.scatter_add(x, 0, i, y),
        [((3, 4), (2, 4)), ((3, 5), (2, 4))],
        fixed=fixed(IDX),
    ),
    *[
        Row(
            "scatter_reduce",
            lambda lib, x, y, i, r=r, s=s: lib.scatter_reduce(x, 0, i, y, r, include_self=s),
            [((3, 4), (2, 4))],
            fixed=fixed(IDX),
            values=(0.3, 2.0),
            second=r in ("sum", "mean"),
        )
        for r in ("sum", "mean", "prod", "amax", "amin")
        for s in (True, False)
    ],
    *[
        Row(
            "scatter_reduce",
            lambda lib, x, y, i, r=r: lib.scatter_reduce(x, 0, i, y, r),
            [((3, 4), (2, 4))],
            fixed=fixed(IDX),
            values="grid",
            second=False,
        )
        for r in ("prod", "amax")
    ],
    Row(
        "index_add",
        lambda lib, x, y, i: (lib.index_add(x, 0, i, y), lib.index_add(x, 0, i, y, alpha=2)),
        [((3,), (2,)), ((3, 4), (2, 4))],
        fixed=fixed(np.array([2, 2])),
        errors=[bad(lambda lib, x: x.index_add(0, lib.tensor([0]), lib.ones(2, 4)))],
    ),
    Row(
        "index_copy", lambda lib, x, y, i: lib.index_copy(x, 0, i, y), [((3, 4), (2, 4))], fixed=fixed(np.array([2, 0]))
    ),
    Row(
        "index_fill",
        lambda lib, x, i: lib.index_fill(x, 0, i, 1.5),
        [((3,),), ((3, 4),)],
        fixed=fixed(np.array([2, 0])),
    ),
    Row(
        "index_put",
        lambda lib, x, y, i: (lib.index_put(x, (i,), y), lib.index_put(x, (i, i), y[:, 0], accumulate=True)),
        [((3, 4), (2, 4))],
        fixed=fixed(np.array([2, 0])),
    ),
    Row(
        "put",
        lambda lib, x, y, i: (x.put(i, y), x.put(i, y, accumulate=True)),
        [((3, 4), (2,))],
        fixed=fixed(np.array([5, 1])),
    ),
    Row(
        "select_scatter",
        lambda lib, x, y: lib.select_scatter(x, y, 0, 1),
        [((3, 4), (4,))],
        errors=[bad(lambda lib, x: lib.select_scatter(x, lib.ones(3), 0, 1))],
    ),
    Row("slice_scatter", lambda lib, x, y: lib.slice_scatter(x, y, 0, 0, 3, 2), [((3, 4), (2, 4))]),
    Row("diagonal_scatter", lambda lib, x, y: lib.diagonal_scatter(x, y, 1), [((3, 4), (3,))]),
    Row(
        "nonzero",
        lambda lib, x: (lib.nonzero(x), lib.nonzero(x, as_tuple=True)),
        [((),), ((5,),), ((2, 3),), ((0,),)],
        values="grid",
    ),
    Row("argwhere", named("argwhere"), [((5,),), ((2, 3),)], values="grid"),
    # ---------------------------------------------------------------- order
    Row(
        "sort",
        lambda lib, x, **o: lib.sort(x, **o),
        FULL,
        lambda *s: [{**d, "descending": k} for d in each_dim(*s) for k in (False, True)],
        "distinct",
        errors=[lambda lib: lib.sort(lib.ones(2), dim=1)],
    ),
    Row("sort", lambda lib, x: lib.sort(x, stable=True, dim=-1, descending=True), [((7,),)], values="grid", kinds="fi"),
    Row("sort", lambda lib, x: lib.sort(lib.where(x > 0, x, float("nan")), stable=True), [((7,),)], second=False),
    Row(
        "argsort",
        lambda lib, x, **o: lib.argsort(x, **o),
        FULL,
        lambda *s: [{**d, "descending": k} for d in each_dim(*s) for k in (False, True)],
        "distinct",
    ),
    Row("msort", named("msort"), [((5,),), ((4, 2),)], values="distinct"),
    Row(
        "topk",
        lambda lib, x, **o: lib.topk(x, 1, **o),
        FULL,
        lambda *s: [{**d, "largest": k} for d in each_dim(*s) for k in (False, True)],
        "distinct",
        errors=[lambda lib: lib.topk(lib.ones(2), 3)],
    ),
    Row("topk", lambda lib, x: (lib.topk(x, 3), lib.topk(x, 0)), [((5,),), ((2, 4),)], values="distinct"),
    # ---------------------------------------------------------------- searching and counting
    Row(
        "searchsorted",
        lambda lib, x, s: (
            lib.searchsorted(s, x),
            lib.searchsorted(s, x, right=True),
            lib.searchsorted(s, x, side="left", out_int32=True),
        ),
        SOME,
        values="grid",
        fixed=fixed(np.array([-1.0, 0.0, 0.5, 1.0], np.float64)),
        kinds="f",
    ),
    Row(
        "bucketize",
        lambda lib, x, s: (lib.bucketize(x, s), lib.bucketize(x, s, right=True)),
        SOME,
        values="grid",
        fixed=fixed(np.array([-1.0, 0.0, 0.5])),
    ),
    Row(
        "isin",
        lambda lib, x, s: (lib.isin(x, s), lib.isin(x, s, invert=True)),
        SOME,
        values="grid",
        fixed=fixed(np.array([0.0, 2.0])),
    ),
    Row(
        "unique",
        lambda lib, x: (lib.unique(x), lib.unique(x, return_inverse=True, return_counts=True)),
        [((),), ((5,),), ((2, 3),)],
        values="grid",
        kinds="i",
    ),
    Row("unique", lambda lib, x: lib.unique(x, dim=0), [((4, 2),)], kinds="i"),
    Row(
        "unique_consecutive",
        lambda lib, x: lib.unique_consecutive(x, return_inverse=True, return_counts=True),
        [((7,),), ((2, 3),)],
        kinds="i",
    ),
    Row(
        "bincount",
        lambda lib, x: (lib.bincount(x), lib.bincount(x, minlength=9)),
        [((7,),), ((0,),)],
        values=(0, 4),
        kinds="i",
        errors=[lambda lib: lib.bincount(lib.tensor([-1]))],
    ),
    Row("histc", lambda lib, x: (lib.histc(x.detach(), 4), lib.histc(x.detach(), 3, -1, 1)), [((9,),)]),
]
