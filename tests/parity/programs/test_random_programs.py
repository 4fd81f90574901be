"""Random programs of ops, views, writes, hooks, layers and optimisers: PyTorch and this library agree line by line.

A failing test prints a short program that shows the difference. To search further, by the number of a program:
``python -m tests.parity.programs.search 0 100000``, with rarer functions ``--wide``.
"""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from tests.parity.programs import deliberate, lockstep, shrink  # noqa: E402
from tests.parity.programs.found import PROGRAMS  # noqa: E402
from tests.parity.programs.wide_grammar import WIDE  # noqa: E402

COUNT, BLOCKS = 3000, 30


@pytest.mark.parametrize("block", range(BLOCKS))
def test_programs(block: int) -> None:
    lines, differ = 0, []
    for seed in range(block * COUNT // BLOCKS, (block + 1) * COUNT // BLOCKS):
        program, found = lockstep.grown(seed)
        lines += len(program)
        if found is not None:
            differ.append(f"program {seed}\n{lockstep.shown(shrink.shrunk(found))}")
    assert not differ, f"{len(differ)} programs differ\n\n" + "\n\n".join(differ[:3])
    assert lines > 8 * COUNT // BLOCKS, "programs are cut short"


@pytest.mark.parametrize("block", range(4))
def test_wide_programs(block: int) -> None:
    """Programs of rarer functions, keywords, layers and options."""
    for seed in range(40 * block, 40 * block + 40):
        found = lockstep.grown(seed, kinds=WIDE)[1]
        assert found is None, f"program {seed}\n{lockstep.shown(found)}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_found_before(program: str) -> None:
    """Programs that differed once, as the search printed them."""
    found = lockstep.again(lockstep.lines_of(program))
    assert found is None, lockstep.shown(found)


@pytest.mark.parametrize("difference", deliberate.DIFFERENCES, ids=lambda d: d.why.split(";")[0])
def test_deliberate_differences_are_still_there(difference: deliberate.Difference) -> None:
    found = lockstep.first(lockstep.lines_of(difference.program), *lockstep.both(), lockstep.ALL)
    assert found is not None and difference.covers(found.kind, found.lines, found.theirs, found.ours), found


def test_programs_are_the_same_every_time() -> None:
    assert lockstep.grown(7)[0] == lockstep.grown(7)[0] != lockstep.grown(8)[0]


def test_planted_faults_are_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value, a lost gradient and a missing error are seen, in programs of a few lines."""
    real = lockstep.tl.Tensor.tanh
    for fault in (lambda x: real(x) * 1.001, lambda x: real(x).detach(), lambda x: real(x).to(lockstep.tl.float64)):
        monkeypatch.setattr(lockstep.tl.Tensor, "tanh", fault)
        every = (lockstep.grown(seed)[1] for seed in range(400))
        found = next(f for f in every if f is not None and "tanh" in "".join(f.lines))
        small = shrink.shrunk(found)
        assert "tanh" in "".join(small.lines) and len(small.lines) <= 3, lockstep.shown(small)
