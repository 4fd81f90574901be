"""`save_source`: a file that runs with NumPy alone goes on, bit for bit, where the step was."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS
from tests.compiled.test_training import classes, cnn, data, mlp, step_of
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile

ALONE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tinygrad_lite", "graphviz"):
            raise ImportError(name)
sys.meta_path.insert(0, Nothing())
import importlib.util
import numpy as np
def load(path):
    spec = importlib.util.spec_from_file_location("saved", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
for path in sys.argv[1:]:
    m, given = load(path), np.load(path + ".given.npz")
    found = [np.asarray(m.step(*(given[f"{i}_{j}"] for j in range(given["n"])))) for i in range(3)]
    m.save(path + ".after.npz")
    with np.load(path + ".after.npz") as after:
        assert after.files == [*m.data]
    np.savez(path + ".found.npz", *found)
assert "tinygrad_lite" not in sys.modules
"""


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.out(self.lstm(x)[0][-1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.out = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.layer(x).mean(1))


def rows(*shape):
    return [(data(*shape, seed=i), classes(shape[0], seed=i)) for i in range(7)]


CASES = {
    "mlp": (lambda: mlp(batch_norm=True, dropout=0.5), "SGD", rows(6, 4)),
    "momentum": (mlp, "SGD", rows(6, 4)),
    "adam": (mlp, "AdamW", rows(6, 4)),
    "cnn": (cnn, "RMSprop", rows(4, 1, 5, 5)),
    "lstm": (Recurrent, "Adam", [(data(4, 3, 4, seed=i), classes(3, seed=i)) for i in range(7)]),
    "attention": (Attention, "Adam", rows(5, 3, 4)),
}


def written(path, name):
    """Train four steps, save the program, and return what three more steps find and leave."""
    build, kind, given = CASES[name]
    tl.manual_seed(3)
    m = build()
    words = {"lr": 0.05, "momentum": 0.9} if name == "momentum" else {"lr": 0.05}
    o = getattr(tl.optim, kind)(m.parameters(), **words)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    for x, y in given[:4]:
        step(x, y)
    file = path / f"{name}.py"
    step.save_source(file)
    arrays = {f"{i}_{j}": t.array for i, pair in enumerate(given[4:]) for j, t in enumerate(pair)}
    np.savez(f"{file}.given.npz", n=2, **arrays)
    found = [step(x, y).array for x, y in given[4:]]
    return file, found, {f"m_{n.replace('.', '_')}": p.array for n, p in m.named_parameters()}


def test_files_run_alone(tmp_path):
    """Six trainings go on in another process that cannot import this package."""
    cases = [written(tmp_path, name) for name in CASES]
    files = [str(file) for file, _, _ in cases]
    done = subprocess.run([sys.executable, "-I", "-c", ALONE, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    for file, found, parameters in cases:
        losses, after = np.load(f"{file}.found.npz"), np.load(f"{file}.after.npz")
        for a, b in zip(found, losses.values(), strict=True):
            assert a.tobytes() == b.tobytes(), file.name
        for name, a in parameters.items():
            assert a.tobytes() == after[name].tobytes(), (file.name, name)


def test_a_module_becomes_two_functions(tmp_path):
    """``forward`` returns what ``backward`` needs."""
    m = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    f = compile(m, fullgraph=True)
    for i in range(3):
        f(data(5, 4, seed=i).requires_grad_()).sum().backward()
    f.save_source(tmp_path / "net.py")
    space = {"__file__": str(tmp_path / "net.py")}
    exec((tmp_path / "net.py").read_text(), space)
    x = data(5, 4, seed=9).requires_grad_()
    y, saved = space["forward"](x.array)
    m.zero_grad()
    out = m(x)
    out.backward(tl.ones(5, 3))
    assert y.tobytes() == out.array.tobytes()
    grads = space["backward"](saved, np.ones((5, 3), np.float32))
    for g, t in zip(grads, (x, *m.parameters()), strict=True):
        assert g.tobytes() == t.grad.array.tobytes()


def test_nothing_to_save(tmp_path):
    """Without a program there is nothing to write, and nothing is written."""
    step = compile(lambda x: x * 2)
    with pytest.raises(RuntimeError, match="no program yet"):
        step.save_source(tmp_path / "a.py")
    assert not list(tmp_path.iterdir())
    assert step.source == ""


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(7, 4), nn.Linear(12, 3)

    def forward(self, x):
        return self.out(self.table(x).flatten(1))


def images():
    layers = [nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.GELU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(256, 3))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("build", "draw"),
    [
        (Words, lambda i: tl.tensor(np.random.default_rng(i).integers(0, 7, (5, 3)))),
        (images, lambda i: data(9, 8, 8, 8, seed=i)),
    ],
)
def test_kernels_of_the_package(tmp_path, build, draw, backend):
    """A program that calls loops or kernels of the package is written without them, equal to rounding."""
    tl.manual_seed(3)
    m = build()
    step = compile(
        step_of(m, nn.CrossEntropyLoss(), tl.optim.Adam(m.parameters(), lr=0.01)), fullgraph=True, backend=backend
    )
    given = [draw(i) for i in range(6)]
    for x in given[:4]:
        step(x, classes(len(x)))
    step.save_source(tmp_path / "net.py")
    text = (tmp_path / "net.py").read_text()
    assert "native" not in text
    space = {"__file__": str(tmp_path / "net.py")}
    exec(text, space)
    for x in given[4:]:
        found = space["step"](x.array, classes(len(x)).array)
        assert np.allclose(found, step(x, classes(len(x))).array, 1e-4, 1e-6)


def test_functions_of_the_package(tmp_path, monkeypatch):
    """A call that NumPy does not have is named, and nothing is written."""
    monkeypatch.setattr("tinygrad_lite.compiled.printed.SELF_CONTAINED", ())
    table = nn.Embedding(7, 4)
    f = compile(table, fullgraph=True)
    for _ in range(3):
        f(tl.tensor([1, 5, 1])).sum().backward()
    with pytest.raises(RuntimeError, match="calls add_rows, which NumPy does not have"):
        f.save_source(tmp_path / "a.py")
    assert not list(tmp_path.iterdir())


def test_reading():
    """The text says what is what: arguments by name, updates by parameter, plain expressions."""
    m = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    loss = nn.MSELoss()

    @compile(fullgraph=True)
    def train(inputs, targets):
        o.zero_grad()
        value = loss(m(inputs), targets)
        value.backward()
        o.step()
        return value

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(3):
            train(data(4, 2, seed=i), data(4, 1, seed=i))
    text = train.source
    for line in (
        "def train(inputs, targets):",
        "    linear = np.dot(inputs, m_0_weight.T)  # float32 4x3",
        "    # m.1: gradient of tanh for input",
        "    # SGD step for m_2_bias",
        "    m_0_weight -= change",
        "    # ---- update",
    ):
        assert f"{line}\n" in text, text
    assert "view(" not in text
    assert "empty" not in text
