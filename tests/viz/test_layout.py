"""Properties of the built-in layout, checked on random graphs."""

import pytest
from hypothesis import given, strategies as st

from tinygrad_lite import viz
from tinygrad_lite.viz.layout.coordinates import spread
from tinygrad_lite.viz.layout.place import place
from tinygrad_lite.viz.scene.building import view_of

EPS = 0.05


@st.composite
def graphs(draw):
    """A random computation in nested module calls, with leaves, skip edges and repeated arguments."""
    calls, nodes, edges = [], [], []
    leaves = draw(st.integers(1, 3))
    for i in range(leaves):
        nodes.append(viz.GraphNode(f"x{i}", "input", label=f"x{i}" * draw(st.integers(1, 9)), shape=(2,)))
    open_calls = [""]
    for i in range(draw(st.integers(1, 25))):
        move = draw(st.sampled_from(["stay", "stay", "enter", "leave"]))
        if move == "enter" and len(open_calls) < 5:
            calls.append(viz.GraphCall(f"m{i}", "M" * draw(st.integers(1, 30)), open_calls[-1]))
            open_calls.append(f"m{i}")
        elif move == "leave" and len(open_calls) > 1:
            open_calls.pop()
        node = viz.GraphNode(
            f"op{i}", "op", op="add", label="+", shape=(2,) * draw(st.integers(0, 6)), call=open_calls[-1]
        )
        for k in range(draw(st.integers(1, 4))):
            edges.append(viz.GraphEdge(draw(st.sampled_from(nodes)).id, node.id, 0, k))
        nodes.append(node)
    nodes.append(viz.GraphNode("output", "output", label="output"))
    edges.append(viz.GraphEdge(nodes[-2].id, "output"))
    rankdir = draw(st.sampled_from(["TB", "LR", "BT", "RL"]))
    return viz.Graph(
        nodes, edges, calls, viz.draw(viz.Graph([], []), rankdir=rankdir, fold_repeats=draw(st.booleans())).look
    )


def apart(a, b):
    return a.x + a.w <= b.x + EPS or b.x + b.w <= a.x + EPS or a.y + a.h <= b.y + EPS or b.y + b.h <= a.y + EPS


def within(a, b):
    return a.x >= b.x - EPS and a.y >= b.y - EPS and a.x + a.w <= b.x + b.w + EPS and a.y + a.h <= b.y + b.h + EPS


@given(graphs())
def test_boxes_do_not_overlap_children_are_inside_and_edges_follow_the_flow(graph):
    scene = view_of(graph).visible()
    picture = place(scene)
    rects = {r.id: r for r in (*picture.boxes, *picture.frames)}
    whole = type(picture.boxes[0])("", 0, 0, picture.w, picture.h)
    for inside in scene.items.values():
        for i, (_, a) in enumerate(inside):
            for _, b in inside[i + 1 :]:
                assert apart(rects[a], rects[b]), (a, b)
    for id, parent in scene.parent.items():
        assert within(rects[id], rects[parent] if parent else whole)
    sign = -1 if graph.look.rankdir in ("BT", "RL") else 1
    for path in picture.paths:
        along = [sign * y for _, a, b in path.strokes for y in (a, b)]
        assert all(p <= q + EPS for p, q in zip(along, along[1:], strict=False))


@given(graphs())
def test_edges_end_at_their_box_and_cross_no_other(graph):
    scene = view_of(graph).visible()
    picture = place(scene)
    rects = {r.id: r for r in picture.boxes}
    arriving = {}
    for path in picture.paths:
        line = [((y, x), (z, x)) if picture.sideways else ((x, y), (x, z)) for x, y, z in path.strokes]
        if path.arrow:
            end = line[-1][1]
            box = rects[scene.links[path.link].dst]
            assert box.x - EPS <= end[0] <= box.x + box.w + EPS and box.y - EPS <= end[1] <= box.y + box.h + EPS
            arriving.setdefault(box.id, []).append(end)
        for (x1, y1), (x2, y2) in line:
            for box in picture.boxes:
                inside_x = box.x + EPS < max(x1, x2) and min(x1, x2) < box.x + box.w - EPS
                inside_y = box.y + EPS < max(y1, y2) and min(y1, y2) < box.y + box.h - EPS
                assert not (inside_x and inside_y), (box.id, path)
    for ends in arriving.values():
        assert len({(round(x, 3), round(y, 3)) for x, y in ends}) == len(ends), "two edges end in one point"
    drawn = {(link.src, link.dst, link.arg) for link in scene.links}
    assert sum(len(e) for e in arriving.values()) == len(drawn)


@given(graphs())
def test_every_edge_of_the_graph_is_drawn(graph):
    graph = graph.looking(fold_repeats=False, max_nodes=1000)
    wanted = sorted((e.src, e.dst, e.arg_index) for e in graph.edges)
    assert sorted((link.src, link.dst, link.arg) for link in view_of(graph).visible().links) == wanted


@given(graphs())
def test_layout_is_deterministic(graph):
    assert graph.to_svg() == viz.Graph(graph.nodes, graph.edges, graph.calls, graph.look).to_svg()


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 9), st.floats(1, 30)), min_size=1, max_size=6))
def test_spread_is_the_nearest_arrangement_that_keeps_distance(things):
    scipy = pytest.importorskip("scipy.optimize")
    wish, weight, width = map(list, zip(*things, strict=True))
    x = spread(wish, weight, width, 2.0)
    apart = [(width[i] + width[i + 1]) / 2 + 2.0 for i in range(len(x) - 1)]
    assert all(b - a >= d - 1e-9 for a, b, d in zip(x, x[1:], apart, strict=False))

    def cost(p):
        return sum(w * (a - b) ** 2 for w, a, b in zip(weight, p, wish, strict=True))

    keep = [{"type": "ineq", "fun": lambda p, i=i, d=d: p[i + 1] - p[i] - d} for i, d in enumerate(apart)]
    best = scipy.minimize(cost, x, constraints=keep, method="SLSQP")
    assert cost(x) <= best.fun + 1e-4 * (1 + abs(best.fun))


def test_a_graph_with_a_cycle_is_drawn_too():
    nodes = [viz.GraphNode(id, "op", op="add", label="+") for id in "abc"]
    edges = [viz.GraphEdge(*pair) for pair in ("ab", "bc", "ca")]
    assert viz.Graph(nodes, edges).to_svg().count('class="box') == 3
