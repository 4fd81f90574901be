"""The reference by families, read off the library when the documentation is built."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from _catalogue import entries, summary_of
from _formulas import formula
from _shapes import draw_layers

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.engine.op import OPS, PUBLIC
from tinygrad_lite.viz import draw

OPERATIONS = (  # page, title, files of tinygrad_lite.ops
    ("creation", "Making tensors", "creation exchange placement signal_windows random"),
    ("arithmetic", "Arithmetic", "elementwise.arithmetic elementwise.named_operators elementwise.lerp"
     " elementwise.floats"),
    ("comparison", "Comparison, rounding, bits", "elementwise.comparison elementwise.complex_names"),
    ("exponential", "Exponential and special functions", "elementwise.exponential elementwise.special"),
    ("trigonometry", "Trigonometry", "elementwise.trigonometry"),
    ("activation", "Activations", "elementwise.activation elementwise.smooth"),
    ("casting", "Dtypes and copies", "elementwise.cast"),
    ("shape", "Shape", "shape.reshaping shape.moving shape.copies"),
    ("joining", "Joining and splitting", "shape.joining"),
    ("indexing", "Indexing, gathering, scattering", "indexing"),
    ("reduction", "Reductions and statistics", "reductions.reduction reductions.cumulative reductions.statistics"
     " reductions.histogram"),
    ("sorting", "Sorting and searching", "reductions.sorting"),
    ("algebra", "Linear algebra", "linalg"),
    ("convolution", "Convolution, padding, resizing", "windows.convolution windows.padding windows.resize"),
    ("pooling", "Pooling", "windows.pooling windows.adaptive_pooling"),
    ("loss", "Losses", "losses"),
    ("normalisation", "Normalisation and other network functions", "networks"),
    ("others", "Others", ""),
)  # fmt: skip
LAYERS = (  # page, title, files of tinygrad_lite.nn
    ("containers", "Modules and containers", "module container parameter parameter_container parallel"),
    ("convolution", "Convolution layers", "conv"),
    ("pooling", "Pooling layers", "pooling"),
    ("padding", "Padding layers", "padding"),
    ("activations", "Activations", "activation softmax"),
    ("normalisation", "Normalisation layers", "normalisation"),
    ("recurrent", "Recurrent layers", "recurrent"),
    ("transformer", "Attention and transformers", "attention transformer"),
    ("linear", "Linear layers", "linear"),
    ("dropout", "Dropout layers", "dropout"),
    ("embedding", "Embeddings", "embedding"),
    ("losses", "Losses and penalties", "losses adaptive regularisation"),
    ("vision", "Resizing and reshaping layers", "pixelshuffle upsampling flatten"),
    ("lazy", "Lazy layers", "lazy"),
    ("others", "Others", ""),
)
GROUPS = (
    ("Tensors", (
        ("tinygrad_lite", "Tensor, dtypes, modes, settings"),
        ("tinygrad_lite.autograd", "backward, grad, functions of your own, anomalies"),
        ("tinygrad_lite.func", "grad, vmap, Jacobians of functions"),
        ("tinygrad_lite.library", "Operators of your own, with PyTorch's decorators"),
        ("tinygrad_lite.linalg", "Linear algebra"),
        ("tinygrad_lite.masked", "Reductions and softmax of what a mask keeps"),
        ("tinygrad_lite.special", "Special functions"),
        ("tinygrad_lite.distributions", "Probability distributions"),
        ("tinygrad_lite.distributions.transforms", "Transforms of distributions"),
        ("tinygrad_lite.distributions.constraints", "Constraints on values"),
    )),
    ("Networks", (
        ("tinygrad_lite.nn.functional", "The functions behind the layers"),
        ("tinygrad_lite.nn.attention.flex_attention", "Attention with scores and masks of your own"),
        ("tinygrad_lite.nn.attention.bias", "Causal masks for two lengths"),
        ("tinygrad_lite.nn.init", "Initial values"),
        ("tinygrad_lite.nn.utils", "Clipping, flattening, fusing"),
        ("tinygrad_lite.nn.utils.parametrizations", "Orthogonal, weight and spectral normalisation"),
        ("tinygrad_lite.nn.utils.parametrize", "Parametrizations of your own"),
        ("tinygrad_lite.nn.utils.prune", "Pruning"),
        ("tinygrad_lite.nn.utils.rnn", "Padded and packed sequences"),
    )),
    ("Training", (
        ("tinygrad_lite.optim", "Optimisers"),
        ("tinygrad_lite.optim.lr_scheduler", "Learning rate schedules"),
        ("tinygrad_lite.optim.swa_utils", "Averages of weights"),
        ("tinygrad_lite.training", "Trainer, callbacks, metrics"),
        ("tinygrad_lite.models", "Estimators and networks"),
        ("tinygrad_lite.distributed", "Several processes"),
        ("tinygrad_lite.compiled", "Compiled training steps"),
        ("tinygrad_lite.serialization", "Files"),
        ("tinygrad_lite.onnx", "ONNX files"),
    )),
    ("Data", (
        ("tinygrad_lite.utils.data", "Data sets, samplers, loaders"),
        ("tinygrad_lite.datasets", "Data to learn from"),
        ("tinygrad_lite.vision", "The names of torchvision"),
        ("tinygrad_lite.vision.datasets", "Data sets of images"),
        ("tinygrad_lite.vision.models", "Networks for images"),
        ("tinygrad_lite.vision.ops", "Boxes, and layers of torchvision's networks"),
        ("tinygrad_lite.vision.transforms", "Transforms of images"),
        ("tinygrad_lite.vision.transforms.functional", "The functions behind the transforms"),
        ("tinygrad_lite.vision.transforms.v2", "The second version of the transforms"),
        ("tinygrad_lite.vision.utils", "Grids of images"),
        ("tinygrad_lite.vision.io", "Image files"),
    )),
    ("Looking inside", (
        ("tinygrad_lite.viz", "Pictures and tables of graphs"),
        ("tinygrad_lite.testing", "Gradient checks"),
        ("tinygrad_lite.profiler", "Profiles"),
        ("tinygrad_lite.utils.benchmark", "Timing of statements"),
        ("tinygrad_lite.utils.checkpoint", "Less memory for activations"),
        ("tinygrad_lite.errors", "Error classes"),
    )),
)  # fmt: skip
SHAPES = {  # a picture at the top of a page of layers: its code
    "convolution": "nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 2, stride=2)), tl.zeros(2, 3, 8, 8)",
    "pooling": "nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)), tl.zeros(2, 3, 8, 8)",
    "padding": "nn.ZeroPad2d((1, 2, 0, 3)), tl.zeros(2, 3, 8, 8)",
    "normalisation": "nn.Sequential(nn.BatchNorm2d(4), nn.GroupNorm(2, 4)), tl.zeros(2, 4, 8, 8)",
    "recurrent": "nn.LSTM(4, 6, batch_first=True), tl.zeros(2, 5, 4)",
    "transformer": "nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval(), tl.zeros(2, 5, 8)",
    "linear": "nn.Linear(4, 3), tl.zeros(2, 4)",
    "embedding": "nn.Embedding(10, 4), tl.zeros(2, 5, dtype=tl.int64)",
    "vision": "nn.Sequential(nn.Upsample(scale_factor=2), nn.PixelUnshuffle(2), nn.Flatten()), tl.zeros(2, 3, 4, 4)",
}
IMPORTED = {"warn", "make", "named", "default_generator", "identity_transform"}
"""Names that modules without ``__all__`` import for themselves, and a value that is no function."""
STAR = re.compile(r"(`+).*?\1|(?<!\\)\*")
SEEN: dict[int, str] = {}
"""Where each object is described: every one is described once."""
PAGES: dict[str, str] = {}
"""The pages of single names."""
PICTURES: set[str] = set()
"""The layers that have a picture of their shapes."""


@cache
def functions() -> frozenset[str]:
    """Return the names of all public functions and ops; the list is long to make."""
    return frozenset(e.name for e in entries())


def heading(title: str) -> list[str]:
    return [title, "=" * len(title), ""]


def short(module: str) -> str:
    """Return the name of a module as it stands in titles."""
    return module.removeprefix("tinygrad_lite.")


def file_of(function: Any) -> str:
    """Return the module in which an op, a function or a class is written, without the name of the package."""
    op = {id(op.call): op for op in OPS.values()}.get(id(function))
    module: str = inspect.unwrap(op.forward if op else function).__module__
    return module.removeprefix("tinygrad_lite.").removeprefix("ops.").removeprefix("nn.")


def sorted_in(things: Iterable[tuple[str, Any]], families: Iterable[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Return the names of each family, by its page; what belongs to none goes to the last."""
    pages: dict[str, list[str]] = {page: [] for page, _, _ in families}
    known = [(prefix, page) for page, _, files in families for prefix in files.split()]
    for name, thing in things:
        file = file_of(thing)
        pages[next((p for f, p in known if file == f or file.startswith(f + ".")), "others")].append(name)
    return {page: names for page, names in pages.items() if names}


def named(link: str, name: str) -> str:
    """Return a link with a shorter text."""
    return link.replace("`", f"`{name} <", 1)[:-1] + ">`"


def table(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return a table of links and first lines."""
    lines = [".. list-table::", "   :widths: 40 60", ""]
    for link, text in rows:
        lines += [f"   * - {link}", f"     - {STAR.sub(lambda m: m[0] if m[1] else chr(92) + '*', text)}"]
    return [*lines, ""] if len(lines) > 3 else []


def operations() -> Iterator[tuple[str, str, str, str]]:
    """Yield page, title, description and text for each family of operations."""
    by_name = {e.name: PUBLIC[e.name] for e in entries()}
    titles = {page: title for page, title, _ in OPERATIONS}
    for page, names in sorted_in(by_name.items(), OPERATIONS).items():
        rows = []
        for name in names:
            plain = getattr(tl, name, None) is PUBLIC[name]
            place = "" if plain else "Tensor."
            SEEN[id(PUBLIC[name])] = link = f":py:{'func' if plain else 'meth'}:`tinygrad_lite.{place}{name}`"
            rows.append((named(link, name), summary_of(PUBLIC[name])))
            full, kind = f"tinygrad_lite.{place}{name}", "function" if plain else "method"
            describe(full, f"operations.{page}", titles[page], f".. auto{kind}:: {full}")
        lines = [*heading(titles[page]), ".. currentmodule:: tinygrad_lite", "", *table(rows)]
        yield f"operations.{page}", titles[page], shortened(names), "\n".join(lines)


def layers() -> Iterator[tuple[str, str, str, str]]:
    """Yield page, title, description and text for each family of layers."""
    things = {name: getattr(nn, name) for name in names_of(nn)}
    titles = {page: title for page, title, _ in LAYERS}
    for page, names in sorted_in(things.items(), LAYERS).items():
        lines = heading(titles[page])
        if page in SHAPES:
            layer, x = SHAPES[page].rsplit(", tl.", 1)
            lines += [".. code-block:: python", "", f"   layers = {layer}", f"   draw(layers, tl.{x})", ""]
            lines += [f".. image:: /_static/graphs/layers_{page}.svg", "   :alt: The shapes of these layers", ""]
        yield (
            f"nn.{page}",
            titles[page],
            shortened(names),
            "\n".join(lines + listed("tinygrad_lite.nn", names, f"nn.{page}", titles[page])),
        )


def room(name: str, about: str) -> str:
    """Return the page of one module: what it says of itself, then every public name in it."""
    module = import_module(name)
    lines = [*heading(short(name)), *([] if module.__doc__ else [f"{about}.", ""])]
    lines += [f".. automodule:: {name}", "   :no-members:", ""]
    forms = [n for n in names_of(module) if getattr(module, n).__module__ == "tinygrad_lite.ops.indexing.inplace"]
    text = listed(name, [n for n in names_of(module) if n not in forms], name, short(name))
    if forms:
        text += ["In place, with the arguments of the function without the underscore: "]
        text += [", ".join(f"``{n}``" for n in forms) + ".", ""]
    return "\n".join(lines + text)


def listed(module: str, names: Iterable[str], page: str, title: str) -> list[str]:
    """Return a table of names, and describe those that no other page describes."""
    rows = []
    for public in names:
        thing = getattr(import_module(module), public)
        role = "class" if inspect.isclass(thing) else "func"
        full = f"{module}.{public}"
        if id(thing) not in SEEN:
            SEEN[id(thing)] = f":py:{role}:`{full}`"
            kind = "class" if role == "class" else "function"
            describe(full, page, title, f".. auto{kind}:: {full}", *(members(thing) if role == "class" else []))
        rows.append((named(SEEN[id(thing)], public), summary_of(thing)))
    return table(rows)


def describe(full: str, page: str, title: str, *lines: str) -> None:
    """Write the page of one name; a class and a function that differ in case only differ in their files too."""
    name = stem = short(full)
    if any(stem.lower() == other.lower() for other in PAGES):
        stem += "_class" if lines[0].startswith(".. autoclass") else "_function"
    text = [":orphan:", "", *heading(name), f":doc:`{title} </api/{page}>`", "", *lines, *formula(name), ""]
    PAGES[stem] = "\n".join(text)
    if others := twins(name):
        PAGES[stem] += (
            f"\nThe same as a {'function' if inspect.isclass(getattr(nn, name[3:], 0)) else 'layer'}: {others}.\n"
        )
    if name.removeprefix("nn.") in PICTURES and name.startswith("nn."):
        PAGES[stem] += f"\n.. image:: /_static/graphs/{name}.svg\n   :alt: The shapes of the example\n"


def stems(name: str) -> set[str]:
    """Return what a layer and its function have in common: ``BCELoss`` and ``binary_cross_entropy``."""
    word = name.replace("_", "").lower().replace("bce", "binarycrossentropy")
    return {word, word.removesuffix("loss"), re.sub(r"[123]d$", "", word)}


def twins(name: str) -> str:
    """Return links to the function of a layer, or to the layers of a function."""
    place, _, last = name.rpartition(".")
    if place == "nn" and inspect.isclass(getattr(nn, last, None)):
        there, role = nn.functional, "func"
        found = [n for n in names_of(there) if n.replace("_", "") in stems(last) and not n.endswith("_")]
    elif place in ("", "nn.functional") and hasattr(nn.functional, last):
        there, role = nn, "class"
        found = [n for n in names_of(there) if last.replace("_", "") in stems(n) and inspect.isclass(getattr(nn, n))]
    else:
        return ""
    links = [SEEN.get(id(getattr(there, n)), f":py:{role}:`{there.__name__}.{n}`") for n in found]
    return ", ".join(named(link, n) for link, n in zip(links, found, strict=True))


def shortened(names: list[str], most: int = 6) -> str:
    return ", ".join(f"``{n}``" for n in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def members(cls: type) -> list[str]:
    """Return the option that lists the documented methods a class defines; ops of Tensor stand elsewhere."""
    hidden = {*functions(), "forward", "extra_repr", "function"}
    own = [n for n, v in vars(cls).items() if n[0] != "_" and n not in hidden and getattr(v, "__doc__", None)]
    own = [n for n in own if callable(getattr(cls, n, None)) or isinstance(vars(cls)[n], property)]
    return [f"   :members: {', '.join(own)}"] if own else []


def names_of(module: ModuleType) -> list[str]:
    """Return the public names that belong to this library, in alphabetical order."""
    known = functions() if module.__name__ == "tinygrad_lite" else frozenset()
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]
    found = []
    for name in listed:
        thing = getattr(module, name, None)
        ours = str(getattr(thing, "__module__", "") or "").startswith("tinygrad_lite")
        if name in IMPORTED:
            continue
        if ours and callable(thing) and name not in known and not isinstance(thing, ModuleType) and thing.__doc__:
            found.append(name)
    return sorted(set(found))


def index(groups: Iterable[tuple[str, list[tuple[str, str, str]]]]) -> str:
    """Return the tables of the first page: one line per page of the reference."""
    lines = []
    for title, rows in groups:
        lines += [f"## {title}", "", "| | |", "| --- | --- |"]
        lines += [f"| [{name}](api/{page}.rst) | {about.replace('``', '`')} |" for page, name, about in rows] + [""]
    return "\n".join(lines)


def write(here: Path, save: Any) -> None:
    """Write every page of the reference and the tables of its index."""
    SEEN.clear()
    PAGES.clear()
    tables = []
    for title, pages in (("Operations", operations()), ("Layers and losses", layers())):
        rows = []
        for page, name, about, text in pages:
            save(here / "api" / f"{page}.rst", text)
            rows.append((page, name, about))
        tables.append((title, rows))
    for group, rooms in GROUPS:
        for name, about in rooms:
            save(here / "api" / f"{name}.rst", room(name, about))
        tables.append((group, [(name, f"`{short(name)}`", about) for name, about in rooms]))
    for stem, text in PAGES.items():
        save(here / "api" / "each" / f"{stem}.rst", text)
    pages = {page for _, rows in tables for page, _, _ in rows} | PAGES.keys()
    for old in (here / "api").rglob("*.rst"):
        if old.stem not in pages:  # of another version of the library
            old.unlink()
    save(here / "api_index.md", index([tables[2], tables[0], tables[3], tables[1], *tables[4:]]))


def draw_shapes(out: Path) -> None:
    """Draw the pictures at the top of the pages of layers, and those of single layers."""
    for page, code in SHAPES.items():
        layer, x = eval(f"({code})", {"nn": nn, "tl": tl})
        draw(layer, x, rankdir="LR").save(out / f"layers_{page}.svg")
    PICTURES.update(draw_layers(out))
