"""Threads of machine code: parts of every row exactly once, whoever else runs; and that no task is lost."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.native.test_switch import run
from tinygrad_lite.native import blas, crew as crews, library, routes
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.ops import threads

pytestmark = pytest.mark.skipif(not (routes.found() and crews.possible()), reason="needs llvmlite, Linux and x86-64")


@kernel("n* f n")
def counting(k: Kernel, lo: Value, hi: Value, y: Value, one: Value, times: Value) -> None:
    """Add one to each row, ``times`` times."""
    with k.loop(0, times), k.loop(lo, hi) as i:
        y[i] = y[i] + 1


@pytest.fixture(autouse=True)
def several(monkeypatch: Any) -> Iterator[None]:
    before = tl.get_num_threads()
    tl.set_num_threads(3)
    monkeypatch.setattr(threads, "crowded", lambda: False)
    monkeypatch.setattr(library, "SHARED", 0)
    monkeypatch.setattr(library, "WAKING", 0)
    yield
    tl.set_num_threads(before)


def counted(rows: int, times: int = 1) -> Any:
    y = np.zeros(rows, np.int64)
    library.call(counting, rows, 1 << 22, y, 1.0, times)
    return y


def test_every_row_once() -> None:
    for rows in (1, 2, 3, 5, 7, 12, 100, 1001):
        for _ in range(20):
            assert (counted(rows) == 1).all(), rows
    crew = crews.crew(3, library.loaded)
    assert crew is not None and len(crew.handles) == 2


def test_a_sleeping_crew_wakes_and_a_waking_one_is_not_needed() -> None:
    for pause in (0, 0.01, 0):
        time.sleep(pause)
        for work in (1 << 20, 1 << 22):
            y = np.zeros(64, np.int64)
            library.call(counting, 64, work, y, 1.0, 10)
            assert (y == 10).all()


def test_several_callers_and_other_numbers_of_threads() -> None:
    wrong: list[int] = []

    def use() -> None:
        for _ in range(200):
            if not (counted(50, 5) == 5).all():
                wrong.append(1)

    callers = [threading.Thread(target=use) for _ in range(4)]
    for t in callers:
        t.start()
    for n in (2, 3, 4, 2, 3):
        tl.set_num_threads(n)
        assert (counted(33) == 1).all()
    for t in callers:
        t.join()
    assert not wrong


@kernel("f* f*")
def marking(k: Kernel, lo: Value, hi: Value, other: Value, y: Value) -> None:
    """Count each row in memory of the part."""
    with k.loop(lo, hi) as i:
        y[i] = y[i] + 1.0


def test_arguments_of_their_own() -> None:
    given = library.call(marking, 9, 1 << 22, library.Room(2), library.Room(9), each=2)
    assert given.shape == (6, 11) and not given[:, :2].any()
    assert given[:, 2:].sum(0).tolist() == [1] * 9  # each row by one part
    assert given[:, 2:].sum(1).max() == 2


def test_parts_do_not_depend_on_who_is_busy(monkeypatch: Any) -> None:
    def parts() -> Any:
        return library.call(marking, 9, 1 << 22, library.Room(2), library.Room(9), sums=True).tolist()

    shared = parts()
    monkeypatch.setattr(threads, "crowded", lambda: True)
    alone = parts()
    monkeypatch.setattr(library, "crew", lambda *given: None)
    monkeypatch.setattr(threads, "crowded", lambda: False)
    assert len(shared) == 6 and shared == alone == parts()


@kernel("d* f* f d n")
def affine(k: Kernel, lo: Value, hi: Value, y: Value, x: Value, a: Value, b: Value, c: Value) -> None:
    """Add numbers of every type."""
    with k.loop(lo, hi) as i:
        y[i] = (x[i] * a).to("d") + b + c.to("d")


def test_numbers_of_every_type_arrive() -> None:
    x, y = np.arange(999, dtype=np.float32), np.zeros(999)
    library.call(affine, 999, 1 << 22, y, x, 2.0, -1.25, -7)
    assert np.array_equal(y, x * 2 - 8.25)


def some_matrix(random: Any, *shape: int) -> Any:
    """Return a matrix, or several, that lie in memory in one of five ways."""
    way = random.integers(5)
    if way == 1:
        return np.swapaxes(random.random((*shape[:-2], shape[-1], shape[-2]), np.float32), -1, -2)
    if way == 2:
        return random.random((*shape[:-1], shape[-1] + 3), np.float32)[..., 1:-2]
    if way == 3 and len(shape) == 4:
        return np.swapaxes(random.random((shape[0], shape[2], shape[1], shape[3]), np.float32), 1, 2)
    whole = random.random(shape, np.float32)
    return whole[::-1] if way == 4 else whole


def test_products() -> None:
    random = np.random.default_rng(0)
    computed = 0
    for _ in range(200):
        lead: tuple[int, ...] = ((), (), (5,), (3, 4))[random.integers(4)]
        m, inner, n = (int(v) for v in random.integers(1, 60, 3))
        a, b = some_matrix(random, *lead, m, inner), some_matrix(random, *lead, inner, n)
        y = blas.product(a, b, None, 1 << 22)
        if y is not NotImplemented:
            computed += 1
            np.testing.assert_allclose(y, a @ b, 1e-5, 1e-5)
    assert computed > 100
    a = random.random((40, 30), np.float32)
    assert blas.product(a, a, None, 1 << 22) is NotImplemented
    assert blas.product(a.astype(float), a.T, None, 1 << 22) is NotImplemented
    out = np.full((41, 40), 7, np.float32)
    assert blas.product(a, a.T, out[:40], 1 << 22) is not NotImplemented
    np.testing.assert_allclose(out[:40], a @ a.T, 1e-5)
    assert (out[40] == 7).all()


def test_a_forked_child_has_a_crew_of_its_own() -> None:
    assert (counted(50) == 1).all()
    child = os.fork()
    if not child:
        signal.alarm(20)  # not for ever, should the child wait for threads that only its parent has
        alone = len(os.listdir("/proc/self/task")) == 1
        right = (counted(50, 3) == 3).all()
        os._exit(0 if alone and right and len(os.listdir("/proc/self/task")) == 3 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (counted(50) == 1).all()


def test_signals_reach_the_interpreter() -> None:
    assert (counted(50) == 1).all()
    masks = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/status") as file:
            masks.append(next(int(line.split()[1], 16) for line in file if line.startswith("SigBlk")))
    assert sum(bool(mask >> (signal.SIGINT - 1) & 1) for mask in masks) >= 2


def test_the_program_ends_while_the_crew_waits() -> None:
    use = "import tinygrad_lite as tl; tl.set_num_threads(2); x = tl.ones(1 << 19); tl.sigmoid(x)"
    for after in ("", "; import os; os.kill(os.getpid(), 0)", "; raise SystemExit(0)"):
        assert run(use + after) == ""


def test_ctrl_c_in_a_task_ends_it_first() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    try:
        interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted() -> None:
    assert (counted(50) == 1).all()
    y = np.zeros(1 << 16, np.int64)
    timer = threading.Timer(0.02, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(200):
            y[:] = 0
            library.call(counting, len(y), 1 << 24, y, 1.0, 200)
    timer.join()
    assert (counted(50) == 1).all()
    crew = crews.crew(3, library.loaded)
    assert crew is not None and ctypes.c_int64.from_address(crew.place + 64 * 8).value == 0


def test_ctrl_c_does_not_reach_into_llvm(monkeypatch: Any) -> None:
    whole: list[Any] = []

    class Machine:
        def compiled(self, *given: Any) -> bytes:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.05)
            whole.append("compiled")
            return b""

    monkeypatch.setattr(library, "machine", Machine)
    monkeypatch.setattr(library.store, "write", lambda name, code: whole.append(code))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            library.loaded(lambda: "no such text", ["f"], "no such name")
    finally:
        signal.signal(signal.SIGINT, before)
    assert whole == ["compiled", b""]


def test_where_threads_cannot_be_made(monkeypatch: Any) -> None:
    class Library:
        pthread_create = staticmethod(lambda *given: 11)

    monkeypatch.setattr(crews, "_crews", {})
    monkeypatch.setattr(crews.elf, "library", Library)
    assert (counted(50) == 1).all()
    assert not crews._crews[3].handles
    monkeypatch.setattr(crews, "_crews", {})
    monkeypatch.setattr(crews, "_over", False)
    monkeypatch.setattr(library, "loaded", lambda *given: 1 / 0)
    assert (counted(50) == 1).all()
    assert crews._over and not crews._crews


def test_no_product_leaves_a_thread_of_blas_waiting_in_a_loop() -> None:
    """It would have the core that the crew needs."""
    library = threads.blas()
    if library.set is None or (os.cpu_count() or 1) < 2:
        pytest.skip("BLAS cannot be told how many threads to use, or there is one core")
    a = np.ones((1500, 1500), np.float32)
    threads.multiply(a, a)
    assert library.get() == 1 and tl.get_num_threads() == 3
    waiting = [1.0]
    for _ in range(20):  # whatever other tests have left behind comes to rest
        threads.multiply(a, a)
        start = time.process_time()
        time.sleep(0.05)
        waiting.append(time.process_time() - start)
    assert min(waiting) < 0.02
    np.matmul(a, a)  # a product that nobody divides
    start = time.process_time()
    time.sleep(0.05)
    assert time.process_time() - start < 0.02


def test_little_work_does_not_wake_the_crew(monkeypatch: Any) -> None:
    counted(50)
    helpers = crews.crew(3, library.loaded)
    assert helpers is not None
    monkeypatch.setattr(library, "WAKING", 1 << 60)
    time.sleep(0.1)  # who has been called may not be awake yet
    end = time.monotonic() + 10
    while not helpers.asleep() and time.monotonic() < end:
        time.sleep(0.01)
    assert len(library.call(marking, 9, 1 << 22, library.Room(2), library.Room(9))) == 1
    assert helpers.asleep()


def test_tasks_of_others_while_a_crew_ends(monkeypatch: Any) -> None:
    counted(50)
    crew = crews.crew(3, library.loaded)
    assert crew is not None
    announce = crew._announce

    def late(*given: Any) -> None:
        assert (counted(50) + counted(50) == 2).all()
        announce(*given)

    monkeypatch.setattr(crew, "_announce", late)
    crew.close()
    after = threading.Thread(target=counted, args=(50,), daemon=True)
    after.start()
    after.join(20)
    crews._crews.clear()
    assert not after.is_alive()
