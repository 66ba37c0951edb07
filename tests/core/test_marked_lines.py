"""Every marked line of core: what computes can be written with numbers, and its Steps hold them."""

import importlib

import pytest

from core.marked_line import marked_line, parsed
from core.trace import marked_lines
from tests.core.real_steps import real_steps
from tests.core.test_trace import modules_of_core

# Lines that compute and that no Step stands for yet.
WITHOUT_A_STEP = {
    "core.autograd.mlp:MLP._layer#product",  # the network's pane makes one
    "core.autograd.mlp:MLP._layer#sums",
    "core.tokenization.unigram.lattice:Lattice.paths#promise",
    "core.tokenization.unigram.word_lattices:WordLattices.shares#share",
    "core.tokenization.wordpiece.training:LikelihoodLearner.score_pairs#score",
}


def markers() -> list[str]:
    return [
        marker
        for name in modules_of_core()
        for marker in marked_lines(importlib.import_module(name))
    ]


def test_every_marked_line_that_computes_can_be_written_with_numbers():
    """One assignment to a fresh name, of local names, operators and known functions alone."""
    wrong = []
    for marker in markers():
        try:
            marked_line(marker)
        except ValueError as error:
            wrong.append(str(error))
    assert wrong == []


def test_the_values_of_its_step_hold_every_name_that_a_computing_line_reads_and_makes():
    lacking, told = {}, set()
    for step in real_steps():
        line = marked_line(step.code)
        if line.computes:
            told.add(step.code)
            missing = {line.made, *line.reads} - set(step.values)
            if missing:
                lacking[step.code] = missing
    assert lacking == {}
    computing = {marker for marker in markers() if marked_line(marker).computes}
    assert computing - told == WITHOUT_A_STEP


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("state.average * 2", "state.average"),
        ("[a for a in b]", "a for a in b"),
        ("a if b else c", "if b else"),
        ("round(a)", "round"),
        ("a // b", "a // b"),
        ("a +", "no formula"),
        ("a.sum(dtype=b)", "dtype"),
        ("x[1] * 2", r"x\[1\]"),
    ],
)
def test_what_cannot_be_written_with_numbers_is_refused_with_its_place(formula, why):
    with pytest.raises(ValueError, match=why):
        parsed(formula)


@pytest.mark.parametrize(
    ("marker", "computes", "made", "reads"),
    [
        (
            "core.optimization.adam:explain#average",
            True,
            "average",
            ("average_before", "beta1", "slope"),
        ),
        ("core.autograd.functions:Exp.forward#forward", True, "out", ("a",)),
        ("core.autograd.layers:Softmax.forward#forward", True, "out", ("a", "axis")),
        ("core.autograd.shapes:Transpose.forward#forward", False, "out", ("a", "axes")),
        ("core.autograd.functions:Mask.forward#forward", False, "out", ("hidden", "self", "a")),
        ("core.optimization.muon:explain#orthogonalize", False, "", ("ahead", "settings")),
    ],
)
def test_what_a_line_does_is_read_from_its_syntax_tree(marker, computes, made, reads):
    line = marked_line(marker)
    assert (line.computes, line.made, line.reads) == (computes, made, reads)
