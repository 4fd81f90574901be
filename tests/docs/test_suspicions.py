"""Each suspicion explained on the page about checking is what the check says about such a mistake."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.testing.messages import MISTAKES
from tests.testing.table import load
from tinygrad_lite.testing import Arr, Ints, check_op, check_rule

DOCS = Path(__file__).parents[2] / "docs"
ROWS = re.findall(r"^\| (.+?) \| .+? \| .+? \|$", (DOCS / "checking_gradients.md").read_text("utf-8"), re.MULTILINE)
ROWS = ROWS[ROWS.index("suspected") + 2 :]


def pair(forward, backward, *specs):
    """What is saved is the result and the arguments."""

    def saving(*xs):
        y = forward(*xs)
        return y, (y, *xs)

    return (saving, lambda g, saved: backward(g, *saved)), *specs


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def wave(x, w):
    s, c = np.sin(x * w), np.cos(x * w)
    return s, (x, w, s, c)


def bump(x):
    c, e = np.cos(x), np.exp(-x * x) * x
    return np.sin(x) + np.exp(-x * x) / 2, (c, e)


def closed(forward):
    """Saves nothing that could be looked into."""
    return lambda *xs: (np.asarray(forward(*xs)), lambda: xs)


def missing(g, saved):
    x, w = saved()
    return g * np.cos(x) * w, g * (np.sin(x) + x)


def lost(g, saved):
    x, w, i = saved()
    s = 2 * g * (np.sin(x[i]) * w).sum()
    gx = np.zeros_like(x)
    gx[i] += s * np.cos(x[i]) * w
    return gx, s * np.sin(x[i]), None


def ball(x):
    n = np.sqrt((x * x).sum())
    return x * np.cos(n) + x.sum()


def flat_at_zero(g, saved):
    (x,) = saved()
    n = np.sqrt((x * x).sum())
    return (g * np.cos(n) + g.sum() - (g * x).sum() * np.sin(n) * x / n if n else 0 * x,)


def unbalanced(g, saved):
    x, w = saved()
    y = softmax(x)
    d = 2 * g * (y * w).sum(-1, keepdims=True)
    return y * d * w - y * (y * d * w).sum(0, keepdims=True), d * y


def counted(g, saved):
    x, w = saved()
    c = g * np.cos(x.sum() * w)
    return np.full_like(x, c * w), c * x.sum() + g * (x.sum() ** 2 - (x * x).sum())


X, Y, LINE = Arr("n k"), Arr("k"), Arr("n")
PICKED = Arr("3"), Ints("3", below=5)
MASK = np.array([0.0, 1.0, 1.0, 0.0])
WRONG = {  # the mistake, or the names of a function and of a bug planted in it
    "off by the factor n": pair(lambda x: x.mean(0), lambda g, y, x: (np.broadcast_to(g, x.shape),), X),
    "off by the factor 1/n": pair(lambda x: x.sum(0), lambda g, y, x: (np.broadcast_to(g / len(x), x.shape),), X),
    "off by the factor -1": pair(lambda x: -x * x, lambda g, y, x: (2 * g * x,), X),
    "off by a factor 1/(1 + y)": pair(np.tanh, lambda g, y, x: (g * (1 - y),), X),
    "the gradient has the shape of": pair(lambda a, b: a + b, lambda g, y, a, b: (g, g), X, Y),
    "treated as elementwise": pair(softmax, lambda g, y, x: (g * y,), X),
    "a mean and a variance over it": ("layer_norm", "statistic"),
    "of several contributions": ("take_rows", "repeated"),
    "gradient missing at some": ("prod", "zeroed"),
    "the incoming gradient is passed on": pair(np.tanh, lambda g, y, x: (g.copy(),), X),
    "a term without g": pair(np.tanh, lambda g, y, x: (1 - y * y,), X),
    "missing the incoming gradient itself": pair(lambda x: x + x**3, lambda g, y, x: (g * 3 * x**2,), X),
    "a mask or two branches": pair(lambda x: x * MASK, lambda g, y, x: (g * (1 - MASK),), Arr("4")),
    "the gradients of inputs 0 and 1": pair(lambda a, b: a * b, lambda g, y, a, b: (g * a, g * b), LINE, LINE),
    "no gradient reaches": pair(lambda a, b: a * b, lambda g, y, a, b: (g * b, 0 * b), LINE, LINE),
    "the Jacobian is transposed": pair(lambda x: x.cumsum(0), lambda g, y, x: (g.cumsum(0),), X),
    "see how backward uses option slope": ("leaky_relu", "default"),
    "right when saved": ((wave, lambda g, s: (g * s[1] * s[2], g * s[0] * s[3])), LINE, LINE),
    "right with the sign": ((bump, lambda g, s: (g * (s[0] + s[1]),)), LINE),
    "too small by the term": ((closed(lambda x, w: (np.sin(x) * w + x * w).sum()), missing), LINE, LINE),
    "right when the indices": ((closed(lambda x, w, i: (np.sin(x[i]) * w).sum() ** 2), lost), Arr("5"), *PICKED),
    "right when input 0 moves": ((closed(ball), flat_at_zero), LINE),
    "positions along": pair(softmax, lambda g, y, x: (y * (g - (g * y).sum(0)),), X),
    "must sum to 0": ((closed(lambda x, w: ((softmax(x) * w).sum(-1) ** 2).sum()), unbalanced), X, X),
    "right when axis 0": ((closed(lambda x, w: np.sin(x.sum() * w).sum()), counted), LINE, Arr("")),
    "a small error": pair(lambda x: 0.044715 * x**3, lambda g, y, x: (g * 3 * 0.0447 * x**2,), X),
    "no simple pattern": pair(lambda x: np.sin(x) * np.exp(x), lambda g, y, x: (g * (np.cos(x) + x),), X),
}


def words(text):
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", text).strip()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:30])
def test_suspicion(row):
    (wrong,) = (mistake for start, mistake in WRONG.items() if row.startswith(start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about what the wrong rules do
        if isinstance(wrong[0], str):
            case = next(c for c in load() if c.name == wrong[0])
            report = check_rule(*case.planted(wrong[1]), case.sampler)
        else:
            report = check_op(*wrong, raise_exception=False)
    assert not report.ok
    assert words(row) in words(str(report.suspicion))


def test_every_mistake_is_on_the_page():
    assert len(ROWS) == len(WRONG)


def test_the_page_of_messages():
    """Numbers may differ in their last digit from machine to machine, words may not."""
    page = (DOCS / "checking_gradients_messages.md").read_text("utf-8")
    cases = {c.name: c for c in load()}
    for name, bug, what in MISTAKES:
        report = str(check_rule(*cases[name].planted(bug), cases[name].sampler, name=name))
        assert what in page
        for line in report.splitlines():
            if line.lstrip().startswith(("check_rule", "suspected")):
                assert words(line) in words(page), "out of date: python -m tests.testing.messages"
