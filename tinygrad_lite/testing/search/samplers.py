"""Turn specs (`Arr`, `Ints`, `Samples`) into samplers: functions that draw one call from a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.samples import Arr, Choices, Ints, Samples
from tinygrad_lite.testing.search.source import Sampler, Source
from tinygrad_lite.testing.verdict.point import Array, Rule

Spec = Arr | Ints | Array
USUAL = (3, 4, 2, 5)  # usual sizes of the axes in order of their names: all different, so that mixed-up axes show
LARGEST = 5  # default upper bound of an axis


def sampler_of(
    specs: Sequence[Spec],
    options: Mapping[str, Choices] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
) -> Sampler:
    """Return a sampler of arrays of these specs and one choice of every option.

    An array among the specs is an example: the first draw is the array, others have its shape and range.
    """

    def sampler(src: Source) -> tuple[list[Array], dict[str, Any]]:
        shapes = _Shapes(src, [s for s in specs if not isinstance(s, np.ndarray)], sizes or {})
        arrays: list[Array] = []
        for spec in specs:
            if isinstance(spec, np.ndarray):
                arrays.append(alike(src, spec))
                continue
            if isinstance(spec, np.ndarray):
                arrays.append(alike(src, spec))
                continue
            if spec.optional and src.chance():
                break  # optional arrays come last
            arrays.append(shapes.array(spec))
        return arrays, {k: chosen(src, choices, arrays) for k, choices in (options or {}).items()}

    return sampler


def alike(src: Source, example: Array) -> Array:
    """Draw an array of the shape, dtype and range of an example; the first one is the example."""
    first = src.sizes == "usual" and src.mode == "normal"
    if example.dtype.kind != "f":
        return example.copy() if first else src.rng.permutation(example.ravel()).reshape(example.shape)
    lo, hi = float(example.min(initial=np.inf)), float(example.max(initial=-np.inf))
    lo, hi = (-np.inf, np.inf) if lo < 0 < hi else (0.0, np.inf) if lo >= 0 and hi > 1 else (lo, hi)
    drawn = src.floats(example.shape, lo if np.isfinite(lo) or lo < 0 else 0.0, hi)
    return example.astype(np.float64) if first else drawn


def sampler_of_samples(samples: Samples, names: Sequence[str] = ()) -> Sampler:
    """Return the sampler of an op's `Samples`; ``names`` are its array arguments."""
    if samples.draw is not None:
        return samples.draw
    return sampler_of(samples.specs(names), samples.options, samples.sizes)


def with_g(sampler: Sampler, rule: Rule) -> Sampler:
    """Return a sampler for the pullback: the draws of ``sampler`` and one g per float output."""

    def sample(src: Source) -> tuple[list[Array], dict[str, Any]]:
        arrays, kw = sampler(src)
        out, _ = rule.forward(*[np.array(a) for a in arrays], **kw)
        outs = out if isinstance(out, tuple) else (out,)
        gs = [src.floats(np.shape(o)) for o in outs if np.asarray(o).dtype.kind == "f"]
        return [*map(np.asarray, arrays), *gs], {**kw, "_inputs": len(arrays)}

    return sample


def chosen(src: Source, choices: Choices, arrays: Sequence[Array]) -> Any:
    """Draw one of the choices of an option; the choices, and each of them, may be functions of the shapes."""
    shapes = [a.shape for a in arrays]
    pool = _of_shapes(choices, shapes) if callable(choices) else choices
    choice = src.choice(pool)
    return _of_shapes(choice, shapes) if callable(choice) and not isinstance(choice, type) else choice


def _of_shapes(f: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> Any:
    """Call ``f`` with as many shapes as it takes."""
    code = getattr(f, "__code__", None)
    fixed = code is not None and not code.co_flags & 4
    return f(*shapes[: code.co_argcount]) if fixed and code is not None else f(*shapes)


class _Shapes:
    """Sizes of named axes, drawn at first use, and arrays of these sizes."""

    def __init__(self, src: Source, specs: Sequence[Arr | Ints], bounds: Mapping[str, tuple[int, int]]) -> None:
        self.src, self.bounds = src, bounds
        self.sizes: dict[str, int] = {}
        self.batch: list[int] | None = None
        self.least: dict[str, int] = {}
        for spec in specs:
            for axis in spec.axes:
                self.least[axis] = max(self.least.get(axis, 0), getattr(spec, "min", 0))
            below = spec.below if isinstance(spec, Ints) else None
            if isinstance(below, str):  # indices need at least one element to point at
                self.least[below] = max(self.least.get(below, 0), 1)

    def size(self, axis: str) -> int:
        """Return the size of an axis: a literal number, or one drawn once per name."""
        if axis.isdecimal():
            return int(axis)
        if axis not in self.sizes:
            lo, hi = self.bounds.get(axis, (self.least.get(axis, 0), LARGEST))
            usual = min(max(USUAL[len(self.sizes) % len(USUAL)], lo), hi)
            self.sizes[axis] = self.src.size(usual, lo, hi)
        return self.sizes[axis]

    def shape(self, spec: Arr | Ints) -> tuple[int, ...]:
        """Draw the shape of one array."""
        shape: list[int] = []
        for axis in spec.axes:
            if axis == "...":
                if self.batch is None:
                    least = self.least.get("...", 0)
                    several = len(spec.axes) > 1
                    count = self.src.integer(1 if several else 2, 0, 2 if several else 3)
                    self.batch = [self.src.size(max(USUAL[i % len(USUAL)], least), least) for i in range(count)]
                shape += self.batch
            else:
                shape.append(self.size(axis))
        if spec.broadcasts:
            shape = [n if n == 1 or not self.src.chance() else 1 for n in shape]
            shape = shape[self.src.integer(0, 0, len(shape)) :]
        return tuple(shape)

    def array(self, spec: Arr | Ints) -> Array:
        """Draw one array of a spec."""
        shape = self.shape(spec)
        if isinstance(spec, Ints):
            below = self.size(spec.below) if isinstance(spec.below, str) else spec.below
            return self.src.indices(shape, below, negative=spec.negative)
        if spec.dtype == "bool":
            return np.asarray(self.src.indices(shape, 2) > 0)
        return self.src.floats(shape, spec.lo, spec.hi, None if spec.dtype == "float" else spec.dtype)
