"""Several ranks, started with mpiexec: exchanges, training, and what happens when one of them fails."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from tests.distributed.launch import HERE, check, needs_mpi, start

pytestmark = needs_mpi


@pytest.mark.parametrize("ranks", [2, 3])
def test_every_exchange(ranks: int) -> None:
    assert check(ranks, "collectives") == f"good {ranks}\n"


@pytest.mark.parametrize("ranks", [2, 4])
def test_data_parallel_beside_one_process(ranks: int) -> None:
    assert check(ranks, "data_parallel") == f"good {ranks}\n"


def test_digits_on_several_ranks_train_as_on_one() -> None:
    rounding = {"plain": 2e-6, "double": 1e-14, "norm": 2e-2, "sync": 1e-5}  # "norm": each rank by its own batch
    one, *more = (map(json.loads, check(ranks, "training", *rounding).splitlines()) for ranks in (1, 2, 4))
    for alone, *others in zip(one, *more, strict=True):
        for other in others:
            assert other["equal"] and other["buckets"] > 1  # every bit of the weights and buffers
            np.testing.assert_allclose(other["losses"], alone["losses"], rtol=rounding[alone["kind"]])
            assert other["losses"] != alone["losses"] or alone["kind"] == "double"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "ValueError: something is wrong here"),
        ("raise", "rank 1 of 2 failed (ValueError); the job ends"),
        ("finally", "ValueError: the reason"),
        ("exit", "all_reduce: rank 0 of 2 waits for rank 1, which has left"),
        ("end", "all_reduce: rank 0 of 2 waits for rank 1, which has left"),
        ("destroy", "called destroy_process_group"),
        ("kill", "signal 9"),
        ("slow", "all_reduce: rank 0 of 2 waited 1 s for the other ranks"),
        ("sizes", "do all ranks pass tensors of the same size?"),
    ],
)
def test_a_rank_that_fails_ends_the_job_with_a_message(how: str, message: str) -> None:
    done = start(2, str(HERE / "programs" / "failures.py"), how, timeout=60)
    assert time.time() - float(re.search("<(.*)>", done.stdout)[1]) < 10  # type: ignore[index]
    assert done.returncode != 0 and message in done.stdout + done.stderr


def test_a_rank_may_have_more_to_do_than_the_others() -> None:
    assert re.findall("rank . done", check(2, "failures", "late")) == ["rank 1 done", "rank 0 done"]


def test_the_demo_on_two_ranks(tmp_path: Path) -> None:
    words = ("-m", "tinygrad_lite", "demo", "--distributed", "--epochs", "2", "--out", str(tmp_path / "out"))
    done = start(2, *words)
    assert done.returncode == 0 and done.stdout.count("epoch   1") == 1, done.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["ranks"] == 2 and metrics["test_accuracy"] > 0.85
    again = start(2, *words)  # the folder is full: no rank waits for the other
    assert again.returncode == 1 and "is not empty" in again.stderr and "Traceback" not in again.stderr


def test_a_script_for_pytorch_and_torchrun_runs_unchanged() -> None:
    done = start(2, "-m", "tinygrad_lite", "run", str(HERE / "programs" / "for_pytorch.py"))
    assert done.returncode == 0 and done.stdout == "good 2 True\n", done.stdout + done.stderr


def test_a_trainer_over_ranks(tmp_path: Path) -> None:
    out = check(2, "with_trainer", str(tmp_path / "run.npz"))
    assert out.endswith("good 2\n") and out.count("epoch  1/30") == 2  # of rank 0, in two trainings
