"""Call modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor


@named
def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call ``module`` with other tensors as its parameters and buffers.

    They are given by dotted name. With ``tie_weights`` a tensor that the module has under several names is replaced
    under all of them. The module is restored afterwards, also after an error; what its forward assigned to one of the
    names goes into the dictionary, if one is given. ``strict``: just its parameters and buffers must be given, else a
    RuntimeError; without it a further name is an attribute during the call.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> layer = nn.Linear(2, 1)
    >>> new = {"weight": tl.ones(1, 2), "bias": tl.zeros(1)}
    >>> tl.func.functional_call(layer, new, tl.tensor([[1.0, 2.0]])).tolist()
    [[3.0]]
    """
    dicts = [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, dict) else parameter_and_buffer_dicts
    given = {name: t for d in dicts for name, t in d.items()}
    known = dict([*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)])
    if tie_weights:
        by_tensor: dict[int, str] = {}
        for name in [n for n in given if n in known]:
            other = by_tensor.setdefault(id(known[name]), name)
            if given[other] is not given[name]:
                raise ValueError(f"functional_call: {other!r} and {name!r} are one tensor of the module, got two")
        given |= {n: given[by_tensor[id(old)]] for n, old in known.items() if id(old) in by_tensor}
    unknown = [name for name in given if name not in known]
    missing = [name for name in known if name not in given]
    if strict and (unknown or missing):
        raise RuntimeError(
            f"functional_call: unexpected names {unknown}, missing names {missing}; it has {list(known)}"
        )
    places = [(module.get_submodule(name.rpartition(".")[0]).__dict__, name.rpartition(".")[2]) for name in given]
    before = [place.get(attribute) for place, attribute in places]
    for name, old in zip(given, before, strict=True):
        if not (old is None or isinstance(old, Tensor)):
            raise TypeError(f"functional_call: {name!r} is {old!r} in the module, which is no tensor")
    try:
        for (place, attribute), t in zip(places, given.values(), strict=True):
            place[attribute] = t
        return module(*(args if isinstance(args, tuple) else () if args is None else (args,)), **(kwargs or {}))
    finally:
        after = {n: place.get(attribute) for n, (place, attribute) in zip(given, places, strict=True)}
        for name, (place, attribute), old in zip(given, places, before, strict=True):
            if old is None and name not in known:
                place.pop(attribute, None)
            else:
                place[attribute] = old
        if len(dicts) == 1 and dicts[0] is parameter_and_buffer_dicts:
            dicts[0].update({n: after[n] for n in dicts[0] if after[n] is not dicts[0][n]})


@named
def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stack the parameters and the buffers of several alike modules, for `vmap`.

    >>> import tinygrad_lite as tl
    >>> tl.func.stack_module_state([tl.nn.Linear(2, 1), tl.nn.Linear(2, 1)])[0]["weight"].shape
    (2, 1, 2)
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: expected at least one module")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: only some modules are in training mode")

    def stacked(each: list[dict[str, Any]], leaf: bool) -> dict[str, Any]:
        out = {}
        for name in each[0]:
            parts = [d[name].detach() for d in each]
            out[name] = PUBLIC["cat"]([p.reshape((1, *p.shape)) for p in parts], 0)
            if leaf and {d[name].requires_grad for d in each} == {True, False}:
                raise RuntimeError(f"stack_module_state: only some of {name} require gradients")
            out[name].requires_grad_(leaf and each[0][name].requires_grad)
        return out

    parameters = stacked([dict(m.named_parameters()) for m in models], True)
    return parameters, stacked([dict(m.named_buffers()) for m in models], False)


@named
def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let batch normalisation below ``root`` use the batch alone, without running statistics, and return ``root``.

    So that a network can run under `vmap`.

    >>> import tinygrad_lite as tl
    >>> net = tl.func.replace_all_batch_norm_modules_(tl.nn.Sequential(tl.nn.BatchNorm1d(2)))
    >>> net[0].running_mean is None
    True
    """
    for module in root.modules():
        if hasattr(module, "track_running_stats") and "BatchNorm" in type(module).__name__:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


NO_EFFECT["func.functionalize"] = "transforms take functions that write in place"


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """Return the function as it is.

    >>> import tinygrad_lite as tl
    >>> tl.func.functionalize(tl.exp)(tl.zeros(2))
    tensor([1., 1.])
    """
    return func


__all__ = ["functional_call", "functionalize", "replace_all_batch_norm_modules_", "stack_module_state"]
