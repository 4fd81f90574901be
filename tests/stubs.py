"""What type checkers cannot see: `methods.pyi`, `functional.pyi` and `__init__.pyi`, written from the registry.

Ops and compositions become methods of Tensor and names of the package when they are declared, so no checker finds
them in the source. ``python -m tests.stubs`` writes the stubs anew, ``--check`` only says whether they
are fresh (exit status 1 if not).
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HEADER = '''# fmt: off
# ruff: noqa
# Written by `python -m tests.stubs`; do not edit, run that after adding an op or a function.
"""{what}"""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

'''
BUILTIN = re.compile(r"(?<![\w.])(int|float|bool|complex|str|type|tuple|list|dict|object|slice)\b")
ALIASES = {"dim": "axis", "keepdim": "keepdims"}
BINARY = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift".split()


def type_text(annotation: Any, result: bool = False) -> str:
    """Return an annotation as the stub spells it: builtins by their full name, Array as what it may be."""
    if annotation in (inspect.Parameter.empty, "Any"):
        return "Any"
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = BUILTIN.sub(r"builtins.\1", text)
    return re.sub(r"\b(Array|Dim)\b", lambda m: "Any" if m[1] == "Dim" else "Tensor" if result else "TensorLike", text)


def parameter_text(p: inspect.Parameter, loose: bool) -> str:
    """Return one parameter as the stub spells it."""
    star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
    text = type_text(p.annotation)
    if p.default is None and text not in ("Any", "None") and "None" not in text:
        text += " | None"
    given = not star and (loose or p.default is not p.empty)
    return f"{star}{p.name}: {text}" + (" = ..." if given else "")


def signature_text(function: Callable[..., Any], method: bool) -> str:
    """Return ``(self, ...) -> Tensor``; NumPy's ``axis`` and ``keepdims`` stand beside ``dim`` and ``keepdim``."""
    signature = inspect.signature(function)
    given = list(signature.parameters.values())
    out, named = (["self"] if method else []), False
    rest = given[1:] if method else given
    names = {p.name for p in given}
    loose = False
    for p in rest:
        named = named or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        if p.kind is p.KEYWORD_ONLY and not any(o.startswith("*") for o in out):
            out.append("*")
        loose = loose or p.name in ALIASES or p.default is not p.empty
        out.append(parameter_text(p, loose))
    extra = [n for ours, n in ALIASES.items() if ours in names and n not in names]
    if extra and not any(o.startswith("**") for o in out):
        out += ([] if named else ["*"]) + [f"{n}: Any = ..." for n in extra]
    return f"({', '.join(out)}) -> {type_text(signature.return_annotation, result=True)}"


def classes_of(functions: Sequence[Callable[..., Any]]) -> Iterator[str]:
    """Yield an import line for each of the package's classes that a signature names."""
    seen: set[str] = set()
    for f in functions:
        inner = inspect.unwrap(f)
        signature = inspect.signature(inner)
        for a in (signature.return_annotation, *(p.annotation for p in signature.parameters.values())):
            for word in re.findall(r"[A-Za-z_]\w*", a if isinstance(a, str) else ""):
                found = getattr(inner, "__globals__", {}).get(word)
                if inspect.isclass(found) and found.__module__.startswith("tinygrad_lite.") and word != "Tensor":
                    seen.add(f"from {found.__module__} import {word} as {word}")
    yield from sorted(seen)


def operator_text(name: str, function: Any) -> str:
    """Return the line of one of Python's operators."""
    word = name.strip("_")
    if word in ("eq", "ne"):
        return f"    def {name}(self, other: object) -> Tensor: ...  # type: ignore[override]"
    if word == "hash":
        return "    def __hash__(self) -> builtins.int: ..."
    if word in ("divmod", "rdivmod"):
        return f"    def {name}(self, other: TensorLike) -> tuple[Tensor, Tensor]: ..."
    if word.removeprefix("r").removeprefix("i") in BINARY or word in BINARY or word in ("lt", "le", "gt", "ge"):
        return f"    def {name}(self, other: TensorLike) -> Tensor: ..."
    if word == "getitem":
        return f"    def {name}(self, index: Any) -> Tensor: ..."
    if word == "setitem":
        return f"    def {name}(self, index: Any, value: TensorLike) -> None: ..."
    return f"    def {name}{signature_text(function, True)}: ..."


def methods_stub() -> str:
    """Return the text of `methods.pyi`."""
    from tinygrad_lite.engine.methods import Methods
    from tinygrad_lite.engine.tensor import Tensor

    hung = {n: f for n, f in vars(Methods).items() if n not in vars(Tensor) and n not in SKIPPED}
    lines: list[str] = []
    for name, f in sorted(hung.items(), key=lambda item: (item[0].startswith("__"), item[0])):
        if isinstance(f, property):
            said = getattr(f.fget, "__annotations__", {}).get("return", "Any")
            kind = "builtins.bool" if name.startswith("is_") else "Tensor" if said == "Any" else type_text(said, True)
            lines += ["    @property", f"    def {name}(self) -> {kind}: ..."]
        elif name.startswith("__") and name.endswith("__"):
            lines.append(operator_text(name, f))
        elif callable(f):
            lines.append(f"    def {name}{signature_text(f, True)}: ...")
    lines.append("    def __hash__(self) -> builtins.int: ...")
    functions = [f for f in hung.values() if inspect.isfunction(f)]
    imports = ["from tinygrad_lite.engine.tensor import Tensor", *classes_of(functions)]
    alias = "TensorLike = Tensor | npt.NDArray[Any] | np.number[Any] | np.bool_ | builtins.float | Sequence[Any]"
    what = "The methods of a Tensor, as type checkers see them."
    return HEADER.format(what=what) + "\n".join([*imports, "", alias, "", "class Methods:", *lines, ""])


SKIPPED = {"__module__", "__doc__", "__slots__", "__dict__", "__weakref__", "__firstlineno__", "__static_attributes__"}


def package_stub() -> str:
    """Return the text of `__init__.pyi`."""
    import tinygrad_lite
    from tinygrad_lite.engine.dtype import DType
    from tinygrad_lite.engine.op import PUBLIC

    known_rooms: tuple[str, ...] = (*vars(tinygrad_lite)["_ROOMS"], "random")
    imports: set[str] = set()
    lines: list[str] = []
    own = {n: v for n, v in vars(tinygrad_lite).items() if not n.startswith("_") and n not in ("annotations", "Any")}
    for name, value in sorted(own.items()):
        home = getattr(value, "__module__", None)
        if inspect.ismodule(value) or name in known_rooms:
            continue
        if isinstance(home, str) and home == "tinygrad_lite" and inspect.isfunction(value):
            text = f"def {name}{signature_text(value, False)}: ..."
            lines.append(text.replace("tinygrad_lite.engine.dtype.DType", "dtype"))
        elif isinstance(home, str) and home.startswith("tinygrad_lite.") and callable(value):
            imports.add(f"from {home} import {value.__name__} as {name}")
        elif hasattr(sys.modules.get(type(value).__module__), name) and type(value).__module__.startswith(
            "tinygrad_lite"
        ):
            imports.add(f"from {type(value).__module__} import {name} as {name}")
        elif home == "numpy" and inspect.isclass(value):
            imports.add(f"from numpy import {name} as {name}")
        elif isinstance(value, DType):
            lines.append(f"{name}: dtype")
        elif name == "OPS":
            imports.add("from tinygrad_lite.engine.op import OPS as OPS")
        else:
            lines.append(f"{name}: {'Any' if value is None else 'builtins.' + type(value).__name__}")
    imports.update(f"from {f.__module__} import {n} as {n}" for n, f in PUBLIC.items() if inspect.isclass(f))
    functions = {n: f for n, f in PUBLIC.items() if n not in own and not inspect.isclass(f)}
    imports.update(classes_of(list(functions.values())))
    rooms = [f"from tinygrad_lite import {r} as {r}" for r in known_rooms if find_spec(f"tinygrad_lite.{r}")]
    known = vars(tinygrad_lite)
    lazy: dict[str, str] = known.get("_FROM", {}) | known.get("_UNLISTED", {})
    rooms += [
        f"from tinygrad_lite.{room} import {n} as {n}" for n, room in lazy.items() if find_spec(f"tinygrad_lite.{room}")
    ]
    lines += [f"def {name}{signature_text(f, False)}: ..." for name, f in sorted(functions.items())]
    what = "The public names of the package, as type checkers see them."
    head = ["from tinygrad_lite.engine.methods import TensorLike as TensorLike", *sorted(imports), *rooms]
    return HEADER.format(what=what) + "\n".join([*head, "", "__version__: builtins.str", *lines, ""])


def functional_stub() -> str:
    """Return the text of `functional.pyi`: what `nn.functional` has from the registry."""
    from tinygrad_lite.engine import functional

    imports, lines = {"from tinygrad_lite.engine.methods import TensorLike"}, []
    functions = {n: f for n, f in vars(functional).items() if callable(f) and not n.startswith("_")}
    for name, f in sorted(functions.items()):
        home = f.__module__
        if getattr(sys.modules[home], name, None) is f:  # checkers find it there, with its types
            imports.add(f"from {home} import {name} as {name}")
        else:
            lines.append(f"def {name}{signature_text(f, False)}: ...")
    imports.update(classes_of([f for n, f in functions.items() if f"import {n} as" not in str(imports)]))
    what = "The functions of nn.functional that follow from declarations, as type checkers see them."
    head = ["from tinygrad_lite.engine.tensor import Tensor", *sorted(imports)]
    return HEADER.format(what=what) + "\n".join([*head, "", *lines, ""])


def stubs() -> dict[Path, str]:
    """Return the text of each stub by its path."""
    here = Path(__file__).parents[1] / "tinygrad_lite"
    return {
        here / "engine" / "methods.pyi": methods_stub(),
        here / "engine" / "functional.pyi": functional_stub(),
        here / "__init__.pyi": package_stub(),
    }


def main(argv: list[str]) -> int:
    """Write the stubs, or with ``--check`` say which are stale."""
    stale = {path: text for path, text in stubs().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if "--check" in argv:
            print(f"{path.name} is stale; run python -m tests.stubs")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.name}")
    return int("--check" in argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
