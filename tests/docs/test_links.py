"""Links into other projects: made for those that answer, and no build waits for, or fails over, those that do not."""

import subprocess
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

DOCS = Path(__file__).parents[2] / "docs"
HEAD = b"# Sphinx inventory version 2\n# Project: numpy\n# Version: 2\n# The remainder is compressed using zlib.\n"
GOOD = HEAD + zlib.compress(b"numpy.load py:function 1 reference/numpy.load.html#$ -\n")
ANSWERS = {
    "good": GOOD,
    "again": GOOD,
    "portal": b"<html>Please log in</html>",
    "cut": GOOD[:-12],
    "empty": b"",
    "slow": GOOD,
}


@pytest.fixture
def links(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "TINYGRAD_LITE_DOCS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    pytest.importorskip("sphinx", reason="the extra 'docs' is not installed")
    import _links

    yield _links
    del sys.modules["_links"]


@pytest.fixture
def server():
    let_go = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name, file = self.path.split("/")[-2:]
            if name == "slow":
                let_go.wait(60)
            known = name in ANSWERS and file == "objects.inv"
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(ANSWERS.get(name, b""))

        def log_message(self, *args):
            pass

        def handle(self):
            try:
                super().handle()
            except ConnectionError:
                pass  # nobody waits for the slow one

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        let_go.set()
        found.shutdown()


def test_which_sites_answer(links, server):
    sites = {name: f"{server}/{name}" for name in (*ANSWERS, "missing")}
    sites |= {"nobody": "http://127.0.0.1:9", "no_name": "http://tinygrad-lite.invalid", "nonsense": "x://y"}
    # the slow one answers only after this test, and rightly: that it is not found shows that nobody waited
    assert links.fetch(sites, 2.0) == {"good": GOOD, "again": GOOD}


def test_proxies_are_used(links, server, monkeypatch):
    assert not links.fetch({"numpy": "http://numpy.invalid/good"}, 2.0)
    monkeypatch.setenv("http_proxy", f"{server}/")
    monkeypatch.setenv("no_proxy", "")
    assert links.fetch({"numpy": "http://numpy.invalid/good"}, 2.0) == {"numpy": GOOD}


@pytest.mark.parametrize(
    ("text", "name"),
    [("np.linalg.solve", "numpy.linalg.solve"), ("numpy.load()", "numpy.load"), ("TypeError", "TypeError"),
     ("torch.compile", "torch.compile"), ("np", None), ("x.sum", None), ("np.add(1)", None), ("tl.exp", None)],
)  # fmt: skip
def test_words_that_name_something(links, text, name):
    assert links.target(text) == name


def test_counterparts(links):
    names = ["torch.nn.Linear", "torch.nn.functional.conv2d", "torch.exp", "sklearn.linear_model.Ridge.fit"]

    def documented(full):
        return next((n for n in names if n == full or full[0] == "." and n.endswith(full)), "")

    assert links.counterpart("tinygrad_lite.nn.Linear", documented) == ("PyTorch", "torch.nn.Linear")
    assert links.counterpart("tinygrad_lite.conv2d", documented) == ("PyTorch", "torch.nn.functional.conv2d")
    assert links.counterpart("tinygrad_lite.models.Ridge.fit", documented)[1] == "sklearn.linear_model.Ridge.fit"
    assert links.counterpart("tinygrad_lite.viz.draw", documented)[1] == ""


@pytest.mark.parametrize("sites", ["all", "some", "none", "off"])
def test_a_build(links, server, tmp_path, sites, monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.setenv("TINYGRAD_LITE_DOCS_OFFLINE", "1" if sites == "off" else "0")
    good, again, bad, worse = (f"{server}/{name}/" for name in ("good", "again", "portal", "cut"))
    chosen = {"all": (good, again), "some": (good, bad), "none": (bad, worse), "off": (good, again)}[sites]
    (tmp_path / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(DOCS)!r})\nextensions = ['_links']\n"
        f"linked_sites = {dict(zip(('numpy', 'torch'), chosen, strict=True))}\n"
    )
    (tmp_path / "index.rst").write_text("Title\n=====\n\nA ``np.load`` and a ``np.nothing``.\n")
    build = [sys.executable, "-m", "sphinx", "-W", "-E", str(tmp_path), str(tmp_path / "out")]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert ("/reference/numpy.load.html" in page) == (sites in ("all", "some"))
    assert "np.load" in page and "np.nothing" in page
    said = {"all": ": numpy, torch\n", "some": ": numpy (no answer from torch)\n",
            "none": ": none (no answer from numpy, torch)\n", "off": ": switched off\n"}[sites]  # fmt: skip
    assert f"links to other documentation{said}" in done.stdout
