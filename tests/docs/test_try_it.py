"""The page "Try it": its programs under this Python, and the page itself in Chromium.

In the browser Pyodide is replaced by a stand-in, which hands the calls of the worker on to a Python of this machine.
Where ``TINYGRAD_LITE_PYODIDE`` names a folder with Pyodide's files and its wheel of NumPy, it runs with these too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the extra 'docs' is not installed")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
try:
    import _try
finally:
    sys.path.remove(str(DOCS))

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PYODIDE = os.environ.get("TINYGRAD_LITE_PYODIDE")
PROGRAMS = _try.programs()
SERVED = """
import contextlib, io, json, sys
sys.modules["graphviz"] = None  # Pyodide has none
names = {}
for line in sys.stdin:
    asked = json.loads(line)
    printed = io.TextIOWrapper(kept := io.BytesIO(), "utf-8", newline="")
    with contextlib.redirect_stdout(printed):
        value = exec(asked["code"], names) if "code" in asked else names[asked["call"]](*asked["args"])
    print(json.dumps({"printed": (printed.flush(), kept.getvalue().decode())[1], "value": value}), flush=True)
"""
"""A Python that does what the worker of the page asks of Pyodide: one line of JSON for each call."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "tinygrad_lite.zip"
    _try.pack(path)
    return path


def python(folder):
    """Start a Python that knows nothing of this checkout."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", SERVED], cwd=folder, env=env, **pipes)


def asked(process, **question):
    """Return what that Python printed and returned."""
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    found = json.loads(process.stdout.readline())
    return found["printed"], found["value"]


@pytest.fixture(scope="module")
def run(package, tmp_path_factory):
    """Run a program as the page does, but under this Python; return what it printed and what the page shows."""
    folder = tmp_path_factory.mktemp("alone")
    with python(folder) as process:
        asked(process, code=(DOCS / "_static" / "try.py").read_text("utf-8"))
        asked(process, call="install", args=[str(package), str(folder / "there")])

        def ran(program):
            printed, found = asked(process, call="run", args=[program])
            return printed, json.loads(found)

        program = "import tinygrad_lite\ntinygrad_lite.__file__"
        assert ran(program) == (f"{str(folder / 'there' / 'tinygrad_lite' / '__init__.py')!r}\n", NOTHING)
        yield ran
        process.stdin.close()


NOTHING = {"error": "", "shown": []}
SHOWN = {
    "1": ["picture", "check"], "2": ["program", "picture", "check"], "3": ["check"],
    "4": ["program", "picture", "check"], "5": ["program", "picture"], "6": ["picture", "check"],
}  # fmt: skip


@pytest.mark.parametrize("number", range(len(PROGRAMS)), ids=lambda i: PROGRAMS[i][0].split(",")[0].replace(" ", "-"))
def test_every_example_runs_as_the_page_runs_it(number, run):
    printed, found = run(PROGRAMS[number][1])
    assert found["error"] == "" and [s["kind"] for s in found["shown"]] == SHOWN[str(number + 1)]
    assert printed or number == 2
    for s in found["shown"]:
        if s["kind"] == "picture":
            assert s["text"].startswith("<svg ") and "</svg>" in s["text"]
        elif s["kind"] == "program":
            assert re.match(r"def \w+\(", s["text"]) and "# ---- backward" in s["text"]
        else:
            assert ("off by a factor 1/(1 + y)" if number == 2 else ": ok, ") in s["text"]


def test_titles_are_short_and_different():
    titles = [title for title, _ in PROGRAMS]
    assert len(set(titles)) == len(titles) >= 6 and all(len(t) < 80 and not t.startswith("import") for t in titles)


def test_errors_and_last_values(run):
    _, found = run("x = 1\n\n\ndef f():\n    return x / 0\n\n\nf()\n")
    assert found["error"].endswith("ZeroDivisionError: division by zero\n") and "return x / 0" in found["error"]
    assert 'File "<program>", line 8' in found["error"] and "in run" not in found["error"]
    assert run("x = (\n")[1]["error"].count("SyntaxError") == 1
    assert run("'a' + 'b'")[0] == "'ab'\n" and run("print('é', end='')")[0] == "é"
    assert run("raise SystemExit")[1] == NOTHING
    program = "import tinygrad_lite as tl\nfrom tinygrad_lite.viz import draw\nprint(1)\ndraw(tl.exp, tl.ones(2))"
    printed, found = run(program)
    assert printed == "1\n" and [(s["kind"], s["name"]) for s in found["shown"]] == [("picture", "")]
    _, found = run("import tinygrad_lite as tl\nf = tl.compile(lambda x: x)\n")
    assert [s["kind"] for s in found["shown"]] == ["program"]  # not yet run


def test_the_package_is_whole_and_built_alike(package, run, tmp_path):
    _try.pack(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes() and package.stat().st_size < 2_000_000
    rooms = sorted(p.parent.name for p in (ROOT / "tinygrad_lite").glob("*/__init__.py"))
    program = f"import tinygrad_lite.{', tinygrad_lite.'.join(rooms)}\ntinygrad_lite.datasets.digits()[0].shape"
    printed, found = run(program)
    assert not found["error"] and printed == "(1797, 1, 8, 8)\n" and {"nn", "models", "testing", "viz"} <= set(rooms)


def test_the_page_has_what_it_needs():
    text = _try.page("https://example.org/pyodide/")
    script = (DOCS / "_static" / "try.js").read_text("utf-8")
    for name in re.findall(r'part\("(\w+)"\)', script):
        assert f'class="try-{name}"' in text, name
    assert text.count("<option>") == len(PROGRAMS) and "from example.org." in text
    kept = json.loads(re.search(r'class="try-programs">(.*?)</script>', text, re.DOTALL)[1])
    assert kept == [source for _, source in PROGRAMS]
    shown = set(re.findall(r"(\w+):", re.search(r"HEADINGS = {(.*?)}", script)[1]))
    assert shown == {"picture", "program", "check", "error", "output"}
    assert "```{tryit}" in (DOCS / "try_it.md").read_text("utf-8")
    assert "(try_it.md)" in (DOCS / "index.md").read_text("utf-8")


# ------------------------------------------------------------------------------------------------ in a browser
PAGE = """<!doctype html><html><head><meta charset=utf-8><meta name=viewport content="width=device-width">
<link rel=stylesheet href="_static/site.css"><link rel=stylesheet href="_static/try.css">
<script defer src="_static/try.js"></script></head><body data-theme=light>{page}<script>
addEventListener('load', async () => {{
  const part = (name) => document.querySelector('.try-' + name), root = document.querySelector('.try');
  const wait = async (when) => {{ while (!when()) await new Promise((r) => setTimeout(r, 20)); }};
  const settled = () => wait(() => !['loading', 'running', undefined].includes(root.dataset.state));
  const type = (text) => {{ part('editor').value = text; }};
  const look = () => [root.dataset.state, part('status').textContent,
    [...part('results').children].map((e) => e.textContent || e.innerHTML.split(' ')[0])];
  let answer;
  try {{ answer = await (async () => {{ {script} }})(); }} catch (error) {{ answer = 'error: ' + error; }}
  await fetch('/answer', {{method: 'POST', body: JSON.stringify(answer)}});
}});
</script></body></html>"""
STAND_IN = """
const ask = (what) => {
  const request = new XMLHttpRequest();
  request.open('POST', '/python', false);
  request.send(JSON.stringify(what));
  if (request.status !== 200) throw new Error(request.responseText);
  return JSON.parse(request.responseText);
};
export const loadPyodide = async () => {
  let out = () => {};
  return {
    loadPackage: async (name, {errorCallback}) => { if (ask({load: name}) !== name) errorCallback('no ' + name); },
    FS: {writeFile: (path, bytes) => ask({file: path, bytes: bytes.length})},
    runPython: (code) => ask({code}),
    setStdout: ({write}) => { out = (text) => write(new TextEncoder().encode(text)); },
    setStderr: () => {},
    globals: {get: (name) => (...args) => {
      const {printed, value} = ask({call: name, args});
      if (printed) out(printed);
      return value;
    }},
  };
};
"""


class Site(SimpleHTTPRequestHandler):
    """The built page, Pyodide or its stand-in, and the answers of the page."""

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/answer":
            self.server.answer.append(question)
            self.server.answered.set()
            value = None
        else:
            value = self.server.python(question)
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


Site.extensions_map = {
    **SimpleHTTPRequestHandler.extensions_map,
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}


class Browser:
    """A folder that is served on this machine, and Chromium on its page."""

    def __init__(self, folder, package):
        self.folder, self.package = folder, package
        shutil.copytree(DOCS / "_static", folder / "_static", ignore=shutil.ignore_patterns("graphs", "package"))
        (folder / "_static" / "package").mkdir()
        shutil.copy(package, folder / "_static" / "package")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=folder))
        self.server.asked, self.server.answer, self.server.answered = [], [], threading.Event()
        self.server.python = self.python
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.process = None

    def stand_in(self):
        (self.folder / "pyodide").mkdir()
        (self.folder / "pyodide" / "pyodide.mjs").write_text(STAND_IN, "utf-8")
        self.process = python(self.folder)
        return self

    def python(self, question):
        """Answer the worker as Pyodide does."""
        if "load" in question:
            return question["load"]
        if "file" in question:
            assert question["bytes"] == self.package.stat().st_size
            return None
        if question.get("call") == "install":
            question["args"] = [str(self.package), str(self.folder / "there")]
        printed, value = asked(self.process, **question)
        return {"printed": printed, "value": value}

    def look(self, script, *options, pyodide="pyodide/", seconds=90):
        """Open the page, run a script in it and return what it returns."""
        (self.folder / "try_it.html").write_text(PAGE.format(page=_try.page(pyodide), script=script), "utf-8")
        url = f"http://127.0.0.1:{self.server.server_port}/try_it.html"
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--remote-debugging-port=0", "--window-size=900,700",
            f"--user-data-dir={self.folder / 'profile'}", *options, url,
        ]  # fmt: skip
        self.server.answered.clear()
        self.server.answer.clear()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as chromium:
            try:
                assert self.server.answered.wait(seconds), "the page gave no answer"
            finally:
                chromium.kill()
        return self.server.answer[0]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        if self.process:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def browser(tmp_path, package):
    if CHROMIUM is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    browser = Browser(tmp_path, package)
    yield browser
    browser.close()


def test_a_program_in_the_page(browser):
    before = list(browser.stand_in().server.asked)
    script = """
      const first = look(), files = performance.getEntriesByType('resource').map((e) => e.name);
      part('run').click(); await settled();
      const second = look(), image = document.querySelector('.try-picture img');
      await image.decode();
      part('choice').selectedIndex = 2; part('choice').dispatchEvent(new Event('change'));
      part('editor').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true}));
      await settled(); const third = look();
      type('print("a")\\n1 / 0'); part('run').click(); await settled();
      return [first, files, second, image.naturalWidth, third, look(), part('stop').hidden, part('run').disabled];
    """
    first, files, second, width, third, failed, hidden, disabled = browser.look(script)
    assert first[0] is None and first[1].startswith("The first run loads") and first[2] == [] == before
    assert all("/_static/" in f for f in files) and not any("package" in f or "worker" in f for f in files)
    assert second[:2] == ["done", "Done."] and width > 100
    assert second[2][0] == "Output " and "dloss/dw -1.69" in second[2][1]
    assert second[2][2:5] == ["Picture picture", "<img", "Gradient check check"] and ": ok" in second[2][5]
    assert third[2][0] == "Gradient check check" and "suspected: off by a factor 1/(1 + y)" in third[2][1]
    assert failed[:2] == ["error", "The program failed."] and failed[2][:3] == ["Output ", "a\n", "Error "]
    assert "ZeroDivisionError" in failed[2][3] and hidden and not disabled


def test_without_a_network_the_page_says_so(browser):
    """The address of Pyodide answers nothing; a second run, with the network back, works."""
    script = """
      const address = document.querySelector('.try').dataset.pyodide;
      part('run').click(); await settled();
      return [look(), part('run').disabled, part('stop').hidden];
    """
    (state, said, shown), disabled, hidden = browser.look(script, pyodide="http://127.0.0.1:9/pyodide/")
    assert state == "failed" and shown == [] and not disabled and hidden
    assert said.startswith("Python could not be loaded from http://127.0.0.1:9/pyodide/ (")
    assert "needs the network" in said and "is this device online?" in said


def test_stop_ends_a_program_and_the_next_run_begins_anew(browser):
    script = """
      type('import time\\ntime.sleep(1.5)'); part('run').click();
      await wait(() => root.dataset.state === 'running' && part('status').textContent.startsWith('Running') &&
                       performance.now() > 300);
      part('stop').click(); const stopped = look();
      type('print(6 * 7)'); part('run').click(); await settled();
      return [stopped, look()];
    """
    stopped, again = browser.stand_in().look(script)
    assert stopped[0] == "stopped" and stopped[1].startswith("Stopped.")
    assert again[0] == "done" and again[2] == ["Output ", "42\n"]


def test_it_fits_a_phone_and_both_themes(browser):
    script = """
      part('run').click(); await settled();
      const colours = {};
      for (const theme of ['light', 'dark']) {
        document.body.dataset.theme = theme;
        colours[theme] = getComputedStyle(document.querySelector('.try-picture img')).filter;
      }
      const wide = document.documentElement.scrollWidth <= innerWidth;
      return [innerWidth, wide, getComputedStyle(part('editor')).fontSize, part('run').offsetHeight, colours];
    """
    options = ("--blink-settings=preferredColorScheme=1", "--window-size=500,900")
    width, fits, letters, height, colours = browser.stand_in().look(script, *options)
    assert width <= 520 and fits and letters == "16px" and height >= 40
    assert colours["light"] == "none" and "invert" in colours["dark"]  # the system is light


@pytest.mark.skipif(PYODIDE is None, reason="TINYGRAD_LITE_PYODIDE names no folder with Pyodide and NumPy")
@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_every_example_in_pyodide(browser, number):
    (browser.folder / "pyodide").symlink_to(Path(PYODIDE).resolve())
    script = f"""
      part('choice').selectedIndex = {number}; part('choice').dispatchEvent(new Event('change'));
      part('run').click(); await settled();
      return [look(), [...part('results').children].map((e) => e.className).filter(Boolean)];
    """
    (state, said, shown), kinds = browser.look(script, seconds=300)
    assert state == "done", (said, shown)
    assert [k.split()[0].removeprefix("try-") for k in kinds if k != "try-output"] == SHOWN[str(number + 1)]
