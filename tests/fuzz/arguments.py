"""Hostile arguments for every public name, in processes of their own that may crash.

A call may succeed or raise; it must not crash, hang, use much more memory than asked for, change its arguments or the
random stream when it fails, or leave a mode switched. The error must name the function: a message that Python or NumPy
wrote for somebody else's code is counted as internal.
"""

from __future__ import annotations

import importlib
import inspect
import math
import mmap
import os
import random
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tests.fuzz.processes import Hang, limit, limited, silent, watch
from tests.fuzz.values import Draw, a_tensor, fitting, hostile, remembered, shown
from tinygrad_lite import nn
from tinygrad_lite.engine.mode import MODE, Mode

DOORS = """
. nn.functional nn nn.init nn.utils nn.utils.rnn nn.parallel optim optim.lr_scheduler utils.data linalg fft special
signal.windows func autograd autograd.functional viz testing models training datasets profiler random serialization
distributions distributions.transforms vision.transforms vision.ops vision.utils vision.io amp
""".split()
WRITES = "inplace=|out=|__set|__i|step|max_norm=|^asarray.*requires_grad"
SKIPPED = {"demo", "main", "set_printoptions"}
TURNS = 4
"""Turns that every machine makes in a minute."""
SLOW, LIMIT, MEMORY = 3.0, 5.0, 500_000
"""Seconds that a call should take at most, seconds after which it is stopped, and kB it may add."""

Named = tuple[str, Callable[..., Any]]
METHODS = frozenset("__getitem__ __setitem__ __add__ __iadd__ __matmul__ __pow__ __contains__ __eq__".split())
INTERNAL = re.compile(
    r"'NoneType' object|object has no attribute|not enough values to unpack|too many values to unpack|object is not|"
    r"unsupported operand type|unhashable type|(list|tuple|string) index out of range|cannot access local|"
    r"not supported between instances|cannot be interpreted as|(string|list|tuple) indices|bad operand type|"
    r"cannot unpack non-iterable|can't multiply sequence|must be str, not|does not support item|has no len\(\)|"
    r"can only concatenate|pop from empty|argument of type .* is not|invalid literal for|must be real number|"
    r"not a sequence|ufunc '|Cannot cast|could not be converted|generator already|must be an iterable|numpy\.dtype|"
    r"Cannot interpret|only integer scalar arrays|could not broadcast|operands could not be|inhomogeneous shape|"
    r"The truth value of|cannot convert float|too large|int too|too deep|too big|array dimensions|negative dimensions|"
    r"maximum (supported|allowed) dimension|assignment destination|setting an array element|"
    r"out of bounds for axis|axes don't match|axis .* out of bounds|cannot reshape array|No loop matching|"
    r"is(instance|subclass)\(\) arg|indices must be|range\(\) arg|slice step|zero-size array|(float|int)\(\) arg|"
    r"arg must be|byte_bounds|mismatch in its core|does not have enough dimensions|argument 1 must be|codec can't"
)
RAW = (
    AttributeError, OverflowError, ZeroDivisionError, UnicodeError, RecursionError, StopIteration, FloatingPointError,
    NameError, AssertionError, SystemError,
)  # fmt: skip
NAMED = re.compile(r"^[A-Za-z_.0-9]+(\(\))?: |^[A-Za-z_.0-9]+\(\) ")


def public_names() -> list[Named]:
    """Return every public function and class, and the methods of Tensor, with its name."""
    seen: set[int] = set()
    found: list[Named] = []
    for door in DOORS:
        module = importlib.import_module(f"tinygrad_lite.{door}".rstrip("."))
        shown = getattr(module, "__all__", None)
        for name in sorted(shown or [n for n in dir(module) if not n.startswith("_")]):
            value = getattr(module, name, None)
            home = getattr(value, "__module__", None) or ""
            imported = shown is None and home.startswith("tinygrad_lite.engine.")
            ours = home.startswith("tinygrad_lite") and not imported or isinstance(value, np.ufunc)
            error = isinstance(value, type) and issubclass(value, (BaseException, Enum))
            if callable(value) and ours and not error and name not in SKIPPED and id(value) not in seen:
                seen.add(id(value))
                found.append((f"{door}.{name}".lstrip("."), value))
    for name in sorted(dir(tl.Tensor)):
        method = getattr(tl.Tensor, name, None)
        if callable(method) and (name in METHODS or not name.startswith("_")):
            found.append((f"Tensor.{name}", method))
    return found


# ------------------------------------------------------------------------------------------------ one call
def drawn(name: str, signature: inspect.Signature | None, draw: Draw) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments for a call, of which up to three are hostile."""
    shape = draw.choice([(3,), (2, 3), (3, 3), (2, 3, 4), (2, 3, 6, 6), ()])
    seen: list[Any] = []
    method = name.startswith("Tensor.")
    parameters = list(signature.parameters.values()) if signature else []
    if not parameters or draw.random() < 0.08:
        count = draw.choice([0, 1, 1, 2, 2, 3, 4])
        args = [hostile(draw, seen) if draw.random() < 0.6 else a_tensor(draw, shape) for _ in range(count)]
        return ([a_tensor(draw, shape), *args] if method else args), {}
    args, options = [], {}
    bad = set(draw.sample(range(len(parameters)), min(len(parameters), draw.choice([0, 1, 1, 1, 1, 2, 3]))))
    for i, parameter in enumerate(parameters):
        if parameter.kind == parameter.VAR_KEYWORD:
            continue
        if parameter.kind == parameter.VAR_POSITIONAL:
            for _ in range(0 if options else draw.choice([0, 1, 2, 3])):
                sizes = "size" in parameter.name or "dim" in parameter.name
                good = draw.choice([1, 2, 3]) if sizes else fitting(draw, parameter, shape, seen)
                args.append(hostile(draw, seen) if i in bad and draw.random() < 0.7 else good)
            continue
        needed = parameter.default is parameter.empty
        if not needed and i not in bad and draw.random() < 0.75:
            continue
        if method and i == 0:
            value = remembered(seen, a_tensor(draw, shape))
        else:
            value = hostile(draw, seen) if i in bad else fitting(draw, parameter, shape, seen)
        if parameter.kind == parameter.KEYWORD_ONLY or not needed and (options or draw.random() < 0.7):
            options[parameter.name] = value
        elif not options:
            args.append(value)
        else:
            options[parameter.name] = value
    return args, options


def used(result: Any, draw: Draw) -> None:
    """Use what a call returned: run a module, backward, a step, a batch."""
    if isinstance(result, nn.Module):
        shapes = [(3,), (2, 3), (2, 3, 3), (2, 3, 6, 6), (2, 3, 4, 4, 4)]
        kinds = ["grad", "grad", "float", "long"]
        given = [a_tensor(draw, draw.choice(shapes), draw.choice(kinds)) for _ in range(draw.choice([1, 1, 1, 2, 3]))]
        out = result(*given)
        if isinstance(out, tl.Tensor) and out.requires_grad:
            out.sum().backward()
    elif isinstance(result, tl.Tensor):
        if result.requires_grad and result.node is not None and result.numel() < 10_000:
            result.sum().backward()
        repr(result)
    elif isinstance(result, tl.optim.Optimizer):
        result.step()
    elif isinstance(result, tl.utils.data.DataLoader) or inspect.isgenerator(result):
        for _ in zip(range(3), result, strict=False):
            pass


def contents(value: Any, depth: int = 0) -> Any:
    """Return what must not change in an argument."""
    if isinstance(value, tl.Tensor):
        a = value.array
        return a.shape, str(a.dtype), a.tobytes() if a.size < 5000 else None, value.requires_grad, value.is_leaf
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.tobytes() if value.size < 5000 and value.dtype.kind != "O" else None
    if isinstance(value, (list, tuple)) and depth < 3:
        return len(value), [contents(v, depth + 1) for v in value[:8] if v is not value]
    return len(value) if isinstance(value, dict) else None


def state() -> tuple[Any, ...]:
    """Return what no call may leave changed."""
    mode = MODE.get()
    settings = mode.grad, mode.guard, mode.inference, len(mode.observers), tl.get_num_threads()
    return *settings, str(tl.get_default_dtype()), sorted(np.geterr().items()), os.getcwd(), sys.getrecursionlimit()


def internal(error: BaseException) -> bool:
    """Return whether a message says nothing about the function that was called."""
    text = str(error)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][1:]
    if any(frame.f_globals.get("__name__", "").startswith("tests.") for frame in frames):
        return False  # an argument failed by itself, or what a function of the user's did
    if "No comparison pair was able to handle inputs" in text:
        return False  # PyTorch's own words
    if isinstance(error, AssertionError) and text or type(error).__module__ == "tinygrad_lite.errors":
        return False  # PyTorch's in the words of PyTorch, or this package's own
    if "evil" in text or NAMED.match(text) or "is not a Module subclass" in text:  # PyTorch's own words
        return False
    own = [f for f in traceback.extract_tb(error.__traceback__) if "tinygrad_lite" in f.filename]
    if not own and isinstance(error, TypeError):
        return False  # Python's own message about a call that does not fit the signature
    if isinstance(error, KeyError):
        return len(text.split()) < 3
    return isinstance(error, RAW) or INTERNAL.search(text) is not None


def one_call(
    name: str, function: Callable[..., Any], number: int, found: Findings, before: Callable[[str], None]
) -> None:
    """Make call ``number`` of a function and judge it. ``before`` is given its description: it may be the last."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        signature = None
    draw = random.Random(zlib.crc32(name.encode()) * 1000 + number)
    args, options = drawn(name, signature, draw)
    words = ", ".join([*map(shown, args), *(f"{k}={shown(v)}" for k, v in options.items())])
    text = f"{name}({words})"
    before(text)
    given, stream, modes, memory = contents([args, [*options.values()]]), repr(tl.get_rng_state()), state(), resident()
    error: BaseException | None = None
    calling, started = True, time.process_time()
    limit(LIMIT)
    try:
        result = function(*args, **options)
        calling = False
        used(result, draw)
    except BaseException as e:
        error = e
    limit(0)
    seconds = time.process_time() - started
    found.counts["calls"] += 1

    def note(kind: str, detail: str) -> None:
        found.note(kind, name, f"{text} [call {number}] -> {detail}")

    if isinstance(error, Hang) or seconds > LIMIT * 0.98:
        note("hang", f"{seconds:.1f} s")
    elif seconds > SLOW:
        note("slow", f"{seconds:.1f} s, {type(error).__name__}")
    if resident() - memory > MEMORY:
        note("memory", f"{(resident() - memory) // 1000} MB")
    for kind, detail in judged(name, error, calling):
        note(kind, detail)
    flagged = signature is not None and "inplace" in signature.parameters and len(args) > 1
    writes = flagged or name.endswith("_") or re.search(WRITES, text)
    changes = writes and not (error and calling)
    if contents([args, [*options.values()]]) != given and not changes:
        note("argument changed", f"{type(error).__name__} {error}")
    # a constructor has drawn its first parameters when a later one fails; a leaf is refused when the result is there
    draws = isinstance(function, type) or "cannot be changed in place" in str(error)
    if error is not None and calling and not draws and repr(tl.get_rng_state()) != stream:
        note("random stream moved", f"{type(error).__name__}: {error}")
    if state() != modes and not re.search("set_|seed", name):
        note("state left", f"{modes} -> {state()}")
        MODE.set(Mode())


def judged(name: str, error: BaseException | None, calling: bool) -> Iterator[tuple[str, str]]:
    """Yield the kinds of an error that should be another, with the place it came from."""
    if error is None or isinstance(error, Hang):
        return
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "tinygrad_lite" in f.filename]
    place = f"{frames[-1].filename.split('tinygrad_lite/')[-1]}:{frames[-1].lineno}" if frames else "?"
    text = f"{type(error).__name__}: {str(error)[:200]} at {place}{'' if calling else ', in use'}"
    if isinstance(error, SystemError):
        yield "system error", text
    elif isinstance(error, (MemoryError, KeyboardInterrupt)):
        return
    elif not isinstance(error, Exception):
        yield "wrong exception", text
    elif internal(error):
        yield "internal message", text


def resident() -> int:
    """Return the greatest memory that this process has used, in kB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ------------------------------------------------------------------------------------------------ processes
def child(work: list[Named], numbers: range, start: int, shared: mmap.mmap, out: int) -> None:
    """Make the calls of some names from call ``start`` on, and write what was found to ``out``."""
    import socket
    import warnings

    limited(4)

    def refuse(*_: Any) -> None:
        raise OSError("no network in a fuzzed process")

    watch()
    socket.socket.connect = refuse  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = refuse  # type: ignore[assignment]
    silent()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    found = Findings()
    calls = [(name, function, i) for name, function in work for i in numbers]
    for place, (name, function, i) in enumerate(calls):
        if place < start:
            continue

        def before(text: str, place: int = place) -> None:
            data = text.encode("utf8", "replace")[:1000]
            shared[:8] = place.to_bytes(8, "little")
            shared[8 : 9 + len(data)] = data + b"\0"

        before(name)
        one_call(name, function, i, found, before)
    data = found.dumps()
    while data:
        data = data[os.write(out, data) :]


def in_child(work: list[Named], numbers: range, start: int, shared: mmap.mmap) -> tuple[bytes, int]:
    """Run `child` and return what it wrote and its exit status; it is killed after a long silence."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            status, speak = 99, os.dup(2)
            try:
                child(work, numbers, start, shared, write)
                status = 0
            except BaseException:  # a fault of the harness, not of a call
                os.write(speak, traceback.format_exc().encode())
            finally:
                os.chdir("/")
                shutil.rmtree(folder, ignore_errors=True)
                os._exit(status)
    os.close(write)
    data, last, since = b"", b"", time.monotonic()
    while True:
        ready, _, _ = select.select([read], [], [], 0.5)
        if ready:
            part = os.read(read, 1 << 20)
            if not part:
                break
            data += part
        if shared[:8] != last:
            last, since = shared[:8], time.monotonic()
        if time.monotonic() - since > 15 * LIMIT:
            os.kill(pid, signal.SIGKILL)
    os.close(read)
    return data, os.waitpid(pid, 0)[1]


def run(work: list[Named], numbers: range) -> Findings:
    """Make the calls ``numbers`` of every name in ``work``; one that dies is replaced after the call it died of."""
    shared = mmap.mmap(-1, 4096)
    total, start = Findings(), 0
    while True:
        data, status = in_child(work, numbers, start, shared)
        if data and status == 0:
            total.add(Findings.loads(data))
            return total
        place = int.from_bytes(shared[:8], "little")
        text = shared[8:1010].split(b"\0")[0].decode("utf8", "replace")
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        name = work[place // len(numbers)][0]
        total.note("crash", name, f"{text} [call {numbers[place % len(numbers)]}] -> {how}")
        total.counts["calls"] += place + 1 - start
        start = place + 1


def groups(work: list[Named], size: int = 40) -> Iterator[list[Named]]:
    """Yield the names in groups for one process each; names that set something are alone."""
    alone = [pair for pair in work if re.search("set_|seed|use_", pair[0])]
    yield from ([pair] for pair in alone)
    rest = [pair for pair in work if pair not in alone]
    yield from (rest[i : i + size] for i in range(0, len(rest), size))


def fuzz(seconds: float, seed: int = 0, calls: int = 1, turns: float = math.inf) -> Findings:
    """Call every public name ``calls`` times, and again with other arguments until the time or the turns are over."""
    total, end, first = Findings(), time.monotonic() + seconds, seed * 1_000_000
    work = list(groups(public_names()))
    while True:
        for group in work:
            total.add(run(group, range(first, first + calls)))
        first, turns = first + calls, turns - 1
        if turns < 1 or time.monotonic() > end:
            return total
