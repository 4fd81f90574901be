"""Call hand-written layers in the form in which they were written, and collect their gradients."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from tinygrad_lite.testing.search.source import Sampler, Source
from tinygrad_lite.testing.verdict.point import Array, Failure, bare

FORWARD = ("forward", "forward_pass", "fprop", "__call__")
BACKWARD = ("backward", "backward_pass", "backprop", "bprop", "grad", "gradient", "_backward")
CACHE = ("cache", "ctx", "context", "saved", "memory", "mem", "tape", "state")
INCOMING = ("g", "dout", "grad", "dy", "dz", "upstream", "delta", "dl", "error")


class Handwritten:
    """A layer as a pair of functions for a `Rule`: ``forward`` and ``backward``, found out by one call."""

    def __init__(self, count: int, args: Sequence[Any]) -> None:
        self.count, self.args = count, tuple(args)
        self.names: tuple[str, ...] = ()
        self.wrt: tuple[int, ...] | None = None
        self.notes: list[str] = []
        self.values: list[Array] = []  # of the parameters

    def prepare(self, arrays: Sequence[Array], kw: dict[str, Any], params: Any) -> Failure | None:
        """Call the layer once, to see which gradients it returns; a ``Failure`` if it raises."""
        try:
            whole = [*arrays, *self.found(arrays, kw, params)]
            out, saved = self.forward(*map(np.array, whole), **kw)
            g: Any = tuple(np.ones(np.shape(o)) for o in out) if isinstance(out, tuple) else np.ones(np.shape(out))
        except Failure as e:
            return e
        except Exception as e:
            return Failure("forward raises", f"{type(e).__name__}: {e}")
        try:
            grads = self.backward(g, saved)
        except Exception as e:
            return Failure("backward raises", f"{type(e).__name__}: {e}")
        floats = [i for i, a in enumerate(whole) if np.asarray(a).dtype.kind == "f"]
        self.wrt = tuple(i for i in floats if grads[i] is not None)
        without = [self.names[i] for i in floats if grads[i] is None]
        if not self.wrt:
            return Failure("gradient missing", "backward returns no gradient and leaves none as an attribute")
        if without:
            self.notes.append(f"no gradient for {', '.join(without)}: not checked")
        elif len(self.wrt) > 1:
            self.notes.append(f"inputs {', '.join(self.names[i] for i in self.wrt)}")
        return None

    def found(self, arrays: Sequence[Array], kw: dict[str, Any], params: Any) -> list[Array]:
        """Return the values of the parameters."""
        return []

    def sampler(self, inputs: Sampler) -> Sampler:
        """Return a sampler of inputs and parameters; the first example keeps the parameters of the layer."""

        def sample(src: Source) -> tuple[list[Array], dict[str, Any]]:
            arrays, kw = inputs(src)
            usual = src.sizes == "usual" and src.mode == "normal"
            drawn = [src.floats(v.shape, -2.0, 2.0) for v in self.values]
            return [*arrays, *(self.values if usual else drawn)], kw

        return sample

    def forward(self, *arrays: Array, **kw: Any) -> tuple[Any, Any]:
        """Return the output and what backward needs."""
        raise NotImplementedError

    def backward(self, g: Any, saved: Any) -> Sequence[Any]:
        """Return one gradient per input and parameter; None where there is none."""
        raise NotImplementedError

    def arranged(self, grads: Any, given: Sequence[Array]) -> list[Any]:
        """Return one gradient per array from an array, a tuple, a list or a dict."""
        if isinstance(grads, dict):
            known = {bare(str(k)): t for k, t in grads.items()}
            if any(n.lower() in known for n in self.names):
                return [known.get(n.lower()) for n in self.names]
            grads = tuple(grads.values())
        if not isinstance(grads, (tuple, list)):
            grads = (grads,)
        grads = [t if t is None or np.asarray(t).dtype.kind in "biuf" else None for t in grads]
        floats = [i for i, a in enumerate(given) if np.asarray(a).dtype.kind == "f"]
        if len(grads) < len(given):  # labels are left out
            parts = iter(grads)
            return [next(parts, None) if i in floats else None for i in range(len(given))]
        if len(grads) > len(given):
            raise Failure("wrong number of gradients", f"{len(grads)} for {len(given)} inputs and parameters")
        return list(grads)


class Functions(Handwritten):
    """A pair of functions, or one that returns a loss and its gradient."""

    def __init__(self, forward: Any, backward: Any, count: int, args: Sequence[Any]) -> None:
        super().__init__(count, args)
        self.run, self.pull = forward, backward
        names = [p.name for p in _positional(forward)]
        self.names = tuple(names[:count]) if len(names) >= count else tuple(f"input {i}" for i in range(count))

    def forward(self, *arrays: Array, **kw: Any) -> tuple[Any, Any]:
        """Call the first function."""
        same_random()
        out = self.run(*arrays, **kw)
        if self.pull is None:
            if not isinstance(out, tuple) or len(out) < 2:
                raise Failure("forward raises", f"a single function must return (loss, gradient), got {_what(out)}")
            return np.asarray(out[0]), (out[1] if len(out) == 2 else out[1:], arrays, kw, out[0])
        first, cache = _split(out)
        return first, (cache, arrays, kw, first)

    def backward(self, g: Any, saved: Any) -> Sequence[Any]:
        """Call the second function, or scale the gradient that the first one returned."""
        cache, arrays, kw, out = saved
        if self.pull is None:
            return [None if t is None else g * np.asarray(t) for t in self.arranged(cache, arrays)]
        same_random()
        grads, scaled = _call_backward(self.pull, g, cache, arrays, self.names, self.args, kw)
        found = self.arranged(grads, arrays)
        return [None if t is None else g * np.asarray(t) for t in found] if scaled else found


class Objects(Handwritten):
    """An object with methods, made anew for every call."""

    def __init__(self, make: Callable[[], Any], forward: str, backward: str, count: int, args: Sequence[Any]) -> None:
        super().__init__(count, args)
        self.make, self.run, self.pull = make, forward, backward
        self.paths: list[tuple[Path, Path | None]] = []

    @staticmethod
    def copies(layer: Any) -> Callable[[], Any]:
        """Return a function that copies an object."""
        return lambda: copy.deepcopy(layer)

    def found(self, arrays: Sequence[Array], kw: dict[str, Any], params: Any) -> list[Array]:
        """Find the parameters and where their gradients are left, by one call of both methods."""
        names = [p.name for p in _positional(getattr(self.make(), self.run))]
        fixed = names[: self.count] if len(names) >= self.count else [f"input {i}" for i in range(self.count)]
        self.names = tuple(fixed)
        same_random()
        sample = self.make()
        if params is None:
            out, (o, *rest) = self.forward(*map(np.array, arrays), **kw)
            g: Any = tuple(np.ones(np.shape(a)) for a in out) if isinstance(out, tuple) else np.ones(np.shape(out))
            try:
                self.backward(g, (o, *rest), keep=True)
            except Exception:  # reported when the check begins
                pass
            self.paths = list(_pairs(sample, o))
        else:
            wanted = params if isinstance(params, Mapping) else dict.fromkeys(params)
            self.paths = [(_path(p), None if q is None else _path(q)) for p, q in wanted.items()]
        self.values = [np.array(_get(sample, p), np.float64) for p, _ in self.paths]
        self.names = (*fixed, *(_text(p) for p, _ in self.paths))
        return self.values

    def forward(self, *arrays: Array, **kw: Any) -> tuple[Any, Any]:
        """Make an object, set its parameters and call its forward method."""
        same_random()
        o = self.make()
        for (path, _), value in zip(self.paths, arrays[self.count :], strict=False):
            _put(o, path, value.copy())
        out = getattr(o, self.run)(*arrays[: self.count], **kw)
        first, cache = _split(out)
        return first, (o, cache, arrays, kw)

    def backward(self, g: Any, saved: Any, keep: bool = False) -> Sequence[Any]:
        """Call the backward method of a copy of the object and collect its gradients."""
        o, cache, arrays, kw = saved
        o = o if keep else copy.deepcopy(o)
        inputs = arrays[: self.count]
        same_random()
        grads, scaled = _call_backward(getattr(o, self.pull), g, cache, inputs, self.names, self.args, kw)
        returned = grads if isinstance(grads, (tuple, list, dict)) else (grads,)
        found = self.arranged(returned, arrays if len(returned) > self.count else inputs)
        found += [None] * (len(arrays) - len(found))
        for k, (path, place) in enumerate(self.paths, self.count):
            if place is None and found[k] is None:
                place = next((q for p, q in _pairs(self.make(), o) if p == path), None)
            if place is not None:
                found[k] = _get(o, place)
        return [None if t is None else g * np.asarray(t) for t in found] if scaled else found


def _split(out: Any) -> tuple[Any, tuple[Any, ...]]:
    """Separate the output from the cache that follows it."""
    if isinstance(out, tuple) and out:
        return (np.asarray(out[0]) if np.isscalar(out[0]) else out[0]), out[1:]
    return (np.asarray(out) if np.isscalar(out) else out), ()


def _what(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"


def _positional(function: Any) -> Sequence[inspect.Parameter]:
    return _parameters(function)[0]


def _parameters(function: Any) -> tuple[Sequence[inspect.Parameter], frozenset[str]]:
    """Return the parameters that may be given by position, and the names of all."""
    plain = getattr(function, "__func__", function)
    if isinstance(plain, FunctionType):
        return _read(plain, plain is not function)
    return _read.__wrapped__(function, False)


@lru_cache(256)
def _read(function: Any, bound: bool) -> tuple[Sequence[inspect.Parameter], frozenset[str]]:
    try:
        parameters = list(inspect.signature(function).parameters.values())[bound:]
    except (TypeError, ValueError):
        return (), frozenset()
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return plain, frozenset(p.name for p in parameters)


def _call_backward(
    function: Any,
    g: Any,
    cache: tuple[Any, ...],
    inputs: Sequence[Array],
    names: Sequence[str],
    args: Sequence[Any],
    kw: dict[str, Any],
) -> tuple[Any, bool]:
    """Call a backward function by its signature; True if it knows no g and its result must be multiplied by it."""
    wanted = [p.name for p in _positional(function) if p.default is p.empty]
    wanted = wanted[: len(wanted) - len(args)] if args else wanted
    taken = _parameters(function)[1]
    options = {k: v for k, v in kw.items() if k in taken and k not in wanted}
    kept = copy.deepcopy(cache)
    own = [np.array(a) for a in inputs]
    g = tuple(map(np.array, g)) if isinstance(g, tuple) else np.array(g)
    if not wanted:
        return function(*args, **options), True
    if not any(_incoming(n) for n in wanted) and wanted == list(names[: len(wanted)]):
        return function(*own[: len(wanted)], *args, **options), True  # a derivative at the inputs
    if len(wanted) == 1:
        alone = wanted[0].lower() in CACHE and kept
        return function(kept[0] if alone else g, *args, **options), bool(alone)
    if len(wanted) == 2 and (wanted[0].lower() in CACHE or _incoming(wanted[1]) and not _incoming(wanted[0])):
        return function(_rest(kept, own)[0], g, *args, **options), False
    rest = _rest(kept, own)
    if len(wanted) == 2:
        return function(g, rest[0] if len(rest) == 1 else tuple(rest), *args, **options), False
    if len(rest) == 1 and isinstance(rest[0], (tuple, list)) and len(rest[0]) == len(wanted) - 1:
        rest = rest[0]
    return function(g, *rest[: len(wanted) - 1], *args, **options), False


def _incoming(name: str) -> bool:
    name = name.lower().replace("_", "")
    return name in INCOMING or name.startswith(("grad", "dout", "dl", "upstream", "delta", "error", "dy", "dz"))


def _rest(cache: Sequence[Any], inputs: Sequence[Array]) -> Sequence[Any]:
    return cache if cache else inputs


# ------------------------------------------------------------------------------------------------ attributes
Path = tuple[Any, ...]  # the name of an attribute, then keys


def _path(text: str) -> Path:
    """Return the path of ``W``, ``params['W']`` or ``layer.W``."""
    parts: list[Any] = []
    for part in text.replace("]", "").replace('"', "").replace("'", "").replace("[", ".").split("."):
        parts.append(int(part) if part.isdecimal() else part)
    return tuple(parts)


def _text(path: Path) -> str:
    return "".join(str(k) if n == 0 else f"[{k!r}]" for n, k in enumerate(path))


def _get(o: Any, path: Path) -> Any:
    for key in path:
        o = o[key] if isinstance(o, (dict, list, tuple)) else getattr(o, key)
    return o


def _put(o: Any, path: Path, value: Any) -> None:
    o = _get(o, path[:-1])
    if isinstance(o, (dict, list)):
        o[path[-1]] = value
    else:
        setattr(o, path[-1], value)


def _pairs(before: Any, after: Any) -> Iterator[tuple[Path, Path]]:
    """Yield the parameters of a new object and where another one keeps their gradients after backward."""
    arrays = {p: a for p, a in _arrays(before) if a.size}
    later = dict(_arrays(after))
    for path, a in arrays.items():
        wanted = [_plain(path[-1]), _plain(path[-1]).removesuffix("s")]
        for place, t in later.items():
            if place == path or t.shape != a.shape and t.size != a.size:
                continue
            key = _plain(place[-1])
            by_name = any(
                key in (f"d{n}", f"grad{n}", f"{n}grad", f"gradient{n}", f"{n}gradient", f"delta{n}") for n in wanted
            )
            by_key = place[1:] == path[1:] != () and _plain(place[0]) in ("grads", "grad", "gradients", "dparams")
            if len(place) == len(path) and (by_name and place[:-1] == path[:-1] or by_key or by_name and len(path) > 1):
                yield path, place
                break


def _arrays(o: Any) -> Iterator[tuple[Path, Array]]:
    for name, value in list(getattr(o, "__dict__", {}).items()):
        if isinstance(value, dict):
            yield from (((name, k), v) for k, v in value.items() if _is_float(v))
        elif isinstance(value, list):
            yield from (((name, k), v) for k, v in enumerate(value) if _is_float(v))
        elif _is_float(value):
            yield (name,), value


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _plain(key: Any) -> str:
    return str(key).lower().replace("_", "")


def same_random() -> None:
    """Begin NumPy's global random numbers anew, so that dropout drops the same in every call."""
    np.random.seed(0)  # noqa: NPY002  what such layers use


@contextmanager
def kept_random() -> Iterator[None]:
    """Put NumPy's global random numbers back: once for a whole check, since it takes as long as a small layer."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
