"""Every exchange, with what each rank must have afterwards computed from the numbers of the ranks."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any

import numpy as np

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite.distributed import ReduceOp

DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool")
dist.init_process_group("mpi")
ME, N = dist.get_rank(), dist.get_world_size()


def raises(kind: Any, part: str, call: Any, *args: Any, **words: Any) -> None:
    try:
        call(*args, **words)
    except kind as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"{call.__name__} did not raise")


def of(rank: int, dtype: str = "float32", shape: tuple[int, ...] = (2, 3)) -> Any:
    """The tensor of a rank."""
    values = np.arange(np.prod(shape)).reshape(shape) % 3 + rank + 1
    return tl.tensor((values % 2 if dtype == "bool" else values).astype(dtype))


def stacked(dtype: str = "float32", shape: tuple[int, ...] = (2, 3)) -> Any:
    return np.stack([of(r, dtype, shape).array for r in range(N)])


def same(t: Any, expected: Any) -> None:
    np.testing.assert_array_equal(t.array, np.asarray(expected).astype(t.array.dtype))


def reductions() -> None:
    joins = {
        ReduceOp.SUM: np.add.reduce, ReduceOp.PRODUCT: np.multiply.reduce, ReduceOp.MIN: np.minimum.reduce,
        ReduceOp.MAX: np.maximum.reduce, ReduceOp.BAND: np.bitwise_and.reduce, ReduceOp.BOR: np.bitwise_or.reduce,
        ReduceOp.BXOR: np.bitwise_xor.reduce, ReduceOp.AVG: lambda a: np.add.reduce(a) / N,
    }  # fmt: skip
    for dtype in DTYPES:
        floating = dtype.startswith("float")
        for op, join in joins.items():
            t = of(ME, dtype)
            if op in (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR) and floating or op is ReduceOp.AVG and not floating:
                raises(TypeError, op.name, dist.all_reduce, t, op)
                continue
            expected = join(stacked(dtype))
            assert dist.all_reduce(t, op) is None
            same(t, expected)
            t = of(ME, dtype)
            dist.reduce(t, N - 1, op)
            same(t, expected if ME == N - 1 else of(ME, dtype).array)
            t, parts = tl.zeros(2, 3, dtype=getattr(tl, dtype)), [of(ME + r, dtype) for r in range(N)]
            dist.reduce_scatter(t, parts, op)
            same(t, join(np.stack([of(ME + r, dtype).array for r in range(N)])))
            t, whole = tl.zeros(2, 3, dtype=getattr(tl, dtype)), tl.cat(parts)
            dist.reduce_scatter_tensor(t, whole, op)
            same(t, join(np.stack([of(ME + r, dtype).array for r in range(N)])))


def layouts() -> None:
    base = tl.zeros(3, 2)
    t = base.t()  # not contiguous: the result is written through the view
    t.copy_(of(ME))
    dist.all_reduce(t)
    same(base.t(), stacked().sum(0))
    for shape in ((), (0, 3), (1,)):
        t = of(ME, shape=shape)
        dist.all_reduce(t)
        same(t, stacked(shape=shape).sum(0))
        dist.broadcast(t, 0)
    raises(ValueError, "cannot be written to", dist.broadcast, tl.zeros(1).expand(3), (ME + 1) % N)
    x = tl.ones(2, requires_grad=True)
    y = x * 2
    z = (y * y).sum()
    dist.all_reduce(y)  # y was saved for backward: its gradient would be wrong
    raises(RuntimeError, "changed", z.backward)


def movements() -> None:
    for dtype in DTYPES:
        new = partial(tl.zeros, dtype=getattr(tl, dtype))
        for root in range(N):
            t = of(ME, dtype)
            dist.broadcast(t, root)
            same(t, of(root, dtype).array)
            found = [new(2, 3) for _ in range(N)] if ME == root else None
            dist.gather(of(ME, dtype), found, root)
            for r, f in enumerate(found or ()):
                same(f, of(r, dtype).array)
            t = new(2, 3)
            dist.scatter(t, [of(r + root, dtype) for r in range(N)] if ME == root else None, root)
            same(t, of(ME + root, dtype).array)
        found = [new(3, 2).t() for _ in range(N)]
        dist.all_gather(found, of(ME, dtype))
        for r, f in enumerate(found):
            same(f, of(r, dtype).array)
        whole = new(2 * N, 3)
        dist.all_gather_into_tensor(whole, of(ME, dtype))
        same(whole, stacked(dtype).reshape(-1, 3))
        # rank a sends a tensor of (b + 1) rows to rank b
        got = [new(ME + 1, 3) for _ in range(N)]
        dist.all_to_all(got, [of(ME, dtype, (b + 1, 3)) for b in range(N)])
        for r, f in enumerate(got):
            same(f, of(r, dtype, (ME + 1, 3)).array)
        out = new(N, 2)
        dist.all_to_all_single(out, tl.tensor(np.full((N, 2), ME).astype(dtype)))
        same(out, np.repeat(np.arange(N), 2).reshape(N, 2))
    rows = list(range(1, N + 1))
    out = tl.zeros(N * (ME + 1))
    dist.all_to_all_single(out, tl.full((sum(rows),), float(ME)), [ME + 1] * N, rows)
    same(out, np.repeat(np.arange(N), ME + 1))


def transfers() -> None:
    after, before = (ME + 1) % N, (ME - 1) % N
    got = tl.zeros(2, 3)
    ops = [dist.P2POp(dist.isend, of(ME), after), dist.P2POp(dist.irecv, got, before)]
    for work in dist.batch_isend_irecv(ops):
        assert work.wait() and work.is_completed()
    same(got, of(before).array)
    if ME == 0:
        sources = set()
        for _ in range(N - 1):
            t = tl.zeros(2, 3)
            sources.add(source := dist.recv(t, tag=5))
            same(t, of(source).array)
        assert sources == set(range(1, N))
    else:
        dist.send(of(ME), 0, tag=5)
    raises(ValueError, "this process", dist.send, of(ME), ME)
    raises(ValueError, "this process", dist.recv, of(ME), ME)


def handles() -> None:
    t, u = of(ME), of(ME + 1)
    works = [dist.all_reduce(t, async_op=True), dist.broadcast(u, 0, async_op=True), dist.barrier(async_op=True)]
    seen = []
    future = works[0].get_future().then(lambda f: seen.append(1))
    for work in reversed(works):
        assert work.wait() is True and work.is_success() and work.exception() is None
    assert future.wait() is None and seen == [1]
    same(t, stacked().sum(0))
    same(u, of(1).array)
    dist.monitored_barrier()
    t = of(ME)
    future = dist.all_reduce(t, async_op=True).get_future()
    assert future.wait()[0] is t and future.done()  # waiting for the future is waiting for the exchange
    same(future.then(lambda f: f.value()[0] * 2).wait(), 2 * stacked().sum(0))


def objects() -> None:
    mine = {"rank": ME, "x": of(ME), "rest": [None, True, (1.5, "a" * 10 * ME)], "a": np.arange(ME)}
    found: list[Any] = [None] * N
    dist.all_gather_object(found, mine)
    assert [f["rank"] for f in found] == list(range(N)) and found[N - 1]["rest"][2] == (1.5, "a" * 10 * (N - 1))
    same(found[1]["x"], of(1).array)
    found = [None] * N
    dist.gather_object(ME, found if ME == 1 else None, dst=1)
    assert found == (list(range(N)) if ME == 1 else [None] * N)
    pair = [1, {"a": of(0)}] if ME == 0 else [None, None]
    dist.broadcast_object_list(pair, 0)
    assert pair[0] == 1
    same(pair[1]["a"], of(0).array)
    out: list[Any] = [None]
    dist.scatter_object_list(out, [f"for {r}" for r in range(N)] if ME == 0 else None, 0)
    assert out == [f"for {ME}"]
    if ME == 0:
        dist.send_object_list(["x", 2], 1)
    if ME == 1:
        pair = [None, None]
        assert dist.recv_object_list(pair) == 0 and pair == ["x", 2]
    raises(TypeError, "all_gather_object: cannot write", dist.all_gather_object, found, object())
    raises(TypeError, "all_gather_object: cannot write", dist.all_gather_object, found, lambda: 0)


def groups() -> None:
    ranks = [N - 1, 0]
    some = dist.new_group(ranks)
    assert dist.get_process_group_ranks() == list(range(N))
    if ME in ranks:
        t = of(ME)
        dist.all_reduce(t, group=some)
        same(t, stacked()[[0, -1]].sum(0))
        t = of(ME)
        dist.broadcast(t, N - 1, group=some)
        same(t, of(N - 1).array)
        assert dist.get_rank(some) == (0 if ME == 0 else 1) and dist.get_world_size(some) == 2
        assert dist.get_global_rank(some, 1) == N - 1 and dist.get_group_rank(some, N - 1) == 1
        if N > 2:
            raises(ValueError, "is not in the group", dist.broadcast, t, 1, group=some)
        dist.destroy_process_group(some)
    else:
        assert some == dist.GroupMember.NON_GROUP_MEMBER and dist.get_rank(some) == -1
        assert dist.all_reduce(of(ME), group=some) is None and dist.barrier(some) is None
    raises(ValueError, "different ranks", dist.new_group, [0, 0])


def bad_input() -> None:
    raises(TypeError, "expected a tensor", dist.all_reduce, [1.0])
    raises(ValueError, "ReduceOp", dist.all_reduce, of(ME), "sum")
    raises(ValueError, f"list of {N} tensors", dist.all_gather, [of(ME)], of(ME))
    raises(ValueError, "shape", dist.all_gather, [tl.zeros(1)] * N, of(ME))
    raises(TypeError, "dtype", dist.all_gather, [tl.zeros(2, 3, dtype=tl.float64)] * N, of(ME))
    raises(ValueError, "bytes", dist.all_gather_into_tensor, of(ME), of(ME))
    raises(ValueError, "twice", dist.init_process_group)
    raises(ValueError, "is not in the group", dist.broadcast, of(ME), N)
    if ME:
        raises(ValueError, "only rank 0", dist.gather, of(ME), [of(ME)] * N)
        raises(ValueError, "only rank 0", dist.scatter, of(ME), [of(ME)] * N)


for part in (reductions, layouts, movements, transfers, handles, objects, groups, bad_input):
    part()
    dist.barrier()
forgotten = tl.zeros(3, 2).t()
forgotten.copy_(of(ME))
dist.all_reduce(forgotten, async_op=True)  # never waited for
gc.collect()
dist.destroy_process_group()
same(forgotten, stacked().sum(0))
assert not dist.is_initialized()
dist.init_process_group()  # again, with another communicator
last = of(ME)
dist.all_reduce(last)
same(last, stacked().sum(0))
if ME == 0:
    print("good", N)
