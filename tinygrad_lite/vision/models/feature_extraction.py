"""The results of inner modules of a network, as in ``torchvision.models.feature_extraction``.

They are taken by hooks, so the nodes are modules; the network runs to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_lite.nn import Module

__all__ = ["create_feature_extractor", "get_graph_node_names"]


class _Extractor(Module):
    def __init__(self, model: Module, nodes: dict[str, str]) -> None:
        super().__init__()
        self.model, self.nodes = model, nodes

    def forward(self, *args: Any, **words: Any) -> dict[str, Any]:
        """Return the result of each node by the name asked for."""
        found: dict[str, Any] = {}
        named = dict(self.model.named_modules())
        handles = []
        for node, name in self.nodes.items():

            def keep(module: Any, args: Any, result: Any, name: str = name) -> None:
                found[name] = result

            handles.append(named[node].register_forward_hook(keep))
        try:
            self.model(*args, **words)
        finally:
            for handle in handles:
                handle.remove()
        return {name: found[name] for name in self.nodes.values()}


def get_graph_node_names(model: Module, **words: Any) -> tuple[list[str], list[str]]:
    """Return the names of the modules, for training and for evaluation."""
    names = [name for name, _ in model.named_modules() if name]
    return names, list(names)


def create_feature_extractor(model: Module, return_nodes: Any = None, **words: Any) -> Module:
    """Return a module whose result is the dict of the results of inner modules.

    ``return_nodes``: names of modules, or a dict from these to names in the result; the name of a container stands for
    its result.

    >>> import tinygrad_lite as tl
    >>> net = tl.nn.Sequential(tl.nn.Linear(2, 3), tl.nn.ReLU())
    >>> sorted(create_feature_extractor(net, {"0": "hidden"})(tl.ones(1, 2)))
    ['hidden']
    """
    nodes = dict(return_nodes) if isinstance(return_nodes, Mapping) else {n: n for n in return_nodes or ()}
    known = dict(model.named_modules())
    for node in nodes:
        if not node or node not in known:
            raise ValueError(f"create_feature_extractor: there is no module {node!r}; see get_graph_node_names(model)")
    return _Extractor(model, nodes)
