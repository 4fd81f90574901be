"""Open every built page at two widths in light and dark, report what is cut off, and save screenshots.

``python docs/look.py docs/_build /tmp/shots [NAME ...]``; needs Chromium and ``pip install websocket-client``. Pages of
single names (``api/each``) are measured, in light only; to see them, name them.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import websocket  # type: ignore[import-not-found]

WIDTHS = (1400, 390)
CUT = """
(() => {
  const found = [], width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth > width + 1) found.push(`page ${document.documentElement.scrollWidth} > ${width}`)
  const scrolls = e => { for (; e && e != document.body; e = e.parentElement)
    if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true; return false }
  for (const e of document.querySelectorAll("article *")) {
    const box = e.getBoundingClientRect()
    if (box.width && box.right > width + 1 && !scrolls(e) && !e.closest(".sidebar-drawer, .toc-drawer"))
      found.push(`${e.tagName}.${e.className} ends at ${Math.round(box.right)}`)
    if (getComputedStyle(e).overflowX == "hidden" && e.scrollWidth > e.clientWidth + 1) found.push(`${e.tagName}.${e.className} hides`)
  }
  for (const pre of document.querySelectorAll("article .pair pre")) if (pre.scrollWidth > pre.clientWidth + 1)
    found.push(`code scrolls in a pair: ${pre.scrollWidth} > ${pre.clientWidth}`)
  for (const image of document.images) if (image.complete && !image.naturalWidth) found.push(`no image ${image.src}`)
  return [found.slice(0, 6), Math.min(document.documentElement.scrollHeight, 12000)]
})()
"""  # noqa: E501


class Browser:
    """One tab of a headless Chromium."""

    def __init__(self) -> None:
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        self.folder = tempfile.mkdtemp()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-allow-origins=*", "--hide-scrollbars"]
        self.process = subprocess.Popen(
            [program, *options, f"--user-data-dir={self.folder}", "--remote-debugging-port=0", "about:blank"],
            stderr=subprocess.DEVNULL,
        )
        port = Path(self.folder, "DevToolsActivePort")
        while not port.exists() or not port.read_text():
            time.sleep(0.1)
        tabs = json.load(urlopen(f"http://127.0.0.1:{port.read_text().split()[0]}/json"))
        tab = next(t for t in tabs if t["type"] == "page")
        self.socket, self.number = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=60), 0

    def call(self, method: str, **params: Any) -> Any:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                return answer.get("result")

    def open(self, page: Path) -> None:
        self.call("Page.navigate", url=page.resolve().as_uri())
        for _ in range(200):
            state = self.call("Runtime.evaluate", expression="location.href + document.readyState")["result"]["value"]
            if state.endswith("complete") and page.name in state:
                return
            time.sleep(0.05)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(site: Path, out: Path, *names: str) -> int:
    """Look at the pages whose path contains one of ``names``, at all without names; return how many are cut off."""
    out.mkdir(parents=True, exist_ok=True)
    hidden = ("_modules", "_static", "genindex", "search", "py-modindex")
    pages = [p for p in sorted(site.rglob("*.html")) if not p.relative_to(site).as_posix().startswith(hidden)]
    pages = [p for p in pages if not names or any(n in str(p.relative_to(site)) for n in names)]
    browser, bad = Browser(), 0
    for width in WIDTHS:
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 800
        )
        for mode in ("light", "dark"):
            scheme = [{"name": "prefers-color-scheme", "value": mode}]
            browser.call("Emulation.setEmulatedMedia", features=scheme)
            for page in pages:
                shown = names or page.parent.name != "each"
                if mode == "dark" and not shown:
                    continue
                browser.open(page)
                found, height = browser.call("Runtime.evaluate", expression=CUT, returnByValue=True)["result"]["value"]
                name = page.relative_to(site).with_suffix("").as_posix()
                if found and mode == "light":
                    bad += 1
                    print(f"{width} {name}: {'; '.join(found)}", flush=True)
                if not shown:
                    continue
                clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 0.6}
                shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
                (out / f"{name.replace('/', '_')}_{width}_{mode}.png").write_bytes(base64.b64decode(shot))
    browser.close()
    print(f"{len(pages)} pages, {bad} with something cut off")
    return bad


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]) > 0)
