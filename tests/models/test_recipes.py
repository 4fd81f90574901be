"""Every recipe: short runs that write everything; the promised results where they come quickly; wrong command lines.

The long proof is the command itself: `tinygrad-lite train NAME --strict`.
"""

import csv
import json

import numpy as np
import pytest

from tinygrad_lite import datasets, models
from tinygrad_lite.models import recipes
from tinygrad_lite.models.recipes import exclusive_or
from tinygrad_lite.models.recipes.job import output_folder

# enough training to keep every promise of the recipe
KEPT = {
    "convolution": [],
    "linear": ["--epochs", "120", "--features", "3"],
    "penalties": ["--epochs", "400"],
    "cubic": ["--epochs", "800", "--steps", "1500"],
    "kmeans": ["--points", "200"],
    "soft-kmeans": ["--epochs", "200"],
    "xor": ["--seeds", "5"],
    "tiny-cnn": ["--epochs", "300"],
    "digits01": ["--epochs", "12"],
    "digits": ["--epochs", "12"],
    "up-down": [],
    "lines": [],
}
MOVING = {"up-down": "training.gif", "kmeans": "clusters.gif"}
FEW = {"kmeans": ["--points", "60"], "xor": ["--seeds", "2", "--epochs", "30"]}


def trained(name, out, *options):
    status = recipes.run_train([name, "--out", str(out), *options])
    found = json.loads((out / "metrics.json").read_text())
    return status, found


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_recipe_keeps_its_promises(name, tmp_path, capsys):
    status, found = trained(name, tmp_path / "out", "--no-pictures", "--strict", *KEPT[name])
    assert status == 0, capsys.readouterr().out
    assert found["recipe"] == name and found["gradients"] and found["compared"]
    assert all(p["ok"] for p in found["gradients"]) and all(c["ok"] for c in found["compared"])
    assert any("finite differences" in p["what"] for p in found["gradients"])
    assert any(p["difference"] is not None and p["difference"] < 1e-9 for p in found["gradients"])
    for file in ("history.csv", "model.npz", "graph.svg", "graph.html"):
        assert (tmp_path / "out" / file).stat().st_size
    with (tmp_path / "out" / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) >= 1


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_pictures(name, tmp_path):
    pytest.importorskip("matplotlib")
    trained(name, tmp_path / "out", *FEW.get(name, ["--epochs", "3"]))
    files = json.loads((tmp_path / "out" / "metrics.json").read_text())["files"]
    drawn = [f for f in files if f.endswith(".png")]
    assert drawn and all((tmp_path / "out" / f).read_bytes()[:4] == b"\x89PNG" for f in drawn)
    if name in MOVING:
        assert (tmp_path / "out" / MOVING[name]).read_bytes()[:6] == b"GIF89a"


def test_xor_is_solved_from_most_seeds():
    runs = [exclusive_or.train("tanh", seed, exclusive_or.EPOCHS, exclusive_or.LR) for seed in range(12)]
    assert sum(exclusive_or.solved(model) for model, _ in runs) >= 10


def test_seeds_repeat(tmp_path):
    runs = [
        trained("cubic", tmp_path / str(i), "--no-pictures", "--epochs", "20", "--steps", "20", "--seed", "3")
        for i in range(2)
    ]
    first, second = (found for _, found in runs)
    assert first["metrics"] == second["metrics"]
    a, b = (np.load(tmp_path / str(i) / "model.npz") for i in range(2))
    assert a.files == b.files and all(np.array_equal(a[k], b[k]) for k in a.files)
    assert (tmp_path / "0" / "history.csv").read_text() == (tmp_path / "1" / "history.csv").read_text()


def test_missed_results_fail_only_when_strict(tmp_path, capsys):
    few = ["--no-pictures", "--epochs", "1"]
    assert trained("linear", tmp_path / "a", *few)[0] == 0
    assert trained("linear", tmp_path / "b", *few, "--strict")[0] == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_wrong_gradient_fails(tmp_path, monkeypatch, capsys):
    from tinygrad_lite.models.recipes import by_hand

    right = by_hand.mean_squares
    monkeypatch.setattr(by_hand, "mean_squares", lambda *a: tuple(1.001 * g for g in right(*a)))
    assert trained("linear", tmp_path / "a", "--no-pictures", "--epochs", "1")[0] == 1
    assert "WRONG" in capsys.readouterr().out


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_example_is_a_model_and_its_input(name):
    model, inputs = recipes.example(name)
    assert np.isfinite(model(*inputs).array).all()


def test_list_names_them_all(capsys):
    assert recipes.run_list([]) == 0
    out = capsys.readouterr().out
    assert all(line.split()[0] in recipes.RECIPES for line in out.splitlines())
    assert len(out.splitlines()) == len(recipes.RECIPES)


def test_command_line_mistakes(capsys, tmp_path):
    assert recipes.run_train([]) == 2
    assert recipes.run_train(["--help"]) == 0
    assert recipes.run_train(["tetris"]) == 2
    assert "no recipe 'tetris'" in capsys.readouterr().err
    for wrong in (
        ["--epochs", "0"],
        ["--lr", "-1"],
        ["--lr", "nan"],
        ["--seed", "-1"],
        ["--colour", "red"],
        ["--features", "0"],
        ["--lr", "fast"],
    ):
        with pytest.raises(SystemExit) as error:
            recipes.run_train(["linear", *wrong])
        assert error.value.code == 2
    with pytest.raises(ValueError, match="no recipe 'tetris'"):
        recipes.load("tetris")


def test_options_that_clash(tmp_path, capsys):
    assert recipes.run_train(["kmeans", "--points", "3", "--out", str(tmp_path / "a"), "--no-pictures"]) == 1
    assert "5 clusters need at least as many points" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_output_folder_is_never_written_over(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert [str(output_folder(None, "xor", False)) for _ in range(2)] == ["tinygrad-lite-xor", "tinygrad-lite-xor-2"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    assert recipes.run_train(["linear", "--out", "full"]) == 1
    assert "not empty" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert recipes.run_train(["linear", "--out", "file"]) == 1
    assert "is a file" in capsys.readouterr().err
    assert output_folder("full", "xor", True).name == "full"


def test_a_missing_extra_is_an_error_before_training(tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert recipes.run_train(["linear", "--out", str(tmp_path / "a")]) == 1
    assert "tinygrad_lite[plot]" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert trained("linear", tmp_path / "a", "--no-pictures", "--epochs", "1")[0] == 0


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A folder of MNIST's four files, filled with the shipped digits blown up to 28x28."""
    root = tmp_path_factory.mktemp("mnist")
    images, labels = datasets.digits(dtype=np.float64)
    large = np.pad(images[:, 0].repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    large = np.round(255 * large).astype(np.uint8)
    for part, rows in (("train", slice(0, 1400)), ("t10k", slice(1400, None))):
        write_idx(root / f"{part}-images-idx3-ubyte", large[rows])
        write_idx(root / f"{part}-labels-idx1-ubyte", labels[rows].astype(np.uint8))
    return root


def test_digits01_with_images_of_28x28(mnist, tmp_path):
    options = ["--data", "mnist", "--root", str(mnist), "--epochs", "8", "--no-pictures", "--strict"]
    assert trained("digits01", tmp_path / "a", *options)[0] == 0


def test_lenet_reads_mnist(mnist, tmp_path):
    pytest.importorskip("matplotlib")
    status, found = trained("digits", tmp_path / "a", "--data", "mnist", "--root", str(mnist), "--epochs", "2")
    assert status == 0 and found["metrics"]["test_accuracy"] >= 0.7


def test_missing_files_are_an_error(tmp_path, capsys):
    assert (
        recipes.run_train(
            [
                "digits01",
                "--data",
                "mnist",
                "--root",
                str(tmp_path / "no"),
                "--out",
                str(tmp_path / "a"),
                "--no-pictures",
            ]
        )
        == 1
    )
    assert "train-images-idx3-ubyte not found" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_models_are_what_the_package_offers():
    for name in ("CNNClassifier", "KMeans", "Lasso", "MLPClassifier", "SoftClusters"):
        assert name in dir(models)
