"""Links into the documentation of others, as far as it can be reached while this one is built.

All addresses are asked at once and given three seconds. Those that answer with an inventory are linked, the others are
left out without a warning; their names stay code. ``TINYGRAD_LITE_DOCS_OFFLINE=1`` asks nobody.
"""

from __future__ import annotations

import builtins
import os
import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, build_opener

from docutils import nodes

SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
    "torch": "https://docs.pytorch.org/docs/stable/",
}
ELSEWHERE = re.compile(r"(?:np|numpy|scipy|sklearn|torch)(?:\.\w+)+")
ERRORS = {n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)}


def is_inventory(content: bytes) -> bool:
    """Whether Sphinx can read this: a captive portal answers too, and says something else."""
    head = content.split(b"\n", 4)
    if len(head) < 5 or head[0].strip() != b"# Sphinx inventory version 2" or b"zlib" not in head[3]:
        return False
    with suppress(zlib.error, UnicodeDecodeError):
        return bool(zlib.decompress(head[4]).decode())
    return False


def fetch(sites: dict[str, str], seconds: float) -> dict[str, bytes]:
    """Return the inventories that came whole within ``seconds``; proxies of the environment are used."""
    found: dict[str, bytes] = {}

    def ask(name: str, address: str) -> None:
        with suppress(Exception):  # whatever is wrong with it, the pages are built without it
            request = Request(address.rstrip("/") + "/objects.inv", headers={"User-Agent": "sphinx-build"})
            with build_opener().open(request, timeout=seconds) as answer:
                content = answer.read()
            if is_inventory(content):
                found[name] = content

    # daemons, because the search for an address knows no timeout and must not keep the build from ending
    threads = [Thread(target=ask, args=site, daemon=True) for site in sites.items()]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return {name: found[name] for name in sites if name in found}


def choose(app: Any, config: Any) -> None:
    """Tell intersphinx of those that answered, and say which they are."""
    if os.environ.get("TINYGRAD_LITE_DOCS_OFFLINE", "0") not in ("", "0"):
        print("links to other documentation: switched off")
        config.intersphinx_mapping = {}
        return
    found = fetch(config.linked_sites, config.linked_seconds)
    folder = Path(app.doctreedir) / "inventories"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        (folder / f"{name}.inv").write_bytes(content)
    config.intersphinx_mapping = {n: (config.linked_sites[n], str(folder / f"{n}.inv")) for n in found}
    missing = ", ".join(n for n in config.linked_sites if n not in found)
    print(f"links to other documentation: {', '.join(found) or 'none'}{missing and f' (no answer from {missing})'}")


def target(text: str) -> str | None:
    """Return the full name of what a word of code names in another project, if it does."""
    text = text.removesuffix("()")
    if text in ERRORS:
        return text
    return re.sub(r"^np\.", "numpy.", text) if ELSEWHERE.fullmatch(text) else None


def link_code(app: Any, doctree: Any) -> None:
    """Make ``numpy.load``, written as code anywhere, a reference; what cannot be resolved stays code."""
    from sphinx.addnodes import pending_xref

    for word in list(doctree.findall(nodes.literal)):
        name = target(word.astext())
        if name is None or isinstance(word.parent, nodes.reference | pending_xref):
            continue
        options = {"refdomain": "py", "reftype": "obj", "reftarget": name, "refexplicit": True, "refwarn": False}
        word.replace_self(pending_xref("", word.deepcopy(), refdoc=app.env.docname, **options))


def find_ours(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Find ``nn.Sequential`` or ``manual_seed``, written in a docstring without the name of the package."""
    if node.get("refdomain") != "py":
        return None
    name = f"tinygrad_lite.{node['reftarget']}"
    return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)


def counterpart(name: str, documented: Callable[[str], str]) -> tuple[str, str]:
    """Return project and full name of what is called the same elsewhere, two empty texts if there is none."""
    if name.startswith("tinygrad_lite.models."):
        return "scikit-learn", documented("." + name.removeprefix("tinygrad_lite.models."))
    own = name.removeprefix("tinygrad_lite.")
    return "PyTorch", documented(f"torch.{own}") or documented(f"torch.nn.functional.{own}")


def name_counterpart(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Say at the end of a docstring what the same is called in PyTorch or scikit-learn, if their inventory knows it."""
    inventories = getattr(app.env, "intersphinx_inventory", {})
    known = [inventories.get(f"py:{kind}", {}) for kind in ("class", "function", "method")]

    def documented(full: str) -> str:
        if full.startswith("."):  # the estimators of scikit-learn live in many modules
            return next((n for names in known for n in names if n.startswith("sklearn.") and n.endswith(full)), "")
        return full if any(full in names for names in known) else ""

    project, same = counterpart(name, documented)
    if same:
        lines += ["", f"In {project}: :py:obj:`{same}`.", ""]


def setup(app: Any) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.intersphinx")
    app.add_config_value("linked_sites", SITES, "env", dict)
    app.add_config_value("linked_seconds", 3.0, "", float)
    app.connect("config-inited", choose, priority=100)  # before intersphinx reads the mapping
    app.connect("doctree-read", link_code)
    app.connect("missing-reference", find_ours, priority=400)  # before intersphinx looks elsewhere
    app.connect("autodoc-process-docstring", name_counterpart)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
