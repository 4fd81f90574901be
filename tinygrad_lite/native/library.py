"""Kernels as functions: compiled by llvmlite at their first call, or loaded from disk, and called through ctypes.

ctypes releases the interpreter lock during a call, so threads run kernels side by side.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import sys
import threading
import warnings
from _thread import start_new_thread
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Any

from numpy import float32, ndarray, zeros

from tinygrad_lite._version import __version__
from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.native import elf, routes, store
from tinygrad_lite.native.crew import crew
from tinygrad_lite.native.language import Kernel
from tinygrad_lite.ops.threads import CREWED, WORTH, blas, divided, split

CTYPES = {"f": ctypes.c_float, "d": ctypes.c_double, "n": ctypes.c_int64}
word_at, HEAD = ctypes.c_int64.from_address, object.__basicsize__
_kept: list[Any] = []
"""What owns the memory of the machine code."""
_lock = threading.RLock()


def _forked() -> None:
    global _lock
    _lock = threading.RLock()  # a thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def works() -> bool:
    """Return whether llvmlite is installed and can make code for this processor."""
    if not routes.found() or routes.broken:
        return False
    try:
        machine()
    except Exception as error:
        _give_up(error)
    return not routes.broken


def _give_up(error: Exception) -> None:
    routes.broken.append(f"{type(error).__name__}: {error}")
    routes.uninstall()
    warnings.warn(f"native loops are off, as llvmlite failed: {routes.broken[0]}", RuntimeWarning, stacklevel=2)


class Machine:
    """LLVM for this processor."""

    def __init__(self) -> None:
        import llvmlite
        import llvmlite.binding as llvm

        if llvm.llvm_version_info[0] < 15:
            raise RuntimeError(f"llvmlite {llvmlite.__version__} is too old: pointers need LLVM 15")
        if llvm.llvm_version_info[0] < 20:
            llvm.initialize()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm = llvm
        name, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        triple = llvm.get_process_triple()
        self.target = llvm.Target.from_triple(triple).create_target_machine(cpu=name, features=features, opt=3)
        self.processor = f"{triple}\n{name}\n{features}"

    def compiled(self, text: str, level: int = 3) -> bytes:
        """Return the object code of a module, optimised at this level."""
        llvm = self.llvm
        module = llvm.parse_assembly(text)
        module.verify()
        module.triple, module.data_layout = self.target.triple, str(self.target.target_data)
        tuning = llvm.create_pipeline_tuning_options(speed_level=level)
        tuning.loop_vectorization = True
        tuning.slp_vectorization = tuning.loop_unrolling = level > 1
        builder = llvm.create_pass_builder(self.target, tuning)
        builder.getModulePassManager().run(module, builder)
        return bytes(self.target.emit_object(module))

    def addresses(self, code: bytes, names: list[str]) -> list[int]:
        """Load object code and return the addresses of functions in it."""
        llvm = self.llvm
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.target)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        _kept.append(engine)
        return [int(engine.get_function_address(name)) for name in names]


@functools.cache
def machine() -> Machine:
    """Return the only `Machine`."""
    return Machine()


@functools.cache
def identity() -> str:
    """Return what the code of a text depends on, without LLVM where the system describes its processor."""
    import llvmlite

    processor = elf.processor() or machine().processor
    return f"{__version__}\n{llvmlite.__version__}\n{processor}"


def key(text: str) -> str:
    """Return the name under which the code of this text is kept."""
    return hashlib.sha256(f"{identity()}\n{text}".encode()).hexdigest()[:40]


def load(kernel: Kernel) -> Any:
    """Return the machine code of a kernel as a function; raise DeclinedError if there is none."""
    with _lock:
        if kernel.run is None:
            if routes.broken:
                raise DeclinedError
            try:
                kernel.run = _function(kernel)
            except Exception as error:
                _give_up(error)
                raise DeclinedError from error
    return kernel.run


@functools.cache
def sources() -> str:
    """Return a digest of the code that writes the kernels of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _function(kernel: Kernel) -> Any:
    # to write the text takes a millisecond: of a kernel of this package, the name and the sources say as much
    known = (kernel.body.__module__ or "").startswith("tinygrad_lite.native.")
    name = key(f"kernel {kernel.name}\n{sources()}") if known else ""
    address, kernel.packed = loaded(kernel.text, [kernel.name, f"{kernel.name}_packed"], name)
    words: list[Any] = [ctypes.c_void_p if t == "p" or t[-1] == "*" else CTYPES[t] for t in kernel.types]
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, *words)(address)


def loaded(text: Callable[[], str], names: list[str], name: str = "", level: int = 3) -> list[int]:
    """Return the addresses of functions in a module, which is compiled unless its code is on disk under ``name``.

    Without a name it is kept under that of its text.
    """
    name = name or key(f"; level {level}\n{text()}")
    code = store.read(name)
    if code is None:
        code = _whole(lambda: _kept_on_disk(name, machine().compiled(text(), level)))
    return elf.addresses(code, names) or _whole(lambda: machine().addresses(code, names))


def _kept_on_disk(name: str, code: bytes) -> bytes:
    store.write(name, code)
    return code


def _whole(work: Callable[[], Any]) -> Any:
    """Return ``work()``, which Ctrl-C does not end midway: llvmlite would free the same memory twice then.

    Only the main thread is interrupted, so another one works, and the interruption is raised afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: list[Any] = []
    ended = threading.Event()

    def keep() -> None:
        try:
            done.append(work())
        except BaseException as error:
            done.append(error)
        ended.set()

    try:
        start_new_thread(keep, ())
    except RuntimeError:  # the system gives no more threads
        return work()
    interrupted = None
    while not done:
        try:
            ended.wait()
        except BaseException as error:
            interrupted = error
    if interrupted or isinstance(done[0], BaseException):
        raise interrupted or done[0]
    return done[0]


def _read(array: Any) -> int:
    return word_at(id(array) + HEAD).value


def _asked(array: Any) -> int:
    return int(array.ctypes.data)


def _known() -> bool:
    """Return whether an array's address follows the head of the object, as NumPy's C interface says."""
    if sys.implementation.name != "cpython":
        return False
    some = zeros(3, float32)
    return all(_read(a) == _asked(a) for a in (some, some[1:], some[::-1]))


place: Callable[[Any], int] = _read if _known() else _asked
"""Return the address of an array; to read it takes a fifth of the time of asking NumPy."""


class Room(int):
    """An argument of a kernel: the address of so many zeros of type float32."""


def call(kernel: Kernel, rows: int, work: int, *arguments: Any, each: int = 2, sums: bool = False) -> Any:
    """Run a kernel on rows 0 to ``rows``, on several threads if ``work`` (multiplications) is large.

    Then each thread takes some ``each`` parts of the rows, of which every one has memory of its own for each `Room`. It
    is returned, a row for each part. ``sums``: the caller adds it up, so that the parts must always be the same.
    """
    run = kernel.run or load(kernel)
    words = [place(a) if a.__class__ is ndarray else a for a in arguments]
    if work < SHARED and Room not in map(type, words):  # the usual small call
        return run(0, rows, *words)
    least = (WAKING if sums else SHARED) if CREWED else POOLED
    count, threads = (1, 1) if work < least else divided(rows, work, least, each)
    if threads > 1 and work < WAKING and not sums and not _helped(threads):
        count = 1
    memory, by_part = None, [words]
    if size := sum([w for w in words if w.__class__ is Room]):
        memory = zeros((count, size), float32)
        by_part = [_in_rooms(words, place(memory) + 4 * size * i) for i in range(count)]
    if count == 1:
        run(0, rows, *by_part[0])
    else:
        _together(kernel, rows, work, by_part, count, threads)
    return memory


def _in_rooms(words: list[Any], place: int) -> list[Any]:
    """Return the arguments of one part, whose rooms lie side by side from ``place`` on."""
    out = []
    for word in words:
        if word.__class__ is Room:
            out.append(place)
            place += 4 * word
        else:
            out.append(word)
    return out


def _helped(threads: int) -> bool:
    """Return whether there is a crew of which some are awake."""
    helpers = crew(threads, loaded)
    return helpers is not None and not helpers.asleep()


def _together(kernel: Kernel, rows: int, work: int, words: list[list[Any]], count: int, threads: int) -> None:
    """Run a kernel on ``count`` parts of its rows, whose arguments are those of that number, or the only ones."""
    run: Any = kernel.run
    helpers = crew(threads, loaded) if threads > 1 else None
    if helpers is not None:
        blocks = [pack(kernel.form, *w) for w in words]
        stride = len(blocks[0]) if len(blocks) > 1 else 0
        helpers.share(kernel.packed, b"".join(blocks), stride, rows, count, count - 1 if work >= WAKING else 0)
        return

    def some(part: range) -> None:
        for i in part:
            run(rows * i // count, rows * (i + 1) // count, *words[i % len(words)])

    split(count, WORTH if threads > 1 else 0, some)


def done(kernel: Kernel, rows: int, work: int, *arguments: Any) -> bool:
    """Run a kernel like `call`; return False where there is no machine code."""
    try:
        call(kernel, rows, work, *arguments)
    except DeclinedError:
        return False
    return True


SHARED, WAKING = 1 << 20, 1 << 23
"""Multiplications below which one thread does all, as results go from cache to cache, and below which the others help
only if they are awake."""
POOLED = 1 << 26
"""Multiplications below which one thread does all where there is no crew, but a pool of Python's threads."""


@functools.cache
def sgemm() -> int:
    """Return the address of a ``cblas_sgemm`` with 64-bit integers in NumPy's own library, or 0."""
    library = blas().library
    for name in ("scipy_cblas_sgemm64_", "cblas_sgemm64_"):
        try:
            return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
        except AttributeError:
            continue
    return 0
