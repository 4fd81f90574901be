"""Object code loaded without LLVM does what LLVM's own loader makes of it, and anything doubtful is left to LLVM."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import numpy as np
import pytest

from tests.native.test_switch import needs_llvmlite, run
from tinygrad_lite.native import elf, library
from tinygrad_lite.native.language import Kernel
from tinygrad_lite.native.mathematics import exp

here = pytest.mark.skipif(not elf.processor(), reason="needs Linux on x86-64")
pytestmark = [needs_llvmlite, here]


def curve(k: Any, lo: Any, hi: Any, x: Any, y: Any) -> None:
    with k.loop(0, hi) as i:  # becomes a call of memset
        y[i] = 0.0
    with k.loop(lo, hi) as i:
        y[i] = exp(k, x[i]) * 0.3 + y[i]


@pytest.fixture(scope="module")
def code() -> bytes:
    return library.machine().compiled(Kernel("curve", "f* f*", curve).text())


def result(addresses: list[int] | None) -> Any:
    assert addresses is not None
    x = np.linspace(-3, 3, 1001, dtype=np.float32)
    y = np.full_like(x, 7)
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(addresses[0])
    run(2, len(x), x.ctypes.data, y.ctypes.data)
    return y


def test_the_same_numbers_as_with_llvm(code: bytes) -> None:
    assert b"memset" in code
    y = result(elf.addresses(code, ["curve"]))
    np.testing.assert_array_equal(y, result(library.machine().addresses(code, ["curve"])))
    np.testing.assert_allclose(y[2:], 0.3 * np.exp(np.linspace(-3, 3, 1001))[2:], rtol=1e-6)
    assert not y[:2].any()


def test_what_is_left_to_llvm(code: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    other_processor = code[:18] + struct.pack("<H", 183) + code[20:]
    unknown = code.replace(b"\0memset\0", b"\0nomset\0")
    relative = code.replace(struct.pack("<I", 1) + struct.pack("<q", 0), struct.pack("<I", 2) + struct.pack("<q", 0))
    assert unknown != code != relative
    for changed in (b"", b"\xcf\xfa\xed\xfe" + code[4:], other_processor, unknown, relative, code[:200]):
        assert elf.addresses(changed, ["curve"]) is None
    assert elf.addresses(code, ["line"]) is None
    monkeypatch.setattr(elf.sys, "platform", "darwin")
    assert elf.addresses(code, ["curve"]) is None


def test_llvm_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf, "addresses", lambda code, names: None)
    assert result(library.loaded(Kernel("curve", "f* f*", curve).text, ["curve"]))[500] == pytest.approx(0.3)


def test_a_second_process_loads_no_llvm(tmp_path: Any) -> None:
    program = """
import sys, tinygrad_lite as tl
y = tl.sigmoid(tl.ones(1 << 15))
print(float(y[0]), "llvmlite.binding" in sys.modules)
"""
    first, second = (run(program, TINYGRAD_LITE_CACHE=str(tmp_path / "kept")) for _ in range(2))
    assert first.split()[1:] == ["True"] and second.split() == [first.split()[0], "False"]


def test_the_name_of_the_code_tells_processors_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "flags" in elf.processor() and "MHz" not in elf.processor()
    before = library.key("text")
    library.identity.cache_clear()
    monkeypatch.setattr(elf, "processor", lambda: "flags: none")
    assert library.key("text") != before
    library.identity.cache_clear()
    monkeypatch.setattr(elf, "processor", lambda: "")  # then LLVM is asked
    assert library.machine().processor in library.identity()
    library.identity.cache_clear()
