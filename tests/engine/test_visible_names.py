"""Names from files and the command line are shown with control characters as escapes, not sent to a terminal."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim, training, viz
from tinygrad_lite._tools.cli import main
from tinygrad_lite.errors import describe, visible

EVIL = "\x1b]0;title\x07\x9b31m\u202e"
SENT = ("\x1b", "\x07", "\x9b", "\u202e")
SHOWN = "\\x1b]0;title\\x07\\x9b31m\\u202e"


def clean(text: str, shown: bool = True) -> None:
    assert not any(c in text for c in SENT), ascii(text)
    assert not shown or SHOWN in text, text


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def archive(*members: tuple[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members:
            file.writestr(name, data)
    return io.BytesIO(buffer.getvalue())


def tensors(head: dict[str, Any]) -> io.BytesIO:
    text = json.dumps(head).encode()
    return io.BytesIO(struct.pack("<Q", len(text)) + text + b"\0" * 8)


def net() -> nn.Sequential:
    made = nn.Sequential()
    made.add_module(f"first{EVIL}", nn.Linear(2, 2))
    return made


def test_the_words() -> None:
    assert visible("weight") == "weight" and visible(f"a\nb{EVIL}") == f"a\nb{SHOWN}"
    clean(describe(type("Thing", (), {"__repr__": lambda self: EVIL})()))


@pytest.mark.parametrize(
    "call",
    [
        lambda: tl.load(archive((f"a{EVIL}.npy", b"xx"))),
        lambda: tl.load(archive((f"a{EVIL}.npy", npy(np.array([None], object))))),
        lambda: tl.load(archive(("structure.json", json.dumps({"$": "tensor", "name": EVIL}).encode()))),
        lambda: tl.load(tensors({f"a{EVIL}": {"dtype": "F32", "shape": [9], "data_offsets": [0, 8]}})),
        lambda: nn.Linear(2, 2).load_state_dict({f"a{EVIL}": tl.ones(2)}),
        lambda: net().load_state_dict({f"first{EVIL}.weight": tl.ones(5), f"first{EVIL}.bias": tl.ones(2)}),
        lambda: net().load_state_dict({}),
        lambda: net()(tl.ones(1, 3)),
        lambda: tl.save({}, f"/no{EVIL}/x"),
        lambda: tl.save({f"a{EVIL}": object()}, io.BytesIO()),
        lambda: viz.trace(net(), tl.ones(1, 2)).save(f"x.{EVIL}"),
    ],
)
def test_errors(call: Callable[[], Any]) -> None:
    with pytest.raises((ValueError, RuntimeError, TypeError, OSError)) as caught:
        call()
    clean(str(caught.value))


def test_a_warning_about_what_is_left_out() -> None:
    with pytest.warns(UserWarning) as caught:
        tl.load(tensors({f"a{EVIL}": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}}), strict=False)
    clean(str(caught[0].message))


def test_modules_and_optimisers() -> None:
    clean(repr(net()))
    clean(repr(nn.ParameterDict({EVIL: tl.ones(1)})))
    clean(repr(optim.SGD([{"params": [tl.ones(1, requires_grad=True)], EVIL: EVIL}], lr=0.1)))
    clean(str(viz.summary(net(), tl.ones(1, 2))))


@pytest.mark.parametrize("form", ["svg", "html", "dot", "mermaid", "text"])
def test_pictures(form: str) -> None:
    clean(getattr(viz.trace(net(), tl.ones(1, 2)), f"to_{form}")(), shown=form in ("svg", "text"))


@pytest.mark.parametrize("progress", [True, "lines"])
def test_progress(progress: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Linear(2, 1)
    trainer = training.Trainer(
        model, nn.MSELoss(), optim.SGD(model.parameters(), 0.1), metrics={EVIL: lambda a, b: 1.0}, progress=progress
    )
    trainer.fit([[tl.ones(3, 2), tl.ones(3, 1)]], epochs=1)
    clean("".join(capsys.readouterr()))


@pytest.mark.parametrize("words", [[EVIL], ["graph", EVIL], ["gradcheck", EVIL], ["train", EVIL]])
def test_the_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) != 0
    clean("".join(capsys.readouterr()))
