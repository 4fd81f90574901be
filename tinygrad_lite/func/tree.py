"""Nested tuples, lists and dicts of tensors, as functions take and return them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Return the leaves of ``tree`` in order, and a function that builds the same tree from other leaves.

    >>> leaves, build = flatten({"a": 1, "b": (2, [3])})
    >>> leaves, build([10, 20, 30])
    ([1, 2, 3], {'a': 10, 'b': (20, [30])})
    """
    if isinstance(tree, dict):
        keys, parts = list(tree), [flatten(v) for v in tree.values()]
        return _joined(parts, lambda built: type(tree)(zip(keys, built, strict=True)))
    if isinstance(tree, (tuple, list)):
        named = hasattr(tree, "_fields")
        return _joined([flatten(v) for v in tree], lambda built: type(tree)(*built) if named else type(tree)(built))
    return [tree], lambda leaves: leaves[0]


def _joined(parts: list[Any], finish: Callable[[list[Any]], Any]) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    def build(leaves: list[Any]) -> Any:
        built, at = [], 0
        for own, make in parts:
            built.append(make(leaves[at : at + len(own)]))
            at += len(own)
        return finish(built)

    return [leaf for own, _ in parts for leaf in own], build


def tree_map(function: Callable[..., Any], tree: Any) -> Any:
    """Return ``tree`` with ``function`` applied to every leaf."""
    leaves, build = flatten(tree)
    return build([function(leaf) for leaf in leaves])


def spread(prefix: Any, tree: Any, name: str) -> list[Any]:
    """Return one entry of ``prefix`` per leaf of ``tree``; a single value applies to all leaves below it.

    >>> spread((0, None), ({"a": 1, "b": 2}, 3), "in_dims")
    [0, 0, None]
    """
    if prefix is None or isinstance(prefix, int):
        return [prefix] * len(flatten(tree)[0])
    if isinstance(prefix, dict) and isinstance(tree, dict) and prefix.keys() == tree.keys():
        return [d for key in tree for d in spread(prefix[key], tree[key], name)]
    if isinstance(prefix, (tuple, list)) and isinstance(tree, (tuple, list)) and len(prefix) == len(tree):
        return [d for p, t in zip(prefix, tree, strict=True) for d in spread(p, t, name)]
    raise ValueError(f"vmap: {name} {prefix!r} does not have the structure of the arguments or results it describes")
