"""The same seed gives the same verdict and the same report, in every process and whatever the order of sets is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import warnings
import numpy as np
import tinygrad_lite as tl
from tinygrad_lite import nn, testing
warnings.simplefilter("ignore")

def wrong(g, x):
    return g * np.where(x > 0.3, x, 2 * x)

def halved(a, b):
    return (a * b.detach()).sum() + b.sin().sum()

for seed in (7,):
    for report in (
        testing.check_op((lambda x: x * x, wrong), testing.Arr("n 3"), examples=3, seed=seed, raise_exception=False),
        testing.check_op(halved, testing.Arr("n"), testing.Arr("n"), examples=3, seed=seed, raise_exception=False),
        testing.check_op(tl.nn.functional.relu, testing.Arr("n 2"), examples=3, seed=seed, raise_exception=False),
        testing.check_module(nn.Linear(2, 2), testing.Arr("n 2"), examples=3, seed=seed, raise_exception=False),
    ):
        print(report, report.to_json())
"""


def printed(hashes: str) -> str:
    env = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    program = PROGRAM.replace("nn.Linear(2, 2)", "(tl.manual_seed(0), nn.Linear(2, 2))[1]")
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_report_in_two_processes() -> None:
    first, second = printed("1"), printed("4321")
    assert first == second
    assert "wrong" in first and first.count('"ok": true') == 2
