"""Eight threads do different work at the same time: the bits are those of one thread, and nothing leaks between them.

Each thread switches modes of its own (gradients, inference, anomalies, profiles, hooks of saved tensors, a generator)
and checks in between that it has none but those.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tests.fuzz.memory import Sequence, dense, given, images, shared, state
from tinygrad_lite import func, nn, optim, testing, viz

F = nn.functional
THREADS = 8


def digest(values: Any) -> str:
    """Return a hash of tensors, arrays and texts."""
    found = hashlib.sha1()
    for value in values:
        array = value.array if isinstance(value, tl.Tensor) else value
        found.update(array.encode() if isinstance(array, str) else np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def trained(make: Callable[[], nn.Module], kind: Any, steps: int) -> Callable[[int], str]:
    """Return work that draws parameters from this thread's generator and trains, with dropout."""

    def work(k: int) -> str:
        tl.manual_seed(k)
        model = make()
        optimizer, (x, y) = kind(model.parameters(), lr=0.01), given(model, k)
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        return digest(model.state_dict().values())

    return work


def frozen(k: int) -> str:
    """Everything in here happens without gradients; nothing else may."""
    tl.manual_seed(k)
    model = dense()
    found = []
    for mode in (tl.no_grad, tl.inference_mode):
        with mode():
            out = model(given(model, k)[0])
            assert not out.requires_grad and not tl.is_grad_enabled()
            found.append(out)
        assert tl.is_grad_enabled()
    return digest(found)


def hooked(k: int) -> str:
    """Hooks of saved tensors, of a module and of a tensor see the work of this thread only."""
    tl.manual_seed(k)
    model, seen, mine = dense(), [], threading.get_ident()

    def note(*args: Any) -> None:
        assert threading.get_ident() == mine
        seen.append(len(args))

    def packed(t: tl.Tensor) -> tl.Tensor:
        note(t)
        return t

    with tl.autograd.graph.saved_tensors_hooks(packed, packed):
        model.register_forward_hook(note)
        out = model(given(model, k)[0])
        out.register_hook(packed)
        (out * out).sum().backward()
    return digest([str(seen), *(p.grad for p in model.parameters())])


def profiled(k: int) -> str:
    """A profile counts the operations of its own thread."""
    tl.manual_seed(k)
    model = dense()
    with tl.profiler.profile() as profile:
        for _ in range(k + 2):
            model(given(model, k)[0]).sum().backward()
    return digest([str(sorted((e.name, e.calls, e.bytes) for e in profile.key_averages()))])


def drawn(k: int) -> str:
    model = dense().eval()
    graph = viz.trace(model, given(model, k)[0])
    return digest([graph.to_svg(), graph.to_json()])


def checked(k: int) -> str:
    report = testing.check_op(tl.sin, testing.Arr("n"), examples=4, seed=k)
    return digest([f"{report.ok} {report.examples}"])


def mapped(k: int) -> str:
    x = given(dense(), k)[0]
    return digest([func.vmap(func.grad(lambda v: (v.sin() * v).sum()))(x), func.jacrev(lambda v: v**2)(x[0])])


def anomalous(k: int) -> str:
    """Only this thread looks for NaN: others compute it without complaint."""
    with tl.autograd.detect_anomaly():
        x = tl.tensor([-1.0 - k], requires_grad=True)
        try:
            (x.sqrt() * 2).sum().backward()
        except RuntimeError:
            return "found"
    return "missed"


def undefined(k: int) -> str:
    x = tl.tensor([-1.0 - k], requires_grad=True)
    x.sqrt().sum().backward()
    return digest([x.grad])


def compiled(k: int) -> str:
    tl.manual_seed(k)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    run = tl.compile(model)
    for _ in range(3):
        run(given(model, k)[0]).sum().backward()
    return digest([p.grad for p in model.parameters()])


def shuffled(k: int) -> str:
    tl.manual_seed(k)
    data = tl.utils.data.TensorDataset(tl.arange(20))
    batches = [b[0] for b in tl.utils.data.DataLoader(data, batch_size=6, shuffle=True)]
    return digest([*batches, tl.distributions.Normal(0.0, 1.0).sample((3,)), tl.randperm(9)])


def multiplied(k: int) -> str:
    draw = np.random.default_rng(k)
    a = tl.tensor(draw.standard_normal((200, 200)).astype(np.float32), requires_grad=True)
    (a @ a).relu().sum().backward()
    return digest([a.grad])


WORKS: dict[str, Callable[[int], str]] = {
    "dense": trained(dense, optim.Adam, 8), "images": trained(images, optim.SGD, 4),
    "sequence": trained(Sequence, optim.RMSprop, 2), "frozen": frozen, "hooked": hooked, "profiled": profiled,
    "drawn": drawn, "checked": checked, "mapped": mapped, "anomalous": anomalous, "undefined": undefined,
    "compiled": compiled, "shuffled": shuffled, "multiplied": multiplied,
}  # fmt: skip


def fuzz(seconds: float, seed: int = 0) -> Findings:
    """Let each thread do every kind of work once, in an order of its own, and more until the time is over."""
    found, end, lock = Findings(), time.monotonic() + seconds, threading.Lock()
    kinds = 3 if seconds else 1
    interval, start = sys.getswitchinterval(), threading.Barrier(THREADS)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        alone = {(name, k): work(k) for name, work in WORKS.items() for k in range(kinds)}
        before = state(), shared()

        def run(number: int) -> None:
            draw, first, fresh = random.Random(f"{seed} {number}"), True, state()
            start.wait(60)
            while first or time.monotonic() < end:
                first = False
                for name in draw.sample([*WORKS], len(WORKS) if seconds else 6):
                    k = draw.randrange(kinds)
                    text = f"{name} {k} in thread {number}"
                    try:
                        if WORKS[name](k) != alone[name, k]:
                            with lock:
                                found.note("other bits", name, text)
                    except BaseException as error:
                        with lock:
                            found.note("exception", name, f"{text}: {type(error).__name__}: {error}")
                    if state() != fresh:
                        with lock:
                            found.note("state left", name, f"{text}: {fresh} -> {state()}")
                    with lock:
                        found.counts["works"] += 1

        sys.setswitchinterval(1e-5)
        try:
            threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(seconds + 120)
                if thread.is_alive():
                    found.note("hang", "threads", "a thread did not end")
        finally:
            sys.setswitchinterval(interval)
        if (state(), shared()) != before:
            found.note("state left", "all", f"{before} -> {(state(), shared())}")
    return found
