"""What a picture says about a layer of `tinygrad_lite.nn`: its settings, and whether it starts as one box."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

LIBRARY = "tinygrad_lite.nn."
COMPOSED = (f"{LIBRARY}container", f"{LIBRARY}transformer")
"""Files whose modules only combine others; these start expanded."""

IN_SHAPES = {
    "in_features", "out_features", "in_channels", "out_channels", "num_features", "normalized_shape", "num_channels",
    "num_embeddings", "embedding_dim", "in1_features", "in2_features",
}  # fmt: skip
"""Settings that the shapes of the parameters show."""

SILENT = {"self", "device", "dtype", "inplace", "track_running_stats"}
ALWAYS = {"p"}
"""Settings that readers look for even where they have their default."""


def is_library(module: Any) -> bool:
    """Whether a module is a layer of the library, which a picture draws as one box."""
    home = type(module).__module__
    return home.startswith(LIBRARY) and home not in COMPOSED


@cache
def settings_of(cls: type) -> tuple[tuple[str, Any], ...]:
    """Return name and default of the constructor's arguments that a picture may show."""
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    names = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return tuple((p.name, p.default) for p in names if p.name not in SILENT | IN_SHAPES)


def details(module: Any) -> str:
    """Return the settings of a library layer that differ from their defaults, as ``extra_repr`` names them.

    >>> from tinygrad_lite import nn
    >>> details(nn.Conv2d(3, 8, 3, padding=1)), details(nn.Dropout(0.5)), details(nn.LSTM(4, 6, num_layers=2))
    ('kernel_size=3 padding=1', 'p=0.5', 'input_size=4 hidden_size=6 num_layers=2')
    """
    if not type(module).__module__.startswith(LIBRARY):
        return ""
    out = []
    for name, default in settings_of(type(module)):  # type: ignore[arg-type]
        value = getattr(module, name, default)
        if name == "bias" and not isinstance(value, bool):
            value = value is not None
        if default is None and name == "stride" and value == getattr(module, "kernel_size", value):
            continue  # pooling windows that do not overlap are the default
        if default is None and value == getattr(module, "embed_dim", None):
            continue  # keys and values as wide as the queries are
        if simple(value) and (name in ALWAYS or not same(value, default)):
            out.append(f"{name}={short(value)}")
    return " ".join(out)


def simple(value: Any) -> bool:
    """Whether a setting is a number, a word, or a tuple of them."""
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return bool(parts) and all(isinstance(v, (bool, int, float, str)) for v in parts)


def same(value: Any, default: Any) -> bool:
    """Whether a setting has its default; one number stands for a tuple of equal ones."""
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return bool(value == default) or all(type(v) is type(default) and v == default for v in parts)


def short(value: Any) -> str:
    """Return a setting as text, a tuple of equal numbers as one."""
    if isinstance(value, (tuple, list)):
        return str(value[0]) if len(set(value)) == 1 else str(tuple(value)).replace(" ", "")
    return str(value)
