"""Ask the search of the built site what a new user asks, and report what it does not find.

``python docs/ask.py docs/_build``; needs what ``look.py`` needs. An answer is one of the first results, on the page and
under the heading named here; the front page leads to every one of these pages with one click.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from look import Browser

FIRST = 5
QUESTIONS = {  # what is typed, and where the answer is
    "freeze layer": "how_do_i",
    "where NaN starts": "how_do_i gallery/plot_18_debug_a_nan",
    "my NumPy function": "how_do_i",
    "export ONNX": "onnx how_do_i gallery/plot_22_onnx",
    "plot a graph of my model": "seeing_graphs how_do_i",
    "resume a training": "how_do_i",
    "make results repeatable": "how_do_i",
    "finite differences": "checking_gradients how_do_i",
    "save a checkpoint": "how_do_i",
    "several threads": "how_do_i",
    "scikit-learn": "how_do_i other_libraries coming_from",
    "clip gradients": "how_do_i",
    "learning rate of a part": "how_do_i",
    "load PyTorch weights": "how_do_i coming_from",
    "Hessian": "how_do_i",
    "count parameters": "how_do_i",
    "output of a layer": "how_do_i",
    "stop early": "how_do_i",
    "own loss": "how_do_i adding",
    "own data": "how_do_i",
    "make it faster": "how_do_i performance",
    "gradient is None": "faq",
}
RESULTS = """[...document.querySelectorAll("#search-results ul.search > li > a")].map(a => a.getAttribute("href"))"""
DONE = """!!document.querySelector("#search-results .search-summary") &&
  !/Searching|Preparing/.test(document.querySelector("#search-results h2")?.textContent || "Searching")"""


def ask(browser: Browser, site: Path, words: str) -> list[str]:
    """Return the addresses of what the search finds, the best first."""
    page = (site / "search.html").resolve().as_uri() + "?q=" + words.replace(" ", "+")
    browser.call("Page.navigate", url=page)
    for _ in range(300):
        time.sleep(0.05)
        if browser.call("Runtime.evaluate", expression=DONE)["result"].get("value"):
            break
    found = browser.call("Runtime.evaluate", expression=RESULTS, returnByValue=True)["result"]["value"]
    return [link.split("?")[0] for link in found]


def main(site: Path) -> int:
    browser, missed = Browser(), 0
    for words, places in QUESTIONS.items():
        found = [link.partition(".html")[0] for link in ask(browser, site, words)]
        ranks = [found.index(place) + 1 for place in places.split() if place in found]
        if not ranks or min(ranks) > FIRST:
            missed += 1
            print(f"{words}: {min(ranks, default='not found')}; first are {', '.join(found[:FIRST])}")
    browser.close()
    print(f"{len(QUESTIONS)} questions, {missed} not answered among the first {FIRST} results")
    return missed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) > 0)
