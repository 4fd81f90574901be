"""Short scripts run with both libraries: the same answer, or the same type of exception, and the same warnings.

`scripts/` holds them: ``lines_*.txt`` one script a line, ``blocks_*.txt`` with blank lines between. A script's answer
is its last line if that is an expression, else None. ``T`` is the library, ``nn``, ``F``, ``O``, ``S`` and ``D`` are
its layers, functions, optimisers, schedules and ``utils.data``. Tensors agree in shape, dtype, values,
``requires_grad`` and ``is_leaf``.
"""

from __future__ import annotations

import ast
import collections
import copy
import io
import itertools
import math
import operator
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity.outcomes import difference

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

FOLDER = Path(__file__).parent / "scripts"
MODULES = {m.__name__: m for m in (collections, copy, io, itertools, math, operator, pickle)}
KINDS = (TypeError, IndexError, KeyError, AttributeError, AssertionError, ArithmeticError, ValueError, RuntimeError)
"""What a script may catch; ours is one of the first that PyTorch's is."""


def scripts() -> dict[str, str]:
    """Return the scripts by the name of their file and their number."""
    found = {}
    for path in sorted(FOLDER.glob("*.txt")):
        text = path.read_text("utf-8")
        parts = text.splitlines() if path.name.startswith("lines") else text.split("\n\n")
        found.update({f"{path.stem} {i}": part for i, part in enumerate(filter(str.strip, parts))})
    return found


SCRIPTS = scripts()


def plain(answer: Any) -> Any:
    """Return an answer in a form that can be compared."""
    if hasattr(answer, "detach") or isinstance(answer, (np.ndarray, np.generic)):
        flags = getattr(answer, "requires_grad", None), getattr(answer, "is_leaf", None)
        array = np.array(answer.detach().numpy() if hasattr(answer, "detach") else answer)
        return ["tensor", list(array.shape), str(array.dtype), *flags, array.astype(float).tolist()]
    if isinstance(answer, dict):
        return [[k if isinstance(k, (str, int)) else str(k), plain(v)] for k, v in answer.items()]
    if isinstance(answer, (tuple, list)):
        return [plain(part) for part in answer]
    if answer is None or isinstance(answer, (bool, int, float, str)):
        return answer
    return answer.__name__ if isinstance(answer, type) else str(answer).removeprefix("torch.")


def run(script: str, T: Any) -> tuple[Any, list[str]]:
    """Return the answer of a script or its exception, and the categories of its warnings."""
    names = {**MODULES, "T": T, "nn": T.nn, "F": T.nn.functional, "O": T.optim, "S": T.optim.lr_scheduler, "np": np}
    names.update(D=T.utils.data, inf=math.inf, nan=math.nan)
    body = ast.parse(script).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else ast.parse("None").body[0]
    assert isinstance(last, ast.Expr)
    T.manual_seed(0)
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            exec(compile(ast.Module(body, []), "script", "exec"), names)
            answer = plain(eval(compile(ast.Expression(last.value), "script", "eval"), names))
        except Exception as error:
            answer = error
        finally:
            T.set_grad_enabled(True)
            T.set_default_dtype(T.float32)
    return answer, sorted({w.category.__name__ for w in seen if issubclass(w.category, (UserWarning, FutureWarning))})


def differs(script: str) -> str | None:
    """Return how the two libraries disagree about a script; None if they agree."""
    (theirs, their_warnings), (ours, our_warnings) = run(script, torch), run(script, tl)
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        kind = next((k for k in KINDS if isinstance(theirs, k)), None)
        alike = kind is not None and isinstance(ours, kind)
        return None if alike else f"ours {ours!r}, PyTorch {theirs!r}"
    if our_warnings != their_warnings:
        return f"ours warns {our_warnings}, PyTorch {their_warnings}"
    return difference(ours, theirs)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name: str) -> None:
    found = differs(SCRIPTS[name])
    assert found is None, f"{found}\n{SCRIPTS[name]}"


def test_differences_are_seen() -> None:
    assert len(SCRIPTS) > 700
    theirs = "T.__name__ == 'torch'"
    for script in (
        f"1 if {theirs} else 2",
        f"1 if {theirs} else 1 / 0",
        f"[][0] if {theirs} else T.ones(2).view(3)",
        f"T.ones(1) if {theirs} else T.ones(1).double()",
        f"T.ones(1, requires_grad={theirs})",
        f"T.tensor(1.0 if {theirs} else 1.1)",
        f"[] if {theirs} else ()[:0] or T.ones(0)",
    ):
        assert differs(script) is not None, script
    assert differs("T.ones(2) + 1") is None
