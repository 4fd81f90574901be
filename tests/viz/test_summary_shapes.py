"""Output shapes of the summary and of collapsed modules: those of the real results, for every layer."""

import dataclasses
import json
import warnings
import zlib

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.viz.test_program import ROWS
from tinygrad_lite import nn, viz
from tinygrad_lite.viz.capture.nested import tensors_in
from tinygrad_lite.viz.scene.building import view_of


def expected(result):
    shapes = tuple(tuple(t.shape) for _, t in tensors_in("", result))
    return None if not shapes else shapes[0] if len(shapes) == 1 else shapes


@pytest.mark.parametrize("name", [*ROWS])
def test_every_layer(name):
    row = ROWS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    model = row.make(nn)
    inputs = [
        tl.tensor(x if isinstance(x, np.ndarray) else rng.uniform(*row.values, x).astype(np.float32))
        for x in row.inputs
    ]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = viz.summary(model, *inputs, kwargs=row.words(tl))
        assert table.rows[0].shape == expected(model(*inputs, **row.words(tl)))


@dataclasses.dataclass
class Out:
    logits: object
    extra: dict


class Several(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.a, self.b, self.form = nn.Linear(4, 2), nn.Linear(4, 3), form

    def forward(self, x):
        return self.form(self.a(x), self.b(x).sum())


class Outer(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.inner = Several(form)

    def forward(self, x):
        self.inner(x)
        return x * 2


FORMS = {
    "tuple": lambda a, b: (a, b), "dict": lambda a, b: {"a": a, "b": b}, "dataclass": lambda a, b: Out(a, {"b": b}),
    "nested": lambda a, b: [a, (b, 3, None)], "first": lambda a, b: (a, None), "none": lambda a, b: None,
}  # fmt: skip


@pytest.mark.parametrize("form", [*FORMS])
def test_modules_with_several_results(form):
    model = Outer(FORMS[form])
    rows = viz.summary(model, tl.ones(5, 4)).rows
    want = {"first": (5, 2), "none": None}.get(form, ((5, 2), ()))
    assert rows[0].shape == (5, 4) and rows[1].shape == want
    closed = view_of(viz.draw(model, tl.ones(5, 4), depth=1)).groups["inner"].lines
    shapes = [text.rpartition(" (")[2] for text, role in closed if role == "shape"]
    assert len(shapes) == {"first": 1, "none": 0}.get(form, 2) and (not shapes or shapes[0].endswith("5, 2)"))


def test_sizes_depth_and_columns():
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU()), nn.Flatten(), nn.Linear(36, 2))
    table = viz.summary(model, input_size=(2, 3, 8, 8), depth=1, columns=("output", "settings", "trainable", "saved"))
    assert [r.path for r in table.rows] == ["Sequential", "0", "1", "2"] and table.rows[0].shape == (2, 2)
    assert str(table).splitlines()[0].split() == [
        "Layer", "(type)", "Output", "shape", "Settings", "Trainable", "Kept", "for", "backward",
    ]  # fmt: skip
    deep = viz.summary(model, input_size=[[2, 3, 8, 8]], columns=["settings"])
    assert "kernel_size=3 stride=2" in str(deep) and len(deep.rows) == 6
    two = viz.summary(lambda a, b: a @ b, input_size=[(2, 3), (3, 4)])
    assert two.rows[0].shape == (2, 4)
    for wrong, words in (
        ({"input_size": 3}, "shape or a list"), ({"columns": ["x"]}, "not one of"), ({"depth": -1}, "depth"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=words):
            viz.summary(model, **{"input_size": (2, 3, 8, 8), **wrong})
    with pytest.raises(TypeError, match="not both"):
        viz.summary(model, tl.ones(2, 3, 8, 8), input_size=(2, 3, 8, 8))


def test_keyword_arguments_and_html():
    def scaled(x, scale=1.0, name=""):
        return x * scale

    table = viz.summary(scaled, tl.ones(2), scale=3.0)
    assert table.rows[0].shape == (2,) and viz.summary(scaled, tl.ones(2), kwargs={"scale": 2.0}).rows == table.rows
    page = viz.summary(Several(FORMS["dict"]), tl.ones(2, 4))._repr_html_()
    assert page.count("<tr>") == 4 and "Several" in page and "Parameters: 25" in page and "color" not in page
    pandas = pytest.importorskip("pandas")
    frame = viz.summary(Several(FORMS["dict"]), tl.ones(2, 4)).to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame["parameters"]) == [25, 10, 15]


def test_calls_survive_json():
    graph = viz.trace(Several(FORMS["dict"]), tl.ones(2, 4))
    assert json.loads(graph.to_json())["calls"][0]["outputs"] == [["a", [2, 2]], ["b", []]]
    assert viz.Graph.from_json(graph.to_json()).calls == graph.calls
