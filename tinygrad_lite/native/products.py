"""Linear layers, ``x @ weight.T + bias``, with the bias added in passing, and products with few columns.

A tile of the result is kept in registers: rows of one matrix, number by number, times rows of the other, which are
packed side by side, at most `CHUNK` numbers of each at a time, and stay in the cache while all rows of the first go
past. Sums of chunks are added up, which also loses less to rounding than one long sum. Either matrix may be the packed
one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import ceil, prod
from typing import Any

import numpy as np

from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import SHARED, Room, call, place
from tinygrad_lite.native.tiles import Sums, Tile, add_products, cycles, tile_of, zeros
from tinygrad_lite.ops.threads import blas, buffer

CHUNK = 256
"""Products that are added up in one chain."""
LEAST = 300_000
"""Multiplications from which a product is computed here: a call costs as much as 200,000."""
NARROW, FEWEST = 1 << 20, 5
"""Multiplications from which a product with few columns is computed here; and the fewest columns, as vectors have."""
PACKING, TURNING = 0.45, 2.0
"""Cycles to pack a number, and to write one to a result that is stored column by column."""
LANES = 2 * WIDTH
"""Multiplications of one cycle."""


def _pack(k: Kernel, room: Value, q: Value, q_row: Value, depth: Value, there: Value, wide: int) -> None:
    """Copy ``depth`` numbers of ``there`` rows, which lie ``q_row`` apart, to ``room`` as at most ``wide`` columns."""
    whole, blocks = depth // WIDTH * WIDTH, there // WIDTH * WIDTH
    with k.loop(0, blocks, WIDTH) as j, k.loop(0, whole, WIDTH) as t:
        columns = k.transposed([q.vector((j + i) * q_row + t) for i in range(WIDTH)])
        for i, column in enumerate(columns):
            room.put_vector((t + i) * wide + j, column)
    with k.loop(0, there) as j, k.loop(k.select(j < blocks, whole, 0), depth) as t:
        room[t * wide + j] = q[j * q_row + t]
    with k.loop(0, (there < wide).to("n")), k.loop(0, depth) as t, k.loop(there, wide) as j:
        room[t * wide + j] = 0.0


def _write(k: Kernel, found: Sums, to: list[Value], bases: list[Value], masks: list[Value]) -> None:
    """Write sums and what they are added to. A row of the result may be there twice, so all is read before."""
    for of_row, base in zip(found, bases, strict=True):
        for j, one in enumerate(of_row):
            one.set(one.get() + base.part(j * WIDTH, masks[j]))
    for of_row, here in zip(found, to, strict=True):
        for j, one in enumerate(of_row):
            here.put_part(j * WIDTH, one.get(), masks[j])


@cache
def product(tile: Tile, stored: str, by_blocks: bool) -> Kernel:
    """Return the kernel of ``out = p @ q.T + bias``, of its transpose if ``stored`` is "turned"; or ``p @ q``: "plain".

    Its rows are panels of q; or blocks of p, and then every part of them packs all panels.
    """
    (block, vectors), wide = tile, tile[1] * WIDTH

    def body(
        k: Kernel, lo: Value, hi: Value, out: Value, p: Value, q: Value, bias: Value, room: Value, sums: Value,
        panels: Value, rows: Value, inner: Value, columns: Value, out_row: Value, p_row: Value, q_row: Value,
    ) -> None:  # fmt: skip
        first, last = (lo * block, k.least(hi * block, rows)) if by_blocks else (k.lift(0, "n"), rows)
        chunks = (inner + (CHUNK - 1)) // CHUNK
        each = (inner + (chunks - 1)) // chunks
        with k.loop(*((0, panels) if by_blocks else (lo, hi))) as panel, k.loop(0, inner, each) as start:
            column, depth = panel * wide, k.least(inner - start, each)
            there = k.least(columns - column, wide)
            masks = [k.first(there - j * WIDTH) for j in range(vectors)]
            if stored == "plain":
                source = q.at(start * q_row + column)
                with k.loop(0, depth) as t:
                    for j, mask in enumerate(masks):
                        room.put_vector(t * wide + j * WIDTH, source.part(t * q_row + j * WIDTH, mask))
            else:
                _pack(k, room, q.at(column * q_row + start), q_row, depth, there, wide)
            with k.loop(first, last, block) as r:
                at = [k.least(r + i, last - 1) for i in range(block)]
                seen, found = [p.at(row * p_row + start) for row in at], zeros(k, tile)
                with k.loop(0, depth) as t:
                    packed = [room.vector(t * wide + j * WIDTH) for j in range(vectors)]
                    add_products(k, found, [row[t] for row in seen], packed)
                if stored == "turned":
                    for i, of_row in enumerate(found):
                        for j, one in enumerate(of_row):
                            sums.put_vector(i * wide + j * WIDTH, one)
                    with k.loop(0, there) as c, k.loop(0, k.least(last - r, block), few=True) as row:
                        here = out.at((column + c) * out_row + r + row)
                        here[0] = sums[row * wide + c] + k.select(start > 0, here, bias.at(r + row))[0]
                else:
                    to = [out.at(row * out_row + column) for row in at]
                    _write(k, found, to, [k.select(start > 0, here, bias.at(column)) for here in to], masks)

    body.__name__ = f"product_{block}_{vectors}_{stored}" + "_blocks" * by_blocks
    return kernel("f* f* f* f* f* f* " + "n " * 7)(body)


@lru_cache(maxsize=512)
def _plan(m: int, inner: int, n: int, plain: bool = False) -> tuple[str, Tile]:
    """Return how q and the result are stored, "turned" if x is the packed matrix, and the tile."""

    def cost(rows: int, columns: int) -> tuple[float, Tile]:
        vectors = -(-columns // WIDTH)
        tile = tile_of(rows, vectors)
        return (cycles(rows, vectors, tile) + PACKING * columns) * inner, tile

    (straight, tile), (turned, other) = cost(m, n), cost(n, m)
    if plain:
        return "plain", tile
    return ("turned", other) if turned + TURNING * m * n < straight else ("rows", tile)


@lru_cache(maxsize=512)
def _call(m: int, inner: int, n: int, threads: int, plain: bool = False) -> tuple[Any, ...]:
    """Return whether x is the packed matrix, the kernel, the parts that threads share, sizes of memory, and numbers."""
    stored, (block, vectors) = _plan(m, inner, n, plain)
    rows, columns = (n, m) if stored == "turned" else (m, n)
    wide = vectors * WIDTH
    panels, blocks = ceil(columns / wide), ceil(rows / block)
    # where threads share the blocks of rows, each packs all columns: whether that is more even
    one_panels, one_blocks = ceil(panels / threads) * wide, ceil(blocks / threads) * block
    by_blocks = threads > 1 and columns * (one_blocks / LANES + PACKING) < one_panels * (rows / LANES + PACKING)
    run, numbers = product((block, vectors), stored, by_blocks), (panels, rows, inner, columns, n, inner)
    sizes = Room(CHUNK * wide), Room(block * wide)
    return stored == "turned", run, blocks if by_blocks else panels, sizes, (*numbers, n if plain else inner)


@lru_cache(maxsize=64)
def _zeros(n: int) -> Any:
    return np.zeros(n, np.float32)


def _filled(out: Any, x: Any, other: Any, bias: Any, sizes: tuple[int, int, int], work: int, plain: bool) -> Any:
    """Return ``out``, filled with the product."""
    threads = 1 if work < SHARED else blas().threads()
    turned, run, parts, rooms, numbers = _call(*sizes, threads, plain)
    if threads == 1:  # less work than several threads would share, even if another thread allows them meanwhile
        work = 0
        memory = buffer("product", (rooms[0] + rooms[1],))
        rooms = memory, place(memory) + 4 * rooms[0]
    p, q = (other, x) if turned else (x, other)
    call(run, parts, work, out, p, q, bias, *rooms, *numbers, each=1)
    return out


def linear(input: Any, weight: Any, bias: Any) -> Any:
    """Compute `linear` of matrices, and of stacks of them."""
    work, shape = input.size * len(weight), input.shape
    if work < LEAST or weight.ndim != 2:
        return NotImplemented
    n, inner = weight.shape
    m = prod(shape[:-1])
    if m <= WIDTH or shape[-1] != inner or weight.dtype is not input.dtype or not weight.flags.c_contiguous:
        return NotImplemented
    if bias is None:
        bias = _zeros(n)
    elif bias.shape != (n,) or bias.dtype is not input.dtype or not bias.flags.c_contiguous:
        return NotImplemented
    if not input.flags.c_contiguous:
        input = np.ascontiguousarray(input)
    return _filled(np.empty((*shape[:-1], n), input.dtype), input, weight, bias, (m, inner, n), work, False)


def narrow(input: Any, other: Any) -> Any:
    """Compute `matmul` of a matrix and one of few columns, of which BLAS computes more than there are."""
    if other.ndim != 2 or input.ndim != 2 or other.dtype is not input.dtype:
        return NotImplemented
    (m, inner), (rows, n) = input.shape, other.shape
    work = m * inner * n
    if not (FEWEST <= n <= 2 * WIDTH and rows == inner >= FEWEST and work >= NARROW):
        return NotImplemented
    if not (input.flags.c_contiguous and other.flags.c_contiguous):
        return NotImplemented
    return _filled(np.empty((m, n), input.dtype), input, other, _zeros(n), (m, inner, n), work, True)
