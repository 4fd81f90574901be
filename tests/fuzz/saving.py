"""Kill -9 and Ctrl-C during saves: every file is whole afterwards, and the next save removes what was left."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tinygrad_lite import nn, viz

Save = Callable[[Path, int], Any]
Check = Callable[[Path], int]
SIZE = 100_000


def state(k: int) -> dict[str, Any]:
    return {"w": tl.tensor(np.full(SIZE, k, np.float32)), "k": tl.tensor([k])}


def read_state(path: Path) -> int:
    loaded = tl.load(path)
    k = int(loaded["k"].item())
    assert loaded["w"].numpy().size == SIZE and (loaded["w"].numpy() == k).all()
    return k


def ends_with(text: str) -> Check:
    def check(path: Path) -> int:
        assert path.read_text("utf8").rstrip().endswith(text)
        return 0

    return check


def writers() -> dict[str, tuple[Save, Check]]:
    """Return what writes and what reads each kind of file; a reader returns the number that was saved."""
    model, x = nn.Sequential(nn.Linear(4, 4), nn.ReLU()), tl.ones(1, 4)
    graph = viz.trace(model, x)
    with tl.profiler.profile() as profile:
        model(x)

    def graph_whole(path: Path) -> int:
        viz.Graph.from_json(path.read_text("utf8"))
        return 0

    def profile_whole(path: Path) -> int:
        json.loads(path.read_text("utf8"))
        return 0

    return {
        "a.npz": (lambda path, k: tl.save(state(k), path), read_state),
        "a.safetensors": (lambda path, k: tl.save(state(k), path), read_state),
        "a.json": (lambda path, k: graph.save(path), graph_whole),
        "a.svg": (lambda path, k: graph.save(path), ends_with("</svg>")),
        "a.html": (lambda path, k: graph.save(path), ends_with("</html>")),
        "profile.json": (lambda path, k: profile.export_chrome_trace(path), profile_whole),
    }


def killed(found: Findings, name: str, path: Path, save: Save, check: Check, draw: random.Random, once: float) -> None:
    """Kill a process that saves in a loop, and read what it left."""
    last = check(path)
    pid = os.fork()
    if pid == 0:
        k = last
        while True:
            k += 1
            save(path, k)
    time.sleep(draw.uniform(0, 3 * once) + 0.0005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    found.counts["kills"] += 1
    try:
        if check(path) < last:
            found.note("older file", name)
    except Exception as error:
        found.note("broken file", name, f"{type(error).__name__}: {error}")


def interrupted(found: Findings, name: str, path: Path, save: Save, check: Check, draw: random.Random) -> None:
    """Press Ctrl-C during a save here: no file and no descriptor is left, and the old or the new file is whole."""
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    timer = threading.Timer(draw.uniform(0.0003, 0.02), os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        while True:
            save(path, 7)
    except KeyboardInterrupt:
        found.counts["interrupts"] += 1
    except BaseException as error:
        found.note("wrong exception", name, f"{type(error).__name__}: {error}")
    timer.join()
    try:
        check(path)
    except Exception as error:
        found.note("broken file", name, f"after Ctrl-C: {type(error).__name__}: {error}")
    if descriptors and len(os.listdir("/proc/self/fd")) > descriptors:
        found.note("open descriptor", name)
    save(path, 7)
    if os.listdir(path.parent) != [path.name]:
        found.note("stray file", name, f"after Ctrl-C: {os.listdir(path.parent)}")


def fuzz(seconds: float, seed: int = 0) -> Findings:
    """Kill and interrupt each kind of save at least four times, and more until the time is over."""
    found, end, draw = Findings(), time.monotonic() + seconds, random.Random(seed)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        places = {}
        for name, (save, check) in writers().items():
            path = Path(folder, name.replace(".", "_"), name)
            path.parent.mkdir()
            save(path, 1)
            started = time.perf_counter()
            save(path, 2)
            places[name] = path, save, check, time.perf_counter() - started
        turn = 0
        while turn < 4 or time.monotonic() < end:
            for name, (path, save, check, once) in places.items():
                killed(found, name, path, save, check, draw, once)
                save(path, max(check(path), 1) + 1)
                found.counts["saves"] += 1
                if os.listdir(path.parent) != [name]:
                    found.note("stray file", name, f"after the next save: {os.listdir(path.parent)}")
                interrupted(found, name, path, save, check, draw)
                save(path, max(check(path), 1) + 1)
            turn += 1
    return found
