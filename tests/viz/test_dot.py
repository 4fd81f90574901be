"""DOT files: compared with golden ones, which in turn are read back to the exact nodes and edges."""

import re
from collections import Counter
from pathlib import Path

import pytest

import tinygrad_lite as tl
from tinygrad_lite import viz

GOLDEN = Path(__file__).parent / "golden"


def scalar(nets):
    a, b = tl.tensor(2.0, requires_grad=True), tl.tensor(-3.0, requires_grad=True)
    return viz.draw((a * a + b).tanh(), names={"a": a, "b": b})


CASES = {
    "scalar": scalar,
    "cnn": lambda nets: viz.draw(nets.CNN(), nets.image),
    "shared": lambda nets: viz.draw(nets.Shared(), nets.x4),
    "tied": lambda nets: viz.draw(nets.Tied(), nets.x6),
    "residual": lambda nets: viz.draw(nets.Residual(blocks=2), nets.x8, fold_repeats=False),
}
# every edge of the picture: from, to, number of the argument where there are several
EDGES = {
    "scalar": [("a", "mul.1", "1"), ("a", "mul.1", "2"), ("mul.1", "add.1", "1"), ("b", "add.1", "2"),
               ("add.1", "tanh.1", ""), ("tanh.1", "output", "")],
    "cnn": [("x", "conv/conv.1", ""), ("conv/conv.1", "CNN/relu.1", ""), ("CNN/relu.1", "CNN/reshape.1", ""),
            ("CNN/reshape.1", "fc/linear.1", ""), ("fc/linear.1", "output", "")],
    "shared": [("x", "cell/linear.1", "1"), ("cell.weight", "cell/linear.1", "2"), ("cell.bias", "cell/linear.1", "3"),
               ("cell/linear.1", "Shared/tanh.1", ""), ("Shared/tanh.1", "cell#2/linear.1", "1"),
               ("cell.weight", "cell#2/linear.1", "2"), ("cell.bias", "cell#2/linear.1", "3"),
               ("cell#2/linear.1", "output", "")],
    "tied": [("x", "enc/linear.1", "1"), ("enc.weight", "enc/linear.1", "2"), ("enc/linear.1", "Tied/tanh.1", ""),
             ("Tied/tanh.1", "dec/linear.1", "1"), ("enc.weight", "dec/linear.1", "2"), ("dec/linear.1", "output", "")],
    "residual": [(f"blocks.{i}.{a}", f"blocks.{i}{b}", n) for i in (0, 1) for a, b, n in (
                     ("up/linear.1", ".act/relu.1", ""), ("act/relu.1", ".down/linear.1", ""),
                     ("down/linear.1", "/add.1", "2"))]
                + [("x", "blocks.0.up/linear.1", ""), ("x", "blocks.0/add.1", "1"),
                   ("blocks.0/add.1", "blocks.1.up/linear.1", ""),
                   ("blocks.0/add.1", "blocks.1/add.1", "1"), ("blocks.1/add.1", "head/linear.1", ""),
                   ("head/linear.1", "output", "")],
}  # fmt: skip
CLUSTERS = {
    "scalar": [], "cnn": ["CNN"], "shared": ["Shared"], "tied": ["Tied"],
    "residual": ["0: Block", "1: Block", "Residual", "blocks: Sequential"],
}  # fmt: skip


def read(dot):
    """Return ids of nodes, edges and titles of clusters of a DOT file."""
    quoted = r'(?:"((?:[^"\\]|\\.)*)"|([\w.-]+))'
    nodes = {m[1]: m[2] or m[3] for m in re.finditer(rf"^\t*(n\d+) \[.*tooltip={quoted}\]?$", dot, re.M)}
    edges = [
        (nodes[m[1]], nodes[m[2]], m[3] or "")
        for m in re.finditer(r"^\t*(n\d+) -> (n\d+)(?: \[headlabel=(\d+)\])?$", dot, re.M)
    ]
    clusters = [m[1] or m[2] for m in re.finditer(rf"^\t*graph \[.*label={quoted} labeljust", dot, re.M)]
    assert dot.count("->") == len(edges)
    return sorted(nodes.values()), edges, sorted(clusters)


@pytest.mark.parametrize("name", CASES)
def test_dot_file(name, nets, request):
    dot = CASES[name](nets).to_dot()
    path = GOLDEN / f"{name}.dot"
    if request.config.getoption("--overwrite", False):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(dot, "utf-8")
    assert dot == path.read_text("utf-8"), "if the change is meant: pytest --overwrite"
    nodes, edges, clusters = read(dot)
    assert Counter(edges) == Counter(EDGES[name])
    assert nodes == sorted({id for a, b, _ in EDGES[name] for id in (a, b)})
    assert clusters == CLUSTERS[name]
