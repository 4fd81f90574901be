"""The tables of the benchmarks say what was measured: medians of runs, their spread, and why something is not there."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.__main__
    import benchmarks.report
    import benchmarks.runs

    return benchmarks


def value(median, least, **more):
    return {"median": median, "min": least, "steps": 10, "first": 1e-3, "loss": 0.5, "comparable": True, **more}


def runs():
    absent = {"autograd": "RecursionError: too deep", "scikit-learn": "not something it does"}
    ours, theirs = ((4e-5, 3e-5), (6e-5, 5e-5), (5e-5, 2e-5)), ((8e-5, 6e-5), (1e-4, 5e-5), (2e-4, 4e-5))
    return [
        {"xor": {"tinygrad_lite": value(*a), "PyTorch": value(*b), "MyGrad": {"missing": "No module named 'mygrad'"},
                 **{peer: {"absent": why} for peer, why in absent.items()}}}
        for a, b in zip(ours, theirs, strict=True)
    ]  # fmt: skip


def test_runs_are_reported_by_median_and_spread(benchmarks):
    row = benchmarks.runs.combined(runs())["xor"]
    assert row["PyTorch"]["ratio"]["runs"] == pytest.approx([0.5, 0.6, 0.25])
    ratio = row["PyTorch"]["ratio"]
    assert [ratio[k] for k in ("median", "min", "max", "fastest")] == pytest.approx([0.5, 0.25, 0.6, 0.5])
    assert (row["PyTorch"]["median"], row["PyTorch"]["min"], row["PyTorch"]["steps"]) == (1e-4, 4e-5, 30)
    assert row["tinygrad_lite"]["median"] == 5e-5 and "ratio" not in row["tinygrad_lite"]
    assert row["MyGrad"] == {"missing": "No module named 'mygrad'"}


def test_a_peer_that_failed_in_one_run_is_reported_from_the_others(benchmarks):
    found = runs()
    found[0]["xor"]["PyTorch"] = {"absent": "the process ended"}
    row = benchmarks.runs.combined(found)["xor"]["PyTorch"]
    assert row["ratio"]["runs"] == pytest.approx([0.6, 0.25]) and row["steps"] == 20


def test_the_page_shows_spread_and_reasons(benchmarks):
    peers = list(runs()[0]["xor"])
    combined = benchmarks.runs.combined
    found = {"machine": {}, "peers": peers, "speed": {"1": combined(runs())}, "costs": {}}
    page = benchmarks.report.markdown(found)
    assert "median of 3 runs (least … most), fastest step" in page
    assert "| 0.35 | **0.50 (0.25 … 0.60), 0.50** | 50.0 | 100.0 (0.50) | – | – |" in page
    assert "| MyGrad |" not in page
    assert "- MyGrad is missing: No module named 'mygrad'\n- xor: autograd: RecursionError: too deep\n\n" in page
    assert "scikit-learn:" not in page
    found["speed"] = {"1": combined(runs()[:1])}
    page = benchmarks.report.markdown(found)
    assert "/ PyTorch: median, fastest step" in page and "| **0.50, 0.50** | 40.0 | 80.0 (0.50) |" in page


def test_every_setting_of_how_often_is_obeyed(benchmarks, monkeypatch, tmp_path, capsys):
    calls, given = [], iter([*runs(), *runs()])
    monkeypatch.setattr(benchmarks.session, "measure", lambda *a: calls.append(a) or next(given))
    page = tmp_path / "page.md"
    page.write_text("before <!-- measured: start --> old <!-- measured: end --> after")
    monkeypatch.setattr(
        sys, "argv",
        ["benchmarks", "--only", "xor", "--runs", "3", "--threads", "1,2", "--no-costs", "--out", str(tmp_path),
         "--docs", str(page)],
    )  # fmt: skip
    benchmarks.__main__.main()
    assert [a[2] for a in calls] == [1, 2, 1, 2, 1, 2]
    found = json.loads((tmp_path / "results.json").read_text())
    assert {threads: len(done) for threads, done in found["runs"].items()} == {"1": 3, "2": 3}
    assert len(found["speed"]["1"]["xor"]["PyTorch"]["ratio"]["runs"]) == 3
    assert "median of 3 runs" in page.read_text() and " old " not in page.read_text()
    assert "### 2 threads" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--runs", "0"])
    with pytest.raises(SystemExit):
        benchmarks.__main__.main()
    assert "--runs: at least 1" in capsys.readouterr().err


def test_every_peer_has_its_module(benchmarks):
    for module, _ in benchmarks.peers.PEERS.values():
        assert (ROOT / "benchmarks" / "peers" / f"{module}.py").is_file()
