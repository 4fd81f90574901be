"""Programs written for PyTorch, with the import lines changed and nothing else: they run here, and they learn.

Each is also run by PyTorch itself, with ``tinygrad_lite`` in its import lines put back to ``torch``: that it is a
PyTorch program is not just said.
"""

import pathlib
import types

import pytest

from tinygrad_lite import datasets

HERE = pathlib.Path(__file__).parent


def program(name, library):
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    module = types.ModuleType(f"{name}_{library}")
    exec(compile(source.replace("tinygrad_lite", library), f"{name} ({library})", "exec"), module.__dict__)
    return module


@pytest.fixture(params=["tinygrad_lite", "torch"])
def library(request):
    if request.param == "torch":
        pytest.importorskip("torch").set_num_threads(1)
    return request.param


def test_two_layers(library):
    for name, losses in program("two_layers", library).main().items():
        assert losses[-1] < losses[0] / 5, f"{name}: {losses[0]} -> {losses[-1]}"


def test_image_classifier(library, capsys):
    accuracy = program("image_classifier", library).main(*datasets.digits())
    assert max(accuracy) > 0.94
    assert "Train Epoch: 1 [0/1400 (0%)]" in capsys.readouterr().out


def test_variational_autoencoder(library):
    losses = program("variational_autoencoder", library).main(*datasets.digits())
    assert losses[-1] < 0.8 * losses[0] and losses[-1] < 32


def test_sine_waves(library):
    losses = program("sine_waves", library).main()
    assert losses[-1] < losses[0] / 50


def test_siamese(library):
    accuracy = program("siamese", library).main(*datasets.digits())
    assert max(accuracy) > 0.8
