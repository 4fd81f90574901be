"""Every public name that the reference describes has an example in its docstring, as `help` shows it; all of them run.

Pytest finds the examples that stand in a file. Those of functions that are made in a loop run here.
"""

import doctest
import inspect
import pydoc
import re
import sys
from pathlib import Path

import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.op import OPS

DOCS = Path(__file__).parents[2] / "docs"
WORDS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NO_EXAMPLE = {
    # as CIFAR10 and MNIST, or in need of files
    "vision.datasets.CIFAR100", "vision.datasets.FashionMNIST", "vision.datasets.KMNIST",
    "vision.datasets.CocoCaptions", "vision.datasets.CocoDetection", "vision.datasets.VOCDetection",
    "vision.datasets.VOCSegmentation",
    # of 60 and 140 million weights; the functions that make them have one
    "vision.models.AlexNet", "vision.models.VGG",
    # in need of a second process, which their page starts
    "distributed.P2POp", "distributed.batch_isend_irecv", "distributed.isend", "distributed.irecv", "distributed.send",
    "distributed.recv", "distributed.send_object_list", "distributed.recv_object_list",
    # a test for pytest, on its page; a class that it would change for good; names for scripts
    "testing.gradtest", "utils.data.functional_datapipe", "distributions.constraints.dependent",
    "onnx.OperatorExportTypes", "library.impl_abstract",
}  # fmt: skip


@pytest.fixture(scope="module")
def described():
    """Every name with a page of its own in the reference."""
    sys.path.insert(0, str(DOCS))
    try:
        import _api
    finally:
        sys.path.remove(str(DOCS))
    list(_api.operations()), list(_api.layers()), [_api.room(*row) for _, rows in _api.GROUPS for row in rows]
    pages = "\n".join(_api.PAGES.values())
    names = re.findall(r"^\.\. auto(?:class|function|method):: tinygrad_lite\.([\w.]+)", pages, re.MULTILINE)
    assert len(names) == len(_api.PAGES) > 1300
    return {name: pydoc.locate(f"tinygrad_lite.{name}") for name in names}


def needs_an_example(thing):
    """Errors need none, nor do names that only raise or do nothing."""
    doc = thing.__doc__ or ""
    return not (inspect.isclass(thing) and issubclass(thing, BaseException)) and not doc.startswith(
        ("Raise NotImplementedError", "Raise RuntimeError", "Do nothing")
    )


def test_every_description_has_an_example(described):
    without = {name for name, thing in described.items() if ">>>" not in (thing.__doc__ or "")}
    missing = {name for name in without if needs_an_example(described[name])}
    assert missing - NO_EXAMPLE == set(), "give them an example in the docstring"
    assert NO_EXAMPLE <= missing, "these have an example"


def made_in_a_loop(thing):
    """Whether the docstring stands in no file, where pytest would find it."""
    op = {id(op.call): op for op in OPS.values()}.get(id(thing))
    function = inspect.unwrap(op.forward if op else thing)
    code = getattr(function, "__code__", None)
    return code is not None and (not code.co_consts or code.co_consts[0] != function.__doc__)


def test_examples_of_what_is_made_in_a_loop(described):
    heavy = {name for name in described if name.startswith("vision.models.")} - {"vision.models.squeezenet1_1"}
    made = {name for name, thing in described.items() if ">>>" in (thing.__doc__ or "") and made_in_a_loop(thing)}
    made |= {name for name in described if re.fullmatch("[A-Z][a-z]+Tensor", name)}
    assert {"eq", "softmax", "view_copy", "Tensor.long", "nn.functional.max_pool2d_with_indices"} < made
    said = []
    for name in sorted(made - heavy):
        test = doctest.DocTestParser().get_doctest(inspect.getdoc(described[name]), {}, name, None, 0)
        doctest.DocTestRunner(optionflags=WORDS).run(test, out=said.append)
    assert not said, "".join(said)


NO_FORMULA = {"RNNBase", "RNNCellBase", "Reshape", "Unflatten"}
"""Layers whose docstring says in words what a formula would say."""


def test_every_layer_has_a_formula(described):
    """In its docstring or in ``docs/_formulas``, from where it comes on the page of the layer."""
    sys.path.insert(0, str(DOCS))
    try:
        import _formulas
        import _shapes
    finally:
        sys.path.remove(str(DOCS))
    assert _formulas.FORMULAS.keys() <= {n.removesuffix("_with_indices") for n in map(last_of, described)}
    without = set()
    for name in _shapes.drawable():
        said = (inspect.getdoc(getattr(tl.nn, name)) or "").partition(">>>")[0]
        if not (":math:" in said or ".. math::" in said or re.search(r"``[^`]*[-+*/=@<][^`]*``", said)):
            without |= {name} - _formulas.FORMULAS.keys()
    assert without == NO_FORMULA


def last_of(name):
    """Return the key of a name in the table of formulas."""
    place, _, last = name.rpartition(".")
    return last if place in ("", "nn", "nn.functional") else name


def test_help_shows_the_example():
    assert "tensor([1.6487, 2.7183])" in pydoc.render_doc(tl.exp)
