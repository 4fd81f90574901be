"""What must hold after Ctrl-C, without memory, and when several threads come first at once."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.ops import threads

testcapi = pytest.importorskip("_testcapi", reason="only CPython's own test module can make allocations fail")


class Same(tl.nn.Module):
    def forward(self, x: Any) -> Any:
        return x


layer, x = tl.nn.Sequential(Same(), Same()), tl.ones(1)


def without_gradients() -> None:
    with tl.no_grad():
        layer(x)


def with_a_profile() -> None:
    with tl.profiler.profile():
        layer(x)


def with_a_layer() -> None:
    layer(x)


def with_anomalies() -> None:
    with tl.autograd.detect_anomaly():
        layer(x)


def after_a_failure(block: Any, n: int) -> int:
    """Return the exit status of a process in which allocation ``n`` failed: 0 done, 2 MemoryError, 1 a mode left."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    status = 0
    testcapi.set_nomemory(n, n + 1)
    try:
        block()
    except MemoryError:
        status = 2
    except BaseException:  # Python's own machinery may turn it into something else
        pass
    testcapi.remove_mem_hooks()
    mode = MODE.get()
    os._exit(1 if not mode.grad or mode.observers or mode.outer is not None else status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="some versions of NumPy crash when their own allocations fail")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", [without_gradients, with_a_layer, with_a_profile, with_anomalies])
def test_the_mode_after_any_allocation_failed(block: Any) -> None:
    block()
    found = [os.waitstatus_to_exitcode(after_a_failure(block, n)) for n in range(80)]
    assert 2 in found and 1 not in found, found


def test_a_block_that_is_interrupted_at_its_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the mode was set, before the block begins: nothing would end the mode."""
    from tinygrad_lite.engine import mode

    class Interrupted:
        get = staticmethod(MODE.get)
        times = 0

        def set(self, value: Any) -> None:
            MODE.set(value)
            self.times += 1
            if self.times == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(mode, "MODE", Interrupted())
    with pytest.raises(KeyboardInterrupt), tl.no_grad():
        pytest.fail("the block began")
    assert MODE.get().grad


def test_one_blas_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Slow(threads.Blas):
        def __init__(self) -> None:
            made.append(1)
            time.sleep(0.05)

    monkeypatch.setattr(threads, "_blas", [])
    monkeypatch.setattr(threads, "Blas", Slow)
    found: list[Any] = []
    several = [threading.Thread(target=lambda: found.append(threads.blas())) for _ in range(8)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    assert len(made) == 1 and len(set(map(id, found))) == 1


def test_a_divided_task_that_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool is free again, and the next task is divided as before."""
    library = threads.Blas()
    if library.set is None:
        pytest.skip("a BLAS whose threads cannot be set")
    library.number, library.settled = 2, True
    monkeypatch.setattr(threads, "_blas", [library])
    monkeypatch.setattr(threads, "crowded", lambda: False)

    def fails(part: range) -> int:
        raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            threads.split(8, threads.WORTH, fails)
        assert not library.busy and not threads._local.inside
        assert sum(map(len, threads.split(8, threads.WORTH, lambda part: part))) == 8
    assert library.pool is not None
    library.pool.close()


def test_settling_that_was_interrupted_is_finished_later(monkeypatch: pytest.MonkeyPatch) -> None:
    library = threads.Blas()
    calls: list[int] = []

    def interrupted(number: int) -> None:
        calls.append(number)
        if len(calls) == 1:
            raise KeyboardInterrupt

    library.get, library.set, library.number, library.settled = lambda: 6, interrupted, 0, False
    with pytest.raises(KeyboardInterrupt):
        library.settle()
    library.get = lambda: 1  # BLAS may have heard of it
    library.settle()
    assert library.threads() == 6 and calls == [1, 1] and not library.guard.locked()


def test_a_system_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    pool = threads.Pool(3)
    assert pool.size == 0 and pool.share([range(1), range(1, 3)], len) == [1, 2]


@pytest.mark.parametrize("call", [lambda: tl.ones(1).expand(2**50).exp(), lambda: tl.zeros(2**50)])
@pytest.mark.parametrize("kind", [MemoryError, RuntimeError, tl.OutOfMemoryError])
def test_more_than_there_is_memory_for(call: Any, kind: Any) -> None:
    with pytest.raises(kind, match="^(exp|zeros): out of memory: cannot allocate"):
        call()
