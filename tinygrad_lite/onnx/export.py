"""`export`: a model, run twice, as an ONNX file."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_lite._version import __version__
from tinygrad_lite.engine.mode import switch
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, OptionError, describe, require
from tinygrad_lite.nn.module import Module
from tinygrad_lite.onnx.capture import Event, leaves, record, replaced
from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.graph import Graph, simplified
from tinygrad_lite.onnx.modes import TrainingMode
from tinygrad_lite.onnx.program import ONNXProgram
from tinygrad_lite.onnx.rules import convert

OPSETS, OLD_OPSETS = range(18, 24), range(7, 18)
DEFAULT_OPSET = 20
"""The opset of PyTorch's exporter."""
IR_VERSION = 10
Change = Callable[[int, int], int]
STEPS: tuple[tuple[Change, Change], ...] = (
    (lambda n, i: n + 1 + 2 * i, lambda n, i: n + 3 + i),
    (lambda n, i: n * (2 + i), lambda n, i: n * (3 + 2 * i)),
    (lambda n, i: max(n - 1 - i, 1), lambda n, i: max(n - 2 - i, 1)),
)
"""Other sizes for the dynamic axis number i, and third ones: the first that the model accepts are taken."""
EXPORTING = [False]


def is_in_onnx_export() -> bool:
    """Return whether `export` is running the model now.

    >>> is_in_onnx_export()
    False
    """
    return EXPORTING[0]


def export(
    model: Any, args: Any = (), f: Any = None, *, kwargs: dict[str, Any] | None = None, verbose: bool | None = None,
    input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
    opset_version: int | None = None, dynamo: bool = True, external_data: bool = True, dynamic_shapes: Any = None,
    custom_translation_table: Any = None, report: bool = False, optimize: bool = True, verify: bool = True,
    profile: bool = False, dump_exported_program: bool = False, artifacts_dir: Any = ".", export_params: bool = True,
    keep_initializers_as_inputs: bool = False, dynamic_axes: Any = None, training: Any = None,
    operator_export_type: Any = None, do_constant_folding: bool = True, custom_opsets: Any = None,
    export_modules_as_functions: Any = False, autograd_inlining: bool = True,
) -> ONNXProgram:  # fmt: skip
    """Write a model as an ONNX file and return it as an `ONNXProgram`.

    The model is run twice, on ``args`` and on other data of other sizes along every dynamic axis; what differs
    between the runs and was not computed by ops is refused. Then the file is run on both, and its results are compared
    with the model's (``verify=False`` skips that). Modules are exported as they are in ``eval()``.

    Args:
        model: a module, or any function of tensors.
        args: the positional arguments, a tuple or one tensor. Every tensor in them is an input of the graph.
        f: a path or a binary file; None writes nothing.
        kwargs: keyword arguments of the model.
        input_names, output_names: names for the tensors in ``args``, ``kwargs`` and the result, in order.
        opset_version: 18 to 23, by default 20, as for PyTorch. The package onnx converts to older ones where it can;
            otherwise the file has 18, and a warning says so.
        dynamic_axes: ``{name: {axis: symbol}}`` or ``{name: [axes]}`` by the names of inputs.
        dynamic_shapes: the same by the argument's name or place, as ``{axis: symbol}``.
        training: ``TrainingMode.EVAL`` (the default), ``PRESERVE`` or ``TRAINING``.
        external_data: weights beyond 1 GB go to ``f + ".data"``.

    The other arguments of PyTorch's are accepted and change nothing. Raises OnnxExporterError, which names the op, the
    module and the line; MissingExtra without the package ``onnx``.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> program = export(nn.Linear(2, 3), (tl.ones(1, 2),), input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    >>> [t.name for t in program.model_proto.graph.initializer]
    ['weight', 'bias']
    """
    require("onnx", extra="onnx")
    opset = DEFAULT_OPSET if opset_version is None else opset_version
    if opset not in OPSETS and opset not in OLD_OPSETS:
        raise OptionError(f"onnx.export: opset_version must be 18 to 23, or an older one from 7 on, got {opset!r}")
    if not callable(model):
        raise ArgumentError(f"onnx.export: model must be a module or a function, got a {type(model).__name__}")
    example = Example(model, args, kwargs or {}, input_names, dynamic_axes, dynamic_shapes)
    program = ONNXProgram(_exported(model, example, output_names, opset, training, verify))
    if f is not None:
        program.save(f, external_data=None if external_data else False)
    return program


def _exported(model: Any, example: Example, output_names: Any, opset: int, training: Any, verify: bool) -> Any:
    """Return the file as a ModelProto, after the model has run in the wanted mode and was put back."""
    was = [(m, m.training) for m in model.modules()] if isinstance(model, Module) else []
    if training is not TrainingMode.PRESERVE:
        for module, _ in was:
            module.training = training is TrainingMode.TRAINING
    EXPORTING[0] = True
    try:
        runs = example.runs()
        proto = _built(model, example, runs, output_names, max(opset, OPSETS[0]))
        proto = proto if opset in OPSETS else _converted(proto, opset)
        if verify:
            _verify(proto, example, runs)
        return proto
    finally:
        EXPORTING[0] = False
        for module, mode in was:
            module.training = mode


class Example:
    """The example inputs: their names, their dynamic axes, and other inputs like them."""

    def __init__(self, model: Any, args: Any, kwargs: dict[str, Any], names: Any, axes: Any, shapes: Any) -> None:
        args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
        args = tuple(make(np.array(a)) if isinstance(a, np.ndarray) else a for a in args)
        self.model, self.structure = model, (args, kwargs)
        self.tensors = leaves(self.structure)
        if not self.tensors:
            raise ArgumentError("onnx.export: there is no tensor in args; give example inputs, as for a call")
        words = _words(model, args)
        parts = [*zip(words, args, strict=False), *kwargs.items()]
        self.names = _input_names(parts, list(names or ()))
        if len(self.names) != len(self.tensors) or len(set(self.names)) < len(self.names):
            raise OptionError(f"onnx.export: {len(self.tensors)} inputs need as many different names, got {self.names}")
        self.axes = _axes(self.names, self.tensors, axes, _by_argument(parts, self.names, shapes))
        self.symbols = list(dict.fromkeys(s for axes in self.axes for s in axes.values()))

    def other(self, step: Change, seed: int) -> list[Tensor]:
        """Return inputs with other data, and another size along every dynamic axis."""
        random, out = np.random.default_rng(seed), []
        for t, axes in zip(self.tensors, self.axes, strict=True):
            shape = [step(n, self.symbols.index(axes[i])) if i in axes else n for i, n in enumerate(t.shape)]
            # drawn with replacement: a permutation would keep counts, such as that of the positive elements
            if t.array.dtype == bool and t.ndim and t.array.size:  # whole rows: a mask may have to leave something
                first = random.integers(0, t.shape[0], shape[0])
                a = t.array[np.ix_(first, *(np.arange(m) % n for n, m in zip(t.shape[1:], shape[1:], strict=True)))]
            else:
                a = random.choice(t.array.reshape(-1), shape) if t.array.size else np.zeros(shape, t.array.dtype)
            if a.dtype.kind == "f":
                a = (a * random.uniform(0.8, 1, shape) if a.any() else random.normal(size=shape)).astype(a.dtype)
            out.append(make(a))
        return out

    def run(self, tensors: list[Tensor], seed: int | None = None) -> tuple[list[Event], list[Any], list[Tensor]]:
        """Run the model on copies of the inputs; return events, results and inputs."""
        given = [make(t.array.copy()) for t in tensors]
        args, kwargs = replaced(self.structure, iter(given))
        events, out = record(self.model, args, kwargs, seed)
        return events, leaves(out), given

    def runs(self) -> list[Any]:
        """Return the run on the example and that on other data."""
        first = self.run(self.tensors)
        error: Exception | None = None
        for step, third in STEPS if self.symbols else STEPS[:1]:
            try:
                self.second, self.third = self.other(step, 7), self.other(third, 11)
                return [first, self.run(self.second, 7)]
            except Exception as found:  # noqa: BLE001 - the model may raise anything for a size it does not accept
                error = error or found
        raise OnnxExporterError(
            "onnx.export: the model ran on the example but not on other data or other sizes of the dynamic axes; are "
            "all of these axes dynamic?"
        ) from error


def _words(model: Any, args: Any) -> list[str]:
    """Return the names of the model's positional arguments."""
    try:
        known = list(inspect.signature(model.forward if isinstance(model, Module) else model).parameters)
    except (TypeError, ValueError):
        known = []
    return [known[i] if i < len(known) else f"input_{i}" for i in range(len(args))]


def _input_names(parts: list[Any], given: list[str]) -> list[str]:
    """Return a name for each tensor: the given ones first, then those of the arguments."""
    names: list[str] = []
    for word, value in parts:
        found = leaves(value)
        names += [word] if found and isinstance(value, Tensor) else [f"{word}_{i}" for i in range(len(found))]
    return [*given, *names[len(given) :]]


def _by_argument(parts: list[Any], names: list[str], shapes: Any) -> dict[str, Any]:
    """Return ``dynamic_shapes`` by the names of inputs."""
    if not shapes:
        return {}
    if not isinstance(shapes, Mapping):
        shapes = {word: s for (word, _), s in zip(parts, shapes, strict=False)}
    wrong = set(shapes) - {word for word, _ in parts}
    if wrong:
        raise OptionError(f"onnx.export: dynamic_shapes names {min(wrong)!r}, but the arguments are "
                          f"{', '.join(word for word, _ in parts)}")  # fmt: skip
    out: dict[str, Any] = {}
    rest = iter(names)
    for word, value in parts:
        mine, of = list(itertools.islice(rest, len(leaves(value)))), shapes.get(word)
        single = isinstance(value, Tensor)
        per = [of] if single else list(of.values()) if isinstance(of, Mapping) else list(of or [None] * len(mine))
        out.update(zip(mine, per, strict=False))
    return out


def _axes(names: list[str], tensors: list[Tensor], axes: Any, shapes: dict[str, Any]) -> list[dict[int, str]]:
    """Return the dynamic axes of each input with their symbols."""
    unknown = [n for n in axes or {} if n not in names]
    given = {n: a for n, a in (axes or {}).items() if n in names} or shapes
    if unknown and not given:
        raise OptionError(f"onnx.export: dynamic_axes names {unknown[0]!r}, but the inputs are {', '.join(names)}")
    out = []
    for name, t in zip(names, tensors, strict=True):
        of = given.get(name) or {}
        if not isinstance(of, Mapping):
            whole = isinstance(of, (list, tuple)) and not all(isinstance(a, int) for a in of)
            of = dict(enumerate(of)) if whole else dict.fromkeys(of, True)
        found = {}
        for axis, symbol in of.items():
            if not isinstance(axis, int) or not -t.ndim <= axis < t.ndim:
                raise OptionError(f"onnx.export: axis {axis!r} of input {name!r} does not exist; its shape is "
                                  f"{tuple(t.shape)}")  # fmt: skip
            if symbol is None or type(symbol) is int:
                continue
            word = symbol if isinstance(symbol, str) else getattr(symbol, "__name__", None)
            found[axis % t.ndim] = word or f"{name}_dim_{axis % t.ndim}"
        out.append(found)
    return out


def _built(model: Any, example: Example, runs: Any, output_names: Any, opset: int) -> Any:
    """Return the file as a ModelProto."""
    (events, out, given), (events_2, out_2, given_2) = runs
    g = Graph(opset, _names_of(model))
    for name in example.names:
        g.taken[name] = 0
    helper = g.library.helper
    inputs = []
    for name, axes, a, b in zip(example.names, example.axes, given, given_2, strict=True):
        g.put(a, b, name)
        g.follows.add(name)
        shape = [axes.get(i, n) for i, n in enumerate(a.shape)]
        inputs.append(helper.make_tensor_value_info(name, g.type_of(a.array.dtype), shape))
    _replay(g, events, events_2)
    if not out or len(out) != len(out_2):
        raise OnnxExporterError("onnx.export: the model returns no tensors, or not always as many")
    names = [*(output_names or ())]
    names += [g.fresh("output") for _ in out[len(names) :]]
    for name in names:
        if name in example.names:
            raise OptionError(f"onnx.export: {name!r} is the name of an input and of an output")
    outputs = []
    for name, a, b in zip(names, out, out_2, strict=True):
        g.module = ""
        g.node("Identity", [g.value(a, b)], outputs=[name])
        shape = _symbolic(g, example, given, given_2, a.shape, b.shape, name)
        outputs.append(helper.make_tensor_value_info(name, g.type_of(a.array.dtype), shape))
    nodes = simplified(g.used(names), names)
    graph = helper.make_graph(nodes, type(model).__name__, inputs, outputs, list(g.initializers.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION,
                             producer_name="tinygrad_lite", producer_version=__version__)  # fmt: skip


def _converted(proto: Any, opset: int) -> Any:
    """Return the file in an older opset, if the converter of the package onnx can do that."""
    from onnx import version_converter

    try:
        return version_converter.convert_version(proto, opset)
    except Exception as error:  # noqa: BLE001 - of a C++ library
        why = str(error).rpartition("failed: ")[2]
        warn(
            f"onnx.export: the file has opset 18; it could not be converted to the older opset_version={opset} ({why})"
        )
        return proto


def _symbolic(g: Graph, example: Example, given: Any, given_2: Any, shape: Any, other: Any, name: str) -> list[Any]:
    """Return the shape of an output with the symbols of the inputs, or new ones."""
    known = {(a.shape[i], b.shape[i]): symbol
             for a, b, axes in zip(given[::-1], given_2[::-1], example.axes[::-1], strict=True)
             for i, symbol in axes.items()}  # fmt: skip
    return [p if p == q else known.get((p, q), f"{name}_dim_{i}")
            for i, (p, q) in enumerate(zip(shape, other, strict=True))]  # fmt: skip


def _names_of(model: Any) -> dict[int, str]:
    """Return the names of parameters and buffers by the ids of tensors and arrays."""
    if not isinstance(model, Module):
        return {}
    return {id(x): name for name, t in [*model.named_parameters(), *model.named_buffers()] for x in (t, t.array)}


def _read(g: Graph, event: Event) -> None:
    """Refuse to go on with a number that follows from the input: what the program does with it is not seen."""
    if g.known[0].get(id(event.args[0])) in g.follows:
        raise OnnxExporterError(
            f"onnx.export: a number is read out of a computed tensor; in the file it would be frozen, and with it any "
            f"branch that depends on it. Compute with tensors instead: where(condition, a, b){event.where()}"
        )


def _replay(g: Graph, first: list[Event], second: list[Event]) -> None:
    """Add every event of the two runs to the graph."""
    for a, b in zip(first, second, strict=False):
        if a.name != b.name or len(a.outs) != len(b.outs):
            raise OnnxExporterError(
                f"onnx.export: the ops of the model depend on its data or on a dynamic size: {a.name} in one run, "
                f"{b.name} in another{a.where()}"
            )
        if a.name == "made":
            g.made[id(a.outs[0])] = a.args[0], b.args[0]
            continue
        g.module = a.module
        if a.name == "read":
            _read(g, a)
            continue
        try:
            with switch(observers=()):
                convert(g, a, b)
        except OnnxExporterError as error:  # an error only if the result is used
            name = g.fresh("refused")
            g.refused[name] = type(error)(f"onnx.export: {error}{a.where()}")
            for x, y in zip(a.outs, b.outs, strict=True):
                g.put(x, y, name)
    if len(first) != len(second):
        more = max(first, second, key=len)[min(len(first), len(second))]
        raise OnnxExporterError(
            f"onnx.export: the number of ops depends on the data or on a dynamic size: {more.name} runs in one run "
            f"and not in another{more.where()}"
        )


def _verify(proto: Any, example: Example, runs: Any) -> None:
    """Run the file on the inputs of both runs and on a third size, and compare its results with the model's."""
    from tinygrad_lite.onnx.module import OnnxModule

    loaded = OnnxModule(proto)
    known = [(out, inputs) for (_, out, _), inputs in zip(runs, (example.tensors, example.second), strict=True)]
    with suppress(Exception):  # the model need not accept every size
        known.append((example.run(example.third, 11)[1], example.third))
    for out, inputs in known:
        with switch(grad=False, observers=()), np.errstate(all="ignore"):
            found = leaves(loaded(*inputs))
        for output, a, b in zip(proto.graph.output, found, out, strict=True):
            _close(output.name, a.array, b.array)


def _close(found: Any, a: Any, b: Any) -> None:
    """Raise unless a result of the file is the model's, up to rounding."""
    if a.dtype == b.dtype and a.shape == b.shape:
        if a.dtype.kind != "f" and np.array_equal(a, b):
            return
        if a.dtype.kind == "f":
            scale = np.abs(b[np.isfinite(b)]).max(initial=1.0)
            if np.allclose(a, b, rtol=1e-3, atol=1e-4 * scale, equal_nan=True):
                return
    raise OnnxExporterError(
        f"onnx.export: run again, the exported graph gives {describe(a)} for the output '{found}' where the model gave "
        f"{describe(b)} with other numbers. The model computes something outside of ops (NumPy, Python numbers, "
        f"random draws, a write to memory that two tensors share); verify=False writes the file all the same"
    )
