"""Which line a step inside a network is told as."""

import threading

import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.node import Node


class Block(nn.Module):
    """A user's layer, with one of ours inside."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        x = self.layer(x)  # here the layer
        return x * 2  # here the product


def lines(out):
    """Op and last words of the line, of all steps from the last to the first."""
    found, node = [], out.node
    while isinstance(node, Node):
        found.append((node.op.name, node.line.split(": ", 1)[-1]))
        node = next((p for p in node.inputs if isinstance(p, Node)), None)
    return found


def test_ops_of_library_layers_have_the_line_that_called_the_network():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1)))
    out = net(tl.ones(4, 2))  # here
    assert lines(out) == [(op, "out = net(tl.ones(4, 2))  # here") for op in ("linear", "tanh", "linear")]


def test_ops_of_a_users_layer_have_its_own_lines_in_any_network():
    net = nn.Sequential(nn.Tanh(), Block(), nn.Sequential(Block(), nn.ReLU()))
    out = net(tl.ones(4, 2))
    call = "out = net(tl.ones(4, 2))"
    mul, linear = ("mul", "return x * 2  # here the product"), ("linear", "x = self.layer(x)  # here the layer")
    assert lines(out) == [("relu", call), mul, linear, mul, linear][: len(lines(out))]
    assert len(lines(out)) == 5  # tanh of a constant is not recorded


def test_a_subclass_that_overrides_forward_is_a_users_layer():
    class Twice(nn.Sequential):
        def forward(self, input):
            return super().forward(input) + input  # here

    out = Twice(nn.Linear(2, 2))(tl.ones(1, 2))
    assert lines(out) == [("add", "return super().forward(input) + input  # here")] + [
        ("linear", "return super().forward(input) + input  # here")
    ]


def double(module, args, out):
    return out * 2  # the hook


def test_a_hook_has_its_own_line_in_any_module():
    for net in (nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.ReLU())):
        inner = net[0] if isinstance(net[0], nn.Linear) else net[0][0]
        inner.register_forward_hook(double)
        out = net(tl.ones(1, 2))  # here
        found = [("mul", "return out * 2  # the hook"), ("linear", "out = net(tl.ones(1, 2))  # here")]
        assert lines(out)[-2:] == found
        assert MODE.get().place is None
    net = nn.Sequential(Block())
    net[0].register_forward_hook(lambda module, args, out: None)
    out = net(tl.ones(1, 2))
    assert lines(out)[0] == ("mul", "return x * 2  # here the product")


def test_a_forward_put_on_one_module_has_its_own_lines():
    layer = nn.Linear(2, 2)

    def forward(x):
        return nn.functional.linear(x, layer.weight) * 3  # put there

    net = nn.Sequential(layer)
    layer.forward = forward
    assert lines(net(tl.ones(1, 2))) == [(op, "return nn.functional.linear(x, layer.weight) * 3  # put there")
                                         for op in ("mul", "linear")]  # fmt: skip
    del layer.forward
    out = net(tl.ones(1, 2))  # ours again
    assert lines(out) == [("linear", "out = net(tl.ones(1, 2))  # ours again")]


def test_the_mode_is_as_before_after_an_error_and_after_a_layer_that_switches_gradients_off():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("broken")

    class Off(nn.Module):
        def forward(self, x):
            tl.set_grad_enabled(False)
            return x

    before = MODE.get()
    with pytest.raises(RuntimeError, match="broken"):
        nn.Sequential(nn.Linear(2, 2), Broken())(tl.ones(1, 2))
    assert MODE.get() is before
    try:
        nn.Sequential(nn.Linear(2, 2), Off())(tl.ones(1, 2))
        assert not tl.is_grad_enabled() and MODE.get().place is None  # as in PyTorch
    finally:
        MODE.set(before)


def test_threads_do_not_see_each_others_lines():
    net, seen = nn.Sequential(nn.Linear(2, 2), nn.Tanh()), {}
    barrier = threading.Barrier(2)

    class Wait(nn.Module):
        def forward(self, x):
            barrier.wait(timeout=10)
            return x

    net = nn.Sequential(Wait(), nn.Linear(2, 2))

    def first():
        seen["first"] = lines(net(tl.ones(1, 2)))

    def second():
        seen["second"] = lines(net(tl.ones(1, 2)))

    threads = [threading.Thread(target=t) for t in (first, second)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == {n: [("linear", f'seen["{n}"] = lines(net(tl.ones(1, 2)))')] for n in ("first", "second")}
