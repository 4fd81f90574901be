"""Write the measurements of a profile into the ops of a graph.

The nodes of a recorded tensor carry the same numbers as the events of the profile, so they match exactly. A traced run
is not the run that was profiled: there a module call is matched by its path and by the sequence of its own ops.
An op that was measured several times shows the mean per call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tinygrad_lite.errors import describe, visible
from tinygrad_lite.profiler import BACKWARD, FORWARD, Event, profile
from tinygrad_lite.viz.model import GraphNode, Measured

Key = tuple[Any, ...]


def checked(given: Any) -> profile | None:
    """Validate the argument ``profile`` of `draw`."""
    if given is None or isinstance(given, profile):
        return given
    raise TypeError(f"draw: profile must be a tinygrad_lite.profiler.profile, got {describe(given)}")


def alike(known: profile) -> profile:
    """Return an empty profile with the module names of ``known``; it observes the run to be drawn."""
    fresh = profile()
    fresh._roots = dict(known._roots)
    return fresh


def keys_of(events: Iterable[Event]) -> list[tuple[Key, Event]]:
    """Return every forward op with its key: module path, the ops of its call, its position among them."""
    calls: dict[int, list[Event]] = {}
    for e in events:
        if e.phase == FORWARD:
            calls.setdefault(e.call, []).append(e)
    out: list[tuple[Key, Event]] = []
    for ops in calls.values():
        names = tuple(e.name for e in ops)
        out.extend(((e.module, names, k), e) for k, e in enumerate(ops))
    return out


def write_run(nodes: Sequence[GraphNode], seen: profile, known: profile) -> tuple[str, ...]:
    """Write the measurements of ``known`` into a run that ``seen`` observed; return the notes for the reader."""
    found: dict[Key, list[Event]] = {}
    for key, e in keys_of(known.events):
        found.setdefault(key, []).append(e)
    key_of = {id(e): key for key, e in keys_of(seen.events)}
    ops = [e for e in seen.events if e.phase == FORWARD]
    return write(list(zip(nodes, (found.get(key_of[id(e)], []) for e in ops), strict=True)), known)


def write_recorded(records: Iterable[tuple[GraphNode, int]], known: profile) -> tuple[str, ...]:
    """Write the measurements of ``known`` into the ops of a recorded graph, given with their node numbers."""
    found = {e.step: e for e in known.events if e.phase == FORWARD and e.step}
    return write([(node, [found[seq]] if seq in found else []) for node, seq in records], known)


def write(places: Sequence[tuple[GraphNode, list[Event]]], known: profile) -> tuple[str, ...]:
    """Write the means into the nodes; raise ValueError if none of them was measured."""
    missing = [node for node, events in places if not events]
    if len(missing) == len(places):
        raise ValueError(
            f"draw: the profile measured none of the {len(places)} ops in this picture "
            f"(it saw {visible(seen_in(known))}); "
            "draw the profiled model, called in the same way, or a loss computed inside the profile block"
        )
    pulled: dict[int, list[Event]] = {}
    for e in known.events:
        if e.phase == BACKWARD:
            pulled.setdefault(e.step, []).append(e)
    for node, events in places:
        node.time = None  # show only what the profile measured
        if events:
            back = [b for e in events if e.step for b in pulled.get(e.step, ())]
            n = len(events)
            node.measured = Measured(
                n, sum(e.seconds for e in events) / n, sum(e.seconds for e in back) / n,
                sum(e.bytes for e in events) / n, sum(e.bytes for e in back) / n, largest(events),
            )  # fmt: skip
            node.time = node.measured.time
    counts = {len(events) for _, events in places if events}
    many = f"means of {min(counts)} calls" if len(counts) == 1 else "means of several calls"
    notes = [f"times and bytes of a profile{'' if counts == {1} else ': ' + many}"]
    if missing:
        names = ", ".join(node.id for node in missing[:3]) + (", …" if len(missing) > 3 else "")
        notes.append(f"not measured by it: {len(missing)} of {len(places)} ops ({names})")
    other = [node for node, _ in places if node.measured is not None and node.measured.shape != node.shape]
    if other:
        one = other[0]
        notes.append(f"measured with other shapes: {one.id} is {one.shape} here, was {one.measured.shape}")  # type: ignore[union-attr]
    return tuple(notes)


def largest(events: Sequence[Event]) -> tuple[int, ...]:
    """Return the shape of the largest result among events."""
    return tuple(max(events, key=lambda e: e.bytes).shape or ())


def seen_in(known: profile) -> str:
    """Return the modules or ops that a profile saw, for an error message."""
    paths = list(dict.fromkeys(e.module for e in known.events if e.phase == FORWARD and e.module))
    names = paths or list(dict.fromkeys(e.name for e in known.events if e.phase == FORWARD))
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "") if names else "nothing"
