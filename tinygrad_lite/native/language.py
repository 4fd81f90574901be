"""A small language for native loops: kernels are Python functions that write LLVM text.

::

    @kernel("f* f*")
    def double(k, lo, hi, x, y):
        with k.loop(lo, hi) as i:
            y[i] = x[i] * 2.0

A kernel works on the rows ``lo`` to ``hi`` of its arguments, so that several threads can share the rows. The types of
the other arguments are ``f*`` (a float32 array), ``d*`` (float64), ``b*`` (bool), ``i*`` (int32), ``n*`` (int64),
``f``, ``d``, ``n`` (a 64-bit integer) and ``p`` (an address). Arrays are contiguous and do not overlap. Values are
immutable; a variable (`Kernel.var`) is a stack slot, which LLVM turns into a register. Only sums written with `Var.add`
may be reordered, so that they are vectorised; no other operation is less exact than IEEE 754 asks, and NaN and infinity
are carried.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

WIDTH = 16
"""Numbers in a vector, of type ``v``."""
TYPES = {"f": "float", "d": "double", "n": "i64", "i": "i32", "b": "i1", "p": "ptr", "v": f"<{WIDTH} x float>"}
ELEMENTS = {"f*": ("f", 4), "d*": ("d", 8), "b*": ("b", 1), "i*": ("i", 4), "n*": ("n", 8)}
SUFFIXES = {"f": "f32", "d": "f64", "v": f"v{WIDTH}f32"}
SUM = "reassoc nsz contract "
LOOPS = """!0 = distinct !{!0, !1, !2}
!1 = !{!"llvm.loop.vectorize.enable", i1 false}
!2 = !{!"llvm.loop.unroll.disable"}
!3 = distinct !{!3, !4}
!4 = !{!"llvm.loop.parallel_accesses", !5}
!5 = distinct !{}
"""
WIDEST = '"prefer-vector-width"="512" '
"""LLVM uses half of the width of AVX-512 otherwise."""
APART = ", !llvm.access.group !5"
KERNELS: dict[str, Kernel] = {}
"""Every kernel by name."""
LIBRARY = {"fmuladd": "fff", "fabs": "f", "sqrt": "f", "copysign": "ff"}
"""LLVM's intrinsic functions that kernels may call, with the types of their arguments."""


class Value:
    """One number, or one array, in the program of a kernel."""

    __slots__ = ("k", "name", "type")

    def __init__(self, k: Kernel, name: str, type: str) -> None:
        self.k, self.name, self.type = k, name, type

    def _binary(self, other: Any, real: str, whole: str, turned: bool = False) -> Value:
        other = self.k.lift(other, self.type)
        a, b = (other, self) if turned else (self, other)
        word = f"{real} contract" if self.type in "fdv" else whole
        return self.k.put(f"{word} {TYPES[self.type]} {a.name}, {b.name}", self.type)

    def __add__(self, other: Any) -> Value:
        return self._binary(other, "fadd", "add")

    def __sub__(self, other: Any) -> Value:
        return self._binary(other, "fsub", "sub")

    def __mul__(self, other: Any) -> Value:
        return self._binary(other, "fmul", "mul")

    def __truediv__(self, other: Any) -> Value:
        return self._binary(other, "fdiv", "sdiv")

    def __radd__(self, other: Any) -> Value:
        return self._binary(other, "fadd", "add", True)

    def __rsub__(self, other: Any) -> Value:
        return self._binary(other, "fsub", "sub", True)

    def __rmul__(self, other: Any) -> Value:
        return self._binary(other, "fmul", "mul", True)

    def __rtruediv__(self, other: Any) -> Value:
        return self._binary(other, "fdiv", "sdiv", True)

    __floordiv__ = __truediv__
    """Of integers: rounded towards zero."""

    def __mod__(self, other: Any) -> Value:
        return self._binary(other, "frem", "srem")

    def __and__(self, other: Any) -> Value:
        return self._binary(other, "", "and")

    def __or__(self, other: Any) -> Value:
        return self._binary(other, "", "or")

    def __xor__(self, other: Any) -> Value:
        return self._binary(other, "", "xor")

    def __lshift__(self, other: Any) -> Value:
        return self._binary(other, "", "shl")

    def __rshift__(self, other: Any) -> Value:
        return self._binary(other, "", "ashr")

    def __neg__(self) -> Value:
        return self.k.put(f"fneg {TYPES[self.type]} {self.name}", self.type) if self.type in "fd" else 0 - self

    def __invert__(self) -> Value:
        return self ^ 1 if self.type == "b" else self ^ -1

    def _compare(self, other: Any, real: str, whole: str) -> Value:
        word = f"fcmp {real}" if self.type in "fd" else f"icmp {whole}"
        return self.k.put(f"{word} {TYPES[self.type]} {self.name}, {self.k.lift(other, self.type).name}", "b")

    def __lt__(self, other: Any) -> Value:
        return self._compare(other, "olt", "slt")

    def __le__(self, other: Any) -> Value:
        return self._compare(other, "ole", "sle")

    def __gt__(self, other: Any) -> Value:
        return self._compare(other, "ogt", "sgt")

    def __ge__(self, other: Any) -> Value:
        return self._compare(other, "oge", "sge")

    def same(self, other: Any) -> Value:
        """Return whether both are equal."""
        return self._compare(other, "oeq", "eq")

    def is_nan(self) -> Value:
        """Return whether the number is NaN."""
        return self.k.put(f"fcmp uno {TYPES[self.type]} {self.name}, 0.0", "b")

    def to(self, type: str) -> Value:
        """Return the number in another type."""
        if type == self.type:
            return self
        words = {"nf": "sitofp", "nd": "sitofp", "fd": "fpext", "df": "fptrunc", "if": "sitofp", "ni": "trunc",
                 "in": "sext", "bf": "uitofp", "bd": "uitofp", "bn": "zext", "id": "sitofp"}  # fmt: skip
        return self.k.put(f"{words[self.type + type]} {TYPES[self.type]} {self.name} to {TYPES[type]}", type)

    def bits(self) -> Value:
        """Return the bits of a float32 as an integer, or the float32 that has these bits."""
        other = "i" if self.type == "f" else "f"
        return self.k.put(f"bitcast {TYPES[self.type]} {self.name} to {TYPES[other]}", other)

    def at(self, index: Any) -> Value:
        """Return the array that begins at element ``index``."""
        size = ELEMENTS[self.type][1]
        element = {1: "i8", 4: "float", 8: "i64"}[size]
        index = self.k.lift(index, "n")
        return self.k.put(f"getelementptr {element}, ptr {self.name}, i64 {index.name}", self.type)

    def __getitem__(self, index: Any) -> Value:
        type, place = ELEMENTS[self.type][0], self.at(index).name
        if type == "b":
            byte = self.k.put(f"load i8, ptr {place}", "c").name
            return self.k.put(f"icmp ne i8 {byte}, 0", "b")
        return self.k.put(f"load {TYPES[type]}, ptr {place}, align 1{self.k.apart}", type)

    def vector(self, index: Any) -> Value:
        """Return the vector that begins at element ``index``."""
        return self.k.put(f"load {TYPES['v']}, ptr {self.at(index).name}, align 4", "v")

    def put_vector(self, index: Any, value: Any) -> None:
        """Write a vector from element ``index`` on."""
        self.k.line(f"store {TYPES['v']} {self.k.lift(value, 'v').name}, ptr {self.at(index).name}, align 4")

    def part(self, index: Any, mask: Value) -> Value:
        """Return the vector that begins at element ``index``, zeros where the mask is off: that is not read."""
        word = TYPES["v"]
        return self.k.put(
            f"call {word} @llvm.masked.load.v{WIDTH}f32.p0(ptr {self.at(index).name}, i32 4, "
            f"<{WIDTH} x i1> {mask.name}, {word} zeroinitializer)", "v",
        )  # fmt: skip

    def put_part(self, index: Any, value: Value, mask: Value) -> None:
        """Write those elements of a vector for which the mask is on."""
        self.k.line(
            f"call void @llvm.masked.store.v{WIDTH}f32.p0({TYPES['v']} {value.name}, ptr {self.at(index).name}, i32 4, "
            f"<{WIDTH} x i1> {mask.name})"
        )

    def spread(self) -> Value:
        """Return a vector of this number."""
        one = self.k.put(f"insertelement {TYPES['v']} poison, float {self.name}, i64 0", "v").name
        zeros = f"<{WIDTH} x i32> zeroinitializer"
        return self.k.put(f"shufflevector {TYPES['v']} {one}, {TYPES['v']} poison, {zeros}", "v")

    def total(self) -> Value:
        """Return the sum of a vector."""
        return self.k.put(
            f"call reassoc float @llvm.vector.reduce.fadd.v{WIDTH}f32(float -0.0, {TYPES['v']} {self.name})", "f"
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        type = ELEMENTS[self.type][0]
        value = self.k.lift(value, type)
        self.k.line(f"store {TYPES[type]} {value.name}, ptr {self.at(index).name}, align 1{self.k.apart}")


class Var:
    """A variable: `set`, `get`, and `add` for sums whose order does not matter."""

    def __init__(self, k: Kernel, value: Any, type: str) -> None:
        self.k, self.type, self.slot = k, type, k.fresh()
        k.head.append(f"  {self.slot} = alloca {TYPES[type]}")
        self.set(value)

    def set(self, value: Any) -> None:
        """Replace the value."""
        self.k.line(f"store {TYPES[self.type]} {self.k.lift(value, self.type).name}, ptr {self.slot}")

    def get(self) -> Value:
        """Return the value."""
        return self.k.put(f"load {TYPES[self.type]}, ptr {self.slot}", self.type)

    def add(self, value: Any) -> None:
        """Add to the value, in an order that the compiler may choose."""
        value, now, word = self.k.lift(value, self.type), self.get(), TYPES[self.type]
        self.set(self.k.put(f"fadd {SUM}{word} {now.name}, {value.name}", self.type))


class Kernel:
    """One kernel: its name, the types of its arguments, and its LLVM text."""

    apart = ""
    """What marks reads and writes in the loop that is being written."""

    def __init__(self, name: str, types: str, body: Callable[..., None]) -> None:
        self.name, self.types, self.body = name, types.split(), body
        self.run: Callable[..., None] | None = None
        """The machine code, once it is loaded."""
        self.packed = 0
        """The address of the same function with the other arguments in memory, 8 bytes for each."""
        self.form = "=" + "".join({"f": "f4x", "d": "d"}.get(t, "q") for t in self.types)
        """How `struct` packs them."""

    def text(self) -> str:
        """Return the LLVM module of this kernel."""
        self.lines: list[str] = []
        self.head: list[str] = []
        self.count = itertools.count()
        names = [f"%a{i}" for i in range(len(self.types))]
        self.body(self, Value(self, "%lo", "n"), Value(self, "%hi", "n"), *map(Value, [self] * 99, names, self.types))
        # distinct arrays: LLVM may then keep elements in registers
        kinds = ["ptr noalias" if t[-1] == "*" else TYPES[t] for t in self.types]
        signature = ", ".join(["i64 %lo", "i64 %hi", *(f"{t} {n}" for t, n in zip(kinds, names, strict=True))])
        declared = "".join(
            f"declare {TYPES[t]} @llvm.{name}.{suffix}({', '.join([TYPES[t]] * len(arguments))})\n"
            for name, arguments in LIBRARY.items()
            for t, suffix in SUFFIXES.items()
        )
        mask = f"<{WIDTH} x i1>"
        declared += (
            f"declare {TYPES['v']} @llvm.masked.load.v{WIDTH}f32.p0(ptr, i32, {mask}, {TYPES['v']})\n"
            f"declare void @llvm.masked.store.v{WIDTH}f32.p0({TYPES['v']}, ptr, i32, {mask})\n"
        )
        declared += f"declare float @llvm.vector.reduce.fadd.v{WIDTH}f32(float, {TYPES['v']})\n"
        body = "\n".join([*self.head, *self.lines])
        function = f"define void @{self.name}({signature}) {WIDEST}{{\nentry:\n{body}\n  ret void\n}}\n"
        return f"{declared}{function}{self._unpacking(kinds)}{LOOPS}"

    def _unpacking(self, kinds: list[str]) -> str:
        """Return the function that reads its arguments from memory."""
        lines = [f"define void @{self.name}_packed(i64 %lo, i64 %hi, ptr %at) {{"]
        for i, t in enumerate(self.types):
            lines.append(f"  %p{i} = getelementptr i64, ptr %at, i64 {i}")
            lines.append(f"  %a{i} = load {'ptr' if t[-1] == '*' else TYPES[t]}, ptr %p{i}")
        given = ", ".join(["i64 %lo", "i64 %hi", *(f"{kind} %a{i}" for i, kind in enumerate(kinds))])
        return "\n".join([*lines, f"  call void @{self.name}({given}) noinline", "  ret void", "}\n"])

    # -------------------------------------------------------------------------------- writing
    def fresh(self) -> str:
        """Return an unused name."""
        return f"%t{next(self.count)}"

    def line(self, text: str) -> None:
        """Write one instruction without a result."""
        self.lines.append(f"  {text}")

    def put(self, text: str, type: str) -> Value:
        """Write one instruction and return its result."""
        name = self.fresh()
        self.line(f"{name} = {text}")
        return Value(self, name, type)

    def lift(self, value: Any, type: str) -> Value:
        """Return a Python number, a variable or a value as a value of this type."""
        if isinstance(value, Var):
            return value.get()
        if isinstance(value, Value):
            return value
        if type == "v":
            return self.lift(value, "f").spread()
        if type in "fd":
            number = struct.unpack("<f", struct.pack("<f", value))[0] if type == "f" else float(value)
            return Value(self, "0x" + struct.pack(">d", number).hex().upper(), type)
        return Value(self, str(int(value)), type)

    def var(self, value: Any, type: str = "f") -> Var:
        """Return a new variable."""
        return Var(self, value, type)

    @contextmanager
    def loop(
        self, start: Any, stop: Any, step: Any = 1, few: bool = False, apart: bool = False
    ) -> Iterator[Value]:  # fmt: skip
        """Repeat the block for each index from ``start`` to ``stop``.

        ``few``: not worth a version with vectors. ``apart``: no turn reads or writes a number that another one writes,
        which the compiler cannot see where many parts of one array are written.
        """
        start, stop, step = (self.lift(v, "n") for v in (start, stop, step))
        n, index = next(self.count), self.var(start, "n")
        for text in (f"  br label %head{n}", f"head{n}:"):
            self.lines.append(text)
        i = index.get()
        self.line(f"br i1 {(i < stop).name}, label %body{n}, label %end{n}")
        self.lines.append(f"body{n}:")
        self.apart = APART if apart else ""
        yield i
        self.apart = ""
        index.set(self.put(f"add nsw i64 {i.name}, {step.name}", "n"))
        self.line(f"br label %head{n}{', !llvm.loop !0' if few else ', !llvm.loop !3' if apart else ''}")
        self.lines.append(f"end{n}:")

    # -------------------------------------------------------------------------------- functions
    def call(self, name: str, *values: Any) -> Value:
        """Return the result of a function in `LIBRARY`."""
        type = next((v.type for v in values if isinstance(v, Value)), "f")
        words = ", ".join(f"{TYPES[type]} {self.lift(v, type).name}" for v in values)
        return self.put(f"call {TYPES[type]} @llvm.{name}.{SUFFIXES[type]}({words})", type)

    def fma(self, a: Any, b: Any, c: Any) -> Value:
        """Return ``a * b + c``, rounded once where the processor can."""
        return self.call("fmuladd", a, b, c)

    def select(self, condition: Value, a: Any, b: Any) -> Value:
        """Return ``a`` where the condition holds, else ``b``."""
        type = next((v.type for v in (a, b) if isinstance(v, Value)), "f")
        a, b, word = self.lift(a, type), self.lift(b, type), TYPES.get(type, "ptr")
        return self.put(f"select i1 {condition.name}, {word} {a.name}, {word} {b.name}", type)

    def least(self, a: Value, b: Any) -> Value:
        """Return the smaller number; ``a`` if it is NaN."""
        return self.select(a > b, b, a)

    def most(self, a: Value, b: Any) -> Value:
        """Return the larger number; ``a`` if it is NaN."""
        return self.select(a < b, b, a)

    def first(self, count: Value) -> Value:
        """Return the mask that is on for the first ``count`` elements of a vector."""
        word, lanes = f"<{WIDTH} x i32>", ", ".join(f"i32 {i}" for i in range(WIDTH))
        one = self.put(f"insertelement {word} poison, i32 {count.to('i').name}, i64 0", "v").name
        every = self.put(f"shufflevector {word} {one}, {word} poison, {word} zeroinitializer", "v").name
        return self.put(f"icmp slt {word} <{lanes}>, {every}", "v")

    def transposed(self, rows: list[Value]) -> list[Value]:
        """Return the columns of a block of `WIDTH` vectors as vectors."""
        vectors, word = list(rows), TYPES["v"]
        for half in (WIDTH >> n for n in range(1, WIDTH.bit_length())):  # blocks off the diagonal change places
            for i in (i for i in range(WIDTH) if not i & half):
                a, b, turned = vectors[i], vectors[i | half], []
                for first in (0, half):
                    lanes = [first ^ j if not j & half else WIDTH + (first | j ^ half) for j in range(WIDTH)]
                    mask = ", ".join(f"i32 {j}" for j in lanes)
                    text = f"shufflevector {word} {a.name}, {word} {b.name}, <{WIDTH} x i32> <{mask}>"
                    turned.append(self.put(text, "v"))
                vectors[i], vectors[i | half] = turned
        return vectors

    def polynomial(self, x: Value, *coefficients: float) -> Value:
        """Return the polynomial with these coefficients, the highest power first."""
        total = self.lift(coefficients[0], x.type)
        for c in coefficients[1:]:
            total = self.fma(total, x, self.lift(c, x.type))
        return total

    def gemm(self, blas: Value, turned: tuple[Any, Any], sizes: Any, a: Any, b: Any, c: Any, keep: float) -> None:
        """Write ``c = a @ b + keep * c`` as a call of ``cblas_sgemm`` (row-major, 64-bit integers).

        ``a``, ``b`` and ``c`` are pairs of an array and the length of its rows in memory.
        """
        m, n, inner = (f"i64 {self.lift(v, 'n').name}" for v in sizes)
        (pa, la), (pb, lb), (pc, lc) = ((f"ptr {p.name}", f"i64 {self.lift(s, 'n').name}") for p, s in (a, b, c))
        flags = ", ".join(f"i32 {112 if t else 111}" for t in turned)
        self.line(
            f"call void {blas.name}(i32 101, {flags}, {m}, {n}, {inner}, float 1.0, {pa}, {la}, {pb}, {lb}, "
            f"float {self.lift(keep, 'f').name}, {pc}, {lc})"
        )


def kernel(types: str) -> Callable[[Callable[..., None]], Kernel]:
    """Declare a kernel whose arguments after ``lo`` and ``hi`` have these types."""

    def declare(body: Callable[..., None]) -> Kernel:
        name = body.__name__.strip("_")
        KERNELS[name] = Kernel(name, types, body)
        return KERNELS[name]

    return declare
