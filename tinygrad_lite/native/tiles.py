"""How much of a product is kept in registers: by the registers that the processor has, and the size of the product."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product

from tinygrad_lite.native import elf
from tinygrad_lite.native.language import Kernel, Value, Var
from tinygrad_lite.native.library import machine

Sums = list[list[Var]]
Tile = tuple[int, int]
"""Rows, and vectors of columns, whose sums are kept in registers."""
MOST, WIDEST = 3, 6
"""The most vectors of a tile, whose columns then stay in the first-level cache; and where it has less than 4 rows."""


@cache
def masks() -> bool:
    """Return whether the processor reads and writes parts of vectors."""
    return re.search(r"(\s|\+)avx2\b", elf.processor() or machine().processor) is not None


@cache
def registers() -> int:
    """Return how many vectors of `language.WIDTH` numbers the registers hold, beside one number that is multiplied."""
    return 28 if re.search(r"(\s|\+)avx512f\b", elf.processor() or machine().processor) else 7


def cycles(rows: int, vectors: int, tile: Tile, load: int = 1) -> float:
    """Return how long one step of all sums takes; ``load``: what reading a vector costs, 2 across lines of memory."""
    r, v = tile
    halves = 1 if registers() > 8 else 2
    # two multiplications a cycle, and a sum waits four cycles for the one before; two loads a cycle; the loop itself
    step = max(r * v * halves, v * max(halves, load) + r, 8) + 1
    return -(-rows // r) * -(-vectors // v) * step / 2


@lru_cache(maxsize=512)
def tile_of(rows: int, vectors: int, load: int = 1) -> Tile:
    """Return the tile that takes the fewest cycles for a product of this size."""
    most = registers()
    sizes = range(min(rows, 4), min(rows, 12) + 1), range(1, min(vectors, WIDEST if rows < 4 else MOST) + 1)
    tiles = (tile for tile in product(*sizes) if tile[1] * (tile[0] + 1) <= most)
    return min(tiles, key=lambda tile: (cycles(rows, vectors, tile, load), tile[1]))


def zeros(k: Kernel, tile: Tile) -> Sums:
    """Return the sums of a tile, one list per row."""
    return [[k.var(0.0, "v") for _ in range(tile[1])] for _ in range(tile[0])]


def add_products(k: Kernel, sums: Sums, factors: list[Value], vectors: list[Value]) -> None:
    """Add the products of one number per row and one vector per column to the sums."""
    for factor, row in zip(factors, sums, strict=True):
        wide = factor.spread()
        for vector, one in zip(vectors, row, strict=True):
            one.set(k.fma(wide, vector, one))
