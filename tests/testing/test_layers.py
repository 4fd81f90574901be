"""`check_layer` on layers in the forms in which people write them: right ones pass, planted faults are named."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import numpy as np
import pytest

from tests.testing import handwritten_classes as handwritten_classes  # adds to the table
from tests.testing.handwritten import LAYERS, Form
from tinygrad_lite.testing import Arr, GradcheckError, check_layer

NAMED = [(name, fault) for name, form in LAYERS.items() for fault in form.faults]


def made(form: Form, fault: str = "") -> Any:
    """Return the layer, with the line of its source changed that the fault names."""
    if not fault:
        return form.layer
    old, new, _ = form.faults[fault]
    parts = form.layer if isinstance(form.layer, tuple) else (form.layer,)
    targets = [type(p) if not inspect.isroutine(p) and not isinstance(p, type) else p for p in parts]
    space: dict[str, Any] = dict(vars(inspect.getmodule(targets[0])))
    sources = [textwrap.dedent(inspect.getsource(t)) for t in targets]
    sources = [s[re.search(r"^(class|def) ", s, re.MULTILINE).start() :] for s in sources]  # without decorators
    assert sum(s.count(old) for s in sources) == 1, f"{old!r} must occur once"
    for s in sources:
        exec(s.replace(old, new), space)  # noqa: S102
    changed = tuple(space[t.__name__] for t in targets)
    if isinstance(form.layer, tuple):
        return changed
    return changed[0] if parts == tuple(targets) else changed[0](*form.build)


def test_there_are_forty() -> None:
    assert len(LAYERS) >= 40 and len(NAMED) >= 40


@pytest.mark.parametrize("name", LAYERS)
def test_right_layers_pass(name: str) -> None:
    form = LAYERS[name]
    report = check_layer(made(form), *form.specs, **form.settings, raise_exception=False)
    assert report.ok, str(report)
    assert form.params == "" or form.params in str(report)


@pytest.mark.parametrize(("name", "fault"), NAMED)
def test_planted_faults_are_named(name: str, fault: str) -> None:
    form = LAYERS[name]
    report = check_layer(made(form, fault), *form.specs, **form.settings, raise_exception=False)
    assert not report.ok, f"{name}/{fault} was not found"
    words = form.faults[fault][2]
    assert any(w in str(report) for w in words.split("|")), str(report)


def test_a_wrong_call_says_what_to_pass() -> None:
    class Needs:
        def __init__(self, width: int) -> None:
            self.width = width

        def forward(self, x: Any) -> Any:
            return x

        def backward(self, g: Any) -> Any:
            return g

    with pytest.raises(TypeError, match="constructor needs width"):
        check_layer(Needs, "n 3")
    assert check_layer(lambda: Needs(3), "n 3").ok and check_layer(Needs(3), "n 3").ok
    with pytest.raises(TypeError, match="describe the inputs"):
        check_layer(Needs(3))
    with pytest.raises(TypeError, match="no method forward"):
        check_layer(object(), "n 3")
    with pytest.raises(TypeError, match="no method bwd"):
        check_layer(Needs(3), "n 3", backward="bwd")
    with pytest.raises(GradcheckError, match="FORWARD RAISES"):
        check_layer((lambda x: x @ np.ones((7, 2)), lambda g, x: g), "n 3")
    with pytest.raises(GradcheckError, match="BACKWARD RAISES\n  NameError"):
        check_layer((lambda x: x, lambda g: undefined), "n 3")  # noqa: F821
    with pytest.raises(GradcheckError, match="GRADIENT MISSING"):
        check_layer((lambda x: x, lambda g: None), "n 3")


def test_batches_are_never_empty_and_a_clip_is_no_error() -> None:
    seen = []

    def forward(x: Any) -> Any:
        seen.append(x.size)
        return -np.log(np.clip(x, 1e-7, 1 - 1e-7)).sum()

    assert check_layer((forward, lambda x: -1 / x), Arr("n k", lo=0.0, hi=1.0)).ok
    assert min(seen) > 0


def test_a_dtype_is_a_note_and_in_place_writes_are_allowed() -> None:
    def backward(g: Any, x: Any) -> Any:
        g[x < 0] = 0
        return g.astype(np.float32)

    report = check_layer((lambda x: np.maximum(x, 0), backward), "n k")
    assert report.ok and "precision is lost" in str(report)
