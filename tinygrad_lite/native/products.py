"""Linear layers: ``x @ weight.T + bias``, with the bias added in passing, and faster than BLAS where one side is small.

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
from tinygrad_lite.native.library import SHARED, Room, call
from tinygrad_lite.native.tiles import Tile, add_products, cycles, tile_of, zeros
from tinygrad_lite.ops.threads import blas

CHUNK = 256
"""Products that are added up in one chain."""
LEAST = 300_000
"""Multiplications from which a product is computed here: a call costs as much as 200,000."""
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


@cache
def product(tile: Tile, turned: bool, by_blocks: bool) -> Kernel:
    """Return the kernel of ``out = p @ q.T + bias``, or of its transpose if ``turned``.

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
            _pack(k, room, q.at(column * q_row + start), q_row, depth, there, wide)
            with k.loop(first, last, block) as r:
                seen = [p.at(k.least(r + i, last - 1) * p_row + start) for i in range(block)]
                found = zeros(k, tile)
                with k.loop(0, depth) as t:
                    packed = [room.vector(t * wide + j * WIDTH) for j in range(vectors)]
                    add_products(k, found, [row[t] for row in seen], packed)
                count = k.least(last - r, block)
                whole = ((there >= wide) & (count >= block)).to("n") if not turned else k.lift(0, "n")
                with k.loop(0, whole):
                    for i, of_row in enumerate(found):
                        to = out.at((r + i) * out_row + column)
                        base = k.select(start > 0, to, bias.at(column))
                        for j, one in enumerate(of_row):
                            to.put_vector(j * WIDTH, base.vector(j * WIDTH) + one.get())
                with k.loop(whole, 1):
                    for i, of_row in enumerate(found):
                        for j, one in enumerate(of_row):
                            sums.put_vector(i * wide + j * WIDTH, one)
                    if turned:
                        with k.loop(0, there) as c, k.loop(0, count, few=True) as row:
                            to = out.at((column + c) * out_row + r + row)
                            to[0] = sums[row * wide + c] + k.select(start > 0, to, bias.at(r + row))[0]
                    else:
                        with k.loop(0, count) as row:
                            to, source = out.at((r + row) * out_row + column), sums.at(row * wide)
                            base = k.select(start > 0, to, bias.at(column))
                            with k.loop(0, there, apart=True) as c:
                                to[c] = source[c] + base[c]

    body.__name__ = f"product_{block}_{vectors}" + "_turned" * turned + "_blocks" * by_blocks
    return kernel("f* f* f* f* f* f* " + "n " * 7)(body)


@lru_cache(maxsize=512)
def _plan(m: int, inner: int, n: int) -> tuple[bool, Tile]:
    """Return whether the result is computed column by column, x being the packed matrix, and the tile."""

    def cost(rows: int, columns: int) -> tuple[float, Tile]:
        vectors = -(-columns // WIDTH)
        tile = tile_of(rows, vectors)
        return (cycles(rows, vectors, tile) + PACKING * columns) * inner, tile

    (plain, tile), (turned, other) = cost(m, n), cost(n, m)
    return (True, other) if turned + TURNING * m * n < plain else (False, tile)


@lru_cache(maxsize=512)
def _by_blocks(rows: int, columns: int, tile: Tile, threads: int) -> bool:
    """Return whether threads share the blocks of rows, each packing all columns, because that is more even."""
    block, wide = tile[0], tile[1] * WIDTH
    panels, blocks = ceil(ceil(columns / wide) / threads) * wide, ceil(ceil(rows / block) / threads) * block  # of one
    return threads > 1 and columns * (blocks / LANES + PACKING) < panels * (rows / LANES + PACKING)


@lru_cache(maxsize=64)
def _zeros(n: int) -> Any:
    return np.zeros(n, np.float32)


def linear(input: Any, weight: Any, bias: Any) -> Any:
    """Compute `linear` of matrices, and of stacks of them."""
    work, shape = input.size * len(weight), input.shape
    if work < LEAST or weight.ndim != 2:
        return NotImplemented
    n, inner = weight.shape
    m = prod(shape[:-1])
    if m <= WIDTH or shape[-1] != inner or weight.dtype is not input.dtype or not weight.flags.c_contiguous:
        return NotImplemented
    if bias is not None and (bias.shape != (n,) or bias.dtype is not input.dtype or not bias.flags.c_contiguous):
        return NotImplemented
    out, input = np.empty((*shape[:-1], n), input.dtype), np.ascontiguousarray(input)
    turned, tile = _plan(m, inner, n)
    rows, columns, p, q = (n, m, weight, input) if turned else (m, n, input, weight)
    block, wide = tile[0], tile[1] * WIDTH
    panels, blocks, bias = -(-columns // wide), -(-rows // block), _zeros(n) if bias is None else bias
    by_blocks = _by_blocks(rows, columns, tile, 1 if work < SHARED else blas().threads())
    call(
        product(tile, turned, by_blocks), blocks if by_blocks else panels, work, out, p, q, bias, Room(CHUNK * wide),
        Room(block * wide), panels, rows, inner, columns, n, inner, inner, each=1,
    )  # fmt: skip
    return out
