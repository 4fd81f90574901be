"""`summary`: the table of layers with output shape, parameters, FLOPs and bytes, and the totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.printing import html_table
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import describe
from tinygrad_lite.viz.capture.nested import is_module
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.trace import keywords, trace
from tinygrad_lite.viz.words import bytes_text, count_text, plain, shape_text

Shape = tuple[Any, ...]
"""The shape of one result, or a tuple with the shape of every result."""


@dataclass(frozen=True)
class Row:
    """One module call, or one op outside any module: its output shape and its cost, children included.

    ``shape`` is the shape of the output, of several a tuple of shapes, and None if there is no tensor in the result.
    ``path`` is the id of the call, ``cls`` the class, ``settings`` what differs from the defaults of a library layer.
    """

    name: str
    depth: int
    shape: Shape | None
    parameters: int
    flops: int
    bytes: int
    trainable: int = 0
    saved_bytes: int = 0
    path: str = ""
    cls: str = ""
    settings: str = ""


def shapes_text(shape: Shape | None) -> str:
    """Return one shape, or several with commas; a dash for no tensor.

    >>> shapes_text((2, 3)), shapes_text(((2, 3), (1,))), shapes_text(None)
    ('(2, 3)', '(2, 3), (1,)', '-')
    """
    if shape is None:
        return "-"
    if shape and isinstance(shape[0], tuple):
        shown = [shape_text(s) for s in shape[:3]]
        return ", ".join(shown) + (", …" if len(shape) > 3 else "")
    return shape_text(shape)


@dataclass(frozen=True)
class Column:
    """A column of the table: its head, and the text of a row; numbers are right-aligned."""

    head: str
    text: Callable[[Row], str]
    number: bool = True


COLUMNS: Mapping[str, Column] = {
    "output": Column("Output shape", lambda r: shapes_text(r.shape), False),
    "settings": Column("Settings", lambda r: plain(r.settings) or "-", False),
    "path": Column("Path", lambda r: plain(r.path) or "-", False),
    "parameters": Column("Parameters", lambda r: f"{r.parameters:,}" if r.parameters else "-"),
    "trainable": Column("Trainable", lambda r: f"{r.trainable:,}" if r.trainable else "-"),
    "flops": Column("FLOPs", lambda r: count_text(r.flops) if r.flops else "-"),
    "bytes": Column("Bytes", lambda r: bytes_text(r.bytes)),
    "saved": Column("Kept for backward", lambda r: bytes_text(r.saved_bytes) if r.saved_bytes else "-"),
}
"""Every column that ``summary(columns=...)`` can show, besides the layer."""

USUAL = ("output", "parameters", "flops", "bytes")


@dataclass(frozen=True)
class Summary:
    """The rows and totals that `summary` returns; ``print`` shows the table, a notebook an HTML table.

    >>> import tinygrad_lite as tl
    >>> tl.viz.summary(tl.nn.Linear(2, 1), tl.ones(1, 2))
    Layer (type)  Output shape  Parameters  FLOPs  Bytes
    ----------------------------------------------------
    Linear        (1, 1)                 3      4    4 B
    ----------------------------------------------------
    Parameters: 3 (trainable 3, frozen 0)
    FLOPs, one forward pass: 4
    Bytes: results 4 B, parameters 12 B, kept for backward 8 B
    """

    rows: tuple[Row, ...]
    totals: dict[str, int]
    columns: tuple[str, ...] = USUAL

    def cells(self) -> list[list[str]]:
        """Return the text of every cell; the first row holds the heads."""
        shown = [COLUMNS[name] for name in self.columns]
        heads = ["Layer (type)", *(c.head for c in shown)]
        return [heads, *(["  " * r.depth + plain(r.name), *(c.text(r) for c in shown)] for r in self.rows)]

    def notes(self) -> list[str]:
        """Return the lines with the totals."""
        t = self.totals
        frozen = t["parameters"] - t["trainable"]
        return [
            f"Parameters: {t['parameters']:,} (trainable {t['trainable']:,}, frozen {frozen:,})",
            f"FLOPs, one forward pass: {count_text(t['flops'])}",
            f"Bytes: results {bytes_text(t['bytes'])}, parameters {bytes_text(t['parameter_bytes'])}, "
            f"kept for backward {bytes_text(t['saved_bytes'])}",
        ]

    def __str__(self) -> str:
        cells = self.cells()
        right = [False, *(COLUMNS[name].number for name in self.columns)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]

        def line(row: Sequence[str]) -> str:
            parts = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
            return "  ".join(parts).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([line(cells[0]), rule, *map(line, cells[1:]), rule, *self.notes()])

    def __repr__(self) -> str:
        return str(self)

    def to_html(self) -> str:
        """Return the table as HTML; it takes the colours of the page around it."""
        heads, *rows = self.cells()
        left = {0, *(i for i, name in enumerate(self.columns, 1) if not COLUMNS[name].number)}
        wide = [[c.replace("  ", "\u2003") if i == 0 else c for i, c in enumerate(cells)] for cells in rows]
        return html_table(heads, wide, left) + "".join(f"<div>{escape(note)}</div>" for note in self.notes()) + "\n"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_pandas(self) -> Any:
        """Return the rows as a ``pandas.DataFrame``. Raises MissingExtra."""
        from dataclasses import asdict

        from tinygrad_lite.errors import require

        return require("pandas", extra="data").DataFrame([asdict(row) for row in self.rows])


@named
def summary(
    model: Any, *inputs: Any, input_size: Any = None, kwargs: Mapping[str, Any] | None = None,
    depth: int | None = None, columns: Iterable[str] = USUAL, **words: Any,
) -> Summary:  # fmt: skip
    """Return the table of layers of one run: output shapes, parameters, FLOPs, bytes.

    Pass the inputs, or ``input_size``: a shape, or a list of several, of inputs of ones. Keyword arguments of the model
    follow, or go into ``kwargs``. ``depth`` is how many levels of modules have rows of their own (0: the model alone),
    ``columns`` which of output, settings, path, parameters, trainable, flops, bytes, saved are shown. A parameter is
    counted where it is first used; parameters that the run does not use count in the totals only. FLOPs are
    floating-point operations (a multiply-add is two), bytes are those of the results. The model is not changed.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> print(summary(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), input_size=(2, 4)))
    Layer (type)  Output shape  Parameters  FLOPs  Bytes
    ----------------------------------------------------
    Sequential    (2, 3)                15     54   48 B
      0: Linear   (2, 3)                15     48   24 B
      1: ReLU     (2, 3)                 -      6   24 B
    ----------------------------------------------------
    Parameters: 15 (trainable 15, frozen 0)
    FLOPs, one forward pass: 54
    Bytes: results 48 B, parameters 60 B, kept for backward 56 B
    """
    columns = (columns,) if isinstance(columns, str) else tuple(columns)
    for name in columns:
        if name not in COLUMNS:
            raise ValueError(f"summary: columns={name!r} is not one of {', '.join(COLUMNS)}")
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise ValueError(f"summary: depth must be a whole number of at least 0, got {depth!r}")
    if input_size is not None:
        if inputs:
            raise TypeError("summary: pass the inputs or input_size, not both")
        inputs = tuple(map(of_size, sizes(input_size)))
    graph = trace(model, *inputs, kwargs=keywords("summary", kwargs, words))
    totals = graph.totals()
    params: dict[int, Any] = {id(p): p for p in model.parameters()} if is_module(model) else {}
    if params:
        totals["parameters"] = sum(p.numel() for p in params.values())
        totals["trainable"] = sum(p.numel() for p in params.values() if p.requires_grad)
        totals["parameter_bytes"] = sum(p.nbytes for p in params.values())
    else:
        totals["parameter_bytes"] = sum(n.bytes for n in graph.nodes if n.kind == "param")
    rows = [row for row in rows_of(graph) if depth is None or row.depth <= depth]
    return Summary(tuple(rows), totals, columns)


def sizes(input_size: Any) -> list[tuple[int, ...]]:
    """Return the shapes of the inputs: one shape, or several in a list or tuple.

    >>> sizes((2, 3)), sizes([(2, 3), (4,)])
    ([(2, 3)], [(2, 3), (4,)])
    """
    given = list(input_size) if isinstance(input_size, (tuple, list)) else None
    if given is not None and all(isinstance(n, int) for n in given):
        given = [given]
    if given is None or not all(isinstance(s, (tuple, list)) and all(isinstance(n, int) for n in s) for s in given):
        raise TypeError(f"summary: input_size must be a shape or a list of shapes, got {describe(input_size)}")
    return [tuple(s) for s in given]


def of_size(shape: tuple[int, ...]) -> Any:
    """Return an input of ones; a run on them draws no random numbers of the user's."""
    return make(new.full(shape, 1.0, "float32"))


def rows_of(graph: Graph) -> list[Row]:
    """Return one row per module call, parents before children; an op outside any module has its own."""
    depth = {"": -1}
    costs: dict[str, list[int]] = {c.id: [0, 0, 0, 0, 0] for c in graph.calls}
    first: dict[str, int] = {}
    parent = {c.id: c.parent for c in graph.calls}
    for call in graph.calls:
        depth[call.id] = depth[call.parent] + 1
    loose: list[tuple[int, Row]] = []
    counted: set[str] = set()
    for k, node in enumerate(graph.nodes):
        if node.kind != "op":
            continue
        params = trainable = 0
        for edge in graph.arguments[node.id]:
            leaf = graph.by_id[edge.src]
            if leaf.kind == "param" and leaf.id not in counted:
                counted.add(leaf.id)
                params += leaf.numel
                trainable += leaf.numel if leaf.requires_grad else 0
        numbers = (params, node.flops, node.bytes, trainable, node.saved_bytes)
        if not node.call:
            loose.append((k, Row(node.op, 0, node.shape, *numbers, path=node.id)))
        around = node.call
        while around:
            first.setdefault(around, k)
            for i, cost in enumerate(numbers):
                costs[around][i] += cost
            around = parent[around]
    rows: list[tuple[int, Row]] = []
    at = len(graph.nodes)
    for call in reversed(graph.calls):
        # a module without ops, such as dropout in eval mode, goes before the next node
        at = first.get(call.id, at)
        params, flops, size, trainable, saved = costs[call.id]
        row = Row(
            graph.title_of(call.id), depth[call.id], call.shape, params, flops, size, trainable, saved, call.id,
            call.cls, call.detail,
        )  # fmt: skip
        rows.append((at, row))
    return [row for _, row in sorted(rows[::-1] + loose, key=lambda r: r[0])]
