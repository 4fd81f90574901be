"""Arguments that are one number or one per axis, by PyTorch's import path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from tinygrad_lite.engine.tensor import Tensor

# the types of sizes, which programs import for annotations from nn.common_types
for _name, _one in (("scalar_or_tuple", object), ("size", int), ("ratio", float)):
    _one_or: Any = _one
    globals().update({f"_{_name}_{n}_t": _one_or | tuple.__class_getitem__((_one,) * n) for n in range(1, 7)})
    globals()[f"_{_name}_any_t"] = _one_or | tuple.__class_getitem__((_one, ...))
_size_2_opt_t = _size_3_opt_t = _size_any_opt_t = int | tuple[int | None, ...] | None
_tensor_list_t, _maybe_indices_t = Tensor | list[Tensor], Tensor | tuple[Tensor, Tensor]


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that makes ``n`` of one number, and a tuple of several."""

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))

    parse.__name__ = name
    return parse


_single, _pair, _triple, _quadruple = (
    _ntuple(n, name) for n, name in enumerate(("_single", "_pair", "_triple", "_quadruple"), 1)
)


def _reverse_repeat_tuple(t: Any, n: int) -> tuple[Any, ...]:
    """Return the elements from the last to the first, each ``n`` times, as `pad` takes them."""
    return tuple(x for x in reversed(t) for _ in range(n))


def _list_with_default(out_size: Any, defaults: list[int]) -> Any:
    """Return ``out_size`` with the last of ``defaults`` in place of None; one number stays."""
    if isinstance(out_size, (int, float)):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    return [d if v is None else v for v, d in zip(out_size, defaults[-len(out_size) :], strict=True)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take ``prefix`` off the keys of a state dict, such as the "module." of `DataParallel`.

    >>> state = {"module.weight": 1, "bias": 2}
    >>> consume_prefix_in_state_dict_if_present(state, "module.")
    >>> state
    {'weight': 1, 'bias': 2}
    """
    metadata = getattr(state_dict, "_metadata", None)
    for known in (state_dict, metadata):
        if known is not None:
            items = list(known.items())
            known.clear()
            for key, value in items:
                known[key[len(prefix) :] if key.startswith(prefix) else key] = value
    if metadata is not None and prefix[:-1] in metadata:
        metadata[""] = metadata.pop(prefix[:-1])
