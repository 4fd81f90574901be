"""Collating, sampling, data sets and the loader's options, each as in PyTorch."""

from __future__ import annotations

import collections
import importlib
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.parity.outcomes import agree

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any, Any], Any]] = {}


def case(script: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    CASES[script.__name__] = script
    return script


def attempt(call: Callable[[], Any]) -> Any:
    """Return the result, or the class of the exception among those that scripts catch."""
    try:
        return call()
    except Exception as error:
        kinds = (AssertionError, KeyError, IndexError, AttributeError, TypeError, RuntimeError, ValueError)
        found = [k.__name__ for k in kinds if isinstance(error, k)]
        if "AssertionError" in found:
            return "raises AssertionError"
        return "raises " + ("ValueError" if {"ValueError", "RuntimeError"} & set(found) else found[0])


# ------------------------------------------------------------------------------------------------ collating
class Pair(NamedTuple):
    a: Any
    b: Any


class Words(collections.UserDict):  # type: ignore[type-arg]
    """A mapping of its own kind."""


class Row(list):  # type: ignore[type-arg]
    """A list of its own kind."""


ATOMS: dict[str, Callable[[Any], Any]] = {
    "int": lambda T: 3, "float": lambda T: 2.5, "bool": lambda T: True, "text": lambda T: "a", "none": lambda T: None,
    "np.float32": lambda T: np.float32(1.5), "np.float64": lambda T: np.float64(1.5), "np.int32": lambda T: np.int32(4),
    "np.bool": lambda T: np.bool_(True), "np.str": lambda T: np.str_("b"), "bytes": lambda T: b"c",
    "tensor f32": lambda T: T.tensor(0.5), "tensor i64": lambda T: T.tensor(2),
    "tensor bool": lambda T: T.tensor(False),
    "tensor f64": lambda T: T.tensor(0.5, dtype=T.float64), "tensor f16": lambda T: T.tensor(0.5, dtype=T.float16),
    "array f32": lambda T: np.ones((), np.float32), "array i64": lambda T: np.ones((), np.int64),
    "array u8": lambda T: np.ones((), np.uint8), "array text": lambda T: np.array("x"),
    "row f32": lambda T: T.ones(2), "row i64": lambda T: T.ones(2, dtype=T.int64), "row of 3": lambda T: T.ones(3),
    "array row": lambda T: np.ones(2), "set": lambda T: {1}, "huge": lambda T: 1e40, "long": lambda T: 2**40,
}  # fmt: skip
NUMBERS = {"int", "float", "bool", "huge", "long"}
MIXED = {"np.float32", "np.float64", "np.int32", "np.bool"}
"""PyTorch takes the dtype of such lists from their first element, or from NumPy; kept out where they are mixed."""
WRAPS: dict[str, Callable[[Any], Any]] = {
    "alone": lambda x: x, "tuple": lambda x: (x, 1), "list": lambda x: [x], "dict": lambda x: {"k": x, 2: 1.5},
    "named": lambda x: Pair(x, "t"), "nested": lambda x: {"a": [(x, x)], "b": Pair(x, {"c": x})},
    "ordered": lambda x: collections.OrderedDict(z=x), "own dict": lambda x: Words(k=x),
    "own list": lambda x: Row([x, 2]),
}  # fmt: skip


def pairs() -> list[tuple[str, str]]:
    kinds = list(ATOMS)
    found = []
    for a, b in itertools.product(kinds, kinds):
        stackable = {a, b} <= NUMBERS or a == b or not {a, b} & (MIXED | NUMBERS)
        stackable = stackable and ("array" in a) == ("array" in b)  # PyTorch refuses tensors with arrays
        if stackable and not ({"text", "np.str", "bytes", "array text", "set", "none"} & {a, b} and a != b):
            found.append((a, b))
    return found


def typed(answer: Any) -> Any:
    """Return the answer with the types of its containers."""
    if isinstance(answer, collections.abc.Mapping):
        return type(answer).__name__, {k: typed(v) for k, v in answer.items()}
    if isinstance(answer, (list, tuple)):
        return type(answer).__name__, [typed(v) for v in answer]
    return answer


@pytest.mark.parametrize("wrap", list(WRAPS))
def test_collate(wrap: str) -> None:
    found = pairs()
    assert len(found) > 110
    for a, b in found if wrap in ("alone", "nested") else [("int", "float"), ("bool", "int"), ("row i64", "row f32")]:

        def script(T: Any, a: str = a, b: str = b) -> Any:
            data = importlib.import_module(f"{T.__name__}.utils.data")
            batch = [WRAPS[wrap](ATOMS[kind](T)) for kind in (a, b, a)]
            converted = attempt(lambda: typed(data.default_convert(batch[0]))) if a != "set" else None
            return attempt(lambda: typed(data.default_collate(batch))), converted

        agree(script, torch, f"{wrap}: {a}, {b}", warned=False)


@case
def collate_of_nothing(T: Any, data: Any) -> Any:
    uneven = [[1, 2], [3]]
    return attempt(lambda: data.default_collate([])), attempt(lambda: data.default_collate(uneven))


@case
def collate_keeps_gradients(T: Any, data: Any) -> Any:
    p = T.ones(2, requires_grad=True)
    y = data.default_collate([p * 2, T.ones(2, dtype=T.float64)])
    y.sum().backward()
    return y, p.grad


# ------------------------------------------------------------------------------------------------ the loader
class Numbers:
    """Ten examples."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, i: int) -> Any:
        return i, float(i)


def stream(data: Any, n: int = 5) -> Any:
    return type("S", (data.IterableDataset,), {"__iter__": lambda self: iter(range(n))})()


@case
def options_of_the_loader(T: Any, data: Any) -> Any:
    def sampler() -> Any:
        return data.SequentialSampler(range(4))

    def batches() -> Any:
        return data.BatchSampler(sampler(), 2, False)

    kinds: dict[str, list[Any]] = {
        "batch_size": [None, 0, -1, 2, 2.5, True], "shuffle": [True, False, None], "drop_last": [True],
        "sampler": [sampler], "batch_sampler": [batches], "num_workers": [-1], "timeout": [-1],
        "prefetch_factor": [None, 2, -1], "persistent_workers": [True, False], "pin_memory": [False],
        "generator": [None], "worker_init_fn": [None], "in_order": [False], "collate_fn": [list],
    }  # fmt: skip
    options = [(name, value) for name, values in kinds.items() for value in values]
    out = []
    for (a, x), (b, y) in itertools.combinations(options, 2):
        if a != b:
            for source in (list(range(4)), stream(data, 4)):
                words = {k: v() if k in ("sampler", "batch_sampler") else v for k, v in ((a, x), (b, y))}
                if words.get("shuffle") and "sampler" not in words and not isinstance(source, data.IterableDataset):
                    continue  # random
                made = attempt(lambda w=words, s=source: data.DataLoader(s, **w))
                if isinstance(made, str):
                    out.append((str(words.keys()), made))
                else:
                    out.append((str(words.keys()), attempt(lambda m=made: len(m)), [*map(str, map(plain, made))]))
    return out


def plain(batch: Any) -> Any:
    return batch.tolist() if hasattr(batch, "tolist") else batch


@case
def what_a_loader_shows(T: Any, data: Any) -> Any:
    loader = data.DataLoader(Numbers(), batch_size=4, drop_last=True)
    names = ("batch_size", "drop_last", "timeout", "prefetch_factor", "persistent_workers", "pin_memory", "num_workers")
    kinds = [type(getattr(loader, n)).__name__ for n in ("sampler", "batch_sampler", "dataset")]
    return [getattr(loader, n) for n in names], kinds, loader.collate_fn.__name__, [b for b in loader], len(loader)


@case
def types_in_brackets(T: Any, data: Any) -> Any:
    names = ("Dataset", "IterableDataset", "DataLoader", "ConcatDataset", "Subset", "Sampler")

    class Own(data.Dataset[int]):  # type: ignore[name-defined,misc]
        def __len__(self) -> int:
            return 2

        def __getitem__(self, i: int) -> int:
            return i

    return [getattr(data, n)[int] is not None for n in names if hasattr(getattr(data, n), "__class_getitem__")], list(
        data.DataLoader(Own())
    )


# ------------------------------------------------------------------------------------------------ samplers
@case
def samplers(T: Any, data: Any) -> Any:
    n = 7
    r = data.RandomSampler(range(n), replacement=True, num_samples=20)
    out: list[Any] = [
        len(r),
        len(list(r)),
        set(r) <= set(range(n)),
        r.num_samples,
        sorted(data.RandomSampler(range(n))),
    ]
    out += [
        sorted(data.RandomSampler(range(n), num_samples=14)),
        len(list(data.RandomSampler(range(n), num_samples=3))),
    ]
    for words in ({"num_samples": 0}, {"num_samples": -1}, {"replacement": 1}, {"num_samples": 2.5}):
        out.append(attempt(lambda w=words: data.RandomSampler(range(n), **w)))
    out += [attempt(lambda: data.RandomSampler([])), attempt(lambda: data.DataLoader([], shuffle=True))]
    huge = data.RandomSampler(range(n), replacement=True, num_samples=int(1e10))
    out += [len(huge), len(list(itertools.islice(huge, 100)))]
    s = data.SubsetRandomSampler([5, 6, 9])
    out += [sorted(s), len(s), list(data.SequentialSampler("abc")), len(data.SequentialSampler("abc"))]
    w = data.WeightedRandomSampler([0.0, 1.0, 0.0], 4)
    out += [list(w), len(w), w.weights, sorted(data.WeightedRandomSampler([1.0, 2.0, 0.0], 2, replacement=False))]
    for args in (([1.0], 0), ([1.0], 2.5), ([[1.0]], 1), ([1.0], 1, 3), ([1.0], True)):
        out.append(attempt(lambda a=args: type(data.WeightedRandomSampler(*a)).__name__))
    for size, drop in itertools.product((1, 3, 7, 8), (True, False)):
        b = data.BatchSampler(range(n), size, drop)
        out += [list(b), len(b), list(data.BatchSampler(iter(range(n)), size, drop))]
    for size, drop in ((0, True), (True, True), (2.5, True), (2, 1), (-1, False)):
        out.append(attempt(lambda s=size, d=drop: data.BatchSampler(range(n), s, d)))
    return out


# ------------------------------------------------------------------------------------------------ data sets
@case
def data_sets(T: Any, data: Any) -> Any:
    x, y = T.arange(6.0).reshape(3, 2), T.arange(3)
    t = data.TensorDataset(x, y)
    out: list[Any] = [len(t), t[1], t[-1], t[0:2], attempt(lambda: t[3])]
    out += [attempt(lambda: data.TensorDataset(x, T.ones(2)))]
    c = data.ConcatDataset([t, t])
    out += [len(c), c[4], c[-1], c.cumulative_sizes, [attempt(lambda i=i: c[i]) for i in (6, -7)]]
    out += [attempt(lambda: data.ConcatDataset([])), attempt(lambda: data.ConcatDataset([stream(data)]))]
    out += [len(t + t), len(data.ConcatDataset(iter([t])))]
    s = data.Subset(t, [2, 0])
    out += [len(s), s[0], s[-1], s[[0, 1]], attempt(lambda: s[2]), list(data.DataLoader(s, batch_size=2))]
    odd = type("Odd", (data.Subset,), {"__getitem__": lambda self, i: i})
    try:
        out.append(len(odd(t, [1])))
    except NotImplementedError:
        out.append("not implemented")
    k = data.StackDataset(t, Numbers3())
    out += [len(k), k[1], list(data.DataLoader(k, batch_size=2)), data.StackDataset(a=y, b=x)[2]]
    out += [data.StackDataset(a=Numbers3()).__getitems__([0, 2]), attempt(lambda: data.StackDataset())]
    out += [attempt(lambda: data.StackDataset(t, Numbers())), attempt(lambda: data.StackDataset(t, a=t))]
    chain = data.ChainDataset([stream(data, 2), stream(data, 3)])
    out += [list(chain), list(stream(data, 1) + stream(data, 2)), list(data.DataLoader(chain, batch_size=2))]
    out += [attempt(lambda: list(data.ChainDataset([t]))), attempt(lambda: len(data.ChainDataset([t])))]
    return out


class Numbers3:
    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> int:
        return i * 10


@case
def splits(T: Any, data: Any) -> Any:
    out: list[Any] = []
    for n, lengths in ((10, [3, 7]), (10, [0.3, 0.3, 0.4]), (7, [0.5, 0.5]), (10, [0.25, 0.25, 0.5]), (3, [0.9, 0.1]),
                       (10, [3, 3]), (10, [0.5, 0.4]), (10, [1.5, -0.5]), (10, [10]), (10, [1.0]), (5, [0, 5]),
                       (0, [0.5, 0.5]), (1, [1]), (4, [1.0, 0.0])):  # fmt: skip
        parts = attempt(lambda n=n, k=lengths: data.random_split(range(n), k))
        out.append(parts if isinstance(parts, str) else ([len(p) for p in parts], sorted(i for p in parts for i in p)))
    return out


@pytest.mark.parametrize("name", list(CASES))
def test_like_pytorch(name: str) -> None:
    agree(lambda T: CASES[name](T, importlib.import_module(f"{T.__name__}.utils.data")), torch, name)
