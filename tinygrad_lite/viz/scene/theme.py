"""Colours and fonts of each kind of node, in light and in dark mode."""

from __future__ import annotations

from collections.abc import Mapping

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

PAPER: Mapping[str, tuple[str, str]] = {
    "back": ("#ffffff", "#15181d"),
    "ink": ("#1c2127", "#e8eaed"),
    "soft": ("#5c6670", "#a3adb8"),
    "line": ("#6b7580", "#8a95a1"),
    "frame": ("#c3cad2", "#454d57"),
    "inside": ("#f6f8fa", "#1b1f26"),
    "param": ("#7a5300", "#e3bd5e"),
    "mark": ("#b42318", "#ff8a80"),
    "good": ("#1f7a37", "#5fca78"),
    "hit": ("#d6006c", "#ff6fb5"),
}
"""(light, dark) of everything that is not a box."""

FILL: Mapping[str, tuple[str, str, str, str]] = {
    "input": ("#e3effd", "#3b78c4", "#1b3049", "#5c97dd"),
    "output": ("#dff5e3", "#2f8f46", "#17351f", "#52b76b"),
    "param": ("#fff3d1", "#b98a17", "#3a2f12", "#d3a63b"),
    "buffer": ("#f3efe2", "#93835a", "#2f2b20", "#b3a274"),
    "const": ("#f1f1f1", "#8c8c8c", "#2b2b2b", "#9a9a9a"),
    "grad": ("#fde7e9", "#c2485a", "#402026", "#e0707f"),
    "elementwise": ("#eef1f5", "#6d7b8a", "#262c34", "#8e9dad"),
    "activation": ("#fdeadb", "#cc6a1c", "#3d2817", "#e58e4a"),
    "reduction": ("#e6ecff", "#4f63c8", "#20284a", "#7f90ec"),
    "shape": ("#f3f3f0", "#8b8b7d", "#2a2a26", "#a5a596"),
    "indexing": ("#eeeee6", "#86865f", "#2a2a20", "#a9a97c"),
    "linalg": ("#ece4fb", "#7748c9", "#2d2244", "#a583ea"),
    "window": ("#dcf4f2", "#1d8a82", "#15332f", "#43b6ad"),
    "norm": ("#e7f3dc", "#5b8c2a", "#26331a", "#86b957"),
    "loss": ("#fce3f0", "#c03a80", "#401c2e", "#e16ba5"),
    "random": ("#fbf6d9", "#a3941c", "#35310f", "#c9b93f"),
    "other": ("#eeeeee", "#777777", "#2a2a2a", "#9a9a9a"),
    "closed": ("#ffffff", "#59636e", "#222831", "#98a3af"),
}
"""(light fill, light border, dark fill, dark border) of a box by the kind of its node, or of its op."""

HEAT = tuple(f"heat{i}" for i in range(7))
SCALE: Mapping[str, tuple[str, str, str, str]] = {
    name: (light, "#7a6a4f", dark, "#a08a63")
    for name, light, dark in zip(
        HEAT,
        ("#fffbe8", "#fdf0c4", "#fbe19a", "#f9cf76", "#f7ba5a", "#f4a347", "#ef8a3c"),
        ("#201d17", "#34291a", "#4a361b", "#63441b", "#7f501b", "#9c591d", "#ba6222"),
        strict=True,
    )
}
"""Boxes coloured by a number, from low to high."""

WORDS: Mapping[str, str] = {
    "input": "input", "output": "output", "param": "parameter", "buffer": "buffer", "const": "constant",
    "grad": "gradient", "elementwise": "arithmetic", "activation": "activation", "reduction": "reduction",
    "shape": "shape", "indexing": "indexing", "linalg": "matrix product", "window": "sliding window",
    "norm": "normalisation", "loss": "loss", "random": "random", "other": "other", "closed": "collapsed module",
}  # fmt: skip
"""The name of each kind in the legend."""


def group_of(kind: str, group: str) -> str:
    """Return the name under which a node finds its colours."""
    name = group if kind == "op" else kind
    return name if name in FILL else "other"


SCOPE = "tinygrad-lite"
"""The CSS class of every picture. All rules are scoped to it, so an embedded picture does not style the page."""


MIDDLE: Mapping[str, str] = {
    "back": "transparent", "ink": "#737d88", "soft": "#7d8792", "line": "#848e99", "frame": "#8b95a0",
    "inside": "#8b95a018", "param": "#9a7a2a", "mark": "#d64545", "good": "#2f9a4a", "hit": "#e0187f",
}  # fmt: skip
"""Colours outside of boxes that can be read on a white and on a dark page."""


def css(theme: str, used: set[str]) -> str:
    """Return the style sheet of a picture.

    ``auto`` follows the reader's light or dark mode; ``page`` has no ground of its own, and colours for any page.
    """
    if theme == "page":
        return scoped(SHAPES + colours(0, used) + on_any_page())
    if theme == "auto":
        dark = scoped(colours(1, used))
        return f"{scoped(SHAPES + colours(0, used))}@media(prefers-color-scheme:dark){{{dark}}}"
    return scoped(SHAPES + colours(int(theme == "dark"), used))


def on_any_page() -> str:
    """Return the rules of a picture without a ground: light boxes, and everything between them in middle grey."""
    light = {name: pair[0] for name, pair in PAPER.items()}
    soft = ",".join(f".box text.{role}" for role in ("shape", "note", "op"))
    return (
        f".back{{fill:none}}text,text.head,text.note,text.title,text.arg{{fill:{MIDDLE['ink']}}}"
        f".frame,.deep{{fill:{MIDDLE['line']};fill-opacity:.07;stroke:{MIDDLE['frame']}}}"
        f".edge{{stroke:{MIDDLE['line']}}}.tip{{fill:{MIDDLE['line']}}}"
        f".box text,.box text.head,.box text.value{{fill:{light['ink']}}}{soft}{{fill:{light['soft']}}}"
        f".box text.param{{fill:{light['param']}}}.box text.mark{{fill:{light['mark']}}}"
        f".added text.mark{{fill:{light['good']}}}.changed text.mark{{fill:{light['param']}}}"
    )


def scoped(rules: str) -> str:
    """Return CSS rules with every selector restricted to the inside of a picture."""
    out = []
    for rule in rules.split("}")[:-1]:
        selectors, body = rule.split("{")
        out.append(",".join(f".{SCOPE} {s}" for s in selectors.split(",")) + "{" + body + "}")
    return "".join(out)


SHAPES = (
    f"text{{font:10.5px {FONT}}}"
    "text.head{font-weight:600;font-size:12px}"
    f"text.value{{font-family:{MONO}}}"
    "text.mark{font-weight:600}"
    ".box text{text-anchor:middle}"
    ".box rect{stroke-width:1.2}.closed rect{stroke-width:1.6;stroke-dasharray:5 2}"
    ".marked rect{stroke-width:2.6;stroke-dasharray:3 2}"
    ".frame{stroke-width:1}.repeat{stroke-width:2}"
    ".edge{fill:none;stroke-width:1.2}.saved{stroke-dasharray:3 3}"
    "text.arg{font-size:9px}"
)


def colours(dark: int, used: set[str]) -> str:
    """Return the rules that differ between light and dark."""
    p = {name: pair[dark] for name, pair in PAPER.items()}
    out = (
        f".back{{fill:{p['back']}}}text{{fill:{p['ink']}}}text.shape,text.note,text.op,text.arg,text.title{{fill:{p['soft']}}}"
        f"text.param{{fill:{p['param']}}}text.mark{{fill:{p['mark']}}}"
        f".frame{{fill:{p['inside']};stroke:{p['frame']}}}.deep{{fill:{p['back']}}}.repeat{{stroke:{p['line']}}}"
        f".edge{{stroke:{p['line']}}}.tip{{fill:{p['line']}}}"
    )
    for name in [*FILL, *SCALE]:
        if name in used:
            fill = (FILL.get(name) or SCALE[name])[2 * dark : 2 * dark + 2]
            out += f".{name} rect{{fill:{fill[0]};stroke:{fill[1]}}}"
            if name in SCALE:
                out += f".{name} text{{fill:{p['ink']}}}"
    out += f".marked rect{{stroke:{p['mark']}}}.added rect{{stroke:{p['good']}}}.added text.mark{{fill:{p['good']}}}"
    return out + f".changed rect{{stroke:{p['param']}}}.changed text.mark{{fill:{p['param']}}}"
