"""Names made to run as code, in every page and picture that is written, opened in a real browser.

Names of modules, classes, files, columns and all texts in a graph's JSON hold payloads that would send a message to the
outermost page or ask a server of this machine. Every element of a page is clicked on. Nothing may arrive.
"""

from __future__ import annotations

import http.server
import json
import math
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import tinygrad_lite as tl
from tests.fuzz.findings import Findings
from tinygrad_lite import models, nn, training, viz
from tinygrad_lite.testing.report import GradReport

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
TURNS = 5
"""Turns that every machine makes in a minute."""
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=8000", "--dump-dom",
)  # fmt: skip
RUN = "top.postMessage('ran',`*`)"
ADDRESS = "http://127.0.0.1:PORT/asked"
PAYLOADS = [
    *(
        text.replace("RUN", RUN).replace("ADDRESS", ADDRESS)
        for text in (
            "<script>RUN</script>", "</script><script>RUN</script>", "</title><script>RUN</script>",
            "</style><script>RUN</script>", "</svg><script>RUN</script>", "</text><script>RUN</script>",
            "</pre></div><script>RUN</script>", "--><script>RUN</script><!--", "]]><script>RUN</script>",
            "<![CDATA[<script>RUN</script>]]>", "<!--<script>", "<img src=x onerror=RUN>", '"><img src=x onerror=RUN>',
            "'><svg onload=RUN>", '" onmouseover="RUN" x="', "' onclick='RUN' x='", "x onfocus=RUN autofocus",
            "<a href=javascript:RUN>x</a>", "<iframe srcdoc='<script>RUN</script>'></iframe>",
            "<iframe src=javascript:RUN></iframe>", "<details open ontoggle=RUN>", "<input autofocus onfocus=RUN>",
            "<svg><animate onbegin=RUN attributeName=x dur=1s>", "<body onload=RUN>", "<video><source onerror=RUN>",
            "<ScRiPt\n>RUN</sCrIpT\n>", "<script/x>RUN</script/x>", "&lt;script&gt;RUN&lt;/script&gt;",
            "&#60;img src=x onerror=RUN&#62;", "\\u003cscript\\u003eRUN\\u003c/script\\u003e", "\\x3cscript>RUN",
            '";RUN;//', "';RUN;//", "`;RUN;//", "${RUN}", '\\";RUN;//', "\u2028RUN\u2029", "\n</script>\n<script>RUN\n",
            "\0<script>RUN</script>", "<scr\0ipt>RUN</scr\0ipt>", "\ufeff<script>RUN</script>",
            "\u202e<script>RUN</script>", "<script src=ADDRESS></script>", "<link rel=stylesheet href=ADDRESS>",
            "<meta http-equiv=refresh content='0;url=ADDRESS'>", "<base href=ADDRESS>", "<object data=ADDRESS>",
            "<style>@import 'ADDRESS'</style>", "}*{background:url(ADDRESS)}", "<svg><use href=ADDRESS#a></svg>",
            "<image href=ADDRESS />", "url(ADDRESS)", "<form action=ADDRESS><input type=submit></form>",
        )
    ),
    "__proto__", "constructor", "hasOwnProperty", "\x1b]0;title\x07", "\ud800", "\uffff\ufffe",
]  # fmt: skip
POKE = """<script>
const poke = () => {
  for (const e of document.querySelectorAll('*'))
    for (const kind of ['mouseover', 'mouseenter', 'mousemove', 'pointerdown', 'click', 'dblclick', 'focus'])
      e.dispatchEvent(new MouseEvent(kind, {bubbles: true, clientX: 9, clientY: 9}));
  const find = document.getElementById('find'), step = document.getElementById('step');
  for (const text of find ? ['s', 'script'] : []) { find.value = text; find.dispatchEvent(new Event('input')); }
  if (step) { step.value = 1; step.dispatchEvent(new Event('input')); }
  for (const id of ['open', 'fit', 'close', 'open']) document.getElementById(id)?.click();
  for (const e of document.querySelectorAll('.box, .group')) e.dispatchEvent(new MouseEvent('click', {bubbles: true}));
};
setTimeout(() => {
  let text = 'done';
  try { poke(); } catch (e) { text = 'error: ' + e; }
  if (({}).x !== undefined) text = 'error: prototype';
  setTimeout(() => top.postMessage(text + ' NAME', '*'), 200);
}, 200);
</script></body>"""
CONTROL = "<script>top.postMessage('control', '*')</script><img src=http://127.0.0.1:PORT/control>"
COLLECT = """<!doctype html><meta charset=utf-8><pre id=answer></pre><script>
addEventListener('message', (e) => { document.getElementById('answer').textContent += e.data + '\\n'; });
</script>FRAMES"""


class Asked(http.server.BaseHTTPRequestHandler):
    """Notes every request."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


# ------------------------------------------------------------------------------------------------ what is written
def named(text: str) -> nn.Module:
    """Return a module whose class has ``text`` as its name."""
    kind: Any = type("Named", (nn.Module,), {"forward": lambda self, x: self.inner(x) * 2})
    kind.__name__ = kind.__qualname__ = re.sub("[\0\ud800]", "", text)
    module = kind()
    module.inner = nn.Linear(2, 2)
    return module


def model_of(texts: list[str]) -> nn.Module:
    model = nn.Sequential()
    for text in texts:
        model.add_module(text.replace(".", "_"), named(text))
    return model


def replayed(model: nn.Module, x: tl.Tensor) -> viz.Recorder:
    recorder = viz.Recorder(model, every=1)
    for _ in range(2):
        model.zero_grad()
        loss = model(x).sum()
        loss.backward()
        recorder.step(loss)
    return recorder


def poisoned(draw: random.Random, value: Any, text: str, key: str = "") -> Any:
    """Return a graph's JSON with strings replaced, but for those that must be of a few words; ids stay consistent."""
    if isinstance(value, dict):
        return {k: poisoned(draw, v, text, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(draw, v, text, key) for v in value]
    if not isinstance(value, str) or key in ("kind", "version", "dtype"):
        return value
    if key in ("id", "src", "dst", "call", "parent"):
        return value + text if value else value
    return text if draw.random() < 0.8 else value


def graph_of(draw: random.Random, text: str) -> viz.Graph | None:
    whole = json.loads(viz.trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), tl.ones(1, 2)).to_json())
    whole["notes"] = [text]
    for node in whole["nodes"]:
        node["attrs"] = {text: text, "a": text}
        node["marks"] = [text]
    try:
        return viz.Graph.from_json(json.dumps(poisoned(draw, whole, text)))
    except ValueError:
        return None


def from_file(text: str) -> viz.Graph:
    space: dict[str, Any] = {}
    exec(compile("def f(x):\n    return (x * 2).sin()\n", re.sub("[\0\ud800]", "", text) + ".py", "exec"), space)
    return viz.trace(space["f"], tl.ones(2, requires_grad=True))


def fragments(texts: list[str], model: nn.Module) -> str:
    """Return what notebooks show: tables of training, profiles, checks and estimators."""
    x = tl.ones(1, 2)
    history = training.History()
    for text in texts:
        history[text] = [1.0]
    with tl.profiler.profile() as profile:
        model(x)
    reports = [GradReport(t, False, 0, t, t, t, (), t, None, t, notes=[t]) for t in texts]
    chosen = models.KMeans(n_clusters=2)
    chosen.init = texts[0]
    shown = [history, profile, *reports, chosen, viz.summary(model, x)]
    return "".join(part._repr_html_() or "" for part in shown)


def pages(draw: random.Random, count: int) -> dict[str, str]:
    """Return pages by file name, with ``count`` payloads in each that can hold several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texts = draw.sample(PAYLOADS, count)
        model, x = model_of(texts), tl.ones(1, 2, requires_grad=True)
        graph = viz.draw(model, x, title=texts[0] + texts[-1])
        recorder = replayed(model, x)
        found = {
            "graph.html": graph.to_html(), "graph.svg": graph.to_svg(), "inline.html": graph._repr_svg_(),
            "replay.html": recorder.to_html(), "notebook.html": recorder._repr_html_(),
            "tables.html": fragments(texts, model), "file.html": from_file(texts[1]).to_html(),
            "changes.html": viz.diff(graph, from_file(texts[2])).graph.to_html(),
        }  # fmt: skip
        for i, text in enumerate(texts):
            read = graph_of(draw, text)
            if read is not None:
                found |= {f"json{i}.html": read.to_html(), f"json{i}.svg": read.to_svg()}
    return found


# ------------------------------------------------------------------------------------------------ opened
def opened(found: Findings, written: dict[str, str], folder: Path, port: int, texts: str) -> None:
    """Open pages as frames of one page, and note what arrived there or at the server."""
    Asked.asked.clear()
    (folder / "control.html").write_text(CONTROL.replace("PORT", str(port)))  # what does run, arrives
    for name, page in written.items():
        if name.endswith(".svg"):
            try:
                ElementTree.fromstring(page.encode("utf8"))
            except (ElementTree.ParseError, UnicodeError) as error:
                found.note("broken XML", name, f"{error} ({texts})")
        else:
            page = page.replace("</body></html>", "") + POKE.replace("NAME", name)
        (folder / name).write_text(page.replace("PORT", str(port)), "utf8", errors="replace")
    frames = "".join(f"<iframe src='{name}'></iframe>" for name in ["control.html", *written])
    (folder / "all.html").write_text(COLLECT.replace("FRAMES", frames), "utf8")
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={folder / 'profile'}", (folder / "all.html").as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120)
    answer = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout.decode("utf8", "replace"), re.S)
    lines = answer[1].split("\n") if answer else []
    for name in written:
        found.counts["pages"] += 1
        if not name.endswith(".svg") and f"done {name}" not in lines:
            said = [line for line in lines if name in line]
            found.note("no verdict", name, f"{said or done.stderr.decode('utf8', 'replace')[-300:]} ({texts})")
    if "ran" in lines:
        found.note("code ran", "pages", texts)
    if "control" not in lines or "/control" not in Asked.asked:
        found.note("blind", "control", f"{lines}, {Asked.asked}")
    if set(Asked.asked) - {"/control"}:
        found.note("network", "pages", f"{Asked.asked} ({texts})")


def fuzz(seconds: float, seed: int = 0, turns: float = math.inf) -> Findings:
    """Open every kind of page with some of the payloads, and with others until the time or the turns are over."""
    found, end = Findings(), time.monotonic() + seconds
    if CHROMIUM is None:
        print("pages: no Chromium here (apt-get install chromium); nothing was opened", flush=True)
        return found
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as place:
        turn = 0
        while turn == 0 or turn < turns and time.monotonic() < end:
            folder = Path(place, str(turn))
            folder.mkdir()
            written = pages(random.Random(f"{seed} {turn}"), 12 if seconds else 5)
            opened(found, written, folder, server.server_port, f"seed {seed}, turn {turn}")
            shutil.rmtree(folder)
            turn += 1
    server.shutdown()
    return found
