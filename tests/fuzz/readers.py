"""Damaged files for every reader: whole files with bytes, numbers and pieces changed.

A reader returns, or raises FileError (a graph: ValueError) or MemoryError; within a second, and without taking fifty
times the size of the file.
"""

from __future__ import annotations

import gzip
import io
import math
import pickle
import random
import resource
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tinygrad_lite import nn, viz
from tinygrad_lite.datasets import read_idx
from tinygrad_lite.errors import FileError

TURNS = 2500
"""Turns that every machine makes in a minute."""
SECONDS, TIMES, ROOM = 1.0, 50, 4 << 20
"""What a file may cost: time, memory as a multiple of its size, and memory besides."""
NUMBERS = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"-1", b"1e999", b"[" * 300]


def written(save: Callable[[io.BytesIO], Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    def save(buffer: io.BytesIO) -> None:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    return written(save)


def as_pt(data: bytes) -> bytes:
    """Return a PyTorch file with ``data`` as its description."""
    return zipped({"a/data.pkl": data, "a/data/0": b"\0\0\x80?" * 16, "a/byteorder": b"little"})


def seeds() -> dict[str, tuple[Callable[[bytes], Any], list[bytes]]]:
    """Return a reader and whole files for each format."""
    state = {"a": tl.ones(2, 3), "l": [1, 2.5, "x", None, (1, tl.arange(3))], 3: float("nan")}
    npz = written(lambda buffer: tl.save(state, buffer))
    packed = written(lambda buffer: np.savez_compressed(buffer, a=np.arange(6).reshape(2, 3).T, b=np.float32(3)))
    safe = written(
        lambda buffer: tl.serialization.save_file({"a": tl.ones(2, 3), "b": tl.arange(4)}, buffer, {"m": "t"})
    )
    pickles = [pickle.dumps({"a": [1, (2.5, "x")], "b": b"y", ("c", 1): {1, 2}}, protocol) for protocol in (2, 4)]
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK"
        b"\x10tQK\0K\2K\3\x86K\3K\1\x86\x89ccollections\nOrderedDict\n)RtR."
    )
    graph = viz.trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), tl.ones(1, 2)).to_json().encode()
    idx = bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])

    def load(data: bytes) -> Any:
        return tl.load(io.BytesIO(data))

    def load_idx(data: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "x")
            place.write_bytes(data)
            return read_idx(place)

    return {
        "npz": (load, [npz, packed]),
        "safetensors": (load, [safe]),
        "pt": (load, [as_pt(pickles[0]), as_pt(tensor)]),
        "pt description": (lambda data: load(as_pt(data)), [*pickles, tensor]),
        "npz description": (
            lambda data: load(zipped({"structure.json": data, "a.npy": written(lambda b: np.save(b, np.ones(2)))})),
            [b'{"x":{"$":"tensor","name":"a"}}', b'{"$":"dict","items":[[{"$":"tuple","items":[1]},[]]]}'],
        ),
        "npy": (
            lambda data: load(zipped({"a.npy": data})),
            [written(lambda buffer: np.save(buffer, np.ones((2, 3), ">f4").T))],
        ),
        "idx": (load_idx, [idx, gzip.compress(idx)]),
        "graph": (lambda data: viz.Graph.from_json(data.decode("utf8", "replace")).to_svg(), [graph]),
    }


def mutated(draw: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Return ``data`` with one to eight changes: bits, numbers, pieces removed, repeated or taken from another file."""
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4, 8])):
        at, length = draw.randrange(len(out) + 1), draw.choice([1, 2, 4, 16, 64])
        kind = draw.randrange(7)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            out[at : at + length] = draw.randbytes(length)
        elif kind == 2:
            new = draw.choice(NUMBERS)
            out[at : at + len(new)] = new
        elif kind == 3:
            del out[at : at + length]
        elif kind == 4:
            out[at:at] = out[at : at + length] * draw.choice([1, 2, 50])
        elif kind == 5:
            other = draw.choice(others)
            start = draw.randrange(len(other) + 1)
            out[at : at + length] = other[start : start + length]
        else:
            del out[at:]
    return bytes(out)


def judged(found: Findings, name: str, read: Callable[[bytes], Any], data: bytes, watch: bool) -> None:
    """Read ``data`` and note what must not be; with ``watch`` its memory is measured, which takes time."""
    if watch:
        tracemalloc.start()
    started = time.process_time()
    try:
        read(data)
        found.counts["accepted"] += 1
    except (FileError, MemoryError):
        found.counts["refused"] += 1
    except ValueError as error:
        found.counts["refused"] += 1
        if name not in ("graph", "idx"):
            found.note("wrong exception", name, f"{type(error).__name__}: {error} <- {data[:300]!r}")
    except BaseException as error:
        found.note("wrong exception", name, f"{type(error).__name__}: {error} <- {data[:300]!r}")
    seconds = time.process_time() - started
    found.counts["files"] += 1
    if seconds > SECONDS * (10 if watch else 1):
        found.note("slow", name, f"{seconds:.1f} s for {len(data)} bytes <- {data[:300]!r}")
    if watch:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if peak > ROOM + TIMES * len(data):
            found.note("memory", name, f"{peak >> 20} MB for {len(data)} bytes <- {data[:300]!r}")


def fuzz(seconds: float, seed: int = 0, turns: float = math.inf) -> Findings:
    """Read at least 150 changed files of each format, and more until the time or the turns are over."""
    found, end = Findings(), time.monotonic() + seconds
    formats = seeds()
    every = [data for _, files in formats.values() for data in files]
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, (read, files) in formats.items():  # whole files are read
            for data in files:
                try:
                    read(data)
                except Exception as error:
                    found.note("whole file refused", name, f"{type(error).__name__}: {error}")
        turn = 0
        while turn < 150 or turn < turns and time.monotonic() < end:
            for name, (read, files) in formats.items():
                draw = random.Random(f"{seed} {turn} {name}")
                judged(found, name, read, mutated(draw, draw.choice(files), every), watch=turn % 4 == 0)
            turn += 1
    return found
