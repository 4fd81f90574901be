"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for the page generators in _pages

from docutils import nodes  # noqa: E402

from tinygrad_lite import __version__  # noqa: E402

project = "tinygrad_lite"
author = "The tinygrad_lite authors"
copyright = "the tinygrad_lite authors. Not related to tinygrad."  # noqa: A001
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "_links",
    "_mathml",
    "_try",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "_pages",
    "no_effect.md",
    "onnx_ops.md",
    "api_index.md",
    "bars.md",
    "examples/*.md",
    "examples/README.rst",
]
html_theme = "furo"
html_title = f"tinygrad_lite {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(HERE / "search_scores.js")
templates_path: list[str] = []
pygments_style, pygments_dark_style = "friendly", "monokai"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
default_role = "py:obj"  # `Conv2d` in a docstring is a link where there is something of this name
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = True
napoleon_google_docstring = True
copybutton_prompt_text = r">>> |\.\.\. ?|\$ "
copybutton_prompt_is_regexp = True
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "examples_dirs": ["examples"],
    "gallery_dirs": ["gallery"],
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"/plot_",
    "remove_config_comments": True,
    "download_all_examples": False,
    "min_reported_time": 30,
    "abort_on_example_error": True,
    "show_signature": False,
    "write_computation_times": False,
    "reset_modules": ("matplotlib", "_gallery.prepare"),
    "parallel": 2,
}
warnings.filterwarnings("ignore", message="Matplotlib is currently using agg")


STAR = re.compile(r"(`+).*?\1|(?<!\\)\*")
"""A star outside of backticks."""


def plain_stars(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Let a star in a docstring be a star: ``(N, C, *)`` and ``2 * x`` are not the beginning of italics."""
    doctest = False
    for i, line in enumerate(lines):
        doctest = line.strip().startswith(">>>") or doctest and bool(line.strip())
        if not doctest:
            lines[i] = STAR.sub(lambda m: m[0] if m[1] else r"\*", line)


PROPERTIES: dict[str, list[str]] = {}


def keep_property(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Remember a property's lines: Napoleon takes the words before their first colon for a type."""
    if what in ("attribute", "property"):
        PROPERTIES[name] = list(lines)


def restore_property(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Put a property's lines back after Napoleon."""
    if name in PROPERTIES:
        lines[:] = PROPERTIES.pop(name)


def let_scroll(app: Any, doctree: Any) -> None:
    """Put pictures that may be wider than a phone into a box that scrolls by itself."""
    for picture in list(doctree.findall(lambda node: node.tagname in ("image", "imgsgnode"))):
        if picture.tagname == "imgsgnode" or picture["uri"].endswith(".svg"):
            box = nodes.container(classes=["wide"])
            picture.replace_self(box)
            box += picture


SIDEBARS: dict[tuple[str, str], str] = {}


def share_sidebar(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Resolve the sidebar once for all pages of a folder that are not in it: it took half of the build."""
    if page.startswith(("api/each/", "_modules/")) and "toctree" in context:
        resolve = context["toctree"]

        def once(**options: Any) -> str:
            key = (page.rpartition("/")[0], repr(options))
            if key not in SIDEBARS:
                SIDEBARS[key] = resolve(**options)
            return SIDEBARS[key]

        context["toctree"] = once


def setup(app: Any) -> None:
    """Write the pages that are read off the registry before Sphinx reads any page."""
    from _pages import write

    write(HERE)
    app.connect("autodoc-process-docstring", plain_stars, priority=400)
    app.connect("autodoc-process-docstring", keep_property, priority=450)
    app.connect("autodoc-process-docstring", restore_property, priority=550)
    app.connect("doctree-read", let_scroll)
    app.connect("html-page-context", share_sidebar, priority=100)  # before the theme asks for it
