"""Tensors that share memory share it again after `save` and `load`, as in PyTorch."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl


def round_trip(T: Any, obj: Any) -> Any:
    file = io.BytesIO()
    T.save(obj, file)
    file.seek(0)
    return T.load(file)


def views(T: Any) -> dict[str, Any]:
    x = T.arange(12.0).reshape(3, 4)
    b = T.arange(10.0)
    return {"row": x[1], "x": x, "t": x.T, "column": x[:, 1], "rest": x.flatten()[3:], "expanded": x[0].expand(5, 4),
            "one": x[0, 0], "same": x, "ints": T.arange(3), "left": b[:6], "right": b[4:], "odd": b[1::2]}  # fmt: skip


def outcome(T: Any) -> list[Any]:
    loaded = round_trip(T, views(T))
    kept = [(k, v.tolist(), tuple(v.stride())) for k, v in loaded.items()]
    loaded["x"].fill_(7.0)
    loaded["left"].fill_(-1.0)
    return [*kept, *((k, v.tolist()) for k, v in loaded.items())]


def test_views_stay_views() -> None:
    torch = pytest.importorskip("torch")
    assert outcome(tl) == outcome(torch)


def test_numpy_reads_every_name() -> None:
    file = io.BytesIO()
    saved = views(tl)
    tl.save(saved, file)
    file.seek(0)
    with np.load(file) as found:
        assert {*saved, "shared memory"} - {"same"} <= set(found.files)
        for name in saved:
            np.testing.assert_array_equal(found[name], saved[name].array)


def test_what_does_not_overlap_or_has_another_dtype_is_written_alone() -> None:
    x = tl.arange(8.0)
    loaded = round_trip(tl, [x[:4], x[4:], x.view(tl.int32), x[4:].flip(0), tl.tensor([]), tl.zeros(2, 0)])
    assert all(t.is_contiguous() for t in loaded)
    loaded[0].zero_()
    assert loaded[1].tolist() == [4, 5, 6, 7] and loaded[3].tolist() == [7, 6, 5, 4]


def test_parameters_of_one_memory() -> None:
    flat = tl.arange(6.0)
    state = {"a": tl.nn.Parameter(flat[:4]), "b": flat, "array": flat.array[2:]}
    loaded = round_trip(tl, state)
    assert loaded["a"].requires_grad and not loaded["b"].requires_grad
    loaded["b"].zero_()
    assert loaded["a"].tolist() == [0, 0, 0, 0] and loaded["array"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("damage", [{"offset": 9}, {"offset": -1}, {"stride": [3]}, {"size": [1 << 40], "stride": [0]},
                                    {"size": [1.5]}, {"size": [1, 1]}, {"of": "nothing"}])  # fmt: skip
def test_damaged_views_are_refused(damage: dict[str, Any]) -> None:
    x, file = tl.arange(6.0), io.BytesIO()
    tl.save([x, x[2:]], file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tree = json.loads(members["structure.json"])
    tree[1]["view"] |= damage
    members["structure.json"] = json.dumps(tree).encode()
    with zipfile.ZipFile(changed := io.BytesIO(), "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(RuntimeError, match="load"):
        tl.load(io.BytesIO(changed.getvalue()))
