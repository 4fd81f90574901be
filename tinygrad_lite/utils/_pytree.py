"""Nested tuples, lists, dicts and classes of your own, by the import path that many programs use."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

PyTree = Context = Any
KINDS: dict[Any, tuple[Callable[[Any], Any], Callable[[list[Any], Any], Any], Callable[[Any], Any]]] = {}
"""For each type: how its nodes are split into children and the rest, put together, and how children are called."""


class MappingKey(NamedTuple):
    """A step of a path: the key of a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"


class SequenceKey(NamedTuple):
    """A step of a path: the place in a sequence."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx}]"


class GetAttrKey(NamedTuple):
    """A step of a path: the name of a field."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


def _numbered(context: Any) -> Callable[[int], Any]:
    return SequenceKey


def register_pytree_node(
    cls: type, flatten_fn: Callable[[Any], Any], unflatten_fn: Callable[[Any, Any], Any], **words: Any
) -> None:
    """Make instances of ``cls`` nodes: ``flatten_fn(node)`` returns children and the rest, ``unflatten_fn`` a node.

    Further arguments are accepted and have no effect.
    """
    if cls in KINDS:
        raise ValueError(f"{cls} is already registered as pytree node.")
    KINDS[cls] = flatten_fn, unflatten_fn, _numbered


def is_namedtuple(obj: Any) -> bool:
    """Return whether ``obj`` is a named tuple, or the class of one."""
    kind = obj if isinstance(obj, type) else type(obj)
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


is_namedtuple_instance = is_namedtuple_class = is_namedtuple


def _mapping(make: Callable[[dict[Any, Any], Any], Any], more: Callable[[Any], Any] = lambda d: None) -> Any:
    def split(d: Any) -> Any:
        return list(d.values()), (list(d), more(d))

    def build(children: Any, context: Any) -> Any:
        return make(dict(zip(context[0], children, strict=True)), context[1])

    return split, build, lambda context: lambda i: MappingKey(context[0][i])


KINDS.update({
    dict: _mapping(lambda d, _: d), OrderedDict: _mapping(lambda d, _: OrderedDict(d)),
    defaultdict: _mapping(lambda d, factory: defaultdict(factory, d), lambda d: d.default_factory),
    list: (lambda x: (x, None), lambda children, _: list(children), _numbered),
    tuple: (lambda x: (list(x), None), lambda children, _: tuple(children), _numbered),
    deque: (lambda x: (list(x), x.maxlen), lambda children, n: deque(children, n), _numbered),
})  # fmt: skip
_NAMED = (lambda x: (list(x), type(x)), lambda children, kind: kind(*children),
          lambda kind: lambda i: GetAttrKey(kind._fields[i]))  # fmt: skip


def _kind(node: Any) -> Any:
    return KINDS.get(type(node)) or (_NAMED if is_namedtuple(type(node)) else None)


def tree_is_leaf(tree: Any, is_leaf: Any = None) -> bool:
    """Return whether the tree is one leaf."""
    return _kind(tree) is None or bool(is_leaf is not None and is_leaf(tree))


class TreeSpec:
    """The structure of a tree without its leaves."""

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec], build: Any = None) -> None:
        self.type, self.context, self.children_specs, self._build = type, context, children_specs, build
        self.num_children = len(children_specs)
        self.num_leaves: int = sum(c.num_leaves for c in children_specs) if type is not None else 1
        self.num_nodes: int = 1 + sum(c.num_nodes for c in children_specs)

    def is_leaf(self) -> bool:
        """Return whether it is the structure of one leaf."""
        return self.type is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (self.type, self.context, self.children_specs) == (
            other.type, other.context, other.children_specs)  # fmt: skip

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        kind = "*" if self.type is None else f"TreeSpec({self.type.__name__}, {self.context}, {self.children_specs})"
        return kind

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Return the tree with these leaves."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(f"treespec.unflatten(leaves): got {len(given)} leaves for a tree with {self.num_leaves}")
        return self._built(iter(given))

    def _built(self, leaves: Iterator[Any]) -> Any:
        if self.type is None:
            return next(leaves)
        return self._build([c._built(leaves) for c in self.children_specs], self.context)


def LeafSpec() -> TreeSpec:  # noqa: N802 - a class in PyTorch
    """Return the structure of one leaf."""
    return TreeSpec(None, None, [])


def _split(tree: Any, is_leaf: Any, path: tuple[Any, ...], leaves: list[Any]) -> TreeSpec:
    if tree_is_leaf(tree, is_leaf):
        leaves.append((path, tree))
        return TreeSpec(None, None, [])
    flat, build, keys = _kind(tree)
    children, context = flat(tree)
    name = keys(context)
    return TreeSpec(type(tree), context,
                    [_split(c, is_leaf, (*path, name(i)), leaves) for i, c in enumerate(children)], build)  # fmt: skip


def tree_flatten_with_path(tree: Any, is_leaf: Any = None) -> tuple[list[tuple[Any, Any]], TreeSpec]:
    """Return pairs of path and leaf, and the structure.

    >>> pairs, _ = tree_flatten_with_path({"a": [1, 2]})
    >>> [(keystr(path), leaf) for path, leaf in pairs]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    leaves: list[Any] = []
    spec = _split(tree, is_leaf, (), leaves)
    return leaves, spec


def keystr(kp: Iterable[Any]) -> str:
    """Return a path as it would be written in Python."""
    return "".join(map(str, kp))


def tree_leaves_with_path(tree: Any, is_leaf: Any = None) -> list[tuple[Any, Any]]:
    """Return pairs of path and leaf."""
    return tree_flatten_with_path(tree, is_leaf)[0]


def tree_flatten(tree: Any, is_leaf: Any = None) -> tuple[list[Any], TreeSpec]:
    """Return the leaves and the structure.

    >>> leaves, spec = tree_flatten({"a": 1, "b": [2]})
    >>> leaves, tree_unflatten([3, 4], spec)
    ([1, 2], {'a': 3, 'b': [4]})
    """
    leaves, spec = tree_flatten_with_path(tree, is_leaf)
    return [leaf for _, leaf in leaves], spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """Return the tree of a structure and its leaves."""
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: Any = None) -> list[Any]:
    """Return the leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Any = None) -> Iterator[Any]:
    """Yield the leaves."""
    yield from tree_leaves(tree, is_leaf)


def tree_structure(tree: Any, is_leaf: Any = None) -> TreeSpec:
    """Return the structure."""
    return tree_flatten(tree, is_leaf)[1]


def _all_leaves(tree: Any, rests: tuple[Any, ...], is_leaf: Any) -> tuple[list[tuple[Any, ...]], TreeSpec]:
    first, spec = tree_flatten(tree, is_leaf)
    others = [tree_leaves(t, is_leaf) for t in rests]
    if any(len(o) != len(first) for o in others):
        raise ValueError(
            f"tree_map: the trees have {[len(first), *map(len, others)]} leaves; one structure is expected"
        )
    return list(zip(first, *others, strict=True)), spec


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """Return the tree of ``func`` of the leaves, of several trees of one structure together."""
    leaves, spec = _all_leaves(tree, rests, is_leaf)
    return spec.unflatten(func(*own) for own in leaves)


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """Call ``func`` with the leaves and return the tree."""
    for own in _all_leaves(tree, rests, is_leaf)[0]:
        func(*own)
    return tree


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """Return the tree of ``func(path, leaf, ...)``."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    leaves = _all_leaves(tree, rests, is_leaf)[0]
    return spec.unflatten(func(path, *own) for (path, _), own in zip(pairs, leaves, strict=True))


def _only(kind: Any, func: Callable[[Any], Any]) -> Callable[[Any], Any]:
    wanted = kind if callable(kind) and not isinstance(kind, type) else lambda leaf: isinstance(leaf, kind)
    return lambda leaf: func(leaf) if wanted(leaf) else leaf


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None) -> Any:
    """Return the tree with ``func`` applied to the leaves of a type."""
    return tree_map(_only(kind, func), tree, is_leaf=is_leaf)


def tree_map_only_(kind: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None) -> Any:
    """Call ``func`` with the leaves of a type and return the tree."""
    return tree_map_(_only(kind, func), tree, is_leaf=is_leaf)


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any_only(kind: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for a leaf of a type."""
    return any(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kind))


def tree_all_only(kind: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Return whether ``pred`` holds for all leaves of a type."""
    return all(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kind))
