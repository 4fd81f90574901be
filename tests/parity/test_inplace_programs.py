"""Random programs of reads, views, in-place writes and reductions: PyTorch's values and gradients, or both raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

Program = list[Callable[[Any, list[Any]], None]]
PROGRAMS, STEPS = 900, 9

VIEWS: list[tuple[str, Callable[[Any], Any]]] = [
    ("row", lambda t: t[0]),
    ("last", lambda t: t[..., -1]),
    ("step", lambda t: t[::2] if t.ndim else t[None]),
    ("transposed", lambda t: t.transpose(0, -1) if t.ndim else t.reshape(1)),
    ("flat", lambda t: t.reshape(-1)),
    ("pairs", lambda t: t.reshape(-1, 2) if t.numel() % 2 == 0 and t.numel() else t.reshape(-1, 1)),
    ("unsqueezed", lambda t: t.unsqueeze(0)),
    ("squeezed", lambda t: t.squeeze()),
    ("narrow", lambda t: t.narrow(0, 0, 1)),
    ("diagonal", lambda t: t.diagonal() if t.ndim > 1 else t[...]),
    ("half", lambda t: t.tensor_split(2, 0)[-1]),
    ("permuted", lambda t: t.permute(tuple(range(t.ndim))[::-1])),
]
CHANGES: list[tuple[str, Callable[[Any, Any, Any], Any]]] = [
    ("mul_ number", lambda lib, t, o: t.mul_(0.5)),
    ("add_ tensor", lambda lib, t, o: t.add_(o.mean())),
    ("mul_ tensor", lambda lib, t, o: t.mul_(o.sum() * 0.25)),
    ("sub_ alpha", lambda lib, t, o: t.sub_(o.mean(), alpha=2)),
    ("tanh_", lambda lib, t, o: t.tanh_()),
    ("sigmoid_", lambda lib, t, o: t.sigmoid_()),
    ("exp_", lambda lib, t, o: t.exp_()),
    ("relu_", lambda lib, t, o: t.relu_()),
    ("neg_", lambda lib, t, o: t.neg_()),
    ("sqrt of square", lambda lib, t, o: t.mul_(t.detach().clone()).add_(1).sqrt_()),
    ("clamp_", lambda lib, t, o: t.clamp_(-0.5, 0.75)),
    ("zero_", lambda lib, t, o: t.zero_()),
    ("fill_", lambda lib, t, o: t.fill_(o.sum())),
    ("copy_", lambda lib, t, o: t.copy_(o.mean())),
    ("floor_", lambda lib, t, o: t.floor_()),
    ("write part", lambda lib, t, o: t.__setitem__(0, o.mean() * 2)),
    ("write number", lambda lib, t, o: t.__setitem__((Ellipsis, 0), 1.5)),
    ("write mask", lambda lib, t, o: t.__setitem__(t.detach() > 0.3, o.mean())),
    ("write slice", lambda lib, t, o: t.__setitem__(slice(None, None, 2), t.detach()[::2] * o.mean())),
    ("write index", lambda lib, t, o: t.__setitem__(lib.tensor([0]), o.sum())),
    ("+=", lambda lib, t, o: t.__iadd__(o.mean())),
    ("*=", lambda lib, t, o: t.__imul__(o.detach().mean())),
    ("masked_fill_", lambda lib, t, o: t.masked_fill_(t.detach() < 0, 0.1)),
]  # fmt: skip
NEW: list[tuple[str, Callable[[Any], Any]]] = [
    ("times two", lambda t: t * 2),
    ("square", lambda t: t * t),
    ("exp", lambda t: (t * 0.3).exp()),
    ("sin", lambda t: t.sin()),
    ("times detached", lambda t: t * t.detach()),
    ("sum", lambda t: t.sum(0) if t.ndim else t * 1),
    ("clone", lambda t: t.clone()),
    ("constant", lambda t: t.detach().clone()),
    ("mean rest", lambda t: t - t.mean()),
]


def program(seed: int) -> tuple[list[str], list[Any]]:
    """Return what a program does, in words and as choices (kind, which, tensor, other)."""
    rng = np.random.default_rng(seed)
    choices, words, count = [], [], 2
    for _ in range(STEPS):
        kind = rng.choice(["view", "change", "new", "no_grad"], p=[0.35, 0.4, 0.2, 0.05])
        table: Any = {"view": VIEWS, "change": CHANGES, "new": NEW, "no_grad": CHANGES}[kind]
        which, t, o = int(rng.integers(len(table))), int(rng.integers(count)), int(rng.integers(count))
        choices.append((kind, which, t, o))
        words.append(f"{kind} {table[which][0]} of {t}" + (f" with {o}" if kind in ("change", "no_grad") else ""))
        count += kind in ("view", "new")
    return words, choices


def run(lib: Any, choices: list[Any], start: Any) -> Any:
    """Return values of all tensors and gradients of the leaves, or the error."""
    leaves = [lib.tensor(s, requires_grad=True) for s in start]
    pool = [leaves[0] * 1, leaves[1] * 1]
    try:
        for kind, which, t, o in choices:
            if kind == "view":
                pool.append(VIEWS[which][1](pool[t]))
            elif kind == "new":
                pool.append(NEW[which][1](pool[t]))
            elif kind == "change":
                CHANGES[which][1](lib, pool[t], pool[o])
            else:
                with lib.no_grad():
                    CHANGES[which][1](lib, pool[t], pool[o])
        total = sum((p * (i + 1)).sum() for i, p in enumerate(pool))
        total.backward()
    except (RuntimeError, IndexError, ValueError) as error:
        return error
    return [p.detach().numpy() for p in pool], [
        np.zeros(np.shape(s)) if leaf.grad is None else leaf.grad.numpy() for leaf, s in zip(leaves, start, strict=True)
    ]


@pytest.mark.parametrize("block", range(6))
def test_programs(block: int) -> None:
    both = raised = 0
    for seed in range(block * PROGRAMS // 6, (block + 1) * PROGRAMS // 6):
        words, choices = program(seed)
        rng = np.random.default_rng(seed + 10**6)
        start = [rng.normal(size=(2, 2)), rng.normal(size=(4,))]
        with np.errstate(all="ignore"):
            theirs, ours = run(torch, choices, start), run(tl, choices, start)
        shown = f"seed {seed}: " + "; ".join(words)
        if isinstance(theirs, Exception):
            assert isinstance(ours, Exception), f"{shown}\nPyTorch raises {theirs}"
            raised += 1
            continue
        assert not isinstance(ours, Exception), f"{shown}\nours raises {ours}"
        for a, b in zip([*ours[0], *ours[1]], [*theirs[0], *theirs[1]], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=shown)
        both += 1
    assert both > 40 and raised > 10, (both, raised)
