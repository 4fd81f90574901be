"""The k-th array cannot be allocated, for every k: NumPy's own allocator is replaced by one that fails once.

MemoryError reaches the caller, unless the work succeeds all the same. Afterwards gradients are recorded as before, no
lock is held, every parameter and gradient is the old or the new one, a file is whole, and the work gives the same bits.
"""

from __future__ import annotations

import ctypes
import gc
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tests.fuzz.processes import Hang, apart, limit, watch
from tinygrad_lite import func, nn, optim, viz
from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.ops import threads

F = nn.functional
Work = Callable[[nn.Module, Any, Path], Any]
MALLOC = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
CALLOC = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
REALLOC = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
SET_HANDLER, GET_HANDLER = 304, 305
"""Places of ``PyDataMem_SetHandler`` and ``PyDataMem_GetHandler`` in the table of NumPy's C functions."""


class Handler(ctypes.Structure):
    """``PyDataMem_Handler`` of NumPy: the functions that allocate what arrays hold."""

    _fields_ = [
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p), ("malloc", MALLOC),
        ("calloc", CALLOC), ("realloc", REALLOC), ("free", ctypes.c_void_p),
    ]  # fmt: skip


class Allocator:
    """NumPy's allocator with a count, which refuses allocation ``fails`` of a block."""

    def __init__(self) -> None:
        core: Any = getattr(np, "_core", None) or vars(np)["core"]
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        capsule = ctypes.pythonapi.PyCapsule_New
        capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        table = ctypes.cast(pointer(core.multiarray._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
        self.set = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[SET_HANDLER] or 0)
        current = ctypes.PYFUNCTYPE(ctypes.py_object)(table[GET_HANDLER] or 0)()
        self.plain = plain = Handler.from_address(pointer(current, b"mem_handler") or 0)
        # freeing stays NumPy's own: it happens while exceptions are raised, when Python code must not run
        self.handler = Handler(
            b"failing", plain.version, plain.context, MALLOC(lambda c, n: 0 if self.refuses() else plain.malloc(c, n)),
            CALLOC(lambda c, n, size: 0 if self.refuses() else plain.calloc(c, n, size)),
            REALLOC(lambda c, p, n: 0 if self.refuses() else plain.realloc(c, p, n)), plain.free,
        )  # fmt: skip
        self.counting, self.plain_capsule = capsule(ctypes.addressof(self.handler), b"mem_handler", None), current
        self.count, self.fails = 0, -1

    def refuses(self) -> bool:
        """Count an allocation, and return whether it is the one that fails."""
        self.count += 1
        return self.count == self.fails

    @contextmanager
    def failing(self, k: int) -> Iterator[None]:
        """Let allocation ``k`` of the block fail, counted from 1."""
        self.count, self.fails = 0, k
        self.set(self.counting)
        try:
            yield
        finally:
            self.set(self.plain_capsule)


# ------------------------------------------------------------------------------------------------ work
def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))


def images() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )


class Sequence(nn.Module):
    """Recurrent layers, attention and normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTM(4, 8, batch_first=True), nn.GRU(8, 8, batch_first=True)
        self.block, self.last = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 3)

    def forward(self, x: tl.Tensor) -> tl.Tensor:
        return self.last(self.block(self.gru(self.lstm(x)[0])[0]).mean(1))


def given(model: nn.Module, seed: int = 0) -> tuple[tl.Tensor, tl.Tensor]:
    """Return a batch for a model."""
    draw = np.random.default_rng(seed)
    shape = (6, 5, 4) if isinstance(model, Sequence) else (6, 1, 6, 6) if hasattr(model, "5") else (6, 4)
    return tl.tensor(draw.standard_normal(shape).astype(np.float32)), tl.tensor(draw.integers(0, 3, 6))


def forward(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    return F.cross_entropy(model(given(model)[0]), given(model)[1])


def backward(model: nn.Module, optimizer: Any, folder: Path) -> None:
    forward(model, optimizer, folder).backward()


def train(model: nn.Module, optimizer: Any, folder: Path) -> None:
    optimizer.zero_grad()
    backward(model, optimizer, folder)
    optimizer.step()


def evaluate(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    with tl.no_grad():
        return model(given(model)[0])


def twice(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    x = given(model)[0].requires_grad_()
    (g,) = tl.autograd.grad((model(x) ** 2).sum(), x, create_graph=True)
    assert g is not None
    return tl.autograd.grad((g**2).sum(), list(model.parameters()))


def mapped(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    return func.vmap(func.grad(lambda v: (v * v.sin()).sum()))(given(model)[0])


def in_place(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    x = given(model)[0].clone()
    x.add_(1).mul_(2)[0] = 5
    return x.sort().values, x.unique(), x.cumsum(0), x[x > 0], tl.linalg.svd(x[..., :2, :3].reshape(-1, 3)).S


def written(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    tl.save({"model": model.state_dict()}, folder / "a.npz")
    tl.serialization.save_file(model.state_dict(), folder / "a.safetensors")


def read(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    model.load_state_dict(tl.load(folder / "b.npz"))


def watched(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    with tl.profiler.profile():
        model(given(model)[0])
    with tl.autograd.detect_anomaly():
        return model(given(model)[0]), viz.trace(model, given(model)[0]).to_svg()[:0]


def batches(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    data = tl.utils.data.TensorDataset(*given(model))
    return [b[0] for b in tl.utils.data.DataLoader(data, batch_size=4, shuffle=True)]


def compiled(model: nn.Module, optimizer: Any, folder: Path) -> Any:
    run = tl.compile(model)
    return [tl.autograd.grad(run(given(model)[0]).sum(), list(model.parameters())) for _ in range(3)][-1]


WORKS: list[tuple[Callable[[], nn.Module], Work]] = [
    (dense, train), (images, train), (Sequence, train), (dense, backward), (images, forward), (images, evaluate),
    (dense, twice), (dense, mapped), (dense, in_place), (dense, written), (images, read), (dense, watched),
    (dense, batches), (dense, compiled),
]  # fmt: skip
OPTIMIZERS = [optim.Adam, optim.SGD, optim.RMSprop, optim.AdamW, optim.NAdam, optim.Adagrad]


# ------------------------------------------------------------------------------------------------ judging
def bits(values: Any) -> Any:
    """Return the bytes of every tensor in a value."""
    if isinstance(values, tl.Tensor):
        return values.array.tobytes()
    return [bits(v) for v in values] if isinstance(values, (list, tuple)) else values


def contents(model: nn.Module, optimizer: Any) -> dict[str, bytes | None]:
    """Return the bytes of the parameters, buffers and gradients of a model and of an optimiser's state, by name."""
    found: dict[str, bytes | None] = {name: t.array.tobytes() for name, t in model.state_dict().items()}
    for i, values in optimizer.state_dict()["state"].items():
        found |= {f"state {i} {name}": bits(value) for name, value in values.items()}
    grads = {f"{name}.grad": p.grad for name, p in model.named_parameters()}
    return found | {name: None if g is None else bits(g) for name, g in grads.items()}


class Case:
    """One kind of work on a model that is made anew for every point."""

    def __init__(self, make: Callable[[], nn.Module], work: Work, kind: Any, folder: Path) -> None:
        self.make, self.work, self.kind, self.folder = make, work, kind, folder
        self.name = f"{work.__name__} {make.__name__} {kind.__name__}"
        tl.save(self.fresh()[0].state_dict(), folder / "b.npz")
        for _ in range(2):  # a second time, when caches are filled
            self.before, self.result, self.after = self.calmly()

    def fresh(self) -> tuple[nn.Module, Any]:
        tl.manual_seed(0)
        model = self.make()
        optimizer = self.kind(model.parameters(), lr=0.01)
        if self.work is train:  # with state
            train(model, optimizer, self.folder)
        return model, optimizer

    def calmly(self) -> tuple[Any, Any, Any]:
        model, optimizer = self.fresh()
        before = contents(model, optimizer)
        tl.manual_seed(1)
        result = bits(self.work(model, optimizer, self.folder))
        return before, result, contents(model, optimizer)

    def point(self, found: Findings, allocator: Allocator, k: int) -> bool:
        """Let allocation ``k`` fail and judge; return whether there was one."""
        model, optimizer = self.fresh()
        modes, error, result = (state(), shared()), None, None
        tl.manual_seed(1)
        limit(10)
        with allocator.failing(k):
            try:
                result = self.work(model, optimizer, self.folder)
            except (Exception, Hang) as e:
                error = e
        limit(0)
        reached = allocator.count >= k

        def note(kind: str, text: str) -> None:
            found.note(kind, self.name, f"allocation {k} of {self.name}: {text}")

        found.counts["points"] += 1
        if error is not None and not isinstance(error, MemoryError):
            note("wrong exception", f"{type(error).__name__}: {error}")
        if error is None and bits(result) != self.result:
            note("wrong result", "the work succeeded all the same")
        if (state(), shared()) != modes:
            note("state left", f"{modes} -> {(state(), shared())}")
        now = contents(model, optimizer)
        between = {name for name, value in now.items() if value not in (self.before[name], self.after[name])}
        if between - ({name for name in now if name.endswith("grad")} if self.work is train else set()):
            note("neither old nor new", ", ".join(sorted(between)))
        del error, result
        if self.calmly() != (self.before, self.result, self.after):
            note("wrong afterwards", "the same work gives other bits")
        return reached


def state() -> tuple[Any, ...]:
    """Return what must be the same in this thread after everything it did."""
    mode = MODE.get()
    settings = tl.get_num_threads(), str(tl.get_default_dtype()), sorted(np.geterr().items())
    return mode.grad, mode.guard, mode.inference, len(mode.observers), mode.outer is None, *settings


def shared() -> tuple[Any, ...]:
    """Return what all threads share, and must be the same when all are done."""
    library = threads.blas()
    return new.REDIRECTED[0], library.guard.locked(), library.busy, threads._local.inside


def fuzz(seconds: float, seed: int = 0) -> Findings:
    """Let every allocation of each work fail if there is time, and some of them otherwise."""
    total, end, draw = Findings(), time.monotonic() + seconds, random.Random(seed)
    for turn, (make, work) in enumerate(WORKS):
        share = time.monotonic() + (end - time.monotonic()) / (len(WORKS) - turn)

        def points(found: Findings, make: Any = make, work: Work = work, share: float = share) -> None:
            watch()
            warnings.simplefilter("ignore")
            allocator = Allocator()
            with tempfile.TemporaryDirectory() as folder:
                kinds = OPTIMIZERS if work is train and seconds else OPTIMIZERS[:1]
                for kind in kinds:
                    case = Case(make, work, kind, Path(folder))
                    model, optimizer = case.fresh()
                    with allocator.failing(0):
                        work(model, optimizer, Path(folder))
                    every = range(1, allocator.count + 1)
                    some = sorted(draw.sample(every, min(3, len(every))))
                    for k in some if time.monotonic() > share else every:
                        case.point(found, allocator, k)
                    gc.collect()

        total.add(apart(f"{work.__name__} {make.__name__}", "an allocation failed", points, 600 + seconds))
    return total
