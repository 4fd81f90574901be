"""Nested tuples, lists and dicts, by the import path that many programs use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_lite.func.tree import flatten, tree_map as _mapped


class TreeSpec:
    """The structure of a tree without its leaves."""

    def __init__(self, tree: Any) -> None:
        leaves, self._build = flatten(tree)
        self.num_leaves = len(leaves)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Return the tree with these leaves."""
        return self._build(list(leaves))


def tree_flatten(tree: Any, is_leaf: Any = None) -> tuple[list[Any], TreeSpec]:
    """Return the leaves and the structure.

    >>> leaves, spec = tree_flatten({"a": 1, "b": [2]})
    >>> leaves, tree_unflatten([3, 4], spec)
    ([1, 2], {'a': 3, 'b': [4]})
    """
    return flatten(tree)[0], TreeSpec(tree)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """Return the tree of a structure and its leaves."""
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: Any = None) -> list[Any]:
    """Return the leaves."""
    return flatten(tree)[0]


def tree_structure(tree: Any, is_leaf: Any = None) -> TreeSpec:
    """Return the structure."""
    return TreeSpec(tree)


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """Return the tree of ``func`` of the leaves, of several trees of one structure together."""
    if not rests:
        return _mapped(func, tree)
    leaves = [flatten(t)[0] for t in (tree, *rests)]
    return TreeSpec(tree).unflatten([func(*own) for own in zip(*leaves, strict=True)])


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None) -> Any:
    """Return the tree with ``func`` applied to the leaves of a type."""
    return _mapped(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for a leaf."""
    return any(map(pred, flatten(tree)[0]))


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for all leaves."""
    return all(map(pred, flatten(tree)[0]))
