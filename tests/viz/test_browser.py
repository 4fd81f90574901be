"""The HTML page in a real browser."""

import json
import re
import shutil
import subprocess
import warnings

import pytest

import tinygrad_lite as tl
from tinygrad_lite import viz
from tinygrad_lite.viz.layout.place import place
from tinygrad_lite.viz.scene.building import view_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=900,700",
)  # fmt: skip


def browse(folder, page, script="", *options):
    """Open a page, run ``script`` in it, and return what it passes to ``answer``; fail on any error in the page."""
    end = (
        "<script>const answer = (x) => { const e = document.createElement('pre'); e.id = 'answer';"
        "e.textContent = JSON.stringify(x); document.body.append(e); };"
        f"window.addEventListener('error', (e) => answer('error: ' + e.message));\n{{{script}}}</script></body>"
    )
    path = folder / "page.html"
    path.write_text(page.replace("</body>", end) if script else page, "utf-8")
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *options]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=90)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not said, said
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.S)
    if not script:
        return None
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@pytest.fixture
def blocks(nets):
    return viz.draw(nets.Residual(blocks=5), nets.x8, depth=1)


def test_a_click_expands_collapses_and_unfolds(blocks, tmp_path):
    clicks = """
      const ids = () => [...document.querySelectorAll('#view .box')].map((e) => e.dataset.id).sort();
      const click = (e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true}));
      const box = (id) => [...document.querySelectorAll('#view .box')].find((e) => e.dataset.id === id);
      const group = (id) => [...document.querySelectorAll('#view .group')].find((e) => e.dataset.id === id);
      const handle = (id) => group(id).querySelector('.handle');
      const seen = [ids()];
      click(box('blocks')); seen.push(ids());
      click(handle('blocks/repeat.0')); seen.push(ids());
      click(handle('blocks')); seen.push(ids());
      click(box('head/linear.1')); seen.push(document.getElementById('details').textContent);
      document.getElementById('open').click(); seen.push(ids().length);
      document.getElementById('close').click(); seen.push(ids());
      const find = document.getElementById('find'); find.value = 'blocks.3.down';
      find.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
      seen.push([...document.querySelectorAll('.chosen')].map((e) => e.dataset.id));
      answer(seen);
    """
    closed, opened, unfolded, again, details, everything, shut, chosen = browse(
        tmp_path, blocks.to_html(), clicks, "--dump-dom"
    )
    assert closed == ["blocks", "head/linear.1", "output", "x"] == again
    first = [f"blocks.0{op}" for op in (".act/relu.1", ".down/linear.1", ".up/linear.1", "/add.1")]
    assert opened == [*first, "head/linear.1", "output", "x"]
    assert unfolded == [*first, *(f"blocks.{i}" for i in range(1, 5)), "head/linear.1", "output", "x"]
    assert details.startswith("head/linear.1\nop linear  (2, 2) float32")
    assert everything == 5 * 4 + 3 and shut == ["Residual", "output", "x"]
    assert chosen == ["blocks.3.down/linear.1"]


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("kind", ["forward", "both"])
def test_the_page_lays_out_as_python_does(nets, tmp_path, rankdir, kind):
    graph = viz.draw(nets.Residual(blocks=4), nets.x8, graph=kind, rankdir=rankdir)
    found = browse(tmp_path, graph.to_html(), "answer([scene.links.length, picture]);", "--dump-dom")
    scene = view_of(graph).visible()
    mine, (links, theirs) = place(scene), found
    assert links == len(scene.links)
    for kind_ in ("boxes", "frames"):
        want = [(r.id, r.x, r.y, r.w, r.h) for r in getattr(mine, kind_)]
        have = [(r["id"], r["x"], r["y"], r["w"], r["h"]) for r in theirs[kind_]]
        assert [w[0] for w in want] == [h[0] for h in have]
        for w, h in zip(want, have, strict=True):
            assert h[1:] == pytest.approx(w[1:], abs=1e-6)
    for w, h in zip(mine.paths, theirs["paths"], strict=True):
        assert [x for s in h["strokes"] for x in s] == pytest.approx([x for s in w.strokes for x in s], abs=1e-6)
        assert (h["arrow"], h["link"], h["left"]) == (w.arrow, w.link, w.left)


def test_the_page_makes_no_network_request(blocks, tmp_path):
    log = tmp_path / "net.json"
    options = ("--dump-dom", f"--log-net-log={log}")
    assert 0 == browse(tmp_path, blocks.to_html(), "answer(performance.getEntriesByType('resource').length);", *options)
    text = log.read_text("utf-8", errors="replace")
    asked = set(re.findall(r'"url":"((?:https?|wss?|ftp):[^"]*)"', text))
    # the browser itself contacts its vendor
    assert {url for url in asked if not re.match(r"https?://[\w.-]*\b(google|gstatic|googleapis)\.com/", url)} == set()
    assert not re.search(
        r"(src|href)\s*=|@import|url\((?!#tip)", re.sub(r"<script.*?</script>", "", blocks.to_html(), flags=re.S)
    )


def test_replay_recolours(nets, tmp_path):
    model = nets.Residual(blocks=2)
    recorder = viz.Recorder(model, every=1)
    for scale in (1.0, 1e-6):
        model.zero_grad()
        loss = (model(nets.x8) ** 2).mean() * scale
        loss.backward()
        recorder.step(loss)
    script = """
      const look = () => [...document.querySelectorAll('#view .box')].filter((e) => e.dataset.id === 'head/linear.1')
        .map((e) => [[...e.classList].filter((c) => c.startsWith('heat')), e.querySelector('.replay').textContent]);
      const seen = [look()];
      const s = document.getElementById('step'); s.value = 1; s.dispatchEvent(new Event('input'));
      seen.push(look(), document.getElementById('at').textContent); answer(seen);
    """
    one, two, title = browse(tmp_path, recorder.to_html(), script, "--dump-dom")
    assert (
        one != two and one[0][0] and two[0][0] and one[0][1].startswith("|grad| ") and title.startswith("step 2, loss")
    )


@pytest.mark.parametrize("text", ['</script><img src=x onerror="answer(1)">', "<b onclick=answer(1)>'\"&"])
def test_names_stay_text_in_the_page(text, tmp_path):
    graph = viz.draw(lambda x: x * 2, tl.ones(2), names={text: tl.ones(3)}, title=text)
    graph = viz.draw(viz.Graph([viz.GraphNode(text, "input", label=text), *graph.nodes], graph.edges), title=text)
    script = """
      const words = [...document.querySelectorAll('#view text')].map((e) => e.textContent);
      answer([document.images.length, words, document.title]);
    """
    images, words, title = browse(tmp_path, graph.to_html(), script, "--dump-dom")
    assert images == 0 and text in words and title == text


def brightness(path):
    image = pytest.importorskip("matplotlib.image").imread(path)[..., :3]
    return float(image.mean())


def test_light_and_dark_follow_the_reader(blocks, tmp_path):
    seen = {}
    for name, page in (("html", blocks.to_html()), ("svg", f"<!doctype html><body style='margin:0'>{blocks.to_svg()}")):
        for scheme, number in (("light", 1), ("dark", 0)):
            picture = tmp_path / f"{name}-{scheme}.png"
            browse(tmp_path, page, "", f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={number}")
            seen[name, scheme] = brightness(picture)
    assert seen["html", "light"] > 0.85 and seen["html", "dark"] < 0.3
    assert seen["svg", "light"] > seen["svg", "dark"] + 0.1


def test_a_large_graph_starts_collapsed(nets, tmp_path):
    graph = viz.draw(nets.Uneven(600), nets.x4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = graph.to_html()
    script = "answer([...document.querySelectorAll('#view .box')].length);"
    assert browse(tmp_path, page, script, "--dump-dom") <= 200


def test_search_as_you_type_and_enter_goes_on(blocks, tmp_path):
    script = """
      const find = document.getElementById('find'), seen = [];
      const marked = (css) => [...document.querySelectorAll('#view .' + css)].map((e) => e.dataset.id).sort();
      const press = (key, more) => find.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, ...more}));
      const type = (text) => { find.value = text; find.dispatchEvent(new Event('input', {bubbles: true})); };
      type('down'); seen.push([document.getElementById('found').textContent, marked('hit')]);
      press('Enter'); seen.push([document.getElementById('found').textContent, marked('chosen')]);
      press('Enter'); seen.push([document.getElementById('found').textContent, marked('chosen')]);
      press('Enter', {shiftKey: true}); seen.push(marked('chosen'));
      type('no such op'); seen.push(document.getElementById('found').textContent);
      press('Escape'); seen.push([find.value, marked('hit')]);
      answer(seen);
    """
    typed, first, second, back, nothing, cleared = browse(tmp_path, blocks.to_html(), script, "--dump-dom")
    assert typed == ["5 found, Enter: next", ["blocks"]]
    assert first == ["1 of 5", ["blocks.0.down/linear.1"]] and second == ["2 of 5", ["blocks.1.down/linear.1"]]
    assert back == first[1] and nothing == "nothing found" and cleared == ["", []]


def test_fit_shows_everything_and_the_page_is_named_after_the_model(nets, tmp_path):
    graph = viz.draw(nets.Residual(blocks=40), nets.x8, graph="both", fold_repeats=False, max_nodes=1000)
    script = """
      const drawn = () => [...document.querySelectorAll('#view .box')];
      const low = () => Math.max(...drawn().map((e) => e.getBoundingClientRect().bottom));
      const seen = [document.title, low() > innerHeight, !document.getElementById('map').hasAttribute('hidden')];
      document.getElementById('fit').click();
      seen.push(low() < innerHeight, document.querySelectorAll('#map .box').length);
      const twin = drawn().find((e) => e.dataset.id.endsWith('add.1.grad'));
      twin.dispatchEvent(new MouseEvent('click', {bubbles: true}));
      seen.push(document.getElementById('details').textContent.split('\\n')[0]);
      seen.push(document.querySelectorAll('.near').length > 0);
      answer(seen);
    """
    title, begins, charted, fits, boxes, details, near = browse(tmp_path, graph.to_html(), script, "--dump-dom")
    assert (title, begins, charted, fits) == ("Residual", True, True, True) and boxes > 300
    assert details.endswith("add.1.grad") and near


def test_a_notebook_picture_is_the_same_under_both_systems(blocks, tmp_path):
    seen = {}
    for ground in ("#ffffff", "#101010"):
        for number in (0, 1):
            picture = tmp_path / "page.png"
            page = f"<!doctype html><body style='margin:0;background:{ground}'>{blocks._repr_svg_()}"
            browse(tmp_path, page, "", f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={number}")
            seen[ground, number] = brightness(picture)
    assert seen["#ffffff", 0] == seen["#ffffff", 1] > 0.85 and seen["#101010", 0] == seen["#101010", 1] < 0.3
