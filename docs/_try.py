"""The page "Try it": its directive, and the package as the file that the page unpacks in the reader's browser.

Nothing is loaded before the reader presses *Run*. Then a worker loads Python and NumPy from ``try_pyodide``, a folder
of Pyodide's files, by default of the version named here at jsDelivr; and the package from this documentation itself, so
that the page always runs the version that it documents.
"""

from __future__ import annotations

import json
import os
import zipfile
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parent
PROGRAMS = HERE / "try"
PYODIDE = os.environ.get("TINYGRAD_LITE_DOCS_PYODIDE", "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/")
LEFT_OUT = (".pyc", ".pyi", "py.typed", ".md")
PAGE = """<div class="try" data-pyodide="{pyodide}">
<div class="try-bar">
<label>Example <select class="try-choice">{choices}</select></label>
<button type="button" class="try-run" title="Ctrl+Enter">Run</button>
<button type="button" class="try-stop" hidden>Stop</button>
</div>
<textarea class="try-editor" aria-label="Program" wrap="off" spellcheck="false" autocapitalize="off" autocorrect="off"
autocomplete="off" rows="{rows}">{first}</textarea>
<p class="try-status" role="status">The first run loads Python and NumPy for the browser, about 12 MB, from {host}.</p>
<div class="try-results"></div>
<noscript><p>This page needs JavaScript.</p></noscript>
<script type="application/json" class="try-programs">{programs}</script>
</div>"""


def programs() -> list[tuple[str, str]]:
    """Return the titles and sources of the examples; a title is the comment in the first line."""
    texts = [path.read_text("utf-8") for path in sorted(PROGRAMS.glob("*.py"))]
    return [(text.split("\n", 1)[0].removeprefix("# "), text) for text in texts]


def page(pyodide: str = PYODIDE) -> str:
    """Return what stands in the page in place of the directive."""
    examples = programs()
    return PAGE.format(
        pyodide=escape(pyodide),
        host=escape(pyodide.split("/")[2] if "://" in pyodide else "this site"),
        choices="".join(f"<option>{escape(title)}</option>" for title, _ in examples),
        rows=max(text.count("\n") for _, text in examples) + 1,
        first=escape(examples[0][1]),
        programs=json.dumps([text for _, text in examples]).replace("<", "\\u003c"),
    )


def pack(target: Path) -> None:
    """Write the package as a zip file, without what only type checkers and readers of the source need."""
    target.parent.mkdir(parents=True, exist_ok=True)
    root = HERE.parent
    rooms = {root / "tinygrad_lite": "tinygrad_lite"} | {
        root / name: f"tinygrad_lite/{name}" for name in ("nn", "models")
    }
    files = {
        f"{name}/{path.relative_to(room).as_posix()}": path.read_bytes()
        for room, name in rooms.items()
        for path in room.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.endswith(LEFT_OUT)
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(files):  # without dates: equal content, equal file
            file.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)


class TryIt(SphinxDirective):
    """The editor with its examples, buttons and results."""

    def run(self) -> list[nodes.Node]:
        for path in sorted(PROGRAMS.glob("*.py")):
            self.env.note_dependency(str(path))
        return [nodes.raw("", page(self.config.try_pyodide), format="html")]


def add_files(app: Any, name: str, template: str, context: Any, doctree: Any) -> None:
    """Only this page has the editor's style and script."""
    if name == "try_it":
        app.add_css_file("try.css")
        app.add_js_file("try.js", loading_method="defer")


def setup(app: Any) -> dict[str, Any]:
    app.add_config_value("try_pyodide", PYODIDE, "env", str)
    app.add_directive("tryit", TryIt)
    app.connect("builder-inited", lambda app: pack(HERE / "_static" / "package" / "tinygrad_lite.zip"))
    app.connect("html-page-context", add_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
