"""Every example on a page of the documentation is true, and the README's program runs as it stands."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
GENERATED = {"numpy_coverage.md", "operations.md"}
PAGES = sorted(p for p in DOCS.glob("*.md") if p.name not in GENERATED and ">>>" in p.read_text(encoding="utf-8"))
WORDS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def blocks(text):
    """Return the Python blocks of a page as one text for doctest, each ending where its fence does."""
    return "\n\n".join(block for block in FENCE.findall(text) if ">>>" in block)


def failures(text, name):
    test = doctest.DocTestParser().get_doctest(blocks(text), {}, name, name, 0)
    said = []
    found = doctest.DocTestRunner(optionflags=WORDS).run(test, out=said.append)
    assert found.attempted
    return "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    if "@op(" in text:  # what is declared stays declared: in a process of its own
        call = "import sys, test_pages; from pathlib import Path; p = Path(sys.argv[1])\n"
        said = run(
            "-W", "error", "-c", call + "print(test_pages.failures(p.read_text('utf-8'), p.stem))", page, cwd=tmp_path
        )
    else:
        monkeypatch.chdir(tmp_path)
        said = failures(text, page.stem)
    assert not said.strip(), said


def run(*words, cwd):
    """Run Python in a folder and return what it printed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(__file__).parent)))}
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_page_can_be_pasted(tmp_path):
    """Line by line into an interpreter, as the button on the page copies them."""
    text = (DOCS / "start.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:>>> |\.\.\. ?)(.*)$", "\n".join(FENCE.findall(text)), re.MULTILINE)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-iq"], input="\n".join(lines), cwd=tmp_path, env=env, capture_output=True,
                          text=True, timeout=300)  # fmt: skip
    assert "Error" not in done.stderr, done.stderr
    assert "(27.0, 18.0)" in done.stdout and "[False, True, True, False]" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"xor.svg", "xor.html"}


NET = """
import numpy as np
import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn.functional import cross_entropy
from tinygrad_lite.viz import draw
net = model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
x, y = tl.zeros(4, 1, 4, 4), tl.tensor([0, 1, 2, 0])
batches, loss_of = [(x, y)], cross_entropy
loss = loss_of(net(x), y)
"""
TESTS = """
import numpy as np
def my_op(x, dim=-1): return x.softmax(dim)
def my_loss(x): return (x * x).mean()
"""
PLUGIN = "tinygrad_lite_pytest"  # found by itself where the package is installed
OP = """
import numpy as np
from tinygrad_lite import op
from tinygrad_lite.engine.samples import Samples
{}
import tinygrad_lite as tl
from tinygrad_lite.testing import check_op
print(check_op(tl.logistic))
"""
PROGRAMS = {  # blocks without prompts: what stands before them, and what each must print
    "seeing_graphs": [(NET, None), (NET, None)],
    "performance": [(NET, None), (NET, "Sequential")],
    "checking_gradients": [(TESTS, None)],
    "compiled": [("", None), ("import tinygrad_lite as tl\nfrom tinygrad_lite import nn\n", None)],
    "distributed": [("", "trained by 1")],
    "README": [("", "gradcheck"), (OP, "check_op(logistic): ok")],
}


@pytest.mark.parametrize("page", sorted({*(DOCS.glob("*.md")), *ROOT.glob("*.md")}), ids=lambda p: p.stem)
def test_blocks_without_prompts(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    programs = [block for block in FENCE.findall(text) if ">>>" not in block]
    known = PROGRAMS.get(page.stem, [])
    assert len(programs) == len(known), "a block that nothing runs: give it prompts, or an entry in PROGRAMS"
    for i, (program, (before, printed)) in enumerate(zip(programs, known, strict=True)):
        file = tmp_path / f"test_{i}.py"  # an op needs a file: its source is read
        file.write_text(before.format(program) if "{}" in before else before + program, encoding="utf-8")
        pytest_too = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", PLUGIN] if "def test_" in program else []
        said = run("-W", "error", *pytest_too, file, cwd=tmp_path)
        assert printed is None or printed in said
        assert not pytest_too or "2 passed" in said


def commands():
    """Every use of the command on a page or in a tutorial."""
    for page in (*DOCS.glob("*.md"), *(DOCS / "examples").glob("*.py"), *ROOT.glob("*.md")):
        for words in re.findall(
            r"tinygrad-lite ((?:demo|train|list|graph|gradcheck)\b[^`\n|]*)", page.read_text("utf-8")
        ):
            yield page.stem, words.strip()


def test_commands():
    from tinygrad_lite.models.recipes import RECIPES

    found = {words for _, words in commands()}
    assert {"demo", "list", "gradcheck tanh softmax conv2d"} <= found
    trained = [words.split()[1] for words in found if words.startswith("train ") and words.split()[1] != "NAME"]
    assert trained and set(trained) <= set(RECIPES)


def test_a_wrong_example_is_found():
    assert "Got:\n    4" in failures("```python\n>>> 2 + 2\n5\n```\n", "wrong")


def test_the_generated_pages():
    sys.path.insert(0, str(DOCS))
    try:
        import _api
        import _pages
    finally:
        sys.path.remove(str(DOCS))
    assert not failures(_pages.coverage(), "numpy_coverage")
    pages = {page: text for page, _, _, text in (*_api.operations(), *_api.layers())}
    assert "conv2d <tinygrad_lite.conv2d>" in pages["operations.convolution"]
    assert "autofunction:: tinygrad_lite.conv2d" in _api.PAGES["conv2d"]
    assert "automethod:: tinygrad_lite.Tensor.float" in _api.PAGES["Tensor.float"]  # tinygrad_lite.float is a dtype
    assert "autoclass:: tinygrad_lite.nn.Conv2d" in _api.PAGES["nn.Conv2d"]
    assert "The same as a layer: :py:class:`Conv2d" in _api.PAGES["conv2d"]
    assert not {page for page in pages if page.endswith("others")} - {"operations.others"}


def test_the_program_of_the_readme(tmp_path):
    (program,) = FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8"))[:1]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    make = [sys.executable, str(DOCS / "pictures" / "make.py"), str(tmp_path)]  # runs the program as it stands
    done = subprocess.run(make, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    promised = re.search(r"# (\[.*\])", program)[1]
    first, second = done.stdout.splitlines()[:2]
    assert first.replace("-0.0", "0.0") == promised
    assert second.startswith("gradcheck(") and "ok" in second
    now, kept = (re.findall(r"<text[^>]*>([^<]+)", (d / "xor.svg").read_text("utf-8")) for d in (tmp_path, PICTURES))
    assert now == kept, "the picture in the README is out of date: python docs/pictures/make.py"


def test_bars_of_the_readme():
    """They are those of the table of small steps, as the front page's are."""
    sys.path.insert(0, str(DOCS))
    try:
        import _bars
    finally:
        sys.path.remove(str(DOCS))
    assert _bars.measured()["tinygrad_lite"] > 0 and '<b class=ours style="width:' in _bars.html()
    written = _bars.PLACE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert written == [_bars.text()], "the table has changed: python docs/_bars.py"


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^[a-z_]+$", index, re.MULTILINE))
    below = {
        "index",
        "no_effect",
        "onnx_ops",
        "api_index",
        "bars",
        "checking_gradients_layers",
        "checking_gradients_messages",
        "gradcheck_table",
    }
    assert {p.stem for p in DOCS.glob("*.md")} - below <= named
