"""Integers are int64 where NumPy's own default is int32: on 32-bit platforms, in browsers, on old Windows builds."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine import new
from tinygrad_lite.nn import functional as F

ROOT = Path(__file__).parents[2]
FOUND = ("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "bincount", "searchsorted",
         "cumsum", "cumprod", "count_nonzero", "sum", "prod", "tril_indices", "triu_indices", "digitize")  # fmt: skip
MADE = ("full", "arange", "array", "asarray")


def narrow(made):
    """Return what a 32-bit NumPy returns where this one returns int64."""
    if isinstance(made, tuple):
        return tuple(narrow(m) for m in made)
    return made.astype(np.int32) if isinstance(made, (np.ndarray, np.generic)) and made.dtype == np.int64 else made


def narrowed(function, first=0):
    """Return a function of NumPy as it is on a 32-bit platform: without a dtype its integers are int32."""

    def call(*args, **kwargs):
        made = function(*args, **kwargs)
        said = kwargs.get("dtype") is not None or any(isinstance(a, (type, np.dtype)) for a in args[1:])
        return made if said or any(hasattr(a, "dtype") for a in args[:first]) else narrow(made)

    return call


@pytest.fixture
def of_32_bit(monkeypatch):
    """NumPy's functions by name as they are on a 32-bit platform, behind the door and elsewhere."""
    monkeypatch.setattr(new, "DEFAULT_INTEGER", np.dtype(np.int32))
    for name in MADE:
        there = narrowed(getattr(np, name), first=1)
        monkeypatch.setattr(new, name, new.widened(there))
    unique = np.unique

    def unique_of_32_bit(*args, **kwargs):
        values, *counted = unique(*args, **kwargs)
        return values, *map(narrow, counted)

    monkeypatch.setattr(np, "unique", unique_of_32_bit)
    for name in FOUND:
        first = 1 if name in ("sum", "prod", "cumsum", "cumprod") else 0
        monkeypatch.setattr(np, name, narrowed(getattr(np, name), first))


MATRIX, BOOLS = tl.tensor([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]]), tl.tensor([[True, False], [True, True]])
CALLS = {
    "tensor": lambda: tl.tensor([1, 2]),
    "tensor of one": lambda: tl.tensor(3),
    "nested": lambda: tl.tensor([[1, 2], [3, 4]]),
    "as_tensor": lambda: tl.as_tensor([1, 2]),
    "from tensors": lambda: tl.tensor([tl.tensor(1), 2]),
    "arange": lambda: tl.arange(3),
    "arange by": lambda: tl.arange(1, 8, 3),
    "full": lambda: tl.full((2,), 7),
    "tril_indices": lambda: tl.tril_indices(2, 2),
    "argmax": lambda: MATRIX.argmax(),
    "argmax dim": lambda: MATRIX.argmax(1),
    "argmin": lambda: tl.argmin(MATRIX, 0, True),
    "max": lambda: MATRIX.max(1).indices,
    "min": lambda: MATRIX.min(1).indices,
    "sort": lambda: MATRIX.sort().indices,
    "sort down": lambda: MATRIX.sort(descending=True).indices,
    "argsort": lambda: MATRIX.argsort(0),
    "topk": lambda: MATRIX.topk(2).indices,
    "kthvalue": lambda: MATRIX.kthvalue(2).indices,
    "median": lambda: MATRIX.median(1).indices,
    "nanmedian": lambda: MATRIX.nanmedian(1).indices,
    "mode": lambda: MATRIX.mode().indices,
    "cummax": lambda: MATRIX.cummax(1).indices,
    "nonzero": lambda: MATRIX.nonzero(),
    "nonzero_tuple": lambda: MATRIX.nonzero(as_tuple=True),
    "where": lambda: tl.where(MATRIX > 1),
    "argwhere": lambda: tl.argwhere(MATRIX),
    "count_nonzero": lambda: tl.count_nonzero(MATRIX),
    "count_nonzero dim": lambda: tl.count_nonzero(MATRIX, 1),
    "bincount": lambda: tl.bincount(tl.tensor([0, 2, 2])),
    "searchsorted": lambda: tl.searchsorted(tl.tensor([1, 3]), tl.tensor([2])),
    "bucketize": lambda: tl.bucketize(tl.tensor([2]), tl.tensor([1, 3])),
    "unique": lambda: tl.unique(tl.tensor([3, 1, 3]), return_inverse=True, return_counts=True),
    "unique_consecutive": lambda: tl.unique_consecutive(tl.tensor([3, 3, 1]), return_inverse=True, return_counts=True),
    "sum of bools": lambda: BOOLS.sum(),
    "sum of bools dim": lambda: BOOLS.sum(1),
    "cumsum of bools": lambda: BOOLS.cumsum(1),
    "prod of bools": lambda: BOOLS.prod(),
    "sum of uint8": lambda: tl.tensor([1, 2], dtype=tl.uint8).sum(),
    "bool + 1": lambda: BOOLS + 1,
    "bool * 2": lambda: 2 * BOOLS,
    "int % 2": lambda: tl.tensor([1, 2]) % 2,
    "one_hot": lambda: F.one_hot(tl.tensor([0, 2])),
    "pooling": lambda: F.max_pool2d(tl.ones(1, 1, 4, 4), 2, return_indices=True)[1],
    "adaptive": lambda: F.adaptive_max_pool2d(tl.ones(1, 1, 4, 4), 2, return_indices=True)[1],
    "randint": lambda: tl.randint(0, 5, (3,)),
    "randperm": lambda: tl.randperm(4),
    "multinomial": lambda: tl.multinomial(tl.tensor([0.5, 0.5]), 3, replacement=True),
    "unravel_index": lambda: tl.unravel_index(tl.tensor([5]), (2, 3)),
    "repeat_interleave": lambda: tl.tensor([1, 2]).repeat_interleave(tl.tensor([2, 1])),
    "combinations": lambda: tl.combinations(tl.tensor([1, 2, 3])),
    "bernoulli targets": lambda: tl.tensor([0, 1]).to(tl.int64),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_integer_is_int64(name, of_32_bit):
    found = CALLS[name]()
    for t in found if isinstance(found, tuple) else (found,):
        assert t.dtype == tl.int64


def test_losses_take_class_targets_from_lists(of_32_bit):
    logits = tl.tensor([[2.0, 1.0], [0.0, 1.0]], requires_grad=True)
    F.cross_entropy(logits, tl.tensor([0, 1])).backward()
    F.embedding(tl.tensor([1, 0]), logits).sum().backward()
    assert logits.grad is not None and tl.isfinite(logits.grad).all()


def test_what_says_its_dtype_keeps_it(of_32_bit):
    assert tl.tensor(np.array([1, 2], np.int32)).dtype == tl.int32
    assert tl.tensor([np.int32(1), np.int32(2)]).dtype == tl.int32
    assert tl.tensor([1, 2], dtype=tl.int32).dtype == tl.int32
    assert tl.arange(3, dtype=tl.int32).dtype == tl.int32
    assert tl.unique(tl.tensor([3, 1], dtype=tl.int32)).dtype == tl.int32
    assert tl.searchsorted(tl.tensor([1, 3]), tl.tensor([2]), out_int32=True).dtype == tl.int32
    assert new.full(2, 1, np.int32).dtype == new.asarray(np.int32(1)).dtype == np.int32
    assert new.asarray([True]).dtype == bool and new.arange(1.0).dtype == np.float64


SPELLED = re.compile(
    r"\.astype\((?:int|\"int\"|np\.int_)\)|dtype=(?:int|np\.int_)\b|new\.\w+\([^()]*(?:\([^()]*\))?[^()]*, int\)"
)


def test_nobody_asks_for_the_default_integer():
    """``int`` as a dtype is int32 on those platforms; ``np.intp`` is for indices that stay inside."""
    for room in ("tinygrad_lite", "nn", "models"):
        for path in (ROOT / room).rglob("*.py"):
            if "testing" not in path.parts and "_tools" not in path.parts:
                for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                    assert ">>>" in line or not SPELLED.search(line), f"{path}:{number}: name int64"
