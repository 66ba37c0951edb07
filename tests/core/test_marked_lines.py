"""Every marked line of core: what computes can be written with numbers, and its Steps hold them."""

import ast
import functools
import importlib

import pytest

from core.marked_line import CALLS, marked_line
from core.plain_twins import TWINS, plain_source
from core.trace import marked_lines, source
from tests.core.formulas import refused
from tests.core.real_steps import real_steps
from tests.core.test_trace import modules_of_core

TWIN_MODULES = {twin.partition(":")[0] for twins in TWINS.values() for twin in twins}


@functools.cache
def markers() -> list[str]:
    """Of all lines that a Step names; those of plain twins are read, and never computed with."""
    return [
        marker
        for name in modules_of_core()
        if name not in TWIN_MODULES
        for marker in marked_lines(importlib.import_module(name))
    ]


def test_a_plain_twin_leads_with_each_of_its_lines_and_is_as_long_as_a_page():
    """A name in the table that nothing has, or a line that no Step leads to, is a mistake."""
    as_they_run = markers()
    functions = {one for marker in as_they_run for one in _prefixes(marker)}
    assert TWINS.keys() - functions == set()
    led_to = {where.marker for marker in as_they_run if (where := plain_source(marker))}
    for name in TWIN_MODULES:
        module = importlib.import_module(name)
        assert set(marked_lines(module)) - led_to == set()
        with open(module.__file__, encoding="utf-8") as file:
            assert 40 <= len(file.readlines()) <= 100, name


def _prefixes(marker: str) -> tuple[str, str]:
    function = marker.partition("#")[0]
    return function, function.rpartition(".")[0]


def test_a_line_without_a_plain_twin_has_none():
    assert plain_source("core.transformer.attention:attend#softmax") is None
    assert plain_source("core.autograd.arithmetic:Power.grad_b#grad_b") is None
    where = plain_source("core.tokenization.symbol_row:SymbolRow.merge#update")
    assert where is not None
    assert where.marker == "core.tokenization.bpe.plain:train#update"


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
    assert computing - told == set(), "a marked line that no Step shows"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("made = state.average * 2", "state.average"),
        ("made = [a * 2 for a in b]", "a * 2 for a in b"),
        ("made = a if b else c * 2", "if b else"),
        ("made = a // b", "a // b"),
        ("made = a.sum(dtype=b)", "dtype"),
        ("made = x[1] * 2", "x[1]"),
        ("made = round(a)", "round(a)"),
        ("made = x.exp()", "x.exp()"),
        ("made = np.add.reduceat(x[places], starts)", "np.add.reduceat"),
        ("made = np.min(x)", "np.min"),
        ("made = x.exp().reshape(2, 3)", "x.exp()"),
        ("made = np.reshape(np.cumsum(x), shape)", "np.cumsum"),
        ("first, second = x.sort()", "one assignment to one local name"),
        ("x = x * 2", "a name of its own"),
        ("x *= 2", "one assignment to one local name"),
        ("made = np.concatenate([a + b, c])", "np.concatenate"),
        ("made = torch.stack((a * b, c))", "torch.stack"),
        ("made = np.array({0: -a})", "np.array"),
        ("made = np.where(hidden, -x, 0.0)", "np.where"),
        ("made = x.take(places, out=a + b)", "x.take"),
        ("made = x[-a * 2:].reshape(b - c)", "reshape"),
        ("made = min(a, b)", "min(a, b)"),
        ("made = merge(a, b)", "merge(a, b)"),
        ("made = model.loss(x)", "model.loss(x)"),
    ],
)
def test_what_computes_and_cannot_be_written_with_numbers_is_refused(statement, why):
    assert why in refused(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "made = x.reshape(2, 3).transpose(1, 0)",
        "q, k, v = x.split((size, size, size), dim=1)",
        "made = torch.cat((a, b), dim=1)",
        "made = np.where(hidden, 0.0, x)",
        "np.add.at(made, places, x)",
        "made = x[:, 1:]",
        "made = x[places + 1 :, -1]",
        "made = x.masked_fill(~hidden, -math.inf)",
        "made = x.reshape(-1, 3)",
    ],
)
def test_a_line_that_only_moves_numbers_may_be_written_as_it_likes(statement):
    assert refused(statement) == ""


def test_every_call_that_is_exempt_stands_in_a_marked_line_of_its_module():
    found = set()
    for marker in markers():
        module, where = marker.partition(":")[0], source(marker)
        for node in ast.walk(ast.parse(where.lines[where.marked].strip())):
            if isinstance(node, ast.Call):
                found.add((module, ast.unparse(node.func)))
    exempt = {(module, call) for module, calls in CALLS.items() for call in calls}
    assert exempt - found == set()


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
