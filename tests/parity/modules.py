"""One row of the module table, and how it is run against PyTorch: same weights in, same everything out."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_lite as tl

TOLERANCE = {"float64": (1e-9, 1e-10), "float32": (2e-4, 2e-5)}


@dataclass(frozen=True)
class Row:
    """A module as both libraries make it, and what it is called with.

    ``make(nn)``; ``inputs``: shapes of floating inputs, or arrays that are passed as they are; ``words(lib)``: keyword
    arguments of the call; ``values``: range of the inputs. ``shown``: whether both print alike.
    """

    name: str
    make: Callable[..., Any]
    inputs: tuple[Any, ...]
    words: Callable[..., dict[str, Any]] = lambda lib: {}
    values: tuple[float, float] = (-2.0, 2.0)
    shown: bool = True
    modes: tuple[bool, ...] = (True, False)
    order: bool = True
    strided: bool = True  # memory in another order too; PyTorch itself fails at that in places
    rtol: float = 1.0


def leaves(value: Any) -> list[Any]:
    """Every tensor in nested results, None for what is missing."""
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in leaves(v)]
    return [value]


def same(ours: Any, theirs: Any, dtype: str, what: str, rtol: float = 1.0) -> int:
    if theirs is None:
        assert ours is None, f"{what}: PyTorch has None, ours {ours!r}"
        return 1
    a, b = ours.detach().array, theirs.detach().numpy()
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch {b.shape}"
    assert str(a.dtype) == str(b.dtype), f"{what}: dtype {a.dtype}, PyTorch {b.dtype}"
    if a.dtype.kind == "f":
        r, t = TOLERANCE[dtype]
        np.testing.assert_allclose(a, b, rtol=r * rtol, atol=t * rtol, err_msg=what)
    else:
        np.testing.assert_array_equal(a, b, err_msg=what)
    return 1


def copied(theirs: Any) -> dict[str, Any]:
    return {k: tl.tensor(v.detach().numpy()) for k, v in theirs.state_dict().items()}


def run(row: Row, torch: Any) -> tuple[int, int]:
    """Run the row in both widths and modes; returns (cases, comparisons)."""
    from tinygrad_lite import nn

    made = checks = 0
    for dtype in ("float64", "float32"):
        for training in row.modes:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                checks += one(row, torch, nn, dtype, training)
            made += 1
    return made, checks


def one(row: Row, torch: Any, nn: Any, dtype: str, training: bool) -> int:
    shown = f"{row.name} {dtype} {'train' if training else 'eval'}"
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    torch.manual_seed(0)
    theirs, ours = row.make(torch.nn), row.make(nn)
    if row.shown:
        assert repr(ours) == repr(theirs), f"{shown}: {ours!r}, PyTorch prints {theirs!r}"
    theirs, ours = theirs.to(getattr(torch, dtype)).train(training), ours.to(np.dtype(dtype)).train(training)
    keys = {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    mine = {k: tuple(v.shape) for k, v in ours.state_dict().items()}
    assert mine == keys, f"{shown}: state {mine}, PyTorch {keys}"
    assert not row.order or list(mine) == list(keys), f"{shown}: order {list(mine)}, PyTorch {list(keys)}"
    ours.load_state_dict(copied(theirs))
    xs, ys = [], []
    for x in row.inputs:
        if isinstance(x, np.ndarray):
            xs.append(tl.tensor(x))
            ys.append(torch.tensor(x))
        else:
            a = rng.uniform(*row.values, x).astype(dtype)
            if row.strided and a.ndim > 1 and a.size:
                a = np.ascontiguousarray(a.swapaxes(0, -1)).swapaxes(0, -1)
            xs.append(tl.tensor(a, requires_grad=True))
            ys.append(torch.tensor(a, requires_grad=True))
    mine_out = leaves(ours(*xs, **row.words(tl)))
    their_out = leaves(theirs(*ys, **row.words(torch)))
    assert len(mine_out) == len(their_out), f"{shown}: {len(mine_out)} results, PyTorch {len(their_out)}"
    checks = sum(
        same(a, b, dtype, f"{shown}: result {i}", row.rtol)
        for i, (a, b) in enumerate(zip(mine_out, their_out, strict=True))
    )
    wanted = [i for i, b in enumerate(their_out) if b is not None and b.requires_grad]
    assert wanted == [i for i, a in enumerate(mine_out) if a is not None and a.requires_grad], (
        f"{shown}: what is tracked"
    )
    if wanted:
        gs = [rng.uniform(-1, 1, tuple(their_out[i].shape)).astype(dtype) for i in wanted]
        mine = sum((mine_out[i] * g).sum() for i, g in zip(wanted, gs, strict=True))
        they = sum((their_out[i] * torch.tensor(g)).sum() for i, g in zip(wanted, gs, strict=True))
        if dtype == "float64":
            checks += second(tl, torch, ours, theirs, xs, ys, mine, they, shown, row.rtol)
        mine.backward()
        they.backward()
        for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
            if y.dtype.is_floating_point:
                checks += same(x.grad, y.grad, dtype, f"{shown}: gradient of input {i}", row.rtol)
        for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            checks += same(p.grad, q.grad, dtype, f"{shown}: gradient of {name}", row.rtol)
    for (name, b), (_, c) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        checks += same(b, c, dtype, f"{shown}: buffer {name}", row.rtol)
    return checks


def second(
    tl: Any, torch: Any, ours: Any, theirs: Any, xs: Any, ys: Any, mine: Any, they: Any, shown: str, rtol: float
) -> int:
    """Compare the gradient of the squared gradients, wherever PyTorch has one."""
    found = []
    for lib, module, inputs, out in ((torch, theirs, ys, they), (tl, ours, xs, mine)):
        leaves = [t for t in (*inputs, *module.parameters()) if t.requires_grad]
        try:
            first = lib.autograd.grad(out, leaves, create_graph=True, allow_unused=True)
            penalty = sum((g * g).sum() for g in first if g is not None and g.requires_grad)
            if isinstance(penalty, int):
                found.append((None,) * len(leaves))
                continue
            found.append(lib.autograd.grad(penalty, leaves, retain_graph=True, allow_unused=True))
        except RuntimeError as e:
            if lib is torch and "not implemented" in str(e) or "derivative for" in str(e):
                return 0
            raise
    checks = 0
    for i, (b, a) in enumerate(zip(*found, strict=True)):
        if a is None and b is None:
            continue
        zero = np.zeros(tuple((a if b is None else b).shape))
        a, b = zero if a is None else a.detach().array, zero if b is None else b.detach().numpy(force=True)
        scale = max(float(np.abs(b).max(initial=0)), 1)
        np.testing.assert_allclose(
            a / scale, b / scale, rtol=1e-7 * rtol, atol=1e-9 * rtol, err_msg=f"{shown}: second gradient {i}"
        )
        checks += 1
    return checks


def wrong(make: Callable[..., Any], torch: Any) -> None:
    """Both libraries raise, ours an error that PyTorch's ``except`` clauses catch too."""
    from tinygrad_lite import nn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        caught: list[Exception] = []
        for lib, library in ((torch, torch.nn), (tl, nn)):
            try:
                make(lib, library)
            except Exception as e:
                caught.append(e)
            else:
                raise AssertionError(f"{lib.__name__} raised nothing")
    theirs, ours = caught
    assert isinstance(ours, type(theirs)), f"ours {ours!r}, PyTorch {theirs!r}"
    assert str(ours), f"{type(ours).__name__} without a message"
