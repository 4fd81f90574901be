import json

import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.profiler import profile, readable


class Net(tl.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = tl.nn.Sequential(tl.nn.Linear(4, 8), tl.nn.Tanh())
        self.head = tl.nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.body(x))


def measured():
    net, x = Net(), tl.ones(5, 4)
    with profile() as p:
        for _ in range(3):
            net(x).sum().backward()
    return p


def test_ops():
    rows = {row.name: row for row in measured().by_op()}
    assert set(rows) == {"linear", "tanh", "sum"}
    assert (rows["linear"].calls, rows["tanh"].calls, rows["sum"].calls) == (6, 3, 3)
    assert all(row.forward > 0 and row.backward > 0 for row in rows.values())
    assert rows["tanh"].kept == 3 * 5 * 8 * 4  # its result
    # three results, and three gradients of them
    assert rows["tanh"].bytes == 2 * 3 * 5 * 8 * 4


def test_modules_contain_what_is_inside():
    p = measured()
    rows = {row.name: row for row in p.by_module()}
    assert set(rows) == {"", "Net", "Net.body", "Net.body.0", "Net.body.1", "Net.head"}
    assert rows["Net"].calls == rows["Net.head"].calls == 3 and rows[""].calls == 1
    assert rows["Net.body"].forward == pytest.approx(rows["Net.body.0"].forward + rows["Net.body.1"].forward)
    assert rows[""].total == pytest.approx(sum(row.total for row in p.by_op()))
    assert rows["Net.head"].backward > 0


def test_times_fit_into_the_block():
    p = measured()
    assert 0 < sum(row.total for row in p.by_op()) <= p.seconds
    starts = [e.start for e in p.events if e.phase != "module"]
    assert starts == sorted(starts) and starts[0] >= 0


def test_table():
    p = measured()
    text = p.table()
    assert text.splitlines()[0].split() == "op calls forward ms backward ms share made kept".split()
    assert "linear" in text and "ms in all" in text
    assert "Net.body.0" in p.table("module") and "(all)" in p.table("module")
    assert "... and 2 more" in p.table(limit=1)
    with pytest.raises(ValueError, match="'op' or 'module'"):
        p.table("line")
    assert profile().table().endswith("in all")


def test_chrome_trace(tmp_path):
    p = measured()
    p.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == len(p.events)
    assert {e["cat"] for e in events} == {"forward", "backward", "module"}
    assert all(e["ph"] == "X" and e["ts"] >= 0 and e["dur"] >= 0 for e in events)


def test_nothing_is_left_behind():
    before = MODE.get()
    p = profile()
    with pytest.raises(RuntimeError), p:
        raise RuntimeError
    assert MODE.get() is before
    seen = len(p.events)
    tl.ones(3).exp()
    assert len(p.events) == seen
    with p:
        tl.ones(3).exp()
    assert len(p.events) == seen + 1


def test_several_outputs_lists_and_second_order():
    x = tl.tensor([[3.0, 1.0], [2.0, 5.0]], requires_grad=True)
    with profile() as p:
        tl.cat([x, x]).max(1).values.sum().backward()
        (g,) = tl.grad((x * x * x).sum(), x, create_graph=True)
        g.sum().backward()
    rows = {row.name: row for row in p.by_op()}
    assert rows["cat"].backward > 0 and rows["mul"].calls > 2


def test_values_do_not_change():
    x = tl.randn(4, 4)
    plain = (x @ x).tanh()
    with profile():
        watched = (x @ x).tanh()
    assert (plain.array == watched.array).all()


def test_readable():
    assert [readable(n) for n in (0, 1023, 1024, 3 << 30)] == ["0 B", "1023 B", "1.0 KiB", "3.0 GiB"]
