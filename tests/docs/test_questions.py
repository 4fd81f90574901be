"""Twenty questions of a new user, and where their answers are: one click on "How do I ...?", one on the heading."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ANSWERS = {
    "How do I freeze a layer?": "how_do_i.md#freeze-a-layer",
    "How do I see where NaN starts?": "how_do_i.md#see-where-nan-starts",
    "How do I use my NumPy function?": "how_do_i.md#use-my-numpy-function-in-a-model",
    "How do I export to ONNX?": "how_do_i.md#export-to-onnx",
    "How do I save a checkpoint?": "how_do_i.md#save-and-load-a-checkpoint",
    "How do I use several threads?": "how_do_i.md#use-several-threads",
    "How do I make results repeat?": "how_do_i.md#make-results-repeat",
    "How do I plug in scikit-learn?": "how_do_i.md#use-it-with-scikit-learn",
    "How do I clip gradients?": "how_do_i.md#clip-gradients-accumulate-several-batches",
    "How do I change the learning rate of a part?": "how_do_i.md#use-a-different-learning-rate-for-a-part",
    "How do I load PyTorch's weights?": "how_do_i.md#load-pytorch-s-weights",
    "How do I get a Hessian?": "how_do_i.md#get-a-gradient-of-a-gradient-a-jacobian-a-hessian",
    "How do I count parameters and see shapes?": "how_do_i.md#see-the-shapes-and-the-number-of-parameters",
    "How do I read a layer's output?": "how_do_i.md#read-a-value-in-the-middle-of-a-model",
    "How do I stop early?": "how_do_i.md#train-without-writing-the-loop-stop-early",
    "How do I write my own loss?": "how_do_i.md#write-a-layer-or-a-loss-of-my-own",
    "How do I use my own data?": "how_do_i.md#use-my-own-data",
    "How do I check my gradient?": "how_do_i.md#check-a-gradient",
    "How do I make training faster?": "how_do_i.md#make-it-faster",
    "Why is my gradient None?": "faq.md#my-gradient-is-none",
}


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w]+", "-", heading.lower()).strip("-") for heading in headings}


@pytest.mark.parametrize("page", ["how_do_i.md", "faq.md"])
def test_every_question_has_its_heading(page):
    wanted = {place.partition("#")[2] for place in ANSWERS.values() if place.startswith(page)}
    assert wanted <= anchors(page)
    assert len(ANSWERS) == 20
