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
    monkeypatch.chdir(tmp_path)
    said = failures(page.read_text(encoding="utf-8"), page.stem)
    assert not said, said


def test_a_wrong_example_is_found():
    assert "Got:\n    4" in failures("```python\n>>> 2 + 2\n5\n```\n", "wrong")


def test_the_generated_pages():
    sys.path.insert(0, str(DOCS))
    try:
        import _pages
    finally:
        sys.path.remove(str(DOCS))
    from tinygrad_lite.catalogue import numpy_markdown

    table = numpy_markdown()
    assert not failures(_pages.COVERAGE.format(table=table, count=1), "numpy_coverage")
    written = _pages.functions()
    assert "autofunction:: tinygrad_lite.conv2d" in written
    assert "automethod:: tinygrad_lite.Tensor.float" in written  # tinygrad_lite.float is a dtype


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


def test_the_op_of_the_page_about_adding(tmp_path):
    program = FENCE.findall((DOCS / "adding.md").read_text(encoding="utf-8"))[0]
    program += "\nfrom tinygrad_lite.testing import check_op\nimport tinygrad_lite as tl\n"
    program += "print(check_op(tl.double_sigmoid)); print(tl.zeros(2).double_sigmoid().tolist())\n"
    (tmp_path / "adding.py").write_text(program, encoding="utf-8")  # an op needs a file: its source is read
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "adding.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["check_op(double_sigmoid): ok, 30 points checked", "[1.0, 1.0]"]


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^[a-z_]+$", index, re.MULTILINE))
    below = {"index", "checking_gradients_messages", "gradcheck_table"}
    assert {p.stem for p in DOCS.glob("*.md")} - below <= named
