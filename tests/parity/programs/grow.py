"""A random program grows line by line; what its tensors look like is read off PyTorch's, so most lines are valid."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.parity.programs.grammar import BLOCKS, KINDS

SHAPES = [(), (), (1,), (3,), (4,), (2, 3), (2, 2), (3, 3), (2, 1), (1, 4), (2, 3, 2), (1, 2, 2), (0,), (0, 3), (2, 0)]
DTYPES = ["float64"] * 9 + ["float32"] * 5 + ["float16"] * 2 + ["int64"] * 2 + ["int32", "uint8", "bool"]
LAYOUTS = ["", "", "", "", ".transpose(0, -1)", "[..., ::2]", ".flip(0)[1:]", ".expand(2, 3)", ".mT", "[::2]"]
LEAVES = ["", "", "", ".transpose(0, -1).clone()", ".mT.clone()"]
"""Layouts of leaves: none is a view of a tensor that no variable holds, which PyTorch treats in a way of its own."""
NUMBERS = ["2", "0.5", "-1", "0", "1.5", "3", "True", "-0.25"]
BIG = 30.0
"""A tensor with a larger element is not used where it could grow without bounds."""


class Grower:
    """Draws the next line, given the variables that PyTorch has now."""

    def __init__(self, seed: int, variables: dict[str, Any], kinds: Any = KINDS) -> None:
        self.kinds = kinds
        self.rng = np.random.default_rng(seed)
        self.variables = variables
        self.leaves: list[str] = []
        self.count = 0

    def lines(self) -> Any:
        """Yield the lines of one program; each is run by the caller before the next is drawn."""
        self.wild = self.rng.random() < 0.04
        for _ in range(self.rng.integers(1, 4)):
            yield self.leaf()
        for _ in range(self.rng.integers(3, 12)):
            yield from self.step()
        yield from self.ending()

    def choose(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def tensors(self) -> list[str]:
        return [n for n, v in self.variables.items() if hasattr(v, "detach") and re.fullmatch(r"[avr]\d+", n)]

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def literal(self, shape: tuple[int, ...], dtype: str) -> str:
        n = int(np.prod(shape))
        if dtype == "bool":
            values = [bool(v) for v in self.rng.integers(0, 2, n)]
        elif dtype.startswith("float"):
            values = [float(v) / 4 for v in self.rng.integers(-8, 9, n)]
            if self.rng.random() < 0.6:
                values = [round(float(v), 2) for v in self.rng.uniform(-2, 2, n)]
            if self.wild:
                values = [self.choose([v, v, v, np.nan, np.inf, 0.0, 1e4]) for v in values]
        else:
            values = [int(v) for v in self.rng.integers(0 if dtype == "uint8" else -3, 5, n)]
        text = repr(np.array(values, object).reshape(shape).tolist())
        return re.sub(r"\b(nan|inf)\b", r'float("\1")', text)

    def leaf(self) -> str:
        shape, dtype = self.choose(SHAPES), self.choose(DTYPES)
        text = f"T.tensor({self.literal(shape, dtype)}, dtype=T.{dtype})"
        if 0 in shape:
            text = f"T.zeros({shape}, dtype=T.{dtype})"
        leaf = dtype.startswith("float") and self.rng.random() < 0.75
        layout = self.choose(LEAVES if leaf else LAYOUTS)
        if (layout == ".expand(2, 3)" and shape not in ((), (1,), (3,), (2, 1))) or len(shape) < 2:
            layout = layout if shape and layout in ("[::2]", "[..., ::2]") else ""
        text += layout
        name = self.name("a")
        if leaf:
            text += ".requires_grad_()"
            self.leaves.append(name)
        return f"{name} = {text}"

    def one(self, floating: bool = False) -> str:
        names = self.tensors()
        if floating:
            names = [n for n in names if self.variables[n].is_floating_point()] or names
        weights = np.arange(1.0, len(names) + 1)
        return names[int(self.rng.choice(len(names), p=weights / weights.sum()))]

    def fitting(self, x: str) -> str:
        shape = self.variables[x].shape
        good = [n for n in self.tensors() if fits(self.variables[n].shape, shape)]
        return self.choose(good) if good and self.rng.random() < 0.95 else self.one()

    def fill(self, template: str, x: str) -> str:
        shape = tuple(self.variables[x].shape)
        dim = int(self.rng.integers(-max(len(shape), 1), max(len(shape), 1)))
        size = shape[dim] if shape else 1
        other = (dim + 1) % max(len(shape), 1)
        holes = {
            "x": x, "f": x, "y": self.fitting(x), "n": self.choose(NUMBERS), "d": dim, "s": size,
            "e": other, "i": int(self.rng.integers(-max(size, 1), max(size, 1))),
            "z": int(np.prod(shape)),
        }  # fmt: skip
        return re.sub(r"\{([xfyndsiez])\}", lambda m: str(holes[m[1]]), template)

    def step(self) -> Any:
        names = list(self.kinds)
        weights = np.array([self.kinds[n][0] for n in names])
        kind = names[int(self.rng.choice(len(names), p=weights / weights.sum()))]
        template = self.choose(self.kinds[kind][1])
        if kind == "layer":
            yield from self.layer(template)
        elif kind == "optimiser":
            yield from self.optimiser(template)
        else:
            x = self.one(floating="{f}" in template or self.rng.random() < 0.5)
            if self.big(x) and kind not in ("view", "index"):
                template = self.choose(["{x}.tanh()", "{x} * 0.01", "{x}.sigmoid()"])
                kind = "unary"
            line = self.fill(template, x)
            if kind not in ("write", "state"):
                line = f"{self.name('v')} = {line}"
            if self.rng.random() < (0.1 if kind == "write" else 0.04):
                line = f"{self.choose(BLOCKS)}\n    {line}"
            yield line

    def big(self, x: str) -> bool:
        value = self.variables[x].detach()
        return bool(value.numel()) and not bool(value.double().abs().max() < BIG)

    def layer(self, template: str) -> Any:
        x = self.one(floating=True)
        shape = self.variables[x].shape
        side = shape[1] if len(shape) > 1 and re.search("Norm1d|Conv|GroupNorm", template) else (shape or [1])[-1]
        dtype = str(self.variables[x].dtype).removeprefix("torch.")
        if dtype not in ("float32", "float64"):
            dtype, x = "float64", f"{x}.to(T.float64)"
        m = self.name("m")
        template = template.replace("{c}", str(side)).replace("{{", "{").replace("}}", "}")
        yield f"{m} = fill({template}, T.{dtype})"
        if m not in self.variables:
            return
        if self.rng.random() < 0.3:
            yield f"{m}.eval()"
        arguments = f"{x}, {x}" if "Bilinear" in template else f"{x}, {x}, {x}" if "Multihead" in template else x
        v = self.name("v")
        yield f"{v} = {m}({arguments})"
        if v not in self.variables:
            return
        if isinstance(self.variables.get(v), tuple):
            yield f"{self.name('v')} = {v}[0]"
        if self.rng.random() < 0.3:
            yield f"seen.append(list({m}.state_dict().values()))"
        if self.rng.random() < 0.4:
            yield from self.training(f"{m}.parameters()", self.tensors()[-1])

    def optimiser(self, template: str) -> Any:
        leaves = [n for n in self.leaves if n in self.variables]
        if leaves:
            yield from self.training(f"[{', '.join(leaves)}]", self.one(floating=True), template)

    def training(self, parameters: str, v: str, template: str = "") -> Any:
        o = self.name("o")
        made = (template or self.choose(self.kinds["optimiser"][1])).replace("{p}", parameters)
        yield f"{o} = {made.replace('{{', '{').replace('}}', '}')}"
        for _ in range(self.rng.integers(1, 3) if o in self.variables else 0):
            yield f"({v} * {v}).sum().backward(retain_graph=True)"
            yield f"{o}.step()"
            if self.rng.random() < 0.6:
                yield f"{o}.zero_grad()"

    def ending(self) -> Any:
        wanted = [
            n for n in self.tensors() if self.variables[n].requires_grad and self.variables[n].is_floating_point()
        ]
        leaves = [n for n in self.leaves if n in self.variables]
        if not wanted or not leaves:
            return
        terms = " + ".join(f"({n}.to(T.float64) * {i + 1}).sum()" for i, n in enumerate(wanted))
        asked = ", ".join(leaves)
        yield f"total = {terms}"
        yield f"g1 = T.autograd.grad(total, [{asked}], create_graph=True, allow_unused=True)"
        if "g1" in self.variables and self.rng.random() < 0.7:
            yield "square = sum((g.to(T.float64) ** 2).sum() for g in g1 if g is not None) + total * 0"
            yield f"g2 = T.autograd.grad(square, [{asked}], allow_unused=True, retain_graph=True)"
        yield "total.backward()"


def fits(a: Any, b: Any) -> bool:
    return all(m == n or m == 1 or n == 1 for m, n in zip(a[::-1], b[::-1], strict=False))
