"""A group of one process needs neither MPI nor mpi4py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite.distributed.group import LAUNCHERS
from tinygrad_lite.errors import MissingExtra


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in (*LAUNCHERS, "WORLD_SIZE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setitem(sys.modules, "mpi4py", None)  # as if it were not installed
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


@pytest.fixture
def group(alone: None) -> None:
    dist.init_process_group()


def test_what_needs_mpi_says_what_to_install(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingExtra, match=r"tinygrad_lite\[distributed\]"):
        dist.init_process_group("mpi")
    monkeypatch.setenv("PMI_SIZE", "2")  # started by mpiexec
    with pytest.raises(MissingExtra, match=r"tinygrad_lite\[distributed\]"):
        dist.init_process_group("gloo")
    assert not dist.is_initialized()


def test_other_sizes_than_one_are_refused(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ({"world_size": 2}, {"rank": 1}):
        with pytest.raises(NotImplementedError, match="mpiexec -n"):
            dist.init_process_group("gloo", **words)
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(NotImplementedError, match="mpiexec -n 4"):
        dist.init_process_group("gloo")
    for timeout in (3, timedelta(0)):
        with pytest.raises(ValueError, match="timeout"):
            dist.init_process_group(timeout=timeout)
    assert not dist.is_initialized()


def test_without_a_group_everything_says_so(alone: None) -> None:
    for call in (dist.get_rank, dist.barrier, dist.destroy_process_group, dist.new_group):
        with pytest.raises(ValueError, match="has not been initialized"):
            call()
    with pytest.raises(ValueError, match="has not been initialized"):
        tl.nn.parallel.DistributedDataParallel(tl.nn.Linear(1, 1))
    with pytest.raises(RuntimeError, match="no process group"):
        tl.utils.data.DistributedSampler(range(3))


def test_one_process_exchanges_with_itself(group: None) -> None:
    x = tl.tensor([[1.0, 2.0]])
    for call in (dist.all_reduce, dist.reduce, dist.broadcast):
        work = call(x, async_op=True)
        assert work.wait() and work.result() == [x] and work.get_future().value() == [x] and x.tolist() == [[1, 2]]
    for call in (dist.all_gather_into_tensor, dist.reduce_scatter_tensor, dist.all_to_all_single):
        y = tl.zeros(1, 2)
        call(y, x)
        assert y.tolist() == [[1, 2]]
    parts = [tl.zeros(1, 2)]
    dist.all_to_all(parts, [x])
    assert parts[0].tolist() == [[1, 2]]
    found: list[Any] = [None]
    dist.all_gather_object(found, {"a": x})
    assert found[0]["a"].tolist() == [[1, 2]]
    assert dist.new_group([0]).size() == 1
    assert list(tl.utils.data.DistributedSampler(range(3), shuffle=False)) == [
        0,
        1,
        2,
    ]
    with pytest.raises(ValueError, match="this process"):
        dist.send(x, 0)
    with pytest.raises(ValueError, match="this process"):
        dist.recv(x)


def test_names_that_do_not_exist_say_what_to_do(group: None) -> None:
    for name in ("TCPStore", "init_device_mesh"):
        with pytest.raises(NotImplementedError, match="mpiexec"):
            getattr(dist, name)("x")
    assert dist.rpc.is_available() is False
    from tinygrad_lite.distributed.fsdp import FullyShardedDataParallel  # type: ignore[import-not-found]

    with pytest.raises(NotImplementedError, match="mpiexec"):
        FullyShardedDataParallel(tl.nn.Linear(1, 1))
    with pytest.raises(AttributeError, match="no_such_name"):
        dist.no_such_name
