"""Parity rows: shapes, joining and taking apart, diagonals, creation."""
# ruff: noqa: E501 - a table, one row per line

from typing import Any

from tests.parity.compare import ONE, SOME, Row, each_dim, named

ALL: list[Any] = [((),), ((0,),), ((1,),), ((6,),), ((2, 3),), ((2, 1, 3),)]
VECTORS: list[Any] = [((0,),), ((1,),), ((6,),), ((2, 3),), ((4, 3, 2),)]
SQUARE: list[Any] = [((3, 3),), ((2, 4),), ((4, 2),), ((2, 3, 3),), ((0, 3),)]
PAIRS: list[Any] = [((2, 3), (2, 3)), ((4,), (2,)), ((0,), (3,)), ((1, 2, 3), (1, 2, 3))]


def r(name: str, call: Any = None, shapes: Any = None, options: Any = None, **more: Any) -> Row:
    default: Any = {} if options is None else {"options": options}
    return Row(
        name, call or named(name), ALL if shapes is None else shapes, kinds=more.pop("kinds", "fi"), **default, **more
    )


ROWS = [
    r(
        "reshape",
        lambda lib, x: lib.reshape(x, (-1,)),
        errors=[lambda lib: lib.reshape(lib.ones(6), (4, -1)), lambda lib: lib.ones(6).reshape(5)],
    ),
    r("reshape", lambda lib, x: x.reshape(3, -1), [((6,),), ((2, 3),), ((3, 1, 4),)]),
    r("reshape_as", lambda lib, x, y: x.reshape_as(y), [((6,), (2, 3))]),
    r(
        "view",
        lambda lib, x: x.clone().contiguous().view(3, -1),
        [((6,),), ((2, 3),)],
        errors=[lambda lib: lib.ones(2, 3).t().view(6)],
    ),
    r("view_as", lambda lib, x, y: x.contiguous().view_as(y), [((6,), (2, 3))]),
    r("ravel"),
    r(
        "flatten",
        options=lambda s: [{}, {"start_dim": -1}, {"end_dim": 0}],
        errors=[lambda lib: lib.flatten(lib.ones(2, 3), 2), lambda lib: lib.flatten(lib.ones(2, 3), 1, 0)],
    ),
    r("flatten", lambda lib, x: lib.flatten(x, 1, 2), [((2, 3, 4),), ((2, 1, 3, 2),)]),
    r(
        "unflatten",
        lambda lib, x: lib.unflatten(x, -1, (3, -1)),
        [((6,),), ((2, 3),)],
        errors=[lambda lib: lib.unflatten(lib.ones(6), 0, (4, 2))],
    ),
    r("squeeze", errors=[lambda lib: lib.squeeze(lib.ones(2), 1)]),
    r("squeeze", options=each_dim),
    r("squeeze", lambda lib, x: lib.squeeze(x, (0, 1)), [((1, 1, 3),), ((1, 2),)]),
    r(
        "unsqueeze",
        options=lambda s: [{"dim": d} for d in range(-len(s) - 1, len(s) + 1)],
        errors=[lambda lib: lib.unsqueeze(lib.ones(2), 2)],
    ),
    r(
        "expand",
        lambda lib, x: x.expand(2, -1, 3),
        [((1, 3),), ((2, 1, 3),), ((4, 1),)],
        errors=[lambda lib: lib.ones(2).expand(3), lambda lib: lib.ones(2, 3).expand(3)],
    ),
    r("expand_as", lambda lib, x, y: x.expand_as(y), [((3,), (2, 3)), ((2, 1), (2, 3))]),
    r(
        "broadcast_to",
        lambda lib, x: lib.broadcast_to(x, (2, 2, 3)),
        [((),), ((3,),), ((2, 1),)],
        errors=[lambda lib: lib.broadcast_to(lib.ones(2), (3,))],
    ),
    r(
        "broadcast_tensors",
        shapes=[((2, 1), (3,)), ((), (2,)), ((0, 1), (1, 2))],
        errors=[lambda lib: lib.broadcast_tensors(lib.ones(2), lib.ones(3))],
    ),
    r(
        "broadcast_shapes",
        lambda lib, x: tuple(lib.broadcast_shapes((2, 1), (3,))),
        [((),)],
        errors=[lambda lib: lib.broadcast_shapes((2,), (3,))],
    ),
    r(
        "sum_to_size",
        lambda lib, x: x.sum_to_size(1, 3),
        [((2, 3),), ((4, 2, 3),)],
        errors=[lambda lib: lib.ones(2).sum_to_size(3)],
    ),
    r(
        "permute",
        lambda lib, x: lib.permute(x, (2, 0, -2)),
        [((2, 3, 4),), ((1, 0, 2),)],
        errors=[
            lambda lib: lib.permute(lib.ones(2, 3), (0, 0)),
            lambda lib: lib.permute(lib.ones(2, 3), (0,)),
            lambda lib: lib.permute(lib.ones(2, 3), (0, 2)),
        ],
    ),
    r("transpose", lambda lib, x: lib.transpose(x, 0, -1), errors=[lambda lib: lib.transpose(lib.ones(2, 3), 0, 2)]),
    r("swapaxes", lambda lib, x: lib.swapaxes(x, 0, -1)),
    r("swapdims", lambda lib, x: lib.swapdims(x, 0, -1)),
    r("t", shapes=[((),), ((3,),), ((2, 3),)], errors=[lambda lib: lib.t(lib.ones(2, 3, 4))]),
    r("T", lambda lib, x: (x.T, x.mT, x.H, x.mH), [((2, 3),)]),
    r("adjoint", shapes=[((2, 3),), ((4, 2, 3),)]),
    r(
        "movedim",
        lambda lib, x: lib.movedim(x, 0, -1),
        errors=[lambda lib: lib.movedim(lib.ones(2, 3), (0, 0), (0, 1))],
    ),
    r("movedim", lambda lib, x: (lib.movedim(x, (0, 2), (1, 0)), lib.movedim(x, (0, 1), (2, 0))), [((2, 3, 4),)]),
    r("moveaxis", lambda lib, x: lib.moveaxis(x, 0, -1)),
    r(
        "flip",
        lambda lib, x: (lib.flip(x, (0,)), lib.flip(x, (-1,)), lib.flip(x, (0, 1))),
        [((2, 3),), ((0, 2),), ((2, 3, 4),)],
        errors=[lambda lib: lib.flip(lib.ones(2), (1,)), lambda lib: lib.flip(lib.ones(2), (0, 0))],
    ),
    r("fliplr", shapes=SQUARE, errors=[lambda lib: lib.fliplr(lib.ones(2))]),
    r("flipud", shapes=VECTORS, errors=[lambda lib: lib.flipud(lib.tensor(1.0))]),
    r("roll", lambda lib, x: (lib.roll(x, 1), lib.roll(x, -2), lib.roll(x, 7)), VECTORS),
    r(
        "roll",
        lambda lib, x: (lib.roll(x, 1, 0), lib.roll(x, (1, -1), (0, 1))),
        [((2, 3),), ((3, 4, 2),)],
        errors=[lambda lib: lib.roll(lib.ones(2), 1, 1), lambda lib: lib.roll(lib.ones(2, 2), (1, 2), 0)],
    ),
    r(
        "rot90",
        options=lambda s: [{"k": k} for k in (-1, 0, 1, 2, 3)],
        shapes=SQUARE,
        errors=[lambda lib: lib.rot90(lib.ones(2))],
    ),
    r("rot90", lambda lib, x: lib.rot90(x, 1, (1, 2)), [((2, 3, 4),)]),
    r(
        "repeat",
        lambda lib, x: x.repeat(2, 1, 3),
        [((),), ((3,),), ((2, 3),), ((2, 0, 3),)],
        errors=[lambda lib: lib.ones(2, 3).repeat(2)],
    ),
    r("tile", lambda lib, x: (lib.tile(x, (2,)), lib.tile(x, (2, 1, 3)))),
    r("repeat_interleave", lambda lib, x: lib.repeat_interleave(x, 3), VECTORS),
    r(
        "repeat_interleave",
        lambda lib, x: (lib.repeat_interleave(x, 2, 0), lib.repeat_interleave(x, lib.tensor([2, 0, 1]), dim=-1)),
        [((3,),), ((2, 3),)],
        errors=[
            lambda lib: lib.repeat_interleave(lib.ones(3), lib.tensor([1, 2]), 0),
            lambda lib: lib.repeat_interleave(lib.ones(3), -1),
        ],
    ),
    # ---------------------------------------------------------------- joining
    r(
        "cat",
        lambda lib, x, y: (lib.cat((x, y)), lib.cat([y, x], 0)),
        PAIRS,
        errors=[lambda lib: lib.cat([]), lambda lib: lib.cat([lib.ones(2, 3), lib.ones(2, 2)])],
    ),
    r(
        "cat",
        lambda lib, x, y: lib.cat((x, y), dim=-1),
        [((2, 3), (2, 1))],
        errors=[lambda lib: lib.cat([lib.ones(2)], 1)],
    ),
    r("concat", lambda lib, x, y: lib.concat((x, y)), PAIRS),
    r("concatenate", lambda lib, x, y: lib.concatenate((x, y)), PAIRS),
    r(
        "stack",
        lambda lib, x, y: (lib.stack((x, y)), lib.stack((x, y), -1)),
        [((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((0,), (0,))],
        errors=[
            lambda lib: lib.stack([lib.ones(2), lib.ones(3)]),
            lambda lib: lib.stack([]),
            lambda lib: lib.stack([lib.ones(2)], 2),
        ],
    ),
    r("hstack", lambda lib, x, y: lib.hstack((x, y)), [((), ()), ((3,), (2,)), ((2, 3), (2, 1))]),
    r("vstack", lambda lib, x, y: lib.vstack((x, y)), [((), ()), ((3,), (3,)), ((2, 3), (1, 3))]),
    r("row_stack", lambda lib, x, y: lib.row_stack((x, y)), [((3,), (3,))]),
    r("dstack", lambda lib, x, y: lib.dstack((x, y)), [((), ()), ((3,), (3,)), ((2, 3), (2, 3))]),
    r("column_stack", lambda lib, x, y: lib.column_stack((x, y)), [((), ()), ((3,), (3,)), ((3, 2), (3,))]),
    r("block_diag", shapes=[((2, 2), (3,)), ((), (2, 1)), ((1, 3), (2, 2))]),
    r("cartesian_prod", shapes=[((2,), (3,)), ((1,), (4,))]),
    r("combinations", options=lambda s: [{}, {"r": 3}, {"with_replacement": True}], shapes=[((4,),), ((1,),)]),
    r(
        "meshgrid",
        options=lambda *s: [{"indexing": "ij"}, {"indexing": "xy"}],
        shapes=[((2,), (3,)), ((2,), (3,), (4,)), ((), (2,))],
    ),
    # ---------------------------------------------------------------- taking apart
    r(
        "split",
        lambda lib, x: (lib.split(x, 2), lib.split(x, 4, -1)),
        VECTORS,
        errors=[lambda lib: lib.split(lib.ones(3), [1, 1]), lambda lib: lib.split(lib.ones(3), 1, 1)],
    ),
    r("split", lambda lib, x: lib.split(x, [1, 2, 0], -1), [((3,),), ((2, 3),)]),
    r(
        "chunk",
        lambda lib, x: (lib.chunk(x, 2), lib.chunk(x, 4, -1)),
        VECTORS,
        errors=[lambda lib: lib.chunk(lib.ones(3), 0)],
    ),
    r(
        "tensor_split",
        lambda lib, x: (lib.tensor_split(x, 4), lib.tensor_split(x, (1, 3)), lib.tensor_split(x, 2, -1)),
        VECTORS,
    ),
    r(
        "hsplit",
        lambda lib, x: lib.hsplit(x, 2),
        [((4,),), ((2, 4),), ((2, 4, 3),)],
        errors=[lambda lib: lib.hsplit(lib.ones(3), 2)],
    ),
    r(
        "vsplit",
        lambda lib, x: lib.vsplit(x, (1,)),
        [((4, 2),), ((2, 4, 3),)],
        errors=[lambda lib: lib.vsplit(lib.ones(3), 2)],
    ),
    r("dsplit", lambda lib, x: lib.dsplit(x, 2), [((2, 1, 4),)]),
    r(
        "unbind",
        options=lambda s: [{"dim": d} for d in range(-len(s), len(s))],
        shapes=VECTORS,
        errors=[lambda lib: lib.unbind(lib.tensor(1.0))],
    ),
    r("atleast_1d", kinds="f"),
    r("atleast_2d", kinds="f"),
    r("atleast_3d", kinds="f"),
    r("atleast_2d", lambda lib, x, y: lib.atleast_2d(x, y), [((), (3,))]),
    r(
        "narrow",
        lambda lib, x: (lib.narrow(x, 0, 1, 2), lib.narrow(x, -1, 0, 1)),
        [((3,),), ((3, 2),), ((4, 1, 2),)],
        errors=[lambda lib: lib.narrow(lib.ones(3), 0, 2, 2), lambda lib: lib.narrow(lib.ones(3), 1, 0, 1)],
    ),
    r(
        "select",
        lambda lib, x: (lib.select(x, 0, 1), lib.select(x, -1, -1)),
        [((3,),), ((3, 2),)],
        errors=[lambda lib: lib.select(lib.ones(3), 0, 3), lambda lib: lib.select(lib.tensor(1.0), 0, 0)],
    ),
    # ---------------------------------------------------------------- diagonals
    r(
        "diagonal",
        options=lambda s: [{}, {"offset": 1}, {"offset": -1}, {"offset": 7}, {"dim1": -1, "dim2": -2}],
        shapes=SQUARE,
        errors=[lambda lib: lib.diagonal(lib.ones(2)), lambda lib: lib.diagonal(lib.ones(2, 2), 0, 1, 1)],
    ),
    r(
        "diag",
        options=lambda s: [{}, {"diagonal": 1}, {"diagonal": -2}],
        shapes=[((3,),), ((3, 3),), ((2, 4),), ((0,),)],
        errors=[lambda lib: lib.diag(lib.ones(2, 2, 2))],
    ),
    r(
        "diag_embed",
        options=lambda s: [
            {},
            {"offset": 1},
            {"offset": -1},
            {"dim1": 0, "dim2": -1},
            {"dim1": -1, "dim2": 0, "offset": 1},
        ],
        shapes=[((3,),), ((2, 3),), ((0,),)],
    ),
    r("diagflat", options=lambda s: [{}, {"offset": 1}], shapes=ALL),
    r("trace", shapes=[((3, 3),), ((2, 4),), ((0, 0),)], errors=[lambda lib: lib.trace(lib.ones(2))]),
    r(
        "tril",
        options=lambda s: [{}, {"diagonal": 1}, {"diagonal": -1}],
        shapes=SQUARE,
        errors=[lambda lib: lib.tril(lib.ones(2))],
    ),
    r(
        "triu",
        options=lambda s: [{}, {"diagonal": 1}, {"diagonal": -1}],
        shapes=SQUARE,
        errors=[lambda lib: lib.triu(lib.ones(2))],
    ),
    # ---------------------------------------------------------------- creation
    *[
        Row(
            n,
            lambda lib, x, n=n: (
                getattr(lib, n)(2, 3),
                getattr(lib, n)((2,)),
                getattr(lib, n)(()),
                getattr(lib, n)(2, dtype=lib.int64),
            ),
            [((),)],
        )
        for n in ("zeros", "ones")
    ],
    *[
        Row(
            n,
            lambda lib, x, n=n: (getattr(lib, n)(x), getattr(lib, n)(x, dtype=lib.float64)),
            ONE,
            kinds="fib",
            second=False,
        )
        for n in ("zeros_like", "ones_like")
    ],
    Row("empty", lambda lib, x: (lib.empty(2, 3) * 0 == 0).shape == (2, 3), [((),)]),
    Row("empty_like", lambda lib, x: tuple(lib.empty_like(x).shape), SOME),
    Row(
        "full",
        lambda lib, x: (
            lib.full((2, 3), 1.5),
            lib.full((2,), 3),
            lib.full((), True),
            lib.full([2], 1, dtype=lib.float64),
        ),
        [((),)],
    ),
    Row("full_like", lambda lib, x: lib.full_like(x, 2), ONE, kinds="fi"),
    Row(
        "tensor",
        lambda lib, x: (
            lib.tensor(1),
            lib.tensor(1.5),
            lib.tensor([True, False]),
            lib.tensor([[1, 2.5]]),
            lib.tensor([1, 2], dtype=lib.float64),
            lib.tensor([]),
        ),
        [((),)],
        errors=[
            lambda lib: lib.tensor([[1, 2], [3]]),
            lambda lib: lib.tensor("abc"),
            lambda lib: lib.tensor([1], requires_grad=True),
        ],
    ),
    Row(
        "as_tensor", lambda lib, x: (lib.as_tensor([1, 2]), lib.as_tensor(x), lib.as_tensor(x, dtype=lib.float64)), SOME
    ),
    Row(
        "arange",
        lambda lib, x: (
            lib.arange(5),
            lib.arange(1, 4),
            lib.arange(0.0, 1.0, 0.25),
            lib.arange(5, 0, -2),
            lib.arange(0, 1, 0.3),
            lib.arange(3, dtype=lib.float64),
            lib.arange(0),
        ),
        [((),)],
        errors=[lambda lib: lib.arange(0, 3, 0), lambda lib: lib.arange(3, 0)],
    ),
    Row(
        "linspace",
        lambda lib, x: (
            lib.linspace(0, 1, 5),
            lib.linspace(1, 1, 1),
            lib.linspace(3, -1, 4, dtype=lib.float64),
            lib.linspace(0, 1, 0),
        ),
        [((),)],
        errors=[lambda lib: lib.linspace(0, 1, -1)],
    ),
    Row("logspace", lambda lib, x: (lib.logspace(0, 2, 5), lib.logspace(0, 1, 3, base=2)), [((),)]),
    Row(
        "eye",
        lambda lib, x: (lib.eye(3), lib.eye(2, 3), lib.eye(3, dtype=lib.int64)),
        [((),)],
        errors=[lambda lib: lib.eye(-1)],
    ),
    Row("tril_indices", lambda lib, x: (lib.tril_indices(3, 3), lib.tril_indices(2, 4, 1)), [((),)]),
    Row("triu_indices", lambda lib, x: (lib.triu_indices(3, 3), lib.triu_indices(2, 4, -1)), [((),)]),
    Row(
        "new_zeros",
        lambda lib, x: (x.new_zeros(2, 3), x.new_ones((2,)), x.new_full((2,), 3), x.new_tensor([1, 2])),
        SOME,
        kinds="fi",
    ),
    Row(
        "from_numpy",
        lambda lib, x, a: lib.from_numpy(a.numpy()),
        [((),)],
        fixed=lambda s: (__import__("numpy").arange(3.0),),
    ),
    Row("item", lambda lib, x: x.sum().item(), [((1,),)], kinds="i"),
    Row("tolist", lambda lib, x: x.long().tolist(), [((),), ((2, 3),)]),
]
