"""Random programs with views and in-place writes, compiled: the same numbers, or refused with a reason."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, agree, content
from tinygrad_lite.compiled import compile

COUNT = int(os.environ.get("TINYGRAD_LITE_RANDOM_PROGRAMS", "40"))
"""The number of programs; 2,000 take some minutes."""
UNARY = ("relu", "tanh", "sigmoid", "exp", "abs", "sin", "square", "neg", "softmax", "cumsum", "flip", "clone")
BINARY = ("add", "sub", "mul", "maximum", "minimum")
VIEWS = ("rows", "column", "transposed", "flat", "diagonal", "strided", "expanded", "narrow")
WRITES = ("add_", "mul_", "copy_", "fill_", "zero_", "relu_", "setitem", "masked", "index_add", "clamp_")


def view(t, kind, n):
    if kind == "rows":
        return t[n % len(t) :] if t.ndim else t
    if kind == "column":
        return t[..., n % t.shape[-1]] if t.ndim > 1 else t
    if kind == "transposed":
        return t.transpose(0, -1) if t.ndim > 1 else t
    if kind == "flat":
        return t.reshape(-1)
    if kind == "diagonal":
        return t.diagonal() if t.ndim == 2 else t
    if kind == "strided":
        return t[::2]
    if kind == "expanded":
        return t.unsqueeze(0).expand(2, *t.shape) if t.ndim < 3 else t
    return t.narrow(0, 0, max(1, len(t) - 1))


def write(t, kind, other, n):
    """Write into a part of ``t`` in place."""
    if kind == "setitem":
        t[n % len(t)] = 0.5
    elif kind == "masked":
        t.masked_fill_(t > 0.8, 0.25)
    elif kind == "index_add":
        t.index_add_(0, tl.tensor([0, 0]), tl.ones(2, *t.shape[1:]))
    elif kind == "clamp_":
        t.clamp_(-1.0, 1.0)
    elif kind in ("zero_", "relu_"):
        getattr(t, kind)()
    elif kind == "fill_":
        t.fill_(0.75)
    else:
        getattr(t, kind)(other)


def drawn(seed):
    """Return the lines of a program: (kind, name, numbers)."""
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(random.integers(3, 12)):
        kind = random.choice(["unary", "binary", "view", "write", "matmul", "sum"], p=[0.25, 0.2, 0.2, 0.2, 0.1, 0.05])
        names = {"unary": UNARY, "binary": BINARY, "view": VIEWS, "write": WRITES}.get(kind, (kind,))
        lines.append((kind, str(random.choice(names)), [int(n) for n in random.integers(0, 1000, 3)]))
    return lines, bool(random.integers(2)), bool(random.integers(2))


def program(lines, step):
    """Return a function of (x, w) that runs the lines on a list of values; ``step``: with its own backward pass."""

    def run(x, w):
        values = [x * 1.0, w * 1.0, w + x]
        for kind, name, (i, j, k) in lines:
            t, other = values[i % len(values)], values[j % len(values)]
            if kind == "unary":
                t = (
                    getattr(t, name)(0)
                    if name in ("softmax", "cumsum")
                    else t.flip(0)
                    if name == "flip"
                    else getattr(t, name)()
                )
            elif kind == "binary":
                t = getattr(tl, name)(t, other) if t.shape == other.shape else t * 0.5
            elif kind == "view":
                t = view(t, name, k)
            elif kind == "write":
                write(t, name, other.detach() if t.shape == other.shape else 0.5, k)
            elif kind == "matmul":
                t = t @ other if t.ndim == other.ndim == 2 and t.shape[1] == other.shape[0] else t
            else:
                t = t.sum(0, keepdim=True)
            values.append(t)
        result = sum((v * v).mean() for v in values[-4:])
        if step:
            w.grad = None
            result.backward()
            with tl.no_grad():
                w.sub_(w.grad * 0.01)
            return result.detach()
        return result

    return run


def outcomes(seed, backend):
    """Return what five calls on other numbers give, and the compiled function."""
    lines, step, tracked = drawn(seed)
    random = np.random.default_rng(seed)
    w = tl.tensor(random.standard_normal((3, 3)).astype(np.float32), requires_grad=True)
    call = program(lines, step)
    run = compile(lambda x: call(x, w), backend=backend) if backend else lambda x: call(x, w)
    found = []
    for _ in range(5):
        x = tl.tensor(random.standard_normal((3, 3)).astype(np.float32), requires_grad=tracked and not step)
        try:
            y = run(x)
            if not step:
                w.grad = None
                y.backward()
            found.append([None if t is None else content(t.array) for t in (y, x, x.grad, w, w.grad)])
        except Exception as error:
            found.append(type(error))
    return found, run


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("part", range(4))
def test_random_programs(part, backend):
    """Most become programs; the others say why not."""
    ran = total = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(part, COUNT, 4):
            expected, _ = outcomes(seed, "")
            got, run = outcomes(seed, backend)
            assert agree(got, expected, backend), (seed, drawn(seed))
            calls = sum(p.calls for ps in run._programs.values() for p in ps)
            assert calls or run._eager or run._misses or type in map(type, expected), (seed, run.explain())
            ran, total = ran + bool(calls), total + 1
    assert ran > 0.5 * total
