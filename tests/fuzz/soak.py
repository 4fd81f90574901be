"""The same work again and again: memory, objects, caches, descriptors and threads must not grow.

Each kind of work is done until its caches are full, then counted; after three times as many rounds nothing may be there
that was not there before. Errors are part of the work: hooks that fail, shapes that do not fit, a second backward.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
import types
import warnings
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tests.fuzz.memory import Sequence, dense, given, images
from tinygrad_lite import func, nn, optim, viz

F = nn.functional


class Boom(Exception):
    """An error of the user's own code."""


def boom(*_: Any) -> None:
    raise Boom


class Training:
    """Training in a loop with what a program does beside it: evaluation, hooks, views, mistakes."""

    def __init__(self, make: Callable[[], nn.Module], kind: Any) -> None:
        tl.manual_seed(0)
        self.model = make()
        self.optimizer = kind(self.model.parameters(), lr=0.01)
        self.x, self.y = given(self.model)

    def __call__(self, i: int) -> None:
        model, x, optimizer = self.model, self.x, self.optimizer
        optimizer.zero_grad()
        out = model(x)
        if i % 2:
            out = (out * 1.0).view(-1).view(out.shape)
            out.add_(0.0)
        out.register_hook(boom if i % 5 == 4 else lambda g: g)
        handle = model.register_forward_pre_hook(boom)
        mistakes: list[Callable[[], Any]] = [
            lambda: model(x), lambda: out.mul_(tl.ones(3, 7)), lambda: tl.tensor(1).backward(), lambda: x @ tl.ones(99),
        ]  # fmt: skip
        try:
            mistakes[i % 4]()
        except (Boom, ValueError, RuntimeError, TypeError):
            pass
        finally:
            handle.remove()
        loss = F.cross_entropy(out, self.y)
        try:
            loss.backward()
            loss.backward()
        except (Boom, RuntimeError):
            pass
        optimizer.step()
        with tl.no_grad():
            model.eval()(x)
        model.train()


def derivatives(i: int) -> None:
    model = dense()
    x = given(model)[0].requires_grad_()
    grads = tl.autograd.grad((model(x) ** 2).sum(), list(model.parameters()), create_graph=True)
    tl.stack([(g**2).sum() for g in grads if g is not None]).sum().backward()
    func.vmap(func.grad(lambda v: (v * v).sum()))(x)


def watching(i: int) -> None:
    model = dense()
    x = given(model)[0]
    with tl.profiler.profile() as profile:
        model(x).sum().backward()
    str(profile.key_averages())
    with tl.autograd.detect_anomaly():
        model(x).sum().backward()
    viz.trace(model, x).to_html()


def compiling(i: int) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    run = tl.compile(model)
    for _ in range(3):
        run(given(model)[0]).sum().backward()


def loading(i: int) -> None:
    data = tl.utils.data.TensorDataset(tl.arange(20))
    for workers in (0, 2) if i % 8 == 0 else (0,):
        batches = iter(tl.utils.data.DataLoader(data, batch_size=4, shuffle=True, num_workers=workers))
        next(batches)  # and the rest is left


class Saving:
    """Saves and loads in a folder; every other file is damaged."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()

    def __call__(self, i: int) -> None:
        path, model = Path(self.folder.name, "a.npz"), dense()
        tl.save(model.state_dict(), path)
        model.load_state_dict(tl.load(path))
        path.write_bytes(path.read_bytes()[:-100])
        try:
            tl.load(path)
        except ValueError:
            pass


WORKS: dict[str, Callable[[], Callable[[int], None]]] = {
    "training dense": lambda: Training(dense, optim.Adam), "training images": lambda: Training(images, optim.SGD),
    "training a sequence": lambda: Training(Sequence, optim.AdamW), "derivatives": lambda: derivatives,
    "watching": lambda: watching, "compiling": lambda: compiling, "loading": lambda: loading, "saving": Saving,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------ counting
def collections() -> dict[str, int]:
    """Return the sizes of what modules of this package keep: dicts, lists, sets and caches."""
    found = {}
    for name, module in [*sys.modules.items()]:
        if name.startswith("tinygrad_lite") and isinstance(module, types.ModuleType):
            for key, value in [*vars(module).items()]:
                if isinstance(value, (dict, list, set, weakref.WeakKeyDictionary, weakref.WeakValueDictionary)):
                    found[f"{name}.{key}"] = len(value)
    return found


def counted() -> tuple[Counter[str], dict[str, int], int, int, int]:
    """Return the objects by type, the collections, the descriptors, the threads and the resident memory in kB."""
    gc.collect()
    objects = Counter(type(o).__name__ for o in gc.get_objects())
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    statm = Path("/proc/self/statm")
    memory = int(statm.read_text().split()[1]) * 4 if statm.exists() else 0
    return objects, collections(), descriptors, threading.active_count(), memory


def fuzz(seconds: float, seed: int = 0) -> Findings:
    """Do each kind of work 32 times, and more until the time is over; after a quarter of it nothing may grow."""
    found, end = Findings(), time.monotonic() + seconds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counted()  # counting fills caches of its own
        for turn, (name, make) in enumerate(WORKS.items()):
            work, started = make(), time.monotonic()
            share = (end - started) / (len(WORKS) - turn)
            rounds = 0
            while rounds < 8 or time.monotonic() < started + share / 4:
                work(rounds)
                rounds += 1
            before = counted()
            for i in range(3 * rounds):
                work(rounds + i)
            after = counted()
            found.counts["steps"] += 4 * rounds

            def note(kind: str, text: str, name: str = name, rounds: int = rounds) -> None:
                found.note(kind, name, f"{name}, {rounds} rounds and {3 * rounds} more: {text}")

            grown = {kind: n - before[0][kind] for kind, n in after[0].items() if n - before[0][kind] > rounds + 10}
            if grown:
                note("objects kept", str(grown))
            larger = {key: (before[1].get(key, 0), n) for key, n in after[1].items() if n > before[1].get(key, 0) + 5}
            if larger:
                note("collection grows", str(larger))
            for kind, old, now in (("descriptors left", before[2], after[2]), ("threads left", before[3], after[3])):
                if now > old + 2:
                    note(kind, f"{old} -> {now}")
            if after[4] - before[4] > 4096 + rounds:
                note("memory grows", f"{before[4]} -> {after[4]} kB")
    return found
