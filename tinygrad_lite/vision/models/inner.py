"""The first inner modules of a network, as in ``torchvision.models._utils``."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import Module, ModuleDict


class IntermediateLayerGetter(ModuleDict):
    """Runs the children of a network in order, up to the last that is asked for, and returns a dict of results."""

    def __init__(self, model: Module, return_layers: dict[str, str]) -> None:
        children = dict(model.named_children())
        if not set(return_layers) <= set(children):
            raise ValueError("return_layers are not present in model")
        last = max(list(children).index(name) for name in return_layers)
        super().__init__(dict(list(children.items())[: last + 1]))
        self.return_layers = {str(k): str(v) for k, v in return_layers.items()}

    def forward(self, x: Any) -> dict[str, Any]:
        """Return the results."""
        out = {}
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """Return ``v`` rounded to a multiple of ``divisor``, by at most a tenth downwards."""
    low = divisor if min_value is None else min_value
    rounded = max(low, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded
