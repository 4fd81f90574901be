"""Draw computation graphs: pictures, tables and programs of a model or an expression.

>>> import tinygrad_lite as tl
>>> from tinygrad_lite import viz
>>> a, b = tl.tensor(2.0, requires_grad=True), tl.tensor(-3.0, requires_grad=True)
>>> print(viz.draw(a * b, names={"a": a, "b": b}))
%1 = mul(a, b)  () f32  value -6 | grad 1
return %1
"""

from tinygrad_lite.viz import formats as formats
from tinygrad_lite.viz.diff import GraphDiff as GraphDiff, diff as diff
from tinygrad_lite.viz.draw import draw as draw
from tinygrad_lite.viz.model import (
    Graph as Graph,
    GraphCall as GraphCall,
    GraphEdge as GraphEdge,
    GraphNode as GraphNode,
)
from tinygrad_lite.viz.replay import Recorder as Recorder
from tinygrad_lite.viz.summary import Summary as Summary, summary as summary
from tinygrad_lite.viz.trace import trace as trace

__all__ = [
    "Graph", "GraphCall", "GraphDiff", "GraphEdge", "GraphNode", "Recorder", "Summary", "diff", "draw", "summary",
    "trace",
]  # fmt: skip
