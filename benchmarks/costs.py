"""What is not the speed of a step: imports, memory, growth with the length of the graph. Each in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

SCRIPTS = {
    "import": """
import sys, time
t = time.perf_counter(); import numpy; base = time.perf_counter() - t
t = time.perf_counter(); import tinygrad_lite; ours = time.perf_counter() - t
print(ours * 1e3)
""",
    "kept": """
import tracemalloc, numpy as np, tinygrad_lite as tl
size, layers = 1 << 18, 30
x = tl.tensor(np.zeros(size, np.float32), requires_grad=True)
tracemalloc.start()
z = x
for _ in range(layers):
    z = z.tanh()
forward = tracemalloc.get_traced_memory()[0] / (4 * size)
tracemalloc.reset_peak()
z.sum().backward()
print(f"{forward:.2f} {tracemalloc.get_traced_memory()[1] / (4 * size):.2f}")
""",
    "growth": """
import time, numpy as np, tinygrad_lite as tl
a, out = tl.tensor(np.ones(3, np.float32)), []
for n in (10, 1_000, 100_000):
    best = float("inf")
    for _ in range(max(3, 3000 // n) if n < 100_000 else 3):
        x = tl.tensor(np.ones(3, np.float32), requires_grad=True)
        t = time.perf_counter()
        z = x
        for _ in range(n):
            z = z + a
        z.sum().backward()
        best = min(best, time.perf_counter() - t)
    out.append(best / n * 1e6)
print(*(f"{t:.2f}" for t in out))
""",
    "objects": """
import gc, numpy as np, tinygrad_lite as tl
from tinygrad_lite import nn, optim
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
x, y, opt = tl.ones(4, 8), tl.zeros(4, 1), optim.Adam(net.parameters())
gc.disable()
def step():
    opt.zero_grad(); nn.functional.mse_loss(net(x), y).backward(); opt.step()
for _ in range(20): step()
before = len(gc.get_objects())
for _ in range(200): step()
print(len(gc.get_objects()) - before)
""",
    "peak": """
import tracemalloc, numpy as np, tinygrad_lite as tl
from tinygrad_lite.nn import functional as F
x = tl.tensor(np.ones((32, 64, 32, 32), np.float32), requires_grad=True)
w = tl.tensor(np.ones((64, 64, 3, 3), np.float32), requires_grad=True)
tracemalloc.start()
F.conv2d(x, w, padding=1).sum().backward()
print(tracemalloc.get_traced_memory()[1] / 2**20)
""",
}


def run(script: str, times: int = 1) -> list[str]:
    """Return what the last of ``times`` fresh processes printed; for numbers the smallest."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # an installed package is compiled to bytecode once, and not at every import
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONPYCACHEPREFIX"] = os.path.join(tempfile.gettempdir(), "tinygrad_lite_bytecode")
    outs = []
    for _ in range(times):
        done = subprocess.run([sys.executable, "-c", SCRIPTS[script]], capture_output=True, text=True, env=env)
        if done.returncode:
            return [f"failed: {done.stderr.strip().splitlines()[-1]}"]
        outs.append(done.stdout.split())
    return min(outs, key=lambda words: float(words[0]))


def wheel() -> str:
    """Return the size of the package's own files, packed as a wheel packs them."""
    import io
    import zipfile
    from pathlib import Path

    import tinygrad_lite

    root = Path(tinygrad_lite.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, _, files in os.walk(root, followlinks=True):
            for file in files:
                if "__pycache__" not in folder:
                    archive.write(Path(folder, file))
    return f"{len(packed.getvalue()) / 1e6:.2f} MB"


def measure() -> dict[str, str]:
    """Return {what: how much}."""
    forward, backward = (run("kept") + ["?"])[:2]
    return {
        "import, over NumPy": f"{float(run('import', 7)[0]):.0f} ms (goal: 60)",
        "activations kept by a 30-layer tanh chain": f"{forward} (goal: 32), at the peak of backward {backward}",
        "us per op forward + backward in a chain of 10, 1,000, 100,000 ops": ", ".join(run("growth")),
        "objects gained in 200 steps with the garbage collector off": run("objects")[0],
        "peak memory of conv64 forward + both gradients, beyond its inputs": f"{float(run('peak')[0]):.0f} MiB",
        "package, packed": wheel(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
