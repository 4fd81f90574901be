"""`SummaryWriter`: what TensorBoard reads from the files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.utils.tensorboard import SummaryWriter

pytest.importorskip("tensorboardX")


def events(folder: Path) -> list[Any]:
    """Return what was written: records of a length, a checksum, the event and another checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.rglob("events*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            found.append(Event.FromString(data[at + 12 : at + 12 + size]))
            at += 16 + size
    return found


def values(folder: Path) -> dict[str, Any]:
    return {v.tag: v for event in events(folder) for v in event.summary.value}


def test_tensors_of_every_kind_are_written_tracked_ones_too(tmp_path: Path) -> None:
    x = tl.tensor([1.0, 2.0, 4.0], requires_grad=True)
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", (x**2).sum(), 3)
        writer.add_scalars("both", {"a": x[0], "b": 2.0}, 1)
        writer.add_histogram("weights", x * 2)
        writer.add_image("image", tl.rand(3, 4, 5))
        writer.add_images("images", tl.rand(2, 1, 4, 5))
        writer.add_text("note", "good")
        writer.add_embedding(tl.rand(4, 3), metadata=list("abcd"))
        writer.add_pr_curve("curve", tl.tensor([0, 1, 1]), x / 4)
        writer.add_hparams({"lr": 0.1, "width": 3}, {"loss": x[2]})
        writer.flush()
    found = values(tmp_path)
    assert found["loss"].simple_value == 21
    histogram = found["weights"].histo
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (2, 8, 3, 14)
    assert (found["image"].image.height, found["image"].image.width, found["image"].image.colorspace) == (4, 5, 3)
    assert found["note/text_summary"].tensor.string_val == [b"good"] and "images" in found and "curve" in found
    scalars = [v.simple_value for v in found.values() if v.tag.startswith("both")]
    assert scalars == [1, 2] or {v.simple_value for e in events(tmp_path) for v in e.summary.value} >= {1, 2}
    assert x.grad is None and x.requires_grad


def test_figures(tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure()
    figure.gca().plot(tl.arange(3.0))
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_figure("figure", figure)
    pyplot.close("all")
    assert values(tmp_path)["figure"].image.height > 100


def test_the_graph_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx")
    from tensorboardX.proto.graph_pb2 import GraphDef

    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_graph(net, tl.ones(5, 3))
        with pytest.raises(TypeError, match="input_to_model"):
            writer.add_graph(net)
    graphs = [GraphDef.FromString(e.graph_def) for e in events(tmp_path) if e.graph_def]
    assert len(graphs) == 1 and not capsys.readouterr().out
    kinds = [node.op for node in graphs[0].node]
    assert "Tanh" in kinds and kinds.count("Gemm") == 2, kinds
    assert any("2.weight" in name for node in graphs[0].node for name in node.input)


def test_plots_of_tracked_tensors_say_what_to_do() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    x = tl.arange(3.0).requires_grad_()
    for plot in (pyplot.plot, pyplot.hist, lambda x: pyplot.scatter(x, x), lambda x: pyplot.imshow(x[None] * 1)):
        with pytest.raises(RuntimeError, match=r"\.detach\(\)"):
            plot(x)
        plot(x.detach())
        plot(x.detach().numpy())
    pyplot.close("all")
    np.testing.assert_array_equal(x.detach(), [0, 1, 2])
