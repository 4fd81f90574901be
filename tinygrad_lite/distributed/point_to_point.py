"""Tensors from one rank to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite.distributed.buffers import checked, received, sent
from tinygrad_lite.distributed.group import member
from tinygrad_lite.distributed.work import Work
from tinygrad_lite.errors import OptionError


def isend(tensor: Any, dst: int = 0, group: Any = None, tag: int = 0) -> Work | None:
    """Begin to send ``tensor`` to rank ``dst``; it must not be changed before ``wait()``."""
    if (g := member(group)) is None:
        return None
    own, other = sent(checked("isend", tensor)), g.within(dst)
    if other == g.rank():
        raise ValueError(f"isend: rank {dst} is this process; the destination must be another one")
    return Work("isend", g, [g.comm.Isend(own, other, tag)], keep=own)


def irecv(tensor: Any, src: int | None = None, group: Any = None, tag: int = 0) -> Work | None:
    """Begin to receive into ``tensor`` what rank ``src`` sends, or any rank for None."""
    if (g := member(group)) is None:
        return None
    if g.size() == 1 or src is not None and g.within(src) == g.rank():
        raise ValueError(f"irecv: rank {src or 0} is this process; the source must be another one")
    own, finish = received("irecv", tensor)
    other = g.mpi.ANY_SOURCE if src is None else g.within(src)
    return Work("irecv", g, [g.comm.Irecv(own, other, tag)], finish, own, [tensor])


def send(tensor: Any, dst: int = 0, group: Any = None, tag: int = 0) -> None:
    """Send ``tensor`` to rank ``dst``, which calls `recv` with the same ``tag`` and a tensor of the same size."""
    if work := isend(tensor, dst, group, tag):
        work.wait()


def recv(tensor: Any, src: int | None = None, group: Any = None, tag: int = 0) -> int:
    """Receive into ``tensor`` what rank ``src`` sends, or any rank for None; returns the rank it came from."""
    work = irecv(tensor, src, group, tag)
    if work is None:
        return -1
    work.wait()
    return work.source_rank()


class P2POp:
    """One of the transfers for `batch_isend_irecv`: `isend` or `irecv`, a tensor and the other rank."""

    def __init__(self, op: Callable[..., Any], tensor: Any, peer: int, group: Any = None, tag: int = 0) -> None:
        if op not in (isend, irecv):
            raise OptionError(f"P2POp: op must be isend or irecv, got {op!r}")
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list: Sequence[P2POp]) -> list[Work]:
    """Begin several transfers; returns their handles."""
    if not p2p_op_list or not all(isinstance(p, P2POp) for p in p2p_op_list):
        raise OptionError(f"batch_isend_irecv: expected a list of P2POp, got {p2p_op_list!r}")
    works = [p.op(p.tensor, p.peer, p.group, p.tag) for p in p2p_op_list]
    return [w for w in works if w is not None]
